"""Guards ask for a person when more would leave than usual."""

from decimal import Decimal

import polars as pl

from policies.guards import too_many_customers
from policies.policy import Policy
from tests.builders import policy


def decisions(acting: int, customers: int) -> pl.DataFrame:
    """Return one open item per customer, the first `acting` of which act."""
    return pl.DataFrame(
        {
            "customer_id": [f"C{number}" for number in range(customers)],
            "amount_open": [Decimal(10)] * customers,
            "act": [number < acting for number in range(customers)],
        }
    )


def limited(percent: int | None) -> Policy:
    guards = {} if percent is None else {"maximum_customers_contacted_percent": percent}
    return policy({"step": "reminder_1", "after_due_days": 1, "channel": "email"}, guards=guards)


def test_a_quarter_of_the_customers_may_leave_where_a_quarter_is_the_limit() -> None:
    assert too_many_customers(decisions(1, 4), limited(25)) is None


def test_one_customer_more_asks_for_a_person() -> None:
    sentence = too_many_customers(decisions(2, 4), limited(25))
    assert sentence == (
        "2 of 4 customers with open items would be contacted, "
        "more than the 25 percent the policy lets leave without a look."
    )


def test_without_a_limit_all_may_leave() -> None:
    assert too_many_customers(decisions(4, 4), limited(None)) is None


def test_a_customer_with_credits_alone_has_no_open_items() -> None:
    with_credit = decisions(1, 2).with_columns(amount_open=pl.Series([Decimal(10), Decimal(-10)]))
    assert too_many_customers(with_credit, limited(50)) is not None
