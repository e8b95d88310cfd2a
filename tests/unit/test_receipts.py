"""When cash came in: named payments, their parts, and what statements show."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.allocation import allocate
from policies.receipts import receipts
from tests.builders import history

Row = Mapping[str, Any]
NO_FILE: Sequence[Row] = ()


def march(day: int) -> date:
    return date(2026, 3, day)


def received(
    invoices: Sequence[Row], payments: Sequence[Row] = (), statement_days: Sequence[int] = ()
) -> list[tuple[str, int, Decimal, bool]]:
    """Return what came in as (installment, day of March, amount, is_shown)."""
    plain = {
        "invoice_number": "A",
        "invoice_date": date(2026, 1, 1),
        "due_date": date(2026, 2, 1),
        "amount": 100,
    }
    known = history(
        files=[{"intake_id": n, "file_date": march(day)} for n, day in enumerate(statement_days or [1], 1)],
        invoices=[{**plain, **invoice} for invoice in invoices],
        payments=[{"invoice_number": "A", **payment} for payment in payments],
    )
    allocation = allocate(known, march(31))
    cash = receipts(allocation).join(allocation.items.select("item", "installment"), on="item")
    return [
        (row["installment"], row["date"].day, row["amount"], row["is_shown"])
        for row in cash.sort("date", "installment").iter_rows(named=True)
    ]


def paid(day: int, amount: int, **row: object) -> Row:
    return {"payment_date": march(day), "amount": amount, **row}


@pytest.mark.parametrize(
    ("payments", "expected"),
    [
        ([], []),
        ([paid(5, 40)], [(5, 40)]),
        ([paid(5, 40), paid(9, 90)], [(5, 40), (9, 60)]),
        ([paid(5, 100), paid(9, 100)], [(5, 100)]),
        ([paid(5, 150), paid(7, -100)], [(5, 100), (7, -50)]),
    ],
)
def test_an_item_takes_no_more_than_it_owes(
    payments: Sequence[Row], expected: Sequence[tuple[int, int]]
) -> None:
    assert received([{}], payments) == [("1", day, Decimal(amount), False) for day, amount in expected]


INSTALLMENTS = [
    {"installment": "1", "amount": 60, "due_date": date(2026, 2, 1)},
    {"installment": "2", "amount": 40, "due_date": date(2026, 3, 1)},
]


def test_money_of_an_invoice_is_laid_over_its_installments_in_the_order_it_came() -> None:
    assert received(INSTALLMENTS, [paid(9, 50), paid(5, 30), paid(12, 50)]) == [
        ("1", 5, Decimal(30), False),
        ("1", 9, Decimal(30), False),
        ("2", 9, Decimal(20), False),
        ("2", 12, Decimal(20), False),
    ]


def test_what_an_installment_was_paid_by_name_leaves_no_room_for_money_of_the_invoice() -> None:
    payments = [paid(9, 40), paid(10, 60, installment="1")]
    assert received(INSTALLMENTS, payments) == [("2", 9, Decimal(40), False), ("1", 10, Decimal(60), False)]


def test_a_credit_note_takes_room_but_is_no_cash() -> None:
    note = {
        "invoice_number": "N",
        "document_type": "credit_note",
        "credited_invoice_number": "A",
        "invoice_date": march(4),
        "amount": -70,
    }
    assert received([{}, note], [paid(5, 50)]) == [("1", 5, Decimal(30), False)]
    assert received([*INSTALLMENTS, note], [paid(5, 50)]) == [("2", 5, Decimal(30), False)]


@pytest.mark.parametrize(
    ("invoices", "payments", "statement_days", "expected"),
    [
        # A statement alone shows what was paid.
        ([{"amount_open": 30}], [], [10], [(10, 70, True)]),
        # A payment explains it.
        ([{"amount_open": 30}], [paid(10, 70)], [10], [(10, 70, False)]),
        # A payment explains a part.
        ([{"amount_open": 30}], [paid(5, 50)], [10], [(5, 50, False), (10, 20, True)]),
        # A payment after the statement explains nothing, and counts by itself.
        ([{"amount_open": 30}], [paid(11, 30)], [10], [(10, 70, True), (11, 30, False)]),
        # Each statement is held against the one before; of one day the last counts.
        (
            [{"amount_open": 80}, {"file": 2, "amount_open": 50}, {"file": 3, "amount_open": 40}],
            [paid(12, 10)],
            [10, 15, 15],
            [(10, 20, True), (12, 10, False), (15, 30, True)],
        ),
        # What a statement reopens can be paid again.
        (
            [{"amount_open": 0}, {"file": 2, "amount_open": 25}],
            [paid(20, 25)],
            [10, 15],
            [(10, 100, True), (20, 25, False)],
        ),
    ],
)
def test_what_a_statement_shows_and_no_payment_explains_was_paid_on_its_date(
    invoices: Sequence[Row],
    payments: Sequence[Row],
    statement_days: Sequence[int],
    expected: Sequence[tuple[int, int, bool]],
) -> None:
    found = received(invoices, payments, statement_days)
    assert found == [("1", day, Decimal(amount), shown) for day, amount, shown in expected]


def test_a_credit_note_explains_what_a_statement_shows() -> None:
    note = {
        "invoice_number": "N",
        "document_type": "credit_note",
        "credited_invoice_number": "A",
        "invoice_date": march(4),
        "amount": -70,
    }
    assert received([{"amount_open": 30}, note], [], [10]) == []


def test_money_absorbed_by_a_statement_is_laid_over_the_installments_as_issued() -> None:
    stated = [{**INSTALLMENTS[0], "amount_open": 0}, {**INSTALLMENTS[1], "amount_open": 40}]
    assert received(stated, [paid(5, 60), paid(12, 40)], [10]) == [
        ("1", 5, Decimal(60), False),
        ("2", 12, Decimal(40), False),
    ]


def test_a_credit_receives_nothing() -> None:
    assert received([{"amount": -50}], [paid(5, 20)]) == []
