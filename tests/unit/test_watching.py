"""Whose habits turn worse, and on which day."""

from datetime import date
from typing import Any

import polars as pl

from policies.escalation import gather_facts
from policies.standings import STANDINGS, judge_accounts
from policies.watching import FIGURES, HABITS, find_worsened
from tests.builders import history, policy

DAY = date(2026, 3, 10)
RULES: dict[str, Any] = {
    "risk": [
        {"class": "high", "when": "overdue_amount >= 100"},
        {"class": "medium", "when": "overdue_amount >= 50"},
        {"class": "low", "when": "overdue_amount > 10"},
    ],
    "watch": [
        {"watch": "slow", "when": "oldest_days_past_due > 20"},
        {"watch": "on_time", "when": "coalesce(late_share, 0) < 0.5 and not bounced"},
    ],
}


def worsened(amount: int, before: tuple[str | None, str] | None, **keys: object) -> pl.DataFrame:
    """What turns worse of a customer who owes an amount for 38 days; `before` is risk and watches."""
    rules = policy(**{**RULES, **keys})
    invoice = {
        "invoice_number": "A",
        "invoice_date": date(2026, 1, 1),
        "due_date": date(2026, 1, 31),
        "amount": amount,
    }
    judged = judge_accounts(gather_facts(history(invoices=[invoice]), rules, DAY).accounts, rules)
    rows = [] if before is None else [("C1", "EUR", before[0], None, before[1])]
    return find_worsened(judged, pl.DataFrame(rows, schema=STANDINGS, orient="row"), rules)


def changes(amount: int, before: tuple[str | None, str] | None) -> list[tuple[Any, ...]]:
    return worsened(amount, before).select("what", "before", "now").rows()


def test_a_class_that_stands_before_the_old_one_is_worse() -> None:
    assert changes(60, ("low", "slow,on_time")) == [("risk", "low", "medium")]
    assert changes(60, (None, "slow,on_time")) == [("risk", "none", "medium")]
    assert changes(60, ("high", "slow,on_time")) == []
    assert changes(60, ("medium", "slow,on_time")) == []
    assert changes(5, ("low", "slow,on_time")) == []


def test_a_watched_change_is_told_when_it_sets_in_and_not_again() -> None:
    assert changes(60, ("medium", "")) == [("on_time", "no", "yes"), ("slow", "no", "yes")]
    assert changes(60, ("medium", "on_time")) == [("slow", "no", "yes")]
    assert changes(60, ("medium", "slow,on_time")) == []


def test_a_new_account_has_no_class_to_fall_from() -> None:
    assert changes(60, None) == [("on_time", "no", "yes"), ("slow", "no", "yes")]


def test_figures_and_the_rule_stand_beside_each_change() -> None:
    row = worsened(60, ("low", "on_time")).rows(named=True)
    assert [one["why"] for one in row] == [
        "Risk was low, now medium.",
        "slow sets in, oldest_days_past_due > 20: oldest_days_past_due 38.",
    ]
    assert row[0]["oldest_days_past_due"] == 38
    assert worsened(60, ("low", "")).filter(pl.col("what") == "on_time")["why"].to_list() == [
        "on_time sets in, coalesce(late_share, 0) < 0.5 and not bounced: bounced no, late_share unknown."
    ]


def test_without_rules_nothing_turns_worse() -> None:
    found = worsened(60, ("low", ""), risk=[], watch=[])
    assert found.is_empty()
    assert found.schema == HABITS
    assert set(FIGURES) < set(found.columns)
