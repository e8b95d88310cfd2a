"""What every frame shows of a message, as text in the reader's language: tables, totals, how to pay.

Mail and letter take the same content, so that they never say two things. No layout here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from policies.creditor import Address, Agency, Creditor
from policies.messages import Message, MessageItem, Recipient
from policies.model import Channel
from tasks.documents.amounts import country_name, print_day, print_money, print_rate, print_short_day
from tasks.documents.payment_qr import payment_code
from tasks.documents.safe_text import one_line
from tasks.documents.wording import Labels, choose_language, piece_path, render_line, render_paragraphs

Pair = tuple[str, str]
_LONGEST_REFERENCE = 70


@dataclass(frozen=True)
class ItemRow:
    """One line of the invoice table; `note` stands under it."""

    invoice: str
    invoice_date: str
    due_date: str
    days_late: str
    amount: str
    paid: str
    demanded: str
    note: str


@dataclass(frozen=True)
class Content:
    """A message as it is read."""

    language: str
    subject: str
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    items: tuple[ItemRow, ...]
    charges: tuple[tuple[str, str, str, str, str, str], ...]
    totals: tuple[Pair, ...]
    information: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...]
    payment: tuple[Pair, ...]
    payment_code: str
    enclosures: tuple[str, ...]
    signature: tuple[str, ...]
    footer: str
    labels: dict[str, str]


def build_content(
    message: Message, creditor: Creditor, roots: Sequence[Path], enclosures: Sequence[Path] = ()
) -> Content:
    """Return the message in the language it is written in."""
    language = message_language(message, creditor, roots)
    labels = Labels(roots, language)
    values = placeholder_values(message, creditor, language, labels, has_enclosures=bool(enclosures))
    reference = payment_reference(message)
    return Content(
        language=language,
        subject=render_line(roots, piece_path(message.template, language, "subject"), values),
        opening=render_paragraphs(roots, piece_path(message.template, language, "opening"), values),
        closing=render_paragraphs(roots, piece_path(message.template, language, "closing"), values),
        items=tuple(_item_row(item, message.currency, language, labels) for item in message.items),
        charges=_charge_rows(message, language),
        totals=_totals(message, language, labels),
        information=_information_rows(message, language),
        notes=_notes(message, language, labels),
        payment=_payment_rows(message, creditor, language, labels, reference),
        payment_code=payment_code(creditor, message.total, message.currency, reference),
        enclosures=tuple(_enclosure_name(path, message, labels) for path in enclosures),
        signature=_signature(creditor),
        footer=creditor_identity(creditor, language, labels),
        labels={name: labels(name) for name in _FRAME_LABELS},
    )


_FRAME_LABELS = (
    "colon", "subject", "invoice", "invoice_date", "due_date", "days_late", "amount", "paid", "balance", "due_on",
    "charges_title", "period", "period_days", "rate", "base", "interest", "information_title", "payment_title",
    "payment_qr", "enclosures", "automatic",
)  # fmt: skip


def message_language(message: Message, creditor: Creditor, roots: Sequence[Path]) -> str:
    """Return the language this message is written in."""
    return choose_language(roots, message.template, message.language, creditor.language)


def placeholder_values(
    message: Message, creditor: Creditor, language: str, labels: Labels, *, has_enclosures: bool
) -> dict[str, object]:
    """Return a value for each of `wording.PLACEHOLDERS`."""

    def money(amount: Decimal) -> str:
        return print_money(amount, message.currency, language)

    def money_if_any(amount: Decimal) -> str:
        return money(amount) if amount else ""

    oldest = min(message.items, key=lambda item: item.due_date)
    rates = [period for item in message.items for period in item.charges.periods]
    disputed = sum((item.amount_disputed for item in message.items), Decimal(0))
    daily = sum((item.charges.daily_interest for item in message.items), Decimal(0))
    bases = dict.fromkeys(item.charges.legal_basis for item in message.items if item.charges.legal_basis)
    has_charges = bool(message.total_late_interest or message.total_recovery_charge)
    return {
        "agency_name": agency.name if (agency := find_agency(creditor, message.agency)) else "",
        "answer_by": print_day(message.answer_by, language) if message.answer_by else "",
        "answer_days": (message.answer_by - message.as_of).days if message.answer_by else 0,
        "as_of": print_day(message.as_of, language),
        "by": message.by,
        "case_id": message.message_id,
        "contact_name": one_line(message.customer.contact_name),
        "creditor_country": creditor.country,
        "creditor_identity": creditor_identity(creditor, language, labels),
        "creditor_name": creditor.legal_name,
        "customer_id": one_line(message.customer.customer_id),
        "customer_identity": _customer_identity(message.customer, creditor, language, labels),
        "customer_name": one_line(message.customer.customer_name),
        "customer_type": message.customer.customer_type,
        "daily_interest": money_if_any(daily) if has_charges else "",
        "first_due_date": print_day(oldest.due_date, language),
        "follows_call": _follows_call(message),
        "has_charges": has_charges,
        "has_disputed_part": bool(disputed),
        "has_enclosures": has_enclosures,
        "interest_rate": print_rate(max(rates, key=lambda period: period.to_date).annual_rate, language)
        if rates and has_charges
        else "",
        "invoice_numbers": _few(list(dict.fromkeys(one_line(item.invoice_number) for item in message.items))),
        "item_count": len(message.items),
        "legal_basis": ("; ".join(bases) or labels("contract")) if has_charges else "",
        "oldest_days_past_due": max(oldest.days_past_due, 0),
        "past_count": len(_reminded_on(message)),
        "past_dates": ", ".join(print_day(day, language) for day in _reminded_on(message)),
        "sender_email": creditor.sender.reply_to or creditor.sender.email,
        "sender_name": creditor.sender.name,
        "sender_phone": creditor.sender.phone or "",
        "total": money(message.total),
        "total_disputed": money_if_any(disputed),
        "total_fees": money_if_any(message.total_fees),
        "total_late_interest": money_if_any(message.total_late_interest),
        "total_principal": money(message.total_principal),
        "total_recovery_charge": money_if_any(message.total_recovery_charge),
        "total_waived": money_if_any(message.total_waived),
    }


def find_agency(creditor: Creditor, name: str) -> Agency | None:
    """Return the agency a step names; `default` is the first one where none has that name."""
    if name in creditor.agencies:
        return creditor.agencies[name]
    return next(iter(creditor.agencies.values()), None) if name == "default" else None


def payment_reference(message: Message) -> str:
    """Return what the customer is asked to quote: the invoices if they fit, else customer and date."""
    numbers = dict.fromkeys(one_line(item.invoice_number) for item in message.items)
    named = " ".join((one_line(message.customer.customer_id), *numbers))
    if len(named) <= _LONGEST_REFERENCE:
        return named
    return f"{one_line(message.customer.customer_id)[:50]} {message.as_of.isoformat()}"


def creditor_identity(creditor: Creditor, language: str, labels: Labels) -> str:
    """Return the creditor's full identity: name, form, capital, registration, seat, VAT number."""
    name = " ".join(filter(None, (creditor.legal_name, creditor.legal_form)))
    capital = labels("capital", amount=creditor.share_capital) if creditor.share_capital else ""
    registration = " ".join(filter(None, (creditor.registration_court, creditor.registration_id)))
    seat = labels("identity_seat", address=_address_line(creditor.address, language))
    vat = labels("vat", number=creditor.vat_id) if creditor.vat_id else ""
    return ", ".join(filter(None, (" ".join(filter(None, (name, capital))), registration, seat, vat)))


