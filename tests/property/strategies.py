"""Draws whole pasts and policies: many customers at once, who never meet, in all the states the rules know.

Rows are those of `tests.builders.history`; days are counted back from one `AS_OF`, so that what
shrinks stays readable.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from policies.history import History
from policies.model import EventKind
from policies.policy import Policy
from tests.builders import history

AS_OF = date(2026, 3, 10)
Row = dict[str, Any]
Draw = st.DrawFn

SHORT = st.sampled_from([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 14, 15, 16, 20, 29, 30, 31])
"""Days that often meet a limit of some policy."""

LONG = st.one_of(SHORT, st.integers(0, 120), st.sampled_from([200, 364, 365, 366]))
AMOUNTS = st.sampled_from([Decimal(text) for text in ("10", "14.99", "15", "50", "100", "100.01", "1200")])
EVENT_KINDS = [str(kind) for kind in EventKind if kind not in {EventKind.REDUCTION, EventKind.CHARGE_WAIVED}]
SHARES_OPEN = [Decimal(text) for text in ("0", "1", "1", "0.5")]
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD"])
STEP_CHANNELS = {
    "courtesy": "email",
    "reminder_1": "email",
    "reminder_2": "letter",
    "call": "call",
    "formal_notice": "registered_letter",
    "placement": "agency",
    "suit": "court",
}
CONDITIONS = st.sampled_from(
    [
        "amount_open >= 50",
        "amount_open >= 100 and currency = 'EUR'",
        "credit_rating = 'A'",
        "not credit_rating = 'A'",
        "item_broken_promises >= 1",
        "amount_disputed > 0",
        "days_since_last_step is null or days_since_last_step > 5",
        "purchase_order is not null",
        "payment_method in ('transfer', 'card')",
        "aging_bucket = 'days_1_30'",
        "days_past_due between 5 and 40",
        "tags like '%vip%'",
        "coalesce(credit_limit, 0) < open_amount",
        "overdue_amount + unapplied_amount >= 100",
        "case when country = 'FR' then 1 else 2 end = 1",
        "contacts_without_answer >= 1",
        "days_since_last_contact > 10",
        "days_since_last_payment <= 30",
        "bounced",
        "risk = 'high'",
        "segment <> 'small'",
    ]
)
ACCOUNT_CONDITIONS = st.sampled_from(
    [
        "overdue_amount >= 100",
        "open_amount < 60",
        "overdue_items >= 2",
        "oldest_days_past_due > 30",
        "unapplied_amount < 0",
        "paid_invoices = 0",
        "average_days_late > 10",
        "median_days_late > 10",
        "late_share >= 0.5",
        "late_trend_days > 0",
        "exposure_share > 0.25",
        "broken_promises >= 1",
        "kept_promises >= 1 and broken_promises = 0",
        "language = 'fr'",
        "customer_type = 'public' or country = 'DE'",
    ]
)


def before(days: int) -> date:
    return AS_OF - timedelta(days=days)


@st.composite
def _timing(draw: Draw, place: int) -> Row:
    kinds = ["after_due_days", "after_due_days", "after_invoice_days", "both"]
    kind = draw(
        st.sampled_from(kinds if place == 0 else [*kinds, "after_previous_days", "after_previous_days"])
    )
    timing: Row = {}
    if kind in {"after_due_days", "both"}:
        timing["after_due_days"] = draw(SHORT)
    if kind in {"after_invoice_days", "both"}:
        timing["after_invoice_days"] = draw(SHORT)
    if kind == "after_previous_days":
        timing["after_previous_days"] = draw(SHORT)
    elif draw(st.integers(0, 5)) == 0:
        timing["end_of_month"] = True
    return timing


def _sometimes(draw: Draw, one_in: int) -> bool:
    return draw(st.integers(1, one_in)) == one_in


@st.composite
def steps(draw: Draw, name: str, place: int) -> Row:
    """Draw one step of a ladder."""
    step: Row = {"step": name, "channel": STEP_CHANNELS[name]}
    if name == "courtesy":
        step |= draw(
            st.sampled_from(
                [
                    {"after_due_days": -7},
                    {"after_due_days": -1},
                    {"before_due": True, "after_invoice_days": 5},
                ]
            )
        )
    else:
        step |= draw(_timing(place))
    if _sometimes(draw, 4):
        step["when"] = draw(CONDITIONS)
    if _sometimes(draw, 8):
        step["minimum_amount"] = {"EUR": draw(AMOUNTS)}
    if _sometimes(draw, 5):
        step["approval"] = "required"
    if _sometimes(draw, 6):
        step["answer_within_days"] = draw(SHORT)
    if _sometimes(draw, 5):
        step["repeat_every_days"] = max(1, draw(SHORT))
        if draw(st.booleans()):
            step["repeat_at_most"] = draw(st.integers(1, 2))
    if _sometimes(draw, 8):
        step["requires_outcome"] = True
    if _sometimes(draw, 8):
        step["needs_delivery_proof"] = True
    return step


@st.composite
def ladders(draw: Draw) -> list[Row]:
    """Draw a ladder: some of the steps, in their order."""
    names = [name for name in STEP_CHANNELS if draw(st.booleans())] or ["reminder_1"]
    return [draw(steps(name, place)) for place, name in enumerate(names)]


@st.composite
def policies(draw: Draw) -> Policy:
    """Draw a policy that could be loaded."""
    keys: Row = {
        "policy": "drawn",
        "description": "Drawn by chance.",
        "ladder_mode": draw(st.sampled_from(["one_step_at_a_time", "most_severe"])),
        "entry": draw(st.sampled_from(["start_at_first_step", "start_at_first_step", "start_by_age"])),
        "anchor": draw(st.sampled_from(["item", "item", "oldest_item"])),
        "promise_grace_days": draw(st.sampled_from([0, 0, 2])),
        "ladders": {"standard": draw(ladders()), "small": draw(ladders())},
    }
    segments: list[Row] = []
    if draw(st.booleans()):
        segments.append({"segment": "small", "when": draw(ACCOUNT_CONDITIONS), "ladder": "small"})
    if segments and _sometimes(draw, 4):
        segments.append({"segment": "large", "when": draw(ACCOUNT_CONDITIONS), "ladder": "standard"})
    else:
        segments.append({"segment": "everyone", "ladder": "standard"})
    keys["segments"] = segments
    if draw(st.booleans()):
        keys["risk"] = [{"class": "high", "when": draw(ACCOUNT_CONDITIONS)}, {"class": "normal"}]
    if draw(st.booleans()):
        names = [step["step"] for step in keys["ladders"]["standard"]]
        keys["accelerate"] = [{"when": draw(CONDITIONS), "to": draw(st.sampled_from(names))}]
    if draw(st.booleans()):
        keys["small_balance"] = {"EUR": draw(AMOUNTS)}
    contact: Row = {}
    if draw(st.booleans()):
        contact["minimum_gap_days"] = draw(SHORT)
    if draw(st.booleans()):
        contact["maximum"] = {"contacts": draw(st.integers(1, 2)), "days": max(1, draw(SHORT))}
    keys["contact"] = contact
    if draw(st.booleans()):
        keys["calendar"] = {
            "country": draw(st.sampled_from(["FR", "DE"])),
            "contact_on": draw(st.sampled_from(["business_days", "every_day"])),
        }
    if draw(st.booleans()):
        keys["guards"] = {"maximum_source_age_business_days": draw(st.integers(0, 10))}
    return Policy.model_validate(keys)


@st.composite
def files(draw: Draw) -> list[Row]:
    """Draw the files that everybody's rows stand in: one incremental, some of a full source."""
    rows: list[Row] = [
        {
            "intake_id": 1,
            "source": "first",
            "kind": "incremental",
            "file_date": before(draw(SHORT)),
            "carries_payments": draw(st.booleans()),
        }
    ]
    kind = draw(st.sampled_from(["full_open_items", "full_invoices", "incremental"]))
    rows += [
        {
            "intake_id": intake_id,
            "source": "second",
            "kind": kind,
            "file_date": before(draw(st.one_of(SHORT, st.just(-1)))),
            "carries_balances": True,
        }
        for intake_id in range(2, 2 + draw(st.integers(0, 3)))
    ]
    return rows


