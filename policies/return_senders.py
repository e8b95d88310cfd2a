"""Who wrote a returned mail: a mail system, another program, or a person.

What a program sends says so: by RFC 3834 (`Auto-Submitted`, a blank envelope sender), by the form of a report, by words
that programs use. That nobody is to answer automatically (`X-Auto-Response-Suppress`) is asked by people's programs too
and says nothing. What follows is decided in `policies.return_kinds`.
"""

import re

from policies.return_phrases import ReturnPhrases, plain
from policies.returned_mail import ReturnedMail

_ADDRESS = re.compile(r"([^\s<>@,;:\"']+)@[^\s<>@,;:\"']+")
_BESIDE_ADDRESS = re.compile(r"\"[^\"]*\"|\([^()]*\)")
_NUMBERED = re.compile(r"(?:[+=].*|[0-9a-f]{32}|[-_.]?\d[0-9a-f]*)$")
"""Behind the name of a daemon: what it tells its mails or machines apart by."""
_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|aw|sv|antw|rif|odp|ref?)\s*:)+\s*")
_SENTENCE = re.compile(r"[.!?;:]\s")
_MAILING_PRECEDENCE = ("bulk", "junk", "list")
_AUTO_REPLY_PRECEDENCE = ("auto_reply", "auto-reply")
_AUTO_REPLY_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")
_BEGINNING = 400
_SHORTEST_STATEMENT_WORDS = 3


def is_from_daemon(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    """Return whether a mail system wrote a mail: by its sender's name and one more sign, for people have such names."""
    if mail.header("x-failed-recipients"):
        return True
    if _NUMBERED.sub("", _local_part(mail)) not in phrases.daemons:
        return False
    is_report = mail.content_type == "multipart/report" or bool(mail.report_type)
    return is_report or is_automatic(mail) or says_it_bounced(mail, phrases) or _is_out_of_nothing(mail)


def _is_out_of_nothing(mail: ReturnedMail) -> bool:
    """Return whether a mail neither answers anything nor came with the address of whoever sent it."""
    answers = mail.header("in-reply-to") or mail.header("references") or _REPLY_PREFIX.match(_subject(mail))
    return not answers and not mail.header("return-path")


def is_automatic(mail: ReturnedMail) -> bool:
    """Return whether a program sent this (RFC 3834): it says so, or nobody is told when it does not arrive."""
    stated = mail.header("auto-submitted").lower()
    return (bool(stated) and not stated.startswith("no")) or mail.header("return-path").strip() == "<>"


def says_it_bounced(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    """Return whether a mail has the subject or the form of a bounce."""
    return bool(mail.failed or mail.delayed) or _subject(mail).startswith(phrases.bounce_subjects)


def is_auto_reply(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    """Return whether a mail says by header, subject or text that a program answered in somebody's stead.

    What people write too counts only with another sign beside it: words of absence, where the mail begins with them.
    """
    subject = _REPLY_PREFIX.sub("", _subject(mail))
    if subject.startswith(phrases.auto_reply_subjects) or any(map(mail.header, _AUTO_REPLY_HEADERS)):
        return True
    if mail.header("precedence").lower() in _AUTO_REPLY_PRECEDENCE:
        return True
    said = _begins_automatically(mail.text, phrases)
    is_so_named = subject.startswith(phrases.auto_reply_subjects_if_automatic) or any(
        one in subject for one in phrases.absent_subjects
    )
    is_by_program = is_automatic(mail) or _wants_no_answer(mail, phrases)
    if said:
        return is_so_named or is_by_program or is_mailing(mail)
    return is_so_named and is_by_program


def _begins_automatically(text: str, phrases: ReturnPhrases) -> bool:
    """Return whether the first thing that a text says, behind greetings and thanks, is said by programs."""
    for sentence in _SENTENCE.split(plain(text[:_BEGINNING])):
        if any(one in sentence for one in phrases.auto_reply_phrases):
            return True
        if len(sentence.split()) >= _SHORTEST_STATEMENT_WORDS and not sentence.startswith(phrases.courtesies):
            return False
    return False


def is_mailing(mail: ReturnedMail) -> bool:
    """Return whether a mail went to many, or was judged to be spam on its way."""
    is_flagged = mail.header("x-spam-flag").lower() == "yes" or mail.header(
        "x-spam-status"
    ).lower().startswith("yes")
    is_list = any(mail.header(name) for name in ("list-id", "list-unsubscribe", "feedback-id"))
    return is_flagged or is_list or mail.header("precedence").lower() in _MAILING_PRECEDENCE


def asks_for_confirmation(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    """Return whether a filter wants a confirmation; a person who wants one replies."""
    is_by_program = is_automatic(mail) or is_mailing(mail) or _wants_no_answer(mail, phrases)
    said = plain(mail.text)
    return is_by_program and any(one in said for one in phrases.challenge_phrases)


def _wants_no_answer(mail: ReturnedMail, phrases: ReturnPhrases) -> bool:
    return _local_part(mail).startswith(phrases.no_reply_senders)


def _subject(mail: ReturnedMail) -> str:
    return plain(mail.header("subject"))


def _local_part(mail: ReturnedMail) -> str:
    """Return who sent it, without the domain; some systems give a name and no address."""
    sender = _BESIDE_ADDRESS.sub(" ", mail.header("from"))
    found = _ADDRESS.findall(sender)
    return (found[-1] if found else sender).lower().strip('<> "')
