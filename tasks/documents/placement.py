"""A placement file: what an agency is given, as one ZIP of tables, texts, papers and a manifest that proves them.

`principal_open` is what the agency may claim: a disputed part stands beside it in `disputed_amount`. The same
messages and papers give the same bytes. What was waived is already taken off the amounts.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from policies.creditor import Agency, Creditor
from policies.messages import Message, MessageItem
from policies.money import format_plain
from tasks.documents.content import message_language, placeholder_values
from tasks.documents.safe_text import file_name
from tasks.documents.spreadsheet import write_csv
from tasks.documents.wording import Labels, piece_path, render_line, render_paragraphs

SCHEMA_VERSION = 1
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)

DEBTOR_COLUMNS = (
    "case_id", "creditor_ref", "debtor_ref", "legal_name", "trade_name", "legal_form", "id_type", "id_value", "vat_id",
    "address_1", "address_2", "address_3", "address_4", "address_5", "address_6", "postcode", "city", "country",
    "language", "contact_name", "role", "email", "phone", "insolvency_flag", "insolvency_ref", "guarantor",
)  # fmt: skip
INVOICE_COLUMNS = (
    "case_id", "invoice_no", "installment", "type", "issue_date", "due_date", "currency", "amount_gross",
    "paid_to_date", "principal_open", "interest_to_date", "interest_rate", "interest_basis", "interest_from",
    "fixed_sum", "other_fees", "po_number", "delivery_ref", "dispute_flag", "dispute_reason", "disputed_amount",
    "last_payment_date", "document_sha256",
)  # fmt: skip
EVENT_COLUMNS = (
    "case_id", "ts_utc", "actor", "channel", "template_id", "direction", "subject", "outcome", "promise_date",
    "promise_amount", "proof_ref",
)  # fmt: skip

_ID_TYPES = {"US": "EIN", "CA": "NEQ", "GB": "CRN", "IE": "CRN", "DE": "HRB"}


def render_placement(
    messages: Sequence[Message],
    creditor: Creditor,
    roots: Sequence[Path],
    agency: Agency,
    documents: Mapping[str, Sequence[Path]],
) -> bytes:
    """Return the ZIP for one agency; `documents` are the papers of each case, by message id."""
    ordered = sorted(messages, key=lambda message: message.message_id)
    papers = _papers(ordered, documents)
    files = {
        "debtor.csv": write_csv(DEBTOR_COLUMNS, [_debtor_row(message, agency) for message in ordered]),
        "invoice.csv": write_csv(INVOICE_COLUMNS, _invoice_rows(ordered, papers)),
        "event.csv": write_csv(EVENT_COLUMNS, _event_rows(ordered)),
        "notice.txt": _agency_notice(ordered, creditor, roots),
        **{
            f"notices/{file_name(message.message_id)}.txt": _debtor_notice(message, creditor, roots)
            for message in ordered
        },
        **papers,
    }
    manifest = json.dumps(
        _manifest(files, ordered, creditor, agency), ensure_ascii=False, indent=2, sort_keys=True
    )
    return zip_files({**files, "manifest.json": manifest.encode() + b"\n"})


def _papers(messages: Sequence[Message], documents: Mapping[str, Sequence[Path]]) -> dict[str, bytes]:
    papers: dict[str, bytes] = {}
    for message in messages:
        folder = f"documents/{file_name(message.message_id)}"
        for path in sorted(set(documents.get(message.message_id, ()))):
            stem, suffix, number = file_name(path.stem), file_name(path.suffix), 1
            name = f"{folder}/{stem}.{suffix}"
            while name in papers:
                number += 1
                name = f"{folder}/{stem}_{number}.{suffix}"
            papers[name] = path.read_bytes()
    return papers


def _debtor_row(message: Message, agency: Agency) -> dict[str, str]:
    customer = message.customer
    address = [*customer.address_lines, *[""] * 6][:6]
    return {
        "case_id": message.message_id,
        "creditor_ref": agency.creditor_ref or "",
        "debtor_ref": customer.customer_id,
        "legal_name": customer.customer_name,
        "trade_name": "",
        "legal_form": customer.legal_form,
        "id_type": _id_type(customer.country, customer.registration_id),
        "id_value": customer.registration_id,
        "vat_id": customer.vat_id,
        **{f"address_{index}": line for index, line in enumerate(address, start=1)},
        "postcode": customer.postcode,
        "city": customer.city,
        "country": customer.country,
        "language": message.language,
        "contact_name": customer.contact_name,
        "role": "",
        "email": customer.email,
        "phone": customer.phone,
        # Insolvent customers are held by the rules and never placed.
        "insolvency_flag": "false",
        "insolvency_ref": "",
        "guarantor": "",
    }


def _id_type(country: str, number: str) -> str:
    if not number:
        return ""
    if country == "FR":
        digits = sum(character.isdigit() for character in number)
        return {9: "SIREN", 14: "SIRET"}.get(digits, "")
    return _ID_TYPES.get(country, "")


def _invoice_rows(messages: Sequence[Message], papers: Mapping[str, bytes]) -> list[dict[str, str]]:
    return [_invoice_row(message, item, papers) for message in messages for item in message.items]


def _invoice_row(message: Message, item: MessageItem, papers: Mapping[str, bytes]) -> dict[str, str]:
    def money(amount: Decimal) -> str:
        return format_plain(amount, message.currency)

    periods, charges = item.charges.periods, item.charges.net()
    paper = papers.get(f"documents/{file_name(message.message_id)}/{file_name(item.invoice_number)}.pdf")
    return {
        "case_id": message.message_id,
        "invoice_no": item.invoice_number,
        "installment": item.installment,
        "type": "INV",
        "issue_date": item.invoice_date.isoformat(),
        "due_date": item.due_date.isoformat(),
        "currency": message.currency,
        "amount_gross": money(item.amount),
        "paid_to_date": money(item.amount_paid),
        "principal_open": money(item.amount_demanded),
        "interest_to_date": money(charges.late_interest),
        "interest_rate": f"{periods[-1].annual_rate.normalize():f}" if periods else "",
        "interest_basis": item.charges.legal_basis,
        "interest_from": periods[0].from_date.isoformat() if periods else "",
        "fixed_sum": money(charges.recovery_charge),
        "other_fees": money(charges.fees),
        "po_number": item.purchase_order,
        "delivery_ref": item.delivery_reference,
        "dispute_flag": "true" if item.amount_disputed else "false",
        "dispute_reason": "",
        "disputed_amount": money(item.amount_disputed),
        "last_payment_date": "",
        "document_sha256": hashlib.sha256(paper).hexdigest() if paper is not None else "",
    }


def _event_rows(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [
        {
            "case_id": message.message_id,
            # Only the day is known for what was done before Relance.
            "ts_utc": step.dispatch_date.isoformat(),
            "actor": "creditor",
            "channel": step.channel,
            "template_id": step.step,
            "direction": "out",
            "subject": step.invoice_number,
            "outcome": step.outcome,
            "promise_date": "",
            "promise_amount": "",
            "proof_ref": "",
        }
        for message in messages
        for step in sorted(
            message.past_steps, key=lambda step: (step.dispatch_date, step.invoice_number, step.step)
        )
    ]


def _agency_notice(messages: Sequence[Message], creditor: Creditor, roots: Sequence[Path]) -> bytes:
    texts = []
    for message in messages:
        in_own_language = message.model_copy(update={"language": creditor.language})
        language = message_language(in_own_language, creditor, roots)
        values = _values(in_own_language, creditor, roots, language)
        texts.append(
            "\n\n".join(render_paragraphs(roots, piece_path(message.template, language, "agency"), values))
        )
    return ("\n\n----\n\n".join(texts) + "\n").encode()


def _debtor_notice(message: Message, creditor: Creditor, roots: Sequence[Path]) -> bytes:
    language = message_language(message, creditor, roots)
    values = _values(message, creditor, roots, language)
    subject = render_line(roots, piece_path(message.template, language, "subject"), values)
    paragraphs = [
        paragraph
        for piece in ("opening", "closing")
        for paragraph in render_paragraphs(roots, piece_path(message.template, language, piece), values)
    ]
    return ("\n\n".join((subject, *paragraphs, creditor.legal_name)) + "\n").encode()


def _values(message: Message, creditor: Creditor, roots: Sequence[Path], language: str) -> dict[str, object]:
    return placeholder_values(message, creditor, language, Labels(roots, language), has_enclosures=False)


def _manifest(
    files: Mapping[str, bytes], messages: Sequence[Message], creditor: Creditor, agency: Agency
) -> dict[str, object]:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    generation = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()[:32]
    return {
        "schema_version": SCHEMA_VERSION,
        "generation_id": generation,
        "as_of": max(message.as_of for message in messages).isoformat() if messages else "",
        "creditor": {"legal_name": creditor.legal_name, "registration_id": creditor.registration_id},
        "agency": agency.name,
        "row_counts": {
            "debtor.csv": len(messages),
            "invoice.csv": sum(len(message.items) for message in messages),
            "event.csv": sum(len(message.past_steps) for message in messages),
        },
        "control_sums": _control_sums(messages),
        "sha256": hashes,
    }


def _control_sums(messages: Sequence[Message]) -> dict[str, dict[str, str]]:
    sums: dict[str, dict[str, str]] = {}
    for currency in sorted({message.currency for message in messages}):
        items = [item for message in messages if message.currency == currency for item in message.items]
        charges = [item.charges.net() for item in items]
        amounts = {
            "principal_open": (item.amount_demanded for item in items),
            "interest_to_date": (one.late_interest for one in charges),
            "fixed_sum": (one.recovery_charge for one in charges),
            "other_fees": (one.fees for one in charges),
        }
        sums[currency] = {
            name: format_plain(sum(values, Decimal(0)), currency) for name, values in amounts.items()
        }
    return sums


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of these files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