@st.composite
def invoices(draw: Draw, customer_id: str, number: str, known: list[Row]) -> list[Row]:
    """Draw the rows of one invoice or credit note, in one file or several, in one installment or two."""
    issued = before(draw(st.one_of(LONG, st.just(-1))))
    is_credit = _sometimes(draw, 6)
    row: Row = {
        "customer_id": customer_id,
        "invoice_number": number,
        "invoice_date": issued,
        "currency": draw(CURRENCIES),
        "document_type": "credit_note" if is_credit else "invoice",
        "purchase_order": draw(st.sampled_from([None, "PO1"])),
        "payment_method": draw(st.sampled_from([None, "transfer", "direct_debit"])),
    }
    if is_credit and draw(st.booleans()):
        row["credited_invoice_number"] = draw(st.sampled_from(["1", "2", "9"]))
    rows: list[Row] = []
    for installment in ("1", "2") if _sometimes(draw, 5) and not is_credit else ("1",):
        due = None if _sometimes(draw, 12) else issued + timedelta(days=draw(SHORT))
        amount = draw(AMOUNTS) * (-1 if is_credit or _sometimes(draw, 20) else 1)
        listed = [file["intake_id"] for file in known if draw(st.booleans())] or [1]
        for file in listed:
            stated: Row = {"file": file}
            if draw(st.booleans()):
                stated["amount_open"] = amount * draw(st.sampled_from(SHARES_OPEN))
            if _sometimes(draw, 8):
                stated["as_of"] = before(draw(SHORT))
            rows.append({**row, "installment": installment, "due_date": due, "amount": amount, **stated})
    return rows


