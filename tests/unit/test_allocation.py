"""Which payment and which credit note reduces which item; nothing is ever lost."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.allocation import Allocation, allocate
from tests.builders import history

Row = Mapping[str, Any]
AS_OF = date(2026, 3, 31)


def march(day: int) -> date:
    return date(2026, 3, day)


def allocated(
    invoices: Sequence[Row], payments: Sequence[Row] = (), files: Sequence[Row] = (), as_of: date = AS_OF
) -> Allocation:
    plain = {"invoice_date": date(2026, 1, 1), "due_date": date(2026, 2, 1)}
    rows = [{**plain, **invoice} for invoice in invoices]
    paid = [{"payment_date": march(5), **payment} for payment in payments]
    tables = {"files": files} if files else {}
    return allocate(history(invoices=rows, payments=paid, **tables), as_of)


def left(allocation: Allocation) -> dict[str, Decimal]:
    rows = allocation.items.select("invoice_number", "installment", "amount_open").rows()
    return {f"{number}/{installment}": amount for number, installment, amount in rows}


def unapplied(allocation: Allocation) -> list[tuple[object, ...]]:
    return allocation.unapplied_cash.select("currency", "amount").rows()


THIRDS = [
    {"invoice_number": "A", "installment": "10", "due_date": date(2026, 3, 1), "amount": 30},
    {"invoice_number": "A", "installment": "9", "due_date": date(2026, 3, 1), "amount": 30},
    {"invoice_number": "A", "installment": "1", "due_date": date(2026, 2, 1), "amount": 30},
]


@pytest.mark.parametrize(
    ("amount", "open_amounts", "excess"),
    [
        (20, (10, 30, 30), []),
        (50, (0, 10, 30), []),
        (100, (0, 0, 0), [("EUR", Decimal(-10))]),
        (-5, (30, 30, 35), []),
    ],
)
def test_a_payment_of_an_invoice_goes_to_the_oldest_installment_first(
    amount: int, open_amounts: tuple[int, ...], excess: list[tuple[str, Decimal]]
) -> None:
    result = allocated(THIRDS, [{"invoice_number": "A", "amount": amount}])
    found = left(result)
    assert (found["A/1"], found["A/9"], found["A/10"]) == tuple(map(Decimal, open_amounts))
    assert unapplied(result) == excess


def test_a_payment_of_an_installment_reduces_that_one_alone() -> None:
    result = allocated(THIRDS, [{"invoice_number": "A", "installment": "10", "amount": 40}])
    assert left(result) == {"A/1": Decimal(30), "A/10": Decimal(0), "A/9": Decimal(30)}
    assert unapplied(result) == [("EUR", Decimal(-10))]


@pytest.mark.parametrize(
    "payment",
    [
        {},
        {"invoice_number": "unknown"},
        {"invoice_number": "A", "installment": "7"},
        {"invoice_number": "A", "currency": "USD"},
        {"invoice_number": "A", "customer_id": "C2"},
    ],
)
def test_money_that_reaches_nothing_is_unapplied(payment: Row) -> None:
    result = allocated([{"invoice_number": "A", "amount": 100}], [{"amount": 40, **payment}])
    assert left(result) == {"A/1": Decimal(100)}
    assert unapplied(result) == [(payment.get("currency", "EUR"), Decimal(-40))]


def test_a_payment_may_come_before_its_invoice() -> None:
    invoice = {"invoice_number": "A", "invoice_date": march(10), "amount": 100}
    payment = {"invoice_number": "A", "amount": 40}
    before = allocated([invoice], [payment], as_of=march(9))
    assert (left(before), unapplied(before)) == ({}, [("EUR", Decimal(-40))])
    after = allocated([invoice], [payment], as_of=march(10))
    assert (left(after), unapplied(after)) == ({"A/1": Decimal(60)}, [])


@pytest.mark.parametrize(("paid_on", "open_amount"), [(9, 60), (10, 60), (11, 20)])
def test_a_statement_has_absorbed_what_was_paid_up_to_its_date(paid_on: int, open_amount: int) -> None:
    files = [{"intake_id": 1, "file_date": march(10)}]
    payment = {"invoice_number": "A", "amount": 40, "payment_date": march(paid_on)}
    result = allocated([{"invoice_number": "A", "amount": 100, "amount_open": 60}], [payment], files)
    assert left(result) == {"A/1": Decimal(open_amount)}
    assert unapplied(result) == []


def test_a_reversal_reopens_what_was_paid() -> None:
    payments = [{"invoice_number": "A", "amount": 100}, {"invoice_number": "A", "amount": -100}]
    result = allocated([{"invoice_number": "A", "amount": 100}], payments)
    assert (left(result), unapplied(result)) == ({"A/1": Decimal(100)}, [])


@pytest.mark.parametrize(
    ("amount", "open_amount", "excess"),
    [(-20, -30, []), (20, -50, [("EUR", Decimal(-20))]), (-60, 0, [("EUR", Decimal(10))])],
)
def test_a_refund_reduces_the_credit_it_names_and_money_does_not_make_it_larger(
    amount: int, open_amount: int, excess: list[tuple[str, Decimal]]
) -> None:
    credit = {"invoice_number": "CN", "document_type": "credit_note", "amount": -50}
    result = allocated([credit], [{"invoice_number": "CN", "amount": amount}])
    assert left(result) == {"CN/1": Decimal(open_amount)}
    assert unapplied(result) == excess


def credit_note(number: str, amount: int, day: int, **row: object) -> Row:
    return {
        "invoice_number": number,
        "document_type": "credit_note",
        "amount": -amount,
        "invoice_date": march(day),
        "credited_invoice_number": "A",
        **row,
    }


def test_credit_notes_reduce_the_invoice_they_name_oldest_first_and_keep_the_rest() -> None:
    notes = [credit_note("N1", 80, 9), credit_note("N2", 40, 8)]
    assert left(allocated([{"invoice_number": "A", "amount": 100}, *notes])) == {
        "A/1": Decimal(0),
        "N1/1": Decimal(-20),
        "N2/1": Decimal(0),
    }


@pytest.mark.parametrize(
    "note",
    [
        credit_note("N", 40, 9, credited_invoice_number=None),
        credit_note("N", 40, 9, credited_invoice_number="unknown"),
        credit_note("N", 40, 9, currency="USD"),
    ],
)
def test_a_credit_note_without_its_invoice_stays_open_itself(note: Row) -> None:
    assert left(allocated([{"invoice_number": "A", "amount": 100}, note])) == {
        "A/1": Decimal(100),
        "N/1": Decimal(-40),
    }


@pytest.mark.parametrize(("issued_on", "open_amounts"), [(10, ("60", "0")), (11, ("20", "0"))])
def test_a_statement_has_absorbed_credit_notes_up_to_its_date(
    issued_on: int, open_amounts: tuple[str, str]
) -> None:
    files = [{"intake_id": 1, "file_date": march(10)}]
    invoice = {"invoice_number": "A", "amount": 100, "amount_open": 60}
    found = left(allocated([invoice, credit_note("N", 40, issued_on)], files=files))
    assert (found["A/1"], found["N/1"]) == tuple(map(Decimal, open_amounts))


def test_a_credit_note_with_a_balance_of_its_own_is_not_absorbed() -> None:
    files = [{"intake_id": 1, "file_date": march(10)}]
    invoice = {"invoice_number": "A", "amount": 100, "amount_open": 60}
    found = left(allocated([invoice, credit_note("N", 40, 9, amount_open=-40)], files=files))
    assert found == {"A/1": Decimal(20), "N/1": Decimal(0)}
