"""What each item owes on a day, and what its customer paid without saying what for (docs/semantics.md 2).

Also when an item's money came in (`receipts`), which promises, plans and payment habits are judged by.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.oracle.history import AccountKey, Document, File, ItemKey, Past, Payment

ZERO = Decimal(0)


@dataclass(frozen=True)
class Statement:
    """What one file says is open of one item."""

    stated_date: date
    intake_id: int
    amount_open: Decimal


@dataclass(frozen=True)
class Receipt:
    """Money for one item, on the day it came in or on which a statement first shows it."""

    received_date: date
    amount: Decimal
    from_statement: bool


@dataclass
class Balances:
    """The accounts of one day."""

    open: dict[ItemKey, Decimal] = field(default_factory=dict)
    receipts: dict[ItemKey, list[Receipt]] = field(default_factory=dict)
    vanished: set[ItemKey] = field(default_factory=set)
    unapplied: dict[AccountKey, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def oldest_first(document: Document) -> tuple[bool, date, str, str]:
    """Return the place of an item when money is spread: no due date comes last."""
    return (
        document.due_date is None,
        document.due_date or date.max,
        document.invoice_number,
        document.installment,
    )


def _files_of_source(past: Past, source: str, day: date) -> list[File]:
    files = [file for file in past.files if file.source == source and file.file_date <= day]
    return sorted(files, key=lambda file: (file.file_date, file.intake_id))


def _is_last_of_its_date(file: File, files: list[File]) -> bool:
    return all(other.intake_id <= file.intake_id for other in files if other.file_date == file.file_date)


def _listed_in(past: Past, key: ItemKey) -> set[int]:
    return {
        listing.intake_id
        for listing in past.listings
        if (listing.customer_id, listing.invoice_number, listing.installment) == key
    }


def _files_that_no_longer_list(past: Past, key: ItemKey, day: date, kind: str) -> list[File]:
    """Return the files of full sources since they last listed an item: listed again, it never went away."""
    listed = _listed_in(past, key)
    missing: list[File] = []
    for source in sorted({file.source for file in past.files if file.kind == kind}):
        files = _files_of_source(past, source, day)
        places = [place for place, file in enumerate(files) if file.intake_id in listed]
        if places:
            since = files[max(places) + 1 :]
            missing += [file for file in since if _is_last_of_its_date(file, files)]
    return missing


def has_vanished(past: Past, key: ItemKey, day: date) -> bool:
    """Return whether the newest file of a source of all invoices no longer lists an item it listed before."""
    return bool(_files_that_no_longer_list(past, key, day, "full_invoices"))


def statements(past: Past, key: ItemKey, day: date) -> list[Statement]:
    """Return what files say is open of an item up to `day`, the one that rules last."""
    stated = [
        Statement(listing.balance_date, listing.intake_id, listing.amount_open)
        for listing in past.listings
        if (listing.customer_id, listing.invoice_number, listing.installment) == key
        and listing.amount_open is not None
        and listing.balance_date is not None
        and listing.balance_date <= day
    ]
    cleared = [
        Statement(file.file_date, file.intake_id, ZERO)
        for file in _files_that_no_longer_list(past, key, day, "full_open_items")
    ]
    return sorted(stated + cleared, key=lambda statement: (statement.stated_date, statement.intake_id))


@dataclass
class _Invoice:
    """The installments of one invoice in one currency, and the money that names them."""

    installments: list[Document]
    statements: dict[ItemKey, list[Statement]]
    item_payments: dict[ItemKey, list[Payment]] = field(default_factory=lambda: defaultdict(list))
    invoice_payments: list[Payment] = field(default_factory=list)
    credit_notes: list[Document] = field(default_factory=list)

    @property
    def debits(self) -> list[Document]:
        return [document for document in self.installments if not document.is_credit]

    def last_stated(self) -> date:
        return max(
            (stated[-1].stated_date for stated in self.statements.values() if stated), default=date.min
        )


def _invoices(past: Past, day: date) -> dict[tuple[str, str, str], _Invoice]:
    grouped: dict[tuple[str, str, str], list[Document]] = defaultdict(list)
    for document in past.documents_at(day):
        grouped[(document.customer_id, document.invoice_number, document.currency)].append(document)
    return {
        key: _Invoice(
            sorted(documents, key=oldest_first),
            {document.key: statements(past, document.key, day) for document in documents},
        )
        for key, documents in grouped.items()
    }


def _balance(document: Document, stated: list[Statement]) -> tuple[date, Decimal]:
    if stated:
        return stated[-1].stated_date, stated[-1].amount_open
    return date.min, document.amount


def _settle_invoice(invoice: _Invoice, balances: Balances) -> Decimal:
    """Put what each installment owes after payments into `balances`; return the cash nobody needed."""
    unallocated = ZERO
    for document in invoice.installments:
        since, balance = _balance(document, invoice.statements[document.key])
        counted = [p for p in invoice.item_payments[document.key] if p.payment_date > since]
        cash = sum((payment.amount for payment in counted), ZERO)
        # A reversal reopens an item; a refund reduces a credit.
        part = min(cash, balance) if balance >= 0 else max(min(cash, ZERO), balance)
        balances.open[document.key] = balance - part
        unallocated += cash - part
    left = [p for p in invoice.invoice_payments if p.payment_date > invoice.last_stated()]
    cash = sum((payment.amount for payment in left), ZERO)
    for document in invoice.debits:
        part = min(cash, max(balances.open[document.key], ZERO))
        if cash < 0:  # a reversal reopens the newest installment
            part = cash if document is invoice.debits[-1] else ZERO
        balances.open[document.key] -= part
        cash -= part
    return unallocated + cash


@dataclass(frozen=True)
class _Money:
    """Money that reduces an item; a credit note is no cash."""

    came: date
    amount: Decimal
    is_cash: bool


def _lay(invoice: _Invoice) -> dict[ItemKey, list[_Money]]:
    """Return the money of each installment: its own, and its part of what names the whole invoice.

    What the newest statement has absorbed is laid over the amounts as issued, what came later over the rest.
    """
    since = invoice.last_stated()
    laid: dict[ItemKey, list[_Money]] = {}
    room: dict[tuple[ItemKey, bool], Decimal] = {}
    for document in invoice.debits:
        own_since, balance = _balance(document, invoice.statements[document.key])
        named = invoice.item_payments[document.key]
        laid[document.key] = [_Money(p.payment_date, p.amount, is_cash=True) for p in named]
        for is_later, owed in ((False, document.amount), (True, balance)):
            paid = sum((p.amount for p in named if (p.payment_date > own_since) is is_later), ZERO)
            room[(document.key, is_later)] = max(owed - paid, ZERO)
    notes = [(note.invoice_date, True, "", -note.amount) for note in invoice.credit_notes]
    if len(invoice.debits) == 1:  # in one piece: it takes money and credit notes in the order they came
        [document] = invoice.debits
        laid[document.key] += [_Money(day, amount, is_cash=False) for day, _, _, amount in notes]
        notes = []
    whole = [(p.payment_date, False, p.payment_id, p.amount) for p in invoice.invoice_payments] + notes
    for is_later in (False, True):
        came = ZERO
        for day, is_note, _, amount in sorted(m for m in whole if (m[0] > since) is is_later):
            begins = ZERO
            for document in invoice.debits:
                ends = begins + room[(document.key, is_later)]
                part = min(max(came + amount, begins), ends) - min(max(came, begins), ends)
                laid[document.key].append(_Money(day, part, is_cash=not is_note))
                begins = ends
            came += amount
    return laid


def _receive(document: Document, stated: list[Statement], money: list[_Money], day: date) -> list[Receipt]:
    """Return what an item took, from one statement to the next, and what each statement shows beyond that."""
    received: list[Receipt] = []
    running = document.amount
    start = date.min
    for end in sorted({statement.stated_date for statement in stated} | {day}):
        owed, came = max(running, ZERO), ZERO
        for paid in sorted(money, key=lambda m: (m.came, not m.is_cash)):
            if start < paid.came <= end:
                part = min(came + paid.amount, owed) - min(came, owed)
                came += paid.amount
                if paid.is_cash and part != 0:
                    received.append(Receipt(paid.came, part, from_statement=False))
        running -= min(came, owed)
        ruling = [statement for statement in stated if statement.stated_date == end]
        if ruling:
            unexplained = running - max(ruling[-1].amount_open, ZERO)
            if unexplained > 0:
                received.append(Receipt(end, unexplained, from_statement=True))
            running = ruling[-1].amount_open
        start = end
    return received


def _apply_credit_notes(invoices: dict[tuple[str, str, str], _Invoice], balances: Balances) -> None:
    """Let each credit note reduce the invoice it names; what is left of it stays open on the credit note."""
    credit_notes = [
        document
        for invoice in invoices.values()
        for document in invoice.installments
        if document.is_credit and document.credited_invoice_number is not None
    ]
    for credit_note in sorted(credit_notes, key=lambda c: (c.invoice_date, c.invoice_number, c.installment)):
        number = credit_note.credited_invoice_number or ""
        named = invoices.get((credit_note.customer_id, number, credit_note.currency))
        if named is None or not named.debits:
            continue
        named.credit_notes.append(credit_note)
        own = invoices[(credit_note.customer_id, credit_note.invoice_number, credit_note.currency)]
        if not own.statements[credit_note.key] and credit_note.invoice_date <= named.last_stated():
            balances.open[credit_note.key] = ZERO
            continue
        for document in named.installments:
            credit = max(-balances.open[credit_note.key], ZERO)
            part = min(credit, max(balances.open[document.key], ZERO))
            balances.open[document.key] -= part
            balances.open[credit_note.key] += part


def balances_at(past: Past, day: date) -> Balances:
    """Return what every existing item owes on `day` and the unapplied cash and credits of every account."""
    invoices = _invoices(past, day)
    balances = Balances()
    for payment in past.payments:
        if payment.payment_date > day:
            continue
        invoice = invoices.get((payment.customer_id, payment.invoice_number or "", payment.currency))
        if invoice is not None and payment.installment is None:
            alone = invoice.installments[0].key if len(invoice.installments) == 1 else None
            (invoice.item_payments[alone] if alone else invoice.invoice_payments).append(payment)
            continue
        key = (payment.customer_id, payment.invoice_number or "", payment.installment or "")
        if invoice is not None and key in invoice.statements:
            invoice.item_payments[key].append(payment)
            continue
        balances.unapplied[(payment.customer_id, payment.currency)] -= payment.amount
    for (customer_id, _, currency), invoice in invoices.items():
        balances.unapplied[(customer_id, currency)] -= _settle_invoice(invoice, balances)
    _apply_credit_notes(invoices, balances)
    for invoice in invoices.values():
        balances.receipts.update({document.key: [] for document in invoice.installments})
        laid = _lay(invoice)
        for document in invoice.debits:
            stated = invoice.statements[document.key]
            balances.receipts[document.key] = _receive(document, stated, laid[document.key], day)
    for document in past.documents_at(day):
        if has_vanished(past, document.key, day):
            balances.vanished.add(document.key)
        else:
            balances.unapplied[document.account] += min(balances.open[document.key], ZERO)
    return balances