@st.composite
def payments(draw: Draw, customer_id: str) -> Row:
    """Draw a payment or a reversal, which may name nothing, an invoice, an installment, or something unknown."""
    row: Row = {
        "customer_id": customer_id,
        "payment_date": before(draw(st.one_of(SHORT, st.just(-1)))),
        "amount": draw(AMOUNTS) * (-1 if _sometimes(draw, 8) else 1),
        "currency": draw(CURRENCIES),
    }
    if not _sometimes(draw, 4):
        row["invoice_number"] = draw(st.sampled_from(["1", "1", "2", "9"]))
        if draw(st.booleans()):
            row["installment"] = draw(st.sampled_from(["1", "2"]))
    return row


def _about(draw: Draw, *, customer_too: bool = True) -> Row:
    """Draw what an event speaks of: an item, an invoice, or the whole customer."""
    row: Row = {}
    if not (customer_too and _sometimes(draw, 4)):
        row["invoice_number"] = draw(st.sampled_from(["1", "2"]))
        if _sometimes(draw, 3):
            row["installment"] = draw(st.sampled_from(["1", "2"]))
    return row


@st.composite
def events(draw: Draw, customer_id: str) -> list[Row]:
    """Draw one thing that was recorded: one event, or the rows of one plan."""
    kind = draw(st.sampled_from(EVENT_KINDS))
    day = draw(st.one_of(SHORT, st.just(-1)))
    row: Row = {"customer_id": customer_id, "kind": kind, "event_date": before(day)}
    if kind == "payment_plan":
        row |= _about(draw) | {"reference": draw(st.sampled_from(["X", "Y"]))}
        row |= {
            "reference": f"{row['reference']}{row.get('invoice_number', '')}{row.get('installment', '')}{day}"
        }
        return [
            {**row, "until": before(day - draw(SHORT)), "amount": draw(AMOUNTS)}
            for _ in range(draw(st.integers(1, 3)))
        ]
    if kind in {"insolvency", "insolvency_closed", "bounce"}:
        return [row]
    row |= _about(draw, customer_too=kind != "write_off")
    if kind in {"dispute", "promise", "write_off"} and draw(st.booleans()):
        row["amount"] = draw(AMOUNTS)
    if (kind == "promise" and not _sometimes(draw, 8)) or (kind == "hold" and draw(st.booleans())):
        row["until"] = before(day - draw(SHORT))
    if kind in {"dispute", "dispute_closed", "hold", "hold_released"} and _sometimes(draw, 4):
        row["reference"] = draw(st.sampled_from(["R1", "R2"]))
    return [row]


