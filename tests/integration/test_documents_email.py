"""E-mails are whole, the same every time, and carry nothing a customer's data could smuggle in."""

import email
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.errors import RelanceError
from policies.messages import Message
from tasks.documents.email import POLICY, mail_date, render_email
from tasks.documents.safe_text import one_line
from tests.golden.sample_messages import FRENCH, TEMPLATES, creditor, message


def rendered(told: Message, attachments: list[Path] | None = None) -> bytes:
    return render_email(
        told, creditor(), TEMPLATES, attachments or [], mail_date(told, creditor()), "cormier.example"
    )


def parsed(told: Message, attachments: list[Path] | None = None) -> EmailMessage:
    mail = email.message_from_bytes(rendered(told, attachments), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def test_the_same_message_gives_the_same_bytes(tmp_path: Path) -> None:
    invoice = tmp_path / "FA-0001.pdf"
    invoice.write_bytes(b"%PDF-1.7 invoice")
    told = message("reminder_2", "email")
    assert rendered(told, [invoice]) == rendered(
        Message.model_validate_json(told.model_dump_json()), [invoice]
    )


def test_a_mail_has_text_html_payment_code_and_the_invoice(tmp_path: Path) -> None:
    invoice = tmp_path / "FA-0001.pdf"
    invoice.write_bytes(b"%PDF-1.7 invoice")
    mail = parsed(message("reminder_1", "email", charges=False), [invoice])
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf",
    ]  # fmt: skip
    attached = next(mail.iter_attachments())
    assert attached.get_filename() == "FA-0001.pdf"
    assert attached.get_content() == b"%PDF-1.7 invoice"
    image = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in body(mail, "html")


def test_a_mail_says_by_whom_to_whom_and_that_it_is_automatic() -> None:
    mail = parsed(message("reminder_1", "email"))
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@cormier.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert mail["Date"] == "Mon, 31 Aug 2026 08:00:00 +0200"
    assert mail["To"].addresses[0].addr_spec == "compta@delaunay.example"
    assert mail["Reply-To"].addresses[0].addr_spec == "comptabilite@ateliers-cormier.example"


def test_a_currency_without_a_code_has_no_picture() -> None:
    mail = parsed(message("reminder_1", "email", "en", currency="USD", charges=False))
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert "US$2,003.00" in body(mail, "plain")


@pytest.mark.parametrize(
    "name",
    [
        "Acme\r\nBcc: thief@example.com",
        "Acme\nSubject: free",
        "Acme\x00\x0b",
        "\u202eemca",
        'A "quoted", <x@y.z>',
    ],
)
def test_a_name_cannot_write_headers(name: str) -> None:
    sent = rendered(
        message("reminder_1", "email", customer=FRENCH.model_copy(update={"customer_name": name}))
    )
    head = sent.split(b"\r\n\r\n", 1)[0]
    lines = [line.split(b":")[0].lower() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert b"bcc" not in lines
    assert lines.count(b"subject") == lines.count(b"to") == 1
    mail = email.message_from_bytes(sent, policy=default)
    assert [address.addr_spec for address in mail["To"].addresses] == ["compta@delaunay.example"]


def test_text_of_a_customer_is_escaped_in_html() -> None:
    hostile = FRENCH.model_copy(update={"contact_name": "<script>alert(1)</script> {{ total }}"})
    html = body(parsed(message("reminder_1", "email", customer=hostile)), "html")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ total }}" in html


def test_an_attachment_cannot_leave_its_folder_by_name(tmp_path: Path) -> None:
    invoice = tmp_path / 'FA "1"\n; x=..pdf.PDF'
    invoice.write_bytes(b"%PDF")
    attached = next(parsed(message("reminder_1", "email"), [invoice]).iter_attachments())
    assert attached.get_filename() == "FA_1_x_..pdf.pdf"


SUBJECTS = (
    st.text(st.sampled_from('aé à1,-_=?.\u202f€ü(x)"<>@;: '), max_size=300)
    | st.lists(
        st.sampled_from(["factures", "impayées,", "1\u202f000,00\u00a0€", "=?utf-8?q?a?=", "x" * 90])
    ).map(" ".join)
).map(one_line).filter(bool)  # fmt: skip


def subject_line(subject: str) -> bytes:
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = subject
    return mail.as_bytes().partition(b"\r\n\r\n")[0] + b"\r\n"


@given(SUBJECTS)
@example("Rappel : 2 factures impayées, 1\u202f000,00\u00a0€")
def test_a_subject_reads_as_it_was_written(subject: str) -> None:
    lines = subject_line(subject)
    assert all(len(line) <= 78 for line in lines.split(b"\r\n"))
    unfolded = email.message_from_bytes(lines)["Subject"].replace("\r\n", "")
    assert str(make_header(decode_header(unfolded))) == subject
    assert email.message_from_bytes(lines, policy=default)["Subject"] == subject


def test_a_customer_without_a_usable_address_is_named_without_a_traceback() -> None:
    told = message("reminder_1", "email", customer=FRENCH.model_copy(update={"email": "unknown"}))
    with pytest.raises(RelanceError, match="customer C-001 has no usable e-mail address"):
        rendered(told)
