"""Draws what is known of one or a few customers: the rows of files, payments, events, actions and batches.

Rows are those of `tests.builders.history`. Few days, few amounts and few numbers, so that they meet.
"""

from datetime import date, timedelta
from decimal import Decimal

from policies.model import EventKind
from tests.property.chance import AMOUNTS, FAR, NEAR_LIMITS, PARTS, Chance, Row
from tests.property.drawn_policies import STEP_CHANNELS

Tables = dict[str, list[Row]]

TABLES = ("files", "customers", "invoices", "payments", "events", "actions", "proposals")
CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "USD", "TND")
ABOUT_CUSTOMER = (EventKind.INSOLVENCY, EventKind.INSOLVENCY_CLOSED, EventKind.BOUNCE)
EVENT_KINDS = (
    *(EventKind.DISPUTE, EventKind.DISPUTE, EventKind.PROMISE, EventKind.PROMISE, EventKind.PAYMENT_PLAN),
    *EventKind,
)
WITH_AMOUNT = (EventKind.DISPUTE, EventKind.PROMISE, EventKind.WRITE_OFF, EventKind.REDUCTION)
OUTCOMES = (None, None, None, "delivered", "undelivered", "returned")


def _files(chance: Chance) -> list[Row]:
    """Draw the files that the rows stand in: one incremental, some of a full source, sometimes a ledger."""
    first = chance.before()
    kind = chance.pick(("full_open_items", "full_open_items", "full_invoices", "incremental"))
    second: Row = {"source": "second", "kind": kind, "carries_balances": True}
    books: Row = {"source": "books", "kind": "ledger", "carries_payments": True}
    rows: list[Row] = [
        {"source": "first", "kind": "incremental", "file_date": first, "carries_payments": chance.one_in(2)},
        *({**second, "file_date": chance.before()} for _ in range(chance.count(3))),
        *({**books, "file_date": chance.before()} for _ in range(chance.one_in(4))),
    ]
    return [{"intake_id": number, **row} for number, row in enumerate(rows, 1)]


def _customer(chance: Chance, customer_id: str) -> Row:
    row: Row = {"customer_id": customer_id}
    for column, values in (
        ("email", (None, "", "not an email", "a..b@x.example", "a@x.example, b@x.example", "a@é.example")),
        ("phone", (None,)),
        ("city", (None, " ")),
        ("address_line_1", (None,)),
        ("country", (None, "DE", "XX", "CA-QC", "SA")),
        ("language", (None, "en", "de")),
        ("customer_type", (None, "public", "consumer")),
        ("credit_rating", ("A", "B")),
        ("credit_limit", ("50.00", "0")),
        ("payment_method", ("transfer",)),
        ("preferred_channel", ("letter", "email")),
        ("tags", ("vip", "new,vip")),
        ("email_since", (chance.ago(0), chance.ago(7))),
    ):
        if chance.one_in(5):
            row[column] = chance.pick(values)
    return row


def _due_dates(chance: Chance, issued: date) -> list[date | None]:
    """Draw the due date of an invoice, or of each of its installments; sometimes none is known."""
    first = issued + timedelta(days=chance.pick(NEAR_LIMITS))
    if not chance.one_in(5):
        return [None if chance.one_in(14) else first]
    return [first, *(first + timedelta(days=chance.pick((30, 0, 7))) for _ in range(chance.count(2, 1)))]


