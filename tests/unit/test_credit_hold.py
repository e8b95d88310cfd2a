"""Which customers are to be blocked and unblocked since last time."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from policies.credit_hold import find_credit_holds, list_blocked
from policies.escalation import gather_facts
from policies.policy import Policy
from policies.standings import STANDINGS, judge_accounts, stand
from tests.builders import Row, history, policy

DAY, EARLIER = date(2026, 3, 10), date(2026, 3, 1)
NOTHING = STANDINGS.to_frame()
RULES = policy(credit_hold={"when": "oldest_days_past_due >= 30 and overdue_amount > 10"})


def owes(customer: str, due: date, amount: int, currency: str = "EUR") -> Row:
    return {
        "customer_id": customer,
        "invoice_number": f"{customer}-{due}-{currency}",
        "invoice_date": date(2026, 1, 1),
        "due_date": due,
        "amount": amount,
        "currency": currency,
    }


def held(*rows: tuple[str, str, date | None]) -> pl.DataFrame:
    """Standings of customer, currency, blocked_since."""
    return pl.DataFrame([(*row[:2], None, row[2], "") for row in rows], schema=STANDINGS, orient="row")


def changes(
    *invoices: Row, before: pl.DataFrame = NOTHING, during: Sequence[pl.DataFrame] = (), rules: Policy = RULES
) -> list[tuple[Any, ...]]:
    judged = judge_accounts(gather_facts(history(invoices=invoices), rules, DAY).accounts, rules)
    found = find_credit_holds(stand(judged, before, DAY), before, during, judged, rules, DAY)
    return found.rows()


def test_the_first_time_everyone_on_hold_is_to_be_blocked_with_the_rule_and_its_facts() -> None:
    found = changes(owes("C1", date(2026, 1, 31), 50), owes("C2", date(2026, 3, 1), 50))
    assert found == [
        (
            "C1",
            "block",
            DAY,
            "50.00 EUR",
            (
                "On credit hold by the rule oldest_days_past_due >= 30 and overdue_amount > 10: "
                "oldest_days_past_due 38, overdue_amount 50.00 EUR (EUR)."
            ),
        )
    ]


def test_who_was_blocked_before_is_not_told_again() -> None:
    late = owes("C1", date(2026, 1, 31), 50)
    assert changes(late, before=held(("C1", "EUR", EARLIER))) == []


def test_of_two_currencies_the_worse_counts_and_both_are_told() -> None:
    invoices = (owes("C1", date(2026, 1, 31), 50), owes("C1", date(2026, 3, 1), 70, "USD"))
    ((_, action, _, overdue, why),) = changes(*invoices)
    assert (action, overdue) == ("block", "50.00 EUR, 70.00 USD")
    assert "USD" not in why
    assert changes(*invoices, before=held(("C1", "USD", EARLIER))) == []


def test_who_has_paid_is_to_be_unblocked_and_told_why() -> None:
    before = held(("GONE", "EUR", EARLIER), ("NOT_DUE", "EUR", EARLIER), ("BETTER", "EUR", EARLIER))
    found = changes(
        owes("NOT_DUE", date(2026, 4, 1), 50), owes("BETTER", date(2026, 3, 1), 50), before=before
    )
    assert [
        (customer, action, since, why.partition(":")[0]) for customer, action, since, _, why in found
    ] == [
        (
            "BETTER",
            "unblock",
            DAY,
            "No longer under the rule oldest_days_past_due >= 30 and overdue_amount > 10",
        ),
        ("GONE", "unblock", DAY, "Nothing is open any more."),
        ("NOT_DUE", "unblock", DAY, "Nothing is overdue any more."),
    ]


def test_a_policy_without_the_rule_sets_everyone_free() -> None:
    late = owes("C1", date(2026, 1, 31), 50)
    ((_, action, *_, why),) = changes(late, before=held(("C1", "EUR", EARLIER)), rules=policy())
    assert (action, why) == ("unblock", "The policy has no rule for a credit hold any more.")


def test_a_rule_about_nothing_but_the_account_has_no_facts_to_tell() -> None:
    rules = policy(credit_hold={"when": "customer_id = 'C1'"})
    ((*_, why),) = changes(owes("C1", date(2026, 4, 1), 50), rules=rules)
    assert why == "On credit hold by the rule customer_id = 'C1': whatever the facts (EUR)."


def test_what_the_morning_told_is_taken_back_in_the_evening() -> None:
    blocked, free = held(("C1", "EUR", DAY)), held(("C1", "EUR", None))
    paid = owes("C1", date(2026, 4, 1), 50)
    assert [row[:2] for row in changes(paid, before=free, during=[blocked])] == [("C1", "unblock")]
    late = owes("C1", date(2026, 1, 31), 50)
    assert [row[:2] for row in changes(late, before=blocked, during=[free])] == [("C1", "block")]
    assert changes(late, before=blocked, during=[blocked]) == []


def test_who_stays_blocked_is_not_told_again_when_an_account_of_his_joins_or_leaves() -> None:
    late_in_both = owes("C1", date(2026, 1, 31), 50), owes("C1", date(2026, 1, 31), 50, "GBP")
    one = held(("C1", "EUR", EARLIER), ("C1", "GBP", None))
    both = held(("C1", "EUR", EARLIER), ("C1", "GBP", DAY))
    assert changes(*late_in_both, before=one, during=[both]) == []
    assert changes(late_in_both[0], before=both, during=[one]) == []
    assert changes(*late_in_both, before=one, during=[one, both, one]) == []


def test_everyone_on_hold_is_listed_with_the_day_since_when() -> None:
    before = held(("C1", "EUR", EARLIER))
    invoices = [owes("C1", date(2026, 1, 31), 50), owes("C2", date(2026, 1, 31), 50)]
    judged = judge_accounts(gather_facts(history(invoices=invoices), RULES, DAY).accounts, RULES)
    found = list_blocked(stand(judged, before, DAY), judged, RULES, DAY)
    assert found.select("customer_id", "action", "since").rows() == [
        ("C1", "block", EARLIER),
        ("C2", "block", DAY),
    ]
