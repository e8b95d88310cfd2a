"""What items owed on earlier days, for promises that named no amount."""

from datetime import date

import polars as pl

from policies.earlier_balances import earlier_balances, remember
from tests.builders import history

ISSUED, PROMISED, PAID = date(2026, 1, 5), date(2026, 2, 10), date(2026, 2, 20)
KNOWN = history(
    invoices=[{"invoice_number": "A", "invoice_date": ISSUED, "due_date": date(2026, 2, 4), "amount": 100}],
    payments=[{"invoice_number": "A", "payment_date": PAID, "amount": 30}],
    events=[{"kind": "promise", "event_date": PROMISED, "until": date(2026, 2, 28)}],
)


def owed(days: list[date]) -> list[tuple[object, ...]]:
    moments = pl.DataFrame({"customer_id": ["C1"] * len(days), "day": days})
    found = earlier_balances(KNOWN, moments).sort("day")
    return found.select("day", pl.col("amount_open").cast(pl.Int64)).rows()


def test_each_day_has_its_own_balance() -> None:
    assert owed([PROMISED, PAID]) == [(PROMISED, 100), (PAID, 70)]


def test_what_was_not_yet_issued_has_none() -> None:
    assert owed([date(2026, 1, 4)]) == []


def test_a_history_remembers_the_balances_its_promises_ask_for() -> None:
    moments = pl.DataFrame({"customer_id": ["C1"], "day": [PROMISED]})
    remembered = remember(KNOWN)
    assert remembered.remembered is not None
    assert earlier_balances(remembered, moments).equals(earlier_balances(KNOWN, moments))
