"""How accounts stand, and what differs from before."""

from datetime import date
from typing import Any

import polars as pl

from policies.escalation import gather_facts
from policies.policy import Policy
from policies.standings import (
    STANDINGS,
    differing,
    habit_rules,
    judge_accounts,
    stand,
)
from tests.builders import Row, history, policy

DAY = date(2026, 3, 10)
NOTHING = STANDINGS.to_frame()
RULES: dict[str, Any] = {
    "credit_hold": {"when": "oldest_days_past_due >= 30"},
    "risk": [{"class": "high", "when": "overdue_amount > 50"}, {"class": "normal"}],
    "watch": [
        {"watch": "slow", "when": "oldest_days_past_due > 20"},
        {"watch": "large", "when": "open_amount > 90"},
    ],
}


def invoice(number: str, due: date, amount: int, **row: object) -> Row:
    return {
        "invoice_number": number,
        "invoice_date": date(2026, 1, 1),
        "due_date": due,
        "amount": amount,
        **row,
    }


def judge(*invoices: Row, rules: Policy | None = None) -> pl.DataFrame:
    rules = rules or policy(**RULES)
    return judge_accounts(gather_facts(history(invoices=invoices), rules, DAY).accounts, rules)


def standing(*rows: tuple[str, str | None, date | None, str]) -> pl.DataFrame:
    """Rows of customer, risk, blocked_since, watches; in EUR."""
    return pl.DataFrame(
        [(customer, "EUR", *rest) for customer, *rest in rows], schema=STANDINGS, orient="row"
    )


def test_each_account_is_judged_by_every_rule() -> None:
    judged = judge(
        invoice("OLD", date(2026, 1, 31), 100),
        invoice("NEW", date(2026, 4, 1), 10, customer_id="C2"),
    )
    columns = ["customer_id", "risk", "is_blocked", "watches"]
    assert judged.select(columns).rows() == [("C1", "high", True, "slow,large"), ("C2", "normal", False, "")]


def test_without_rules_nobody_is_blocked_or_watched() -> None:
    judged = judge(invoice("OLD", date(2026, 1, 31), 100), rules=policy())
    assert judged.select("risk", "is_blocked", "watches").rows() == [(None, False, "")]


def test_a_hold_begins_on_the_day_and_goes_on_since_it_began() -> None:
    judged = judge(invoice("OLD", date(2026, 1, 31), 100))
    first = stand(judged, NOTHING, DAY)
    assert first.rows() == [("C1", "EUR", "high", DAY, "slow,large")]
    assert stand(judged, first, date(2026, 3, 20)).rows() == first.rows()


def test_an_account_with_nothing_open_is_free_and_keeps_its_class() -> None:
    before = standing(("GONE", "high", date(2026, 2, 1), "slow"))
    assert stand(judge(), before, DAY).rows() == [("GONE", "EUR", "high", None, "")]


def test_only_what_is_new_or_changed_differs() -> None:
    before = standing(("A", None, None, ""), ("B", "high", DAY, "slow"))
    now = standing(("A", None, None, ""), ("B", "high", None, "slow"), ("C", None, None, ""))
    assert differing(now, before)["customer_id"].to_list() == ["B", "C"]


def test_rules_of_habits_have_a_fingerprint_that_a_credit_hold_does_not_change() -> None:
    rules = policy(**RULES)
    assert habit_rules(rules) == habit_rules(policy(**{**RULES, "credit_hold": {"when": "open_amount > 1"}}))
    assert habit_rules(rules) != habit_rules(policy(**{**RULES, "watch": []}))
