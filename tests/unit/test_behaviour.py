"""How each customer has paid: lateness, trend, last payment."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from policies.allocation import allocate
from policies.behaviour import payment_behaviour
from policies.receipts import receipts
from tests.builders import Row, history

AS_OF = date(2026, 3, 31)


def days_ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def habits(*invoices: Row, payments: Sequence[Row] = (), files: Sequence[Row] = ()) -> Row:
    """Return the habits of C1 in EUR; an invoice is `paid` so many days ago, `late` days after its due date."""
    rows: list[Row] = []
    paid = list(payments)
    for number, invoice in enumerate(invoices):
        row: dict[str, Any] = {
            "invoice_number": str(number),
            "invoice_date": date(2024, 1, 1),
            "amount": 100,
            **invoice,
        }
        if "paid" in invoice:
            paid_on = days_ago(invoice["paid"])
            row["due_date"] = None if invoice["late"] is None else paid_on - timedelta(days=invoice["late"])
            paid.append({"invoice_number": str(number), "payment_date": paid_on, "amount": 100})
        rows.append(row)
    known = history(files=files, invoices=rows, payments=paid)
    allocation = allocate(known, AS_OF)
    table = payment_behaviour(allocation, receipts(allocation))
    found: Row = table.filter(pl.col("currency") == "EUR").row(0, named=True)
    return found


def test_averages_are_of_the_invoices_paid_in_the_last_365_days() -> None:
    found = habits(
        {"paid": 364, "late": 10},
        {"paid": 10, "late": 20},
        {"paid": 20, "late": -9},
        {"paid": 365, "late": 500},
        {"due_date": days_ago(90)},
    )
    assert found["paid_invoices"] == 3
    assert found["average_days_late"] == Decimal(7)
    assert found["median_days_late"] == Decimal(10)
    assert found["late_share"] == Decimal("0.666667")


def test_an_invoice_without_due_date_is_paid_but_neither_late_nor_on_time() -> None:
    found = habits({"paid": 10, "late": None}, {"paid": 10, "late": 5})
    assert (found["paid_invoices"], found["average_days_late"], found["late_share"]) == (2, 5, 1)


def test_the_trend_holds_the_last_90_days_against_the_time_before() -> None:
    found = habits({"paid": 89, "late": 30}, {"paid": 90, "late": 10}, {"paid": 200, "late": 11})
    assert found["late_trend_days"] == Decimal("19.5")
    assert habits({"paid": 89, "late": 30})["late_trend_days"] is None


def test_an_invoice_is_paid_on_the_day_of_the_money_that_closed_it() -> None:
    invoice = {"invoice_number": "A", "due_date": days_ago(50)}
    parts = [
        {"invoice_number": "A", "payment_date": days_ago(40), "amount": 60},
        {"invoice_number": "A", "payment_date": days_ago(20), "amount": 40},
        {"invoice_number": "A", "payment_date": days_ago(5), "amount": 40},
    ]
    found = habits(invoice, payments=parts)
    assert found["average_days_late"] == Decimal(30)
    assert found["days_since_last_payment"] == 5


def test_what_was_credited_or_vanished_is_not_paid() -> None:
    note = {"document_type": "credit_note", "credited_invoice_number": "0", "amount": -100, "due_date": None}
    partly = {"invoice_number": "0", "payment_date": days_ago(9), "amount": 1}
    assert (
        habits({"due_date": days_ago(50)}, note, payments=[{**partly, "invoice_number": None}])[
            "paid_invoices"
        ]
        is None
    )
    files = [
        {"intake_id": 1, "kind": "full_invoices", "file_date": days_ago(30)},
        {"intake_id": 2, "kind": "full_invoices", "file_date": days_ago(2)},
    ]
    vanished = {"invoice_number": "V", "due_date": days_ago(50)}
    paid = {"invoice_number": "V", "payment_date": days_ago(9), "amount": 100}
    assert habits(vanished, payments=[paid], files=files)["paid_invoices"] is None


def test_a_reversal_is_no_payment_and_a_statement_may_show_one() -> None:
    payments = [
        {"invoice_number": "0", "payment_date": days_ago(40), "amount": 10},
        {"invoice_number": "0", "payment_date": days_ago(3), "amount": -10},
    ]
    assert habits({"due_date": days_ago(50)}, payments=payments)["days_since_last_payment"] == 40
    files = [{"intake_id": 1, "file_date": days_ago(7)}]
    shown = {"due_date": days_ago(50), "amount_open": 20}
    assert habits(shown, files=files)["days_since_last_payment"] == 7
