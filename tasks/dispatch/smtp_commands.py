"""What is said to a mail server about one message: from whom, to whom, with which options, and the data."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from tasks.dispatch.deliveries import PlannedMessage

_NOT_IN_ADDRESSES = re.compile(r"[\x00-\x20\x7f<>]")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_ADDRESSES = re.compile(r"[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"@]+")
_LONGEST_ANSWER = 500


class AddressFormError(Exception):
    """The mail server cannot take an address of this form; `is_ours` where it is not the customer's."""

    def __init__(self, *, is_ours: bool) -> None:
        """Keep whose address it is."""
        super().__init__()
        self.is_ours = is_ours


@dataclass(frozen=True)
class Commands:
    """MAIL and one RCPT for each recipient, the customer's before those of our own copies."""

    mail: bytes
    recipients: tuple[bytes, ...]


def envelope_sender(sender: str, message_id: str) -> str:
    """Return the address a bounce of this one message comes back to.

    >>> envelope_sender("accounts@example.com", "m1f3")
    'accounts+m1f3@example.com'
    """
    local, _, domain = sender.rpartition("@")
    return f"{local}+{message_id}@{domain}"


def make_commands(message: PlannedMessage, content: bytes, offered: Collection[str]) -> Commands:
    """Return what is said before the data, with the options that the server offers.

    Args:
        message: whose envelope it is.
        content: what will be sent.
        offered: extensions of the server, in small letters.

    Raises:
        AddressFormError: an address is none, or goes beyond ASCII where the server does not.
    """
    sender = envelope_sender(message.sender, message.message_id)
    options = [f"SIZE={len(content)}"] if "size" in offered else []
    if "8bitmime" in offered and not content.isascii():
        options.append("BODY=8BITMIME")
    ours = (message.sender, *message.copies)
    for address in (*ours, *message.recipients):
        is_taken = address.isascii() or "smtputf8" in offered
        if not address or _NOT_IN_ADDRESSES.search(address) or not is_taken:
            raise AddressFormError(is_ours=address in ours)
    if not all(address.isascii() for address in (*ours, *message.recipients)):
        options.append("SMTPUTF8")
    if "dsn" in offered:
        options += ["RET=HDRS", f"ENVID={xtext(message.message_id)}"]
    told = [_recipient(address, "dsn" in offered) for address in message.recipients]
    copies = [
        _line(f"RCPT TO:<{address}>", ["NOTIFY=NEVER"] if "dsn" in offered else [])
        for address in message.copies
    ]
    return Commands(_line(f"MAIL FROM:<{sender}>", options), (*told, *copies))


def xtext(text: str) -> str:
    """Return a text as the value of an option (RFC 3461, 4).

    >>> xtext("a+b=c"), xtext("m1f3")
    ('a+2Bb+3Dc', 'm1f3')
    """
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )


def with_line_ends(content: bytes) -> bytes:
    """Return a message whose lines all end as mail servers ask (RFC 5321, 2.3.8), the last one too."""
    ends = content.count(b"\r\n")
    if not ends == content.count(b"\n") == content.count(b"\r"):
        content = _LINE_ENDS.sub(b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def with_dots_doubled(content: bytes) -> bytes:
    """Return a message in which no line means the end: a dot before each leading dot (RFC 5321, 4.5.2)."""
    doubled = content.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def without_addresses(text: str, message: PlannedMessage) -> str:
    """Return a server's answer without the addresses of people it may repeat; Message-IDs of ours stay."""
    if "@" not in text:
        return text[:_LONGEST_ANSWER]
    for address in (*message.recipients, *message.copies, message.sender):
        text = re.sub(re.escape(address), "<address>", text, flags=re.IGNORECASE) if address else text
    shown = _ADDRESSES.sub(
        lambda found: found[0] if found[0].startswith(f"{message.message_id}@") else "<address>", text
    )
    return shown[:_LONGEST_ANSWER]


def _recipient(address: str, has_dsn: bool) -> bytes:
    options = []
    if has_dsn:
        options.append("NOTIFY=SUCCESS,FAILURE,DELAY")
        if address.isascii():
            options.append(f"ORCPT=rfc822;{xtext(address)}")
    return _line(f"RCPT TO:<{address}>", options)


def _line(command: str, options: list[str]) -> bytes:
    return f"{' '.join([command, *options])}\r\n".encode()
