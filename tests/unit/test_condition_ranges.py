"""Proofs about conditions: what holds only where another does, and what never holds beside another."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.condition_ranges import compared, exclude_each_other, implies


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("overdue_amount >= 50000", "overdue_amount >= 10000"),
        ("overdue_amount > 50000", "overdue_amount >= 50000"),
        ("overdue_amount >= 50000 and currency = 'EUR'", "currency = 'EUR' and overdue_amount >= 50000"),
        ("50000 <= overdue_amount", "overdue_amount > 10000"),
        ("overdue_amount between 20 and 30", "overdue_amount >= 20 and overdue_amount <= 40"),
        ("paid_invoices = 0", "paid_invoices < 3"),
        ("paid_invoices in (1, 2)", "paid_invoices <> 7 and paid_invoices <= 2"),
        ("paid_invoices > 8", "paid_invoices <> 7"),
        ("paid_invoices not in (7, 8)", "paid_invoices <> 7"),
        ("paid_invoices > 8", "paid_invoices is not null"),
        ("bounced", "bounced = true"),
        ("not (overdue_items > 3)", "overdue_items <= 3"),
        ("not (overdue_items > 3 or bounced)", "overdue_items < 5"),
        ("tags like '%vip%' and bounced", "tags like '%vip%'"),
        ("country = 'FR' or country = 'BE'", "country in ('FR', 'BE', 'NL')"),
        ("country in ('FR', 'BE')", "country = 'FR' or country = 'BE'"),
        ("paid_invoices in (1, 2, 3, 4, 5, 6, 7, 8, 9)", "paid_invoices < 10"),
        ("unapplied_amount < -50", "unapplied_amount < -20"),
        ("overdue_amount > 5 and overdue_amount < 3", "country = 'FR'"),
        ("due_date >= DATE '2026-02-01'", "due_date > DATE '2026-01-31'"),
    ],
)
def test_a_condition_that_holds_only_where_another_does_is_proved(narrow: str, wide: str) -> None:
    assert implies(narrow, wide)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("overdue_amount >= 10000", "overdue_amount >= 50000"),
        ("overdue_amount >= 50000", "overdue_amount > 50000"),
        ("overdue_amount >= 50000", "overdue_amount <= 90000"),
        ("overdue_amount >= 50000", "open_amount >= 10000"),
        ("overdue_amount >= 50000", "overdue_amount >= 10000 and currency = 'EUR'"),
        ("country in ('FR', 'US')", "country in ('FR', 'BE')"),
        ("paid_invoices >= 7", "paid_invoices <> 7"),
        ("paid_invoices <> 7", "paid_invoices in (1, 2)"),
        ("days_since_last_payment is null", "days_since_last_payment is not null"),
        ("tags like '%vip%'", "not tags like '%vip%'"),
        ("tags like '%vip%'", "tags is not null"),
        ("paid_invoices = 1", "paid_invoices is null"),
        ("overdue_amount > credit_limit", "overdue_amount > 5"),
        ("coalesce(paid_invoices, 9) > 8", "paid_invoices > 8"),
        ("overdue_amount > 'x'", "overdue_amount > 5"),
        ("due_date > DATE '2026-02-31'", "due_date > DATE '2026-01-31'"),
        ("paid_invoices > 8", "this is ( nothing"),
        ("this is ( nothing", "paid_invoices > 8"),
        (" and ".join(f"(paid_invoices > {n} or bounced)" for n in range(7)), "paid_invoices > 8"),
    ],
)
def test_where_nothing_is_proved_nothing_is_said(narrow: str, wide: str) -> None:
    assert not implies(narrow, wide)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (["days_past_due >= 30", "days_past_due < 20"], True),
        (["days_past_due >= 30", "days_past_due < 30"], True),
        (["days_past_due >= 30", "days_past_due <= 30"], False),
        (["days_past_due > 30 and days_past_due < 40"], False),
        (["currency = 'EUR'", "currency = 'USD'"], True),
        (["currency = 'EUR'", "currency <> 'EUR' or bounced"], False),
        (["days_since_last_contact is null and days_since_last_contact > 3"], True),
        (["days_since_last_contact is null", "not (days_since_last_contact is not null)"], False),
        (["tags like '%vip%'", "not tags like '%vip%'"], True),
        (["tags like '%vip%'", "tags not like '%vip%'"], True),
        (["tags like '%vip%'", "tags is not null"], False),
        (["bounced and not bounced"], True),
        (["paid_invoices between -5 and -1", "paid_invoices > - 1"], True),
        (["not (paid_invoices between 1 and 5)", "paid_invoices = 3"], True),
        (["paid_invoices between 1 and overdue_items", "paid_invoices = 9"], False),
        (["- overdue_items > 3", "overdue_items > -(open_amount)"], False),
        (["this is ( nothing", "paid_invoices = 3"], False),
        ([f"paid_invoices > {n} or bounced" for n in range(7)], False),
    ],
)
def test_conditions_that_no_row_meets_together_are_found(conditions: list[str], expected: bool) -> None:
    assert exclude_each_other(*conditions) is expected


def test_the_constants_a_fact_is_compared_with_are_listed() -> None:
    text = "risk in ('high', 'hgih') or segment <> 'small' and overdue_items > 5 and not bounced"
    found = dict.fromkeys(compared(text))
    assert list(found) == [("risk", "high"), ("risk", "hgih"), ("segment", "small"), ("bounced", True)]


NUMBERS = st.integers(-2, 4)
ATOMS = st.one_of(
    st.builds("x {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), NUMBERS),
    st.builds("x between {} and {}".format, NUMBERS, NUMBERS),
    st.builds("x in ({}, {})".format, NUMBERS, NUMBERS),
    st.sampled_from(["x is null", "x is not null", "coalesce(x, 1) > 0"]),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=4,
)
ROWS = pl.DataFrame({"x": [None, *range(-4, 7)]}, schema={"x": pl.Int64})


def met(condition: str) -> list[bool]:
    """Which rows meet a condition; null is not met."""
    answered = ROWS.select(pl.sql_expr(condition).fill_null(value=False).alias("met"))["met"]
    return [bool(one) for one in answered]


@given(CONDITIONS, CONDITIONS)
def test_no_proof_is_contradicted_by_any_value(first: str, second: str) -> None:
    rows = list(zip(met(first), met(second), strict=True))
    if implies(first, second):
        assert all(wide for narrow, wide in rows if narrow)
    if exclude_each_other(first, second):
        assert not any(one and other for one, other in rows)


def test_bounds_of_one_fact_are_ordered() -> None:
    bounds = [f"x >= {number}" for number in range(5)]
    assert all(implies(higher, lower) for lower, higher in pairwise(bounds))