def _address_line(address: Address, language: str) -> str:
    town = f"{address.postcode} {address.city}"
    return ", ".join((*address.lines, town, country_name(address.country, language)))


def _customer_identity(customer: Recipient, creditor: Creditor, language: str, labels: Labels) -> str:
    name = " ".join(filter(None, (one_line(customer.customer_name), one_line(customer.legal_form))))
    town = " ".join(filter(None, (one_line(customer.postcode), one_line(customer.city))))
    country = one_line(customer.country)
    shown_country = country_name(country, language) if country and country != creditor.country else ""
    address = ", ".join(filter(None, (*map(one_line, customer.address_lines), town, shown_country)))
    seat = labels("identity_seat", address=address) if address else ""
    number = one_line(customer.registration_id)
    registration = labels("registration", number=number) if number else ""
    return ", ".join(filter(None, (name, registration, seat)))


def _few(numbers: list[str]) -> str:
    return ", ".join(numbers[:3]) + (f" (+{len(numbers) - 3})" if len(numbers) > 3 else "")


def _reminded_on(message: Message) -> list[date]:
    """Return the days of earlier contacts; those from before the due date were no reminders."""
    due: dict[str, date] = {}
    for item in message.items:
        due[item.invoice_number] = min(item.due_date, due.get(item.invoice_number, item.due_date))
    late = {
        step.dispatch_date
        for step in message.past_steps
        if step.dispatch_date > due.get(step.invoice_number, date.min)
    }
    return sorted(late)


def _follows_call(message: Message) -> bool:
    last = max((step.dispatch_date for step in message.past_steps), default=None)
    return any(step.channel == Channel.CALL for step in message.past_steps if step.dispatch_date == last)


