"""What sources say of balances: statements, clearings and disappearances."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.balances import base_balances, index_items, statements
from policies.history import History
from tests.builders import history

Row = Mapping[str, Any]
ISSUED, DUE = date(2026, 1, 1), date(2026, 2, 1)


def march(day: int) -> date:
    return date(2026, 3, day)


def known(kind: str, days: Sequence[int], *rows: Row) -> History:
    files = [{"intake_id": n, "kind": kind, "file_date": march(day)} for n, day in enumerate(days, 1)]
    invoices = [
        {"invoice_number": "A", "invoice_date": ISSUED, "due_date": DUE, "amount": 100, **row} for row in rows
    ]
    return history(files=files, invoices=invoices)


def balance(past: History, day: int) -> tuple[Decimal, date | None, str | None]:
    items = index_items(past, march(day))
    row = base_balances(items, statements(past, items, march(day))).row(0, named=True)
    return row["base"], row["stated_on"], row["absence"]


def test_before_the_first_statement_the_amount_as_issued_is_open() -> None:
    past = known("incremental", [10], {"file": 1, "amount_open": 60})
    assert balance(past, 9) == (Decimal(100), None, None)
    assert balance(past, 10) == (Decimal(60), march(10), None)


def test_a_statement_is_dated_by_its_own_row_before_its_file() -> None:
    past = known("incremental", [10], {"file": 1, "amount_open": 60, "as_of": march(5)})
    assert balance(past, 6) == (Decimal(60), march(5), None)


def test_of_two_statements_of_one_day_the_one_loaded_last_rules() -> None:
    past = known("incremental", [10, 10], {"file": 1, "amount_open": 60}, {"file": 2, "amount_open": 40})
    assert balance(past, 10)[0] == Decimal(40)


def test_an_older_file_loaded_later_changes_nothing_later() -> None:
    past = known("incremental", [10, 5], {"file": 1, "amount_open": 60}, {"file": 2, "amount_open": 90})
    assert balance(past, 12)[0] == Decimal(60)
    assert balance(past, 7)[0] == Decimal(90)


@pytest.mark.parametrize(
    ("kind", "base", "stated_on", "absence"),
    [
        ("full_open_items", Decimal(0), march(12), "cleared"),
        ("full_invoices", Decimal(60), march(2), "vanished"),
        ("incremental", Decimal(60), march(2), None),
    ],
)
def test_absence_means_what_the_kind_of_source_says(
    kind: str, base: Decimal, stated_on: date, absence: str | None
) -> None:
    listed_elsewhere = {"invoice_number": "B", "file": 2, "amount_open": 10}
    past = known(kind, [2, 9, 12], {"file": 1, "amount_open": 60}, listed_elsewhere)
    assert balance(past, 12) == (base, stated_on, absence)
    assert balance(past, 8) == (Decimal(60), march(2), None)


def test_an_item_listed_again_never_went_away() -> None:
    past = known(
        "full_open_items", [2, 9, 12], {"file": 1, "amount_open": 60}, {"file": 3, "amount_open": 60}
    )
    assert balance(past, 9) == (Decimal(0), march(9), "cleared")
    assert balance(past, 12) == (Decimal(60), march(12), None)
    items = index_items(past, march(12))
    assert statements(past, items, march(12))["amount_open"].to_list() == [Decimal(60), Decimal(60)]


def test_of_two_files_of_one_date_the_second_says_what_is_gone() -> None:
    listed_by_the_second = known("full_open_items", [2, 9, 9], {"file": 1}, {"file": 3})
    assert balance(listed_by_the_second, 9)[2] is None
    listed_by_the_first = known("full_open_items", [2, 9, 9], {"file": 1}, {"file": 2})
    assert balance(listed_by_the_first, 9)[2] == "cleared"


def test_a_clearing_stands_on_the_first_file_and_again_on_the_newest() -> None:
    past = known("full_open_items", [2, 9, 10, 12], {"file": 1})
    items = index_items(past, march(31))
    said = statements(past, items, march(31)).select("date", "amount_open", "absence").rows()
    assert said == [(march(9), Decimal(0), "cleared"), (march(12), Decimal(0), "cleared")]


def test_what_another_source_lists_is_not_missed_by_this_one() -> None:
    past = history(
        files=[
            {"intake_id": 1, "source": "one", "kind": "full_open_items", "file_date": march(2)},
            {"intake_id": 2, "source": "other", "kind": "full_open_items", "file_date": march(9)},
        ],
        invoices=[{"invoice_number": "A", "invoice_date": ISSUED, "due_date": DUE, "amount": 100}],
    )
    assert balance(past, 31) == (Decimal(100), None, None)


def test_items_are_numbered_by_their_keys_and_accounts_by_customer_and_currency() -> None:
    keys = [
        ("C2", "1", "1", "EUR"),
        ("C1", "2", "1", "USD"),
        ("C1", "10", "1", "EUR"),
        ("C1", "2", "2", "USD"),
    ]
    names = ("customer_id", "invoice_number", "installment", "currency")
    rows = [dict(zip(names, key, strict=True)) for key in keys]
    past = known("incremental", [2], *rows, {"invoice_number": "later", "invoice_date": march(2)})
    items = index_items(past, march(1))
    assert items.select(names).rows() == [keys[2], keys[1], keys[3], keys[0]]
    assert items["item"].to_list() == [0, 1, 2, 3]
    accounts = items["account"].to_list()
    assert accounts == sorted(accounts)
    assert accounts[1] == accounts[2]
    assert len(set(accounts)) == 3