def _invoice(chance: Chance, customer_id: str, number: str, currency: str, files: list[Row]) -> list[Row]:
    """Draw the rows of one invoice or credit note, in one file or several, in one installment or more."""
    issued = chance.before(FAR)
    is_credit = chance.one_in(6)
    row: Row = {
        "customer_id": customer_id,
        "invoice_number": number,
        "invoice_date": issued,
        "currency": chance.pick(CURRENCIES) if chance.one_in(5) else currency,
        "document_type": "credit_note" if is_credit else "invoice",
        "purchase_order": chance.pick((None, "PO1")),
        "payment_method": chance.pick((None, "transfer", "direct_debit")),
    }
    is_negative = is_credit or chance.one_in(20)
    if is_negative and not chance.one_in(3):
        row["credited_invoice_number"] = chance.pick(("1", "1", "2", "9"))
    sign = -1 if is_negative else 1
    due_dates = _due_dates(chance, issued)
    rows: list[Row] = []
    for installment, due in enumerate(due_dates[:1] if is_credit else due_dates, 1):
        item = {
            **row,
            "installment": str(installment),
            "due_date": due,
            "amount": chance.pick(AMOUNTS) * sign,
        }
        rows += [{**item, **listed} for listed in _listings(chance, item["amount"], files)]
    return rows


def _listings(chance: Chance, amount: Decimal, files: list[Row]) -> list[Row]:
    """Draw in which files an item stands, and what these say is open of it."""
    listed = [file for file in files if chance.one_in(2)] or files[:1]
    rows: list[Row] = []
    for file in listed:
        row: Row = {"file": file["intake_id"]}
        if file["kind"] != "ledger" and chance.one_in(2):
            row["amount_open"] = amount * chance.pick((Decimal(1), Decimal(1), Decimal("0.5"), Decimal(0)))
            if chance.one_in(6):
                row["as_of"] = chance.before()
        rows.append(row)
    return rows


def _habit(chance: Chance, customer_id: str, number: str, currency: str) -> Tables:
    """Draw an invoice of long ago and the payment that settled it, early or late."""
    issued = chance.ago(chance.pick((400, 366, 365, 200, 150, 120, 91)))
    due, paid = (issued + timedelta(days=chance.pick((30, 10, 60, 90))) for _ in range(2))
    both: Row = {"customer_id": customer_id, "invoice_number": number, "currency": currency, "amount": 100}
    invoice = {**both, "invoice_date": issued, "due_date": due, "file": 1}
    return {"invoices": [invoice], "payments": [{**both, "payment_date": paid}]}


def _payment(chance: Chance, customer_id: str, currency: str) -> Row:
    """Draw a payment or a reversal, which may name nothing, an invoice, an installment, or something unknown."""
    row: Row = {
        "customer_id": customer_id,
        "payment_date": chance.before(FAR if chance.one_in(3) else NEAR_LIMITS),
        "amount": chance.pick(AMOUNTS) * (-1 if chance.one_in(8) else 1),
        "currency": chance.pick(CURRENCIES) if chance.one_in(5) else currency,
    }
    if not chance.one_in(4):
        row["invoice_number"] = chance.pick(("1", "1", "1", "2", "9"))
        if chance.one_in(3):
            row["installment"] = chance.pick(("1", "2"))
    return row


def _about(chance: Chance) -> Row:
    """Draw what an event speaks of: an item, an invoice, or the whole customer."""
    if chance.one_in(4):
        return {}
    row: Row = {"invoice_number": chance.pick(("1", "1", "2"))}
    if chance.one_in(3):
        row["installment"] = chance.pick(("1", "2"))
    return row


def _events(chance: Chance, customer_id: str) -> list[Row]:
    """Draw one thing that was recorded: one event, or the rows of one plan."""
    kind = chance.pick(EVENT_KINDS)
    day = chance.before()
    row: Row = {"customer_id": customer_id, "kind": str(kind), "event_date": day}
    if kind in ABOUT_CUSTOMER:
        return [row]
    row |= _about(chance)
    if kind is EventKind.PAYMENT_PLAN:
        row["reference"] = f"plan {day} {row.get('invoice_number', '')} {row.get('installment', '')}"
        ends = [day + timedelta(days=chance.pick(NEAR_LIMITS)) for _ in range(chance.count(3, 1))]
        return [{**row, "until": end, "amount": chance.pick(AMOUNTS)} for end in ends]
    if kind in WITH_AMOUNT and not chance.one_in(3):
        row["amount"] = chance.pick(PARTS)
    if (kind is EventKind.PROMISE and not chance.one_in(8)) or (kind is EventKind.HOLD and chance.one_in(2)):
        row["until"] = day + timedelta(days=chance.pick(NEAR_LIMITS))
    if str(kind).startswith(("dispute", "hold")) and chance.one_in(4):
        row["reference"] = chance.pick(("R1", "R2"))
    return [row]


