"""Which message a mail is about: by what only an answer to that message can know, never by an address.

The number of a message is a hash that nobody guesses. It stands in the envelope address, in the envelope id and in
the Message-ID of what we send, so each place a number is found in is a candidate, the strongest first.
"""

import re
from collections.abc import Collection, Iterator

from policies.returned_mail import Evidence, ReturnedMail

_ENVELOPE_HEADERS = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-rcpt-to",
    "x-delivered-to",
    "x-forwarded-to",
    "x-apparently-to",
    "to",
    "cc",
)
_MARK = re.compile(r"\+([A-Za-z0-9-]{8,64})@")
_ID = re.compile(r"<?([A-Za-z0-9-]{8,64})(?:@[^<>\s]{1,255})?>?")


def candidates(mail: ReturnedMail) -> Iterator[tuple[Evidence, str]]:
    """Yield what may be the number of a message, the strongest evidence first."""
    for name in _ENVELOPE_HEADERS:
        for value in mail.headers.get(name, ()):
            yield from ((Evidence.ENVELOPE_ADDRESS, found) for found in _MARK.findall(value))
    if mail.envelope_id:
        yield Evidence.ENVELOPE_ID, mail.envelope_id.strip("<>").partition("@")[0]
    for value in mail.returned_ids:
        yield from ((Evidence.RETURNED_MESSAGE, found) for found in _ID.findall(value))
    for value in mail.returned_senders:
        yield from ((Evidence.RETURNED_MESSAGE, found) for found in _MARK.findall(value))
    yield from ((Evidence.IN_REPLY_TO, found) for found in _ID.findall(mail.header("in-reply-to")))
    # The last of a thread is what is answered.
    yield from ((Evidence.REFERENCES, found) for found in reversed(_ID.findall(mail.header("references"))))


def find_message(mail: ReturnedMail, known: Collection[str]) -> tuple[Evidence, str]:
    """Return the message that a mail is about, and how that is known; nothing where no evidence names one of ours.

    Args:
        mail: the mail.
        known: the numbers of all messages.
    """
    return next(((how, found) for how, found in candidates(mail) if found in known), (Evidence.NONE, ""))
