"""An e-mail as the bytes of an `.eml` file: text and HTML, the payment code, copies of invoices.

The same message gives the same bytes: ids, boundaries and date come from it, never from a clock or chance.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, time
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from policies.creditor import Creditor
from policies.errors import RelanceError
from policies.mail_addresses import mail_address
from policies.messages import Message
from tasks.documents.content import build_content
from tasks.documents.payment_qr import draw_png
from tasks.documents.safe_text import file_name, one_line
from tasks.documents.wording import render_frame

_SUBJECT = "Subject"
_LONGEST_NAME = 200  # a header's line may have 998 characters, and a name without spaces cannot be folded
_HOUR_OF_MAIL = time(8, 0)
_LONGEST_WORD = 60  # of a subject; a longer one cannot be folded


class NoAddressError(RelanceError):
    """A customer to be written to has no e-mail address that a server would take."""


def mail_date(message: Message, creditor: Creditor) -> datetime:
    """Return the date an e-mail bears: its day, at eight where the creditor is."""
    return datetime.combine(message.as_of, _HOUR_OF_MAIL, tzinfo=ZoneInfo(creditor.time_zone))


def message_id_header(message_id: str, envelope_domain: str) -> str:
    """Return the Message-ID of the e-mail that a message is: what answers to it name, and copies of it bear."""
    return f"<{_atom(message_id)}@{envelope_domain}>"


def render_email(
    message: Message,
    creditor: Creditor,
    roots: Sequence[Path],
    attachments: Sequence[Path],
    sent_at: datetime,
    envelope_domain: str,
) -> bytes:
    """Return the e-mail, ready to be sent or opened in a mail program."""
    content = build_content(message, creditor, roots, attachments)
    image_id = f"payment-{_atom(message.message_id)}@{envelope_domain}" if content.payment_code else ""
    values = {**asdict(content), "creditor_name": creditor.legal_name, "payment_image": image_id}

    mail = EmailMessage(policy=POLICY)
    _write_headers(mail, message, creditor, content.subject, sent_at, envelope_domain)
    mail.set_content(render_frame(roots, "layouts/email.txt", values), cte="quoted-printable")
    html = render_frame(roots, "layouts/email.html", values)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    if content.payment_code:
        picture = draw_png(content.payment_code)
        _html_part(mail).add_related(
            picture, "image", "png", cid=f"<{image_id}>", filename="payment.png", disposition="inline"
        )
    for path in attachments:
        name = file_name(
            path.stem, ".pdf" if path.suffix.lower() == ".pdf" else file_name(path.suffix or ".bin")
        )
        mail.add_attachment(path.read_bytes(), maintype="application", subtype="pdf", filename=name)
    _fix_boundaries(mail, message.message_id)
    return mail.as_bytes()


def _write_headers(
    mail: EmailMessage,
    message: Message,
    creditor: Creditor,
    subject: str,
    sent_at: datetime,
    envelope_domain: str,
) -> None:
    recipient = mail_address(message.customer.email)
    if not recipient:
        raise NoAddressError(
            f"customer {message.customer.customer_id} has no usable e-mail address "
            f"('{one_line(message.customer.email)}'); correct it in the next customers export"
        )
    sender = creditor.sender
    sender_address = creditor.smtp.from_ if creditor.smtp and creditor.smtp.from_ else sender.email
    name = one_line(message.customer.customer_name)[:_LONGEST_NAME]
    mail["From"] = Address(
        one_line(f"{sender.name}, {creditor.legal_name}"), addr_spec=mail_address(sender_address)
    )
    mail["To"] = Address(name, addr_spec=recipient)
    mail["Reply-To"] = Address(sender.name, addr_spec=mail_address(sender.reply_to or sender.email))
    mail[_SUBJECT] = one_line(subject)
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = message_id_header(message.message_id, envelope_domain)
    # RFC 3834: made by a process; no out-of-office answer is to come back.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"


def _html_part(mail: EmailMessage) -> EmailMessage:
    part = mail.get_body(preferencelist=("html",))
    if not isinstance(part, EmailMessage):
        raise TypeError("an e-mail without its HTML part")
    return part


def _fix_boundaries(mail: EmailMessage, message_id: str) -> None:
    # Python draws boundaries by chance. No line of ours begins with "--=_": quoted-printable writes "=" as "=3D".
    parts = [part for part in mail.walk() if part.is_multipart()]
    for number, part in enumerate(parts):
        part.set_boundary(f"=_{_atom(message_id)}_{number}")


def _atom(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "", text)[:48]


class _WholeSubjects(EmailPolicy):
    """Subjects that read as they were written.

    The library encodes a text word by word, and readers drop the space between two encoded words (RFC 2047).
    Here a subject beyond ASCII is one run of encoded words, spaces inside.
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        """Keep a subject as text: the library would decode what looks encoded in it."""
        if name == _SUBJECT:
            return name, value
        stored: tuple[str, str] = super().header_store_parse(name, value)
        return stored

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header as it leaves, in lines of at most 78 characters."""
        if name == _SUBJECT:
            return f"{name}: {_encoded(value)}\r\n".encode("ascii")
        folded: bytes = super().fold_binary(name, value)
        return folded


def _encoded(subject: str) -> str:
    is_long = any(len(word) > _LONGEST_WORD for word in subject.split(" "))
    charset = "us-ascii" if subject.isascii() and not is_long and "=?" not in subject else "utf-8"
    return Header(subject, charset, header_name=_SUBJECT).encode(linesep="\r\n")


POLICY = _WholeSubjects(linesep="\r\n")
"""How an e-mail is written."""