def _actions(chance: Chance, customer_id: str, number: str) -> list[Row]:
    """Draw what was dispatched for an item: some steps, in the order of the ladder, some twice."""
    names = [name for name in STEP_CHANNELS if chance.one_in(12 if name == "placement" else 4)]
    names = [name for name in names for _ in range(2 if chance.one_in(5) else 1)]
    if chance.one_in(12):
        names.append(chance.pick(("first_note", "a_step_nobody_knows")))
    days = sorted((chance.pick(NEAR_LIMITS) for _ in names), reverse=True)
    rows: list[Row] = []
    for place, (name, day) in enumerate(zip(names, days, strict=True)):
        channel = STEP_CHANNELS.get(name, "letter")
        if channel in {"email", "letter", "call"} and chance.one_in(6):
            channel = chance.pick(("email", "letter"))
        attempt = 1 + names[:place].count(name)
        row: Row = {"customer_id": customer_id, "invoice_number": number, "step": name, "channel": channel}
        row |= {"dispatch_date": chance.ago(day + (attempt == 1)), "attempt": attempt}
        if channel == "registered_letter":
            row["outcome"] = chance.pick(OUTCOMES)
        rows.append(row)
    return rows


def _proposal(chance: Chance, customer_id: str, number: str) -> Row:
    """Draw an item's place in a batch: waiting, ended, or released without knowing whether it left."""
    day = chance.count(3)
    return {
        "customer_id": customer_id,
        "invoice_number": number,
        "step": chance.pick(("reminder_1", "formal_notice")),
        "proposed_date": chance.ago(day),
        "ended_date": chance.pick((None, chance.ago(0), chance.ago(min(day, 1)))),
        "uncertain_date": chance.pick((None, None, chance.ago(0), chance.ago(min(day, 1)))),
    }


def draw_past(chance: Chance) -> Tables:
    """Return all rows known of one to three customers, by table."""
    tables: Tables = {name: [] for name in TABLES}
    tables["files"] = _files(chance)
    for place in range(1, chance.count(3, 1) + 1):
        for name, rows in _all_of(chance, f"C{place}", tables["files"]).items():
            tables[name] += rows
    for number, payment in enumerate(tables["payments"], 1):
        payment["payment_id"] = f"P{number:02}"
    return tables


def _all_of(chance: Chance, customer_id: str, files: list[Row]) -> Tables:
    """Return all rows of one customer."""
    currency = chance.pick(CURRENCIES)
    numbers = [str(number) for number in range(1, chance.count(4, 1) + 1)]
    invoices = [row for number in numbers for row in _invoice(chance, customer_id, number, currency, files)]
    payments = [_payment(chance, customer_id, currency) for _ in range(chance.count(3))]
    habits = [
        _habit(chance, customer_id, f"{number}00", currency)
        for number in range(chance.count(4) if chance.one_in(4) else 0)
    ]
    things = range(chance.pick((0, 0, 1, 1, 2, 3)))
    waiting = chance.one_in(5)
    return {
        "customers": [_customer(chance, customer_id)],
        "invoices": invoices + [row for habit in habits for row in habit["invoices"]],
        "actions": [row for number in numbers for row in _actions(chance, customer_id, number)],
        "payments": payments + [row for habit in habits for row in habit["payments"]],
        "events": [row for _ in things for row in _events(chance, customer_id)],
        "proposals": [_proposal(chance, customer_id, chance.pick(numbers))] if waiting else [],
    }
