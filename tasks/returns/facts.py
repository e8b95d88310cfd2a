"""The facts of one mail that rules look at, from its bytes; nothing that a mail holds stops this.

Delivery reports are read as RFC 3464 states them; the library `flufl.bounce` finds the addresses in forms of its own
that mail servers use. What the facts mean is decided in `policies.return_kinds`.
"""

import logging
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from email.errors import MessageError
from email.header import decode_header
from html.parser import HTMLParser
from itertools import islice
from quopri import decodestring

from flufl.bounce import all_failures

from policies.return_phrases import ReturnPhrases, plain
from policies.returned_mail import DeliveryReport, ReturnedMail
from tasks.returns.safe_mail import (
    Mail,
    UnreadableMailError,
    cut_to_limits,
    is_usual_charset,
    parse_mail,
    part_text,
)

_LONGEST_VALUE = 2_000
_LONGEST_TEXT = 20_000
_LONGEST_SAID = 4_000
_ENOUGH_FOR_KNOWN_FORMS = 65_536
_MOST_VALUES = 20
_MOST_HEADERS = 2_000
_MOST_REPORTS = 200
_ID_IN_TEXT = re.compile(r"^[> \t]*message-id:\s*(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_SENDER_IN_TEXT = re.compile(r"^[> \t]*return-path:\s*(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_RECIPIENT = re.compile(r"(?:^|;)\s*<?([^\s<>;]+@[^\s<>;]+)>?")
_SENDER_HEADERS = ("return-path", "sender", "x-envelope-from", "x-envelope-sender")

# It tells its log of every form it tries.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def read_facts(content: bytes, phrases: ReturnPhrases) -> ReturnedMail:
    """Return the facts of a mail; of one that cannot be taken apart only that."""
    try:
        mail = parse_mail(content)
    except UnreadableMailError:
        return ReturnedMail(is_readable=False)
    own, copies = _parts(mail)
    whole = _whole_text(own)
    said = _without_copy(whole, phrases)
    failed, delayed = _known_forms(content)
    statuses = [part for part in own if part.get_content_type() == "message/delivery-status"]
    receipts = [part for part in own if part.get_content_type() == "message/disposition-notification"]
    blocks = [block for part in statuses for block in _blocks(part)]
    complaints = [part for part in own if part.get_content_type() == "message/feedback-report"]
    feedback = [block for part in complaints for block in _blocks(part)]
    copied = [_headers(copy) for copy in copies]
    return ReturnedMail(
        headers=_headers(mail),
        content_type=mail.get_content_type(),
        report_type=_report_type(mail, bool(statuses), bool(receipts), bool(complaints)),
        text=said[:_LONGEST_SAID],
        reports=tuple(_report(block) for block in blocks[:_MOST_REPORTS] if _is_of_recipient(block)),
        envelope_id=_first(blocks, "original-envelope-id"),
        returned_ids=(
            *(_first([block for part in receipts for block in _blocks(part)], "original-message-id"),),
            *(value for copy in copied for value in copy.get("message-id", ())),
            *_ID_IN_TEXT.findall(whole)[:_MOST_VALUES],
        ),
        returned_senders=(
            *(value for copy in copied for name in _SENDER_HEADERS for value in copy.get(name, ())),
            *_SENDER_IN_TEXT.findall(whole)[:_MOST_VALUES],
            *(value for block in feedback if (value := _value(block, "original-mail-from"))),
        ),
        disposition=_first([block for part in receipts for block in _blocks(part)], "disposition"),
        feedback_type=_first(feedback, "feedback-type"),
        failed=failed,
        delayed=delayed,
    )


def _parts(mail: Mail) -> tuple[list[Mail], list[Mail]]:
    """Return the parts that are the mail's own, and the copies of messages it brings back."""
    own: list[Mail] = []
    copies: list[Mail] = []

    def look(part: Mail) -> None:
        kind = part.get_content_type()
        inner = part.get_payload() if part.is_multipart() else []
        held = [one for one in inner if isinstance(one, type(part))] if isinstance(inner, list) else []
        if kind == "message/rfc822":
            copies.extend(held[:1])
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            copies.append(_headers_as_mail(part))
        else:
            own.append(part)
            if kind.startswith("multipart/"):
                for one in held:
                    look(one)

    look(mail)
    return own, copies


def _headers_as_mail(part: Mail) -> Mail:
    try:
        return parse_mail(part_text(part).encode("utf-8", "replace"))
    except UnreadableMailError:
        return part


def _blocks(part: Mail) -> list[Mail]:
    """Return the blocks of fields of a report; one sent encoded stands there as text."""
    inner = part.get_payload()
    found = [one for one in inner if isinstance(one, type(part))] if isinstance(inner, list) else []
    encoding = _value(part, "content-transfer-encoding").lower()
    if encoding not in ("base64", "quoted-printable"):
        return found[:_MOST_REPORTS]
    text = "\n\n".join(one.as_string() for one in found[:_MOST_REPORTS]).strip().encode("ascii", "replace")
    try:
        decoded = b64decode(text) if encoding == "base64" else decodestring(text)
    except ValueError:
        return found[:_MOST_REPORTS]
    pieces = re.split(rb"\n[ \t]*\n", decoded.replace(b"\r\n", b"\n"))
    return [_headers_only(piece) for piece in pieces[:_MOST_REPORTS]]


def _headers_only(text: bytes) -> Mail:
    try:
        return parse_mail(text.strip())
    except UnreadableMailError:
        return parse_mail(b"")


def _is_of_recipient(block: Mail) -> bool:
    return any(
        block.get(name) for name in ("final-recipient", "original-recipient", "action", "x-actual-recipient")
    )


def _report(block: Mail) -> DeliveryReport:
    recipients = [
        found
        for name in ("original-recipient", "final-recipient", "x-actual-recipient")
        for found in _RECIPIENT.findall(_value(block, name))
    ]
    return DeliveryReport(
        action=_value(block, "action"),
        status=_value(block, "status").split(" ")[0].strip(),
        diagnostic=_value(block, "diagnostic-code"),
        recipients=tuple(dict.fromkeys(recipients)),
    )


def _first(blocks: list[Mail], name: str) -> str:
    return next((value for block in blocks if (value := _value(block, name))), "")


def _value(block: Mail, name: str) -> str:
    return next((_text_of(value) for key, value in block.raw_items() if key.lower() == name), "")


def _report_type(mail: Mail, has_status: bool, has_receipt: bool, has_feedback: bool) -> str:
    """Return what a report reports; some name none, and some bring a part of another kind than they name."""
    if has_feedback:
        return "feedback-report"
    if has_receipt:
        return "disposition-notification"
    if has_status:
        return "delivery-status"
    stated = mail.get_param("report-type")
    return stated.lower() if isinstance(stated, str) else ""


def _headers(mail: Mail) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in islice(mail.raw_items(), _MOST_HEADERS):
        known = found.setdefault(name.lower(), ())
        if len(known) < _MOST_VALUES:
            found[name.lower()] = (*known, _decoded(_text_of(value)))
    return found


def _text_of(value: object) -> str:
    """Return a header as it stands, unfolded; letters beyond ASCII count as UTF-8, whatever the mail says."""
    raw = str(value)[:_LONGEST_VALUE].encode("utf-8", "surrogateescape")
    return " ".join(raw.decode("utf-8", "replace").split())


def _decoded(value: str) -> str:
    """Return a header as people read it (RFC 2047)."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (MessageError, ValueError):
        return value
    return "".join(
        piece.decode(charset if charset and is_usual_charset(charset) else "utf-8", "replace")
        if isinstance(piece, bytes)
        else piece
        for piece, charset in pieces
    )


def _whole_text(parts: list[Mail]) -> str:
    """Return what the mail's own parts say: plain text where there is some, else what its HTML shows."""
    texts = list(_texts(parts, "text/plain"))
    return "\n".join(texts or [_shown(html) for html in _texts(parts, "text/html")])[:_LONGEST_TEXT]


def _texts(parts: list[Mail], kind: str) -> Iterator[str]:
    for part in parts:
        is_said = part.get_content_type() == kind and part.get_content_disposition() != "attachment"
        if is_said and (text := part_text(part).strip()):
            yield text[:_LONGEST_TEXT]


def _without_copy(text: str, phrases: ReturnPhrases) -> str:
    """Return the text before the copy of a message that it may hold."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        said = plain(line)
        if number and (any(mark in said for mark in phrases.copy_marks) or _ID_IN_TEXT.match(line)):
            return "\n".join(lines[:number])
    return text


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.hidden += tag in ("style", "script", "head")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in ("style", "script", "head")))

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def _shown(html: str) -> str:
    reader = _Shown()
    try:
        reader.feed(html)
    except (AssertionError, ValueError):
        return ""
    return "\n".join(piece for piece in reader.pieces if piece.strip())


def _known_forms(content: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses that a library of known forms finds failed for good, and for the moment."""
    try:
        mail = parse_mail(cut_to_limits(content[:_ENOUGH_FOR_KNOWN_FORMS]))
        delayed, failed = all_failures(mail)
    except Exception:  # noqa: BLE001 - it reads what strangers wrote, and says nothing of what it raises
        return (), ()
    return _names(failed), _names(delayed)


def _names(addresses: frozenset[bytes] | set[bytes]) -> tuple[str, ...]:
    return tuple(sorted(address.decode("ascii", "replace") for address in addresses))[:_MOST_REPORTS]
