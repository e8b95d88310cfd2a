"""Promises and plans, judged by the cash that came."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.allocation import allocate
from policies.promises import judge_plans, judge_promises
from policies.receipts import receipts
from tests.builders import Row, history

INVOICES = [
    {"invoice_number": "A", "invoice_date": date(2026, 1, 1), "due_date": date(2026, 2, 1), "amount": 100},
    {"invoice_number": "B", "invoice_date": date(2026, 1, 1), "due_date": date(2026, 2, 1), "amount": 50},
]


def march(day: int) -> date:
    return date(2026, 3, day)


def paid(day: int, amount: int, number: str | None = "A", **row: object) -> Row:
    return {"payment_date": march(day), "amount": amount, "invoice_number": number, **row}


def judged(
    events: Sequence[Row],
    payments: Sequence[Row],
    as_of: int,
    grace_days: int = 0,
    invoices: Sequence[Row] = INVOICES,
) -> pl.DataFrame:
    known = history(invoices=invoices, events=events, payments=payments)
    allocation = allocate(known, march(as_of))
    return judge_promises(allocation, receipts(allocation), known.events, grace_days)[0]


def state(row: Row) -> str:
    return next(name for name in ("running", "kept", "broken") if row[f"is_{name}"])


PROMISE = {"kind": "promise", "event_date": march(5), "until": march(10), "invoice_number": "A", "amount": 80}


@pytest.mark.parametrize(
    ("payments", "as_of", "expected"),
    [
        ([], 10, "running"),
        ([], 11, "broken"),
        ([paid(6, 80)], 10, "running"),
        ([paid(6, 80)], 11, "kept"),
        ([paid(6, 30), paid(10, 50)], 11, "kept"),
        ([paid(6, 79)], 11, "broken"),
        ([paid(5, 80)], 11, "broken"),
        ([paid(11, 80)], 12, "broken"),
        ([paid(6, 80, "B")], 11, "broken"),
        ([paid(6, 80, None)], 11, "broken"),
    ],
)
def test_a_promise_is_kept_by_cash_after_it_up_to_its_date(
    payments: Sequence[Row], as_of: int, expected: str
) -> None:
    assert state(judged([PROMISE], payments, as_of).row(0, named=True)) == expected


@pytest.mark.parametrize(("as_of", "expected"), [(12, "running"), (13, "kept")])
def test_grace_prolongs_a_promise(as_of: int, expected: str) -> None:
    assert state(judged([PROMISE], [paid(12, 80)], as_of, grace_days=2).row(0, named=True)) == expected


@pytest.mark.parametrize(
    ("payments", "amount", "expected"),
    [
        ([paid(4, 30), paid(6, 70)], 70, "kept"),
        ([paid(4, 30), paid(6, 69)], 70, "broken"),
    ],
)
def test_a_promise_without_amount_is_of_all_that_was_open_then(
    payments: Sequence[Row], amount: int, expected: str
) -> None:
    row = judged([{**PROMISE, "amount": None}], payments, 11).row(0, named=True)
    assert (row["amount"], state(row)) == (Decimal(amount), expected)


def test_a_promise_of_the_customer_is_kept_by_any_payment_of_its_currency() -> None:
    whole = {**PROMISE, "invoice_number": None}
    foreign = {**INVOICES[1], "invoice_number": "C", "currency": "USD"}
    rows = judged([whole], [paid(6, 50, None), paid(7, 30, "B")], 11, invoices=[*INVOICES, foreign])
    assert {row["currency"]: state(row) for row in rows.iter_rows(named=True)} == {
        "EUR": "kept",
        "USD": "broken",
    }


def test_a_promise_without_date_promises_nothing() -> None:
    assert judged([{**PROMISE, "until": None}], [], 11).is_empty()


def plan(*instalments: tuple[int, int], **row: object) -> list[Row]:
    plain = {"kind": "payment_plan", "event_date": march(1), "reference": "P", "invoice_number": "A"}
    return [{**plain, "until": march(day), "amount": amount, **row} for day, amount in instalments]


def running(events: Sequence[Row], payments: Sequence[Row], as_of: int, grace_days: int = 0) -> Row | None:
    known = history(invoices=INVOICES, events=events, payments=payments)
    allocation = allocate(known, march(as_of))
    plans = judge_plans(allocation, receipts(allocation), known.events, grace_days)
    return plans.row(0, named=True) if plans.height else None


@pytest.mark.parametrize(
    ("payments", "as_of", "next_due"),
    [
        ([], 10, 10),
        ([], 11, None),
        ([paid(9, 40)], 11, 20),
        ([paid(9, 39)], 11, None),
        ([paid(9, 100)], 11, 30),
        ([paid(9, 40), paid(20, 30)], 30, 30),
        ([paid(9, 40), paid(20, 30), paid(30, 30)], 31, None),
        ([paid(1, 40)], 11, None),
    ],
)
def test_a_plan_runs_until_an_instalment_is_missed_or_it_ends(
    payments: Sequence[Row], as_of: int, next_due: int | None
) -> None:
    found = running(plan((10, 40), (20, 30), (30, 30)), payments, as_of)
    assert (found and found["plan_due_date"]) == (next_due and march(next_due))


def test_grace_prolongs_every_instalment() -> None:
    assert running(plan((10, 40), (20, 60)), [paid(12, 40)], 13, grace_days=2) is not None
    assert running(plan((10, 40), (20, 60)), [paid(13, 40)], 13, grace_days=2) is None


def test_a_plan_of_the_customer_takes_any_payment() -> None:
    whole = plan((10, 40), (20, 60), invoice_number=None)
    assert running(whole, [paid(9, 20, None), paid(9, 20, "B")], 11) is not None
    assert running(whole, [paid(9, 39, None)], 11) is None
    assert running(plan((10, 40), (20, 60)), [paid(9, 40, None)], 11) is None


def test_of_two_plans_of_an_item_the_newer_counts() -> None:
    events = plan((10, 40)) + plan((25, 100), reference="Q", event_date=march(3))
    found = running(events, [], 9)
    assert found is not None
    assert (found["plan_since"], found["plan_due_date"]) == (march(3), march(25))