def _invoice_name(number: str, installment: str) -> str:
    return one_line(number) if installment == "1" else f"{one_line(number)} / {one_line(installment)}"


def _item_row(item: MessageItem, currency: str, language: str, labels: Labels) -> ItemRow:
    delivery = [one_line(item.delivery_reference), one_line(item.delivery_place)]
    if item.delivery_date:
        delivery.insert(1, print_short_day(item.delivery_date, language))
    details = ", ".join(filter(None, delivery))
    disputed = print_money(item.amount_disputed, currency, language)
    notes = (
        one_line(item.description),
        labels("order", number=one_line(item.purchase_order)) if item.purchase_order else "",
        labels("delivery", details=details) if details else "",
        labels("disputed", amount=disputed) if item.amount_disputed else "",
    )
    return ItemRow(
        invoice=_invoice_name(item.invoice_number, item.installment),
        invoice_date=print_short_day(item.invoice_date, language),
        due_date=print_short_day(item.due_date, language),
        days_late=labels("days", days=item.days_past_due) if item.days_past_due > 0 else "–",
        amount=print_money(item.amount, currency, language),
        paid=print_money(item.amount_paid, currency, language),
        demanded=print_money(item.amount_demanded, currency, language),
        note=" · ".join(filter(None, notes)),
    )


def _charge_rows(message: Message, language: str) -> tuple[tuple[str, str, str, str, str, str], ...]:
    if not message.total_late_interest:
        return ()
    return tuple(
        (
            _invoice_name(item.invoice_number, item.installment),
            f"{print_short_day(period.from_date, language)} – {print_short_day(period.to_date, language)}",
            str(period.days),
            print_rate(period.annual_rate, language),
            print_money(period.base, message.currency, language),
            print_money(period.amount, message.currency, language),
        )
        for item in message.items
        for period in item.charges.periods
    )


def _totals(message: Message, language: str, labels: Labels) -> tuple[Pair, ...]:
    def money(amount: Decimal) -> str:
        return print_money(amount, message.currency, language)

    rows: list[Pair] = []
    if message.total != message.total_principal or message.total_late_interest:
        rows.append((labels("principal"), money(message.total_principal)))
    if message.total_late_interest:
        label = labels("late_interest", date=print_short_day(message.as_of, language))
        rows.append((label, money(message.total_late_interest)))
    if message.total_recovery_charge:
        rows.append((_recovery_label(message, language, labels), money(message.total_recovery_charge)))
    if message.total_fees:
        rows.append((labels("fees"), money(message.total_fees)))
    if message.total_waived:
        rows.append((labels("waived"), money(-message.total_waived)))
    return (*rows, (labels("total"), money(message.total)))


def _recovery_label(message: Message, language: str, labels: Labels) -> str:
    each = [item.charges.recovery_charge for item in message.items if item.charges.recovery_charge]
    if len(set(each)) == 1:
        return labels(
            "recovery_charge_count", count=len(each), each=print_money(each[0], message.currency, language)
        )
    return labels("recovery_charge")


def _information_rows(message: Message, language: str) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (
            _invoice_name(item.invoice_number, item.installment),
            print_short_day(item.invoice_date, language),
            print_short_day(item.due_date, language),
            print_money(item.amount_open, message.currency, language),
        )
        for item in message.information_items
    )


def _notes(message: Message, language: str, labels: Labels) -> tuple[str, ...]:
    if not message.unapplied_amount:
        return ()
    return (
        labels("unapplied", amount=print_money(abs(message.unapplied_amount), message.currency, language)),
    )


def _payment_rows(
    message: Message, creditor: Creditor, language: str, labels: Labels, reference: str
) -> tuple[Pair, ...]:
    bank = creditor.bank
    rows = (
        (labels("account_holder"), bank.account_holder or creditor.legal_name),
        (labels("iban"), bank.printed_iban),
        (labels("bic"), bank.bic or ""),
        (labels("bank"), bank.bank_name or ""),
        (labels("reference"), reference),
        (labels("amount_to_pay"), print_money(message.total, message.currency, language)),
    )
    return tuple(row for row in rows if row[1])


def _signature(creditor: Creditor) -> tuple[str, ...]:
    signatory = creditor.signatory or creditor.sender
    return tuple(filter(None, (signatory.name, signatory.title, creditor.legal_name)))


def _enclosure_name(path: Path, message: Message, labels: Labels) -> str:
    if path.stem in {item.invoice_number for item in message.items}:
        return labels("invoice_copy", number=one_line(path.stem))
    return one_line(path.name)
