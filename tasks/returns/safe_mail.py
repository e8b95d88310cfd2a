"""One mail as a tree of parts, whatever it holds: cut to limits first, so that a hostile one costs but a moment.

The library that parses mail takes time by the square of the length of a header, and a call for each level of
nesting. Cut are the mail as a whole, each line, and each run of indented lines, which a header goes on in.
"""

import codecs
import re
from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import TypeAlias

MOST_BYTES = 1_048_576
"""Only so much of a mail is read: what matters stands at its beginning."""

_LONGEST_LINE = 1_000
_LONGEST_RUN = 8_000
_MOST_CONTAINERS = 60
_CONTAINER = re.compile(rb"^content-type:[ \t]*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
# The forms of RFC 6533 for addresses beyond ASCII: the library knows only those for ASCII.
_GLOBAL = (
    (b"message/global-delivery-status", b"message/delivery-status"),
    (b"message/global-disposition-notification", b"message/disposition-notification"),
    (b"message/global-headers", b"text/rfc822-headers"),
    (b"message/global", b"message/rfc822"),
)
_CHARSETS = re.compile(
    r"utf-?(8|16|32)(-?[bl]e)?|ascii|us-ascii|latin-?1|iso-?8859-?\d{1,2}|(windows|cp)-?125\d|cp(437|850|852|932)"
    r"|iso-?2022-?(jp|kr)|shift[-_]?jis|euc[-_](jp|kr)|gb(2312|k|18030)|big5|koi8[-_][ru]|mac[-_]?roman"
)
_OTHER = "utf-8"

Mail: TypeAlias = "Message[str, str]"


class UnreadableMailError(Exception):
    """A mail that cannot be taken apart within the limits."""


def parse_mail(content: bytes) -> Mail:
    """Return the parts of a mail.

    Raises:
        UnreadableMailError: it is nested beyond reason.
    """
    cut = cut_to_limits(content)
    if len(_CONTAINER.findall(cut)) > _MOST_CONTAINERS:
        raise UnreadableMailError
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(cut)
    except (RecursionError, ValueError, LookupError, AttributeError) as error:
        raise UnreadableMailError from error
    for part in mail.walk():
        _drop_strange_charset(part)
    return mail


def cut_to_limits(content: bytes) -> bytes:
    """Return the beginning of a mail with its overlong lines cut short."""
    lines = []
    run = 0
    for line in content[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        run = run + len(line) if line[:1] in (b" ", b"\t") else len(line)
        if run <= _LONGEST_RUN:
            lines.append(_in_known_form(line[:_LONGEST_LINE]))
    return b"\n".join(lines)


def _in_known_form(line: bytes) -> bytes:
    if line[:13].lower() != b"content-type:":
        return line
    for written, known in _GLOBAL:
        if written in line.lower():
            return re.sub(re.escape(written), known, line, count=1, flags=re.IGNORECASE)
    return line


def is_usual_charset(name: str) -> bool:
    """Return whether a name stands for a character set of mail; some codecs of Python are none, or slow."""
    if not _CHARSETS.fullmatch(name.lower()):
        return False
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def part_text(part: Mail) -> str:
    """Return the text of one part."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return content.decode(part.get_content_charset() or _OTHER, errors="replace")


def _drop_strange_charset(part: Mail) -> None:
    charset = part.get_content_charset()
    if charset and not is_usual_charset(charset):
        part.replace_header("Content-Type", part.get_content_type())
