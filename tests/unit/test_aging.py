"""Age and aging buckets: edges, names, and that the table adds up to the ledger."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from policies.aging import age_items, aging_table, bucket_names
from policies.allocation import allocate
from tests.builders import history

AS_OF = date(2026, 3, 31)
EDGES = (0, 30, 60, 90)


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ((0, 30, 60, 90), ["not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_plus"]),
        ((0, 45), ["not_due", "days_1_45", "days_46_plus"]),
        ((5,), ["not_due", "days_6_plus"]),
    ],
)
def test_buckets_are_named_by_the_edges(edges: tuple[int, ...], names: list[str]) -> None:
    assert bucket_names(edges) == names


@pytest.mark.parametrize(
    ("days_past_due", "bucket"),
    [
        (-1, "not_due"),
        (0, "not_due"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "days_91_plus"),
        (None, "no_due_date"),
    ],
)
def test_an_edge_belongs_to_the_bucket_before_it(days_past_due: int | None, bucket: str) -> None:
    due = None if days_past_due is None else AS_OF - timedelta(days=days_past_due)
    items = pl.DataFrame(
        {
            "amount_open": [Decimal(1)],
            "due_date": [due],
            "invoice_date": [date(2026, 3, 1)],
            "absence": [None],
        },
        schema_overrides={"due_date": pl.Date, "absence": pl.String},
    )
    aged = age_items(items, AS_OF, EDGES).row(0, named=True)
    assert (aged["days_past_due"], aged["aging_bucket"]) == (days_past_due, bucket)
    assert aged["days_since_invoice"] == 30


def test_the_table_adds_up_to_the_ledger_and_leaves_out_what_has_vanished() -> None:
    known = history(
        files=[
            {"intake_id": 1, "source": "erp", "kind": "full_invoices", "file_date": date(2026, 3, 1)},
            {"intake_id": 2, "source": "erp", "kind": "full_invoices", "file_date": date(2026, 3, 30)},
        ],
        invoices=[
            {
                "invoice_number": "1",
                "invoice_date": date(2026, 1, 1),
                "due_date": date(2026, 2, 1),
                "amount": 100,
                "file": 2,
            },
            {
                "invoice_number": "2",
                "invoice_date": date(2026, 1, 1),
                "due_date": date(2026, 4, 1),
                "amount": 30,
                "file": 2,
            },
            {
                "invoice_number": "3",
                "invoice_date": date(2026, 1, 1),
                "due_date": None,
                "amount": 7,
                "file": 2,
            },
            {
                "invoice_number": "4",
                "invoice_date": date(2026, 1, 1),
                "due_date": date(2026, 2, 1),
                "amount": -20,
                "file": 2,
            },
            {
                "invoice_number": "5",
                "invoice_date": date(2026, 1, 1),
                "due_date": date(2026, 2, 1),
                "amount": 999,
                "file": 1,
            },
            {
                "invoice_number": "6",
                "invoice_date": date(2026, 1, 1),
                "due_date": date(2026, 3, 1),
                "amount": 50,
                "currency": "USD",
                "file": 2,
            },
        ],
        payments=[{"payment_date": date(2026, 3, 5), "amount": 12}],
    )
    allocation = allocate(known, AS_OF)
    aged = age_items(allocation.items, AS_OF, EDGES)
    table = aging_table(aged, allocation.unapplied_cash, EDGES)
    assert table.rows() == [
        ("C1", "EUR", *map(Decimal, (30, 0, 100, 0, 0, 7, -32, 105))),
        ("C1", "USD", *map(Decimal, (0, 50, 0, 0, 0, 0, 0, 50))),
    ]
    assert table.columns == [
        *("customer_id", "currency", "not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_plus"),
        *("no_due_date", "unapplied", "total"),
    ]