@st.composite
def actions(draw: Draw, customer_id: str, number: str) -> list[Row]:
    """Draw what was dispatched for an item: some steps, each later than the one before, some twice."""
    names = [name for name in STEP_CHANNELS if _sometimes(draw, 12 if name == "placement" else 4)]
    names = [name for name in names for _ in range(2 if _sometimes(draw, 6) else 1)]
    days = sorted((draw(SHORT) for _ in names), reverse=True)
    return [
        {
            "customer_id": customer_id,
            "invoice_number": number,
            "step": name,
            "channel": STEP_CHANNELS[name],
            "dispatch_date": before(day),
            "attempt": 1 + names[:place].count(name),
        }
        for place, (name, day) in enumerate(zip(names, days, strict=True))
    ]


@st.composite
def proposals(draw: Draw, customer_id: str, number: str) -> Row:
    """Draw an item's place in a batch."""
    day = draw(st.integers(0, 3))
    return {
        "customer_id": customer_id,
        "invoice_number": number,
        "step": "reminder_1",
        "proposed_date": before(day),
        "ended_date": draw(st.sampled_from([None, before(0), before(min(day, 1))])),
        "uncertain_date": draw(st.sampled_from([None, None, before(0), before(min(day, 1))])),
    }


@st.composite
def customers(draw: Draw, customer_id: str, known: list[Row]) -> dict[str, list[Row]]:
    """Draw one customer with everything that is known of it."""
    row: Row = {"customer_id": customer_id}
    for column, values in (
        ("email", [None]),
        ("phone", [None]),
        ("city", [None]),
        ("country", [None, "DE", "XX"]),
        ("language", [None, "en"]),
        ("customer_type", [None, "public"]),
        ("credit_rating", ["A", "B"]),
        ("credit_limit", ["50.00"]),
        ("payment_method", ["transfer"]),
        ("tags", ["vip", "new,vip"]),
        ("email_since", [before(0), before(7)]),
    ):
        if _sometimes(draw, 5):
            row[column] = draw(st.sampled_from(values))
    numbers = [str(place) for place in range(1, 1 + draw(st.integers(1, 3)))]
    return {
        "customers": [row],
        "invoices": [line for number in numbers for line in draw(invoices(customer_id, number, known))],
        "payments": draw(st.lists(payments(customer_id), max_size=3)),
        "events": [line for lines in draw(st.lists(events(customer_id), max_size=3)) for line in lines],
        "actions": [line for number in numbers for line in draw(actions(customer_id, number))],
        "proposals": [draw(proposals(customer_id, "1"))] if _sometimes(draw, 8) else [],
    }


@st.composite
def histories(draw: Draw, maximum_customers: int = 12) -> History:
    """Draw all that is known of a creditor's customers."""
    known = draw(files())
    drawn = [
        draw(customers(f"C{place}", known))
        for place in range(draw(st.integers(min(6, maximum_customers), maximum_customers)))
    ]
    tables: dict[str, list[Row]] = {"files": known}
    for customer in drawn:
        for name, rows in customer.items():
            tables.setdefault(name, []).extend(rows)
    return history(**tables)


def days() -> st.SearchStrategy[date]:
    """Draw the day to decide on: mostly the one all rows are counted from."""
    return st.sampled_from([AS_OF, AS_OF, AS_OF, AS_OF - timedelta(days=7), AS_OF + timedelta(days=4)])
