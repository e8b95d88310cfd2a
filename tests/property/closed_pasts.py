"""Draws pasts of mostly paid invoices over some months, with everything that can stir an invoice again."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from policies.history import History
from tests.builders import history

Row = dict[str, Any]

START = date(2026, 1, 5)
LENGTH_DAYS = 150


def draw_closed_past(random: Random, customers: int = 8) -> History:
    """Draw a past from START: files of an open-item list now and then, payments, and what people recorded."""
    kind = random.choice(["full_open_items", "full_invoices", "incremental"])
    days = sorted({random.randint(1, LENGTH_DAYS) for _ in range(random.choice([0, 0, 4, 9]))})
    files: list[Row] = [
        {"intake_id": 1, "source": "first", "file_date": START, "carries_payments": True},
        *(
            {"intake_id": number, "source": "second", "kind": kind, "file_date": _day(offset)}
            for number, offset in enumerate(days, 2)
        ),
    ]
    tables: dict[str, list[Row]] = {
        "files": files,
        "invoices": [],
        "payments": [],
        "events": [],
        "actions": [],
    }
    for place in range(customers):
        calm = random.random() < 0.6
        for number in range(random.randint(1, 6)):
            _draw_invoice(random, tables, f"C{place}", str(number), calm=calm)
        for _ in range(0 if calm else random.randint(0, 3)):
            tables["events"].append(_event(random, f"C{place}"))
    tables["events"].sort(key=lambda row: row["event_date"])
    return history(**tables)


def _day(offset: int) -> date:
    return START + timedelta(days=offset)


def _draw_invoice(
    random: Random, tables: dict[str, list[Row]], customer: str, number: str, *, calm: bool
) -> None:
    issued = random.randint(0, 100)
    due, amount = issued + random.choice([0, 10, 30]), Decimal(random.choice([40, 100, 6000]))
    pieces = 2 if random.random() < 0.15 else 1
    key: Row = {"customer_id": customer, "invoice_number": number}
    row: Row = {**key, "invoice_date": _day(issued), "due_date": _day(due), "amount": amount / pieces}
    row |= {"currency": "USD" if random.random() < 0.05 else "EUR"}
    paid_on = issued + random.randint(5, 60)
    for piece in range(1, pieces + 1):
        tables["invoices"].append({**row, "installment": str(piece)})
        for file in tables["files"][1:]:  # the lists that show it: while it is open, now and then longer
            listed = issued <= (file["file_date"] - START).days < paid_on + random.choice([0, 0, 0, 20])
            if listed and random.random() < 0.9:
                stated = {"amount_open": random.choice([None, amount / pieces, Decimal(0)])}
                tables["invoices"].append(
                    {**row, "installment": str(piece), "file": file["intake_id"], **stated}
                )
    tables["payments"].extend(_payments(random, key, paid_on, amount, calm=calm))
    if not calm and random.random() < 0.15:
        tables["invoices"].append(
            {
                **key,
                "invoice_number": f"N{number}",
                "document_type": "credit_note",
                "invoice_date": _day(issued + random.randint(0, 80)),
                "amount": amount / 2,
                "credited_invoice_number": number,
            }
        )
    if random.random() < 0.2:
        tables["actions"].append({**key, "step": "reminder_1", "dispatch_date": _day(due + 1)})


def _payments(random: Random, key: Row, paid_on: int, amount: Decimal, *, calm: bool) -> list[Row]:
    """Pay in one piece, in two, too much, in another currency, not at all, or take it back again."""
    later = _day(paid_on + random.randint(0, 60))
    row: Row = {**key, "payment_date": _day(paid_on), "amount": amount}
    half: Row = {**row, "amount": amount / 2}
    ways: list[list[Row]] = [
        [half, {**half, "payment_date": later}],
        [row, {**row, "payment_date": later, "amount": -amount}],
        [{**row, "amount": amount + 25}],
        [row, {**row, "currency": "USD", "amount": Decimal(30)}],
        [{**row, "invoice_number": None}],
        [],
    ]
    return [row] if calm or random.random() < 0.5 else random.choice(ways)


def _event(random: Random, customer: str) -> Row:
    offset = random.randint(10, 140)
    kind = random.choice(
        ["dispute", "dispute_closed", "promise", "payment_plan", "hold", "answer", "bounce", "insolvency"]
    )
    row: Row = {"customer_id": customer, "kind": kind, "event_date": _day(offset)}
    if kind not in ("bounce", "insolvency") and random.random() < 0.6:
        row |= {"invoice_number": str(random.randint(0, 5))}
    if kind in ("promise", "hold"):
        row |= {"until": _day(offset + random.randint(0, 20))}
    if kind == "payment_plan":
        row |= {"until": _day(offset + 15), "amount": Decimal(50), "reference": f"R{offset}"}
    return row
