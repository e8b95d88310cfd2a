"""Guards ask for a person when more would leave than usual, or when something does not add up."""

from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from policies.guards import GUARDS, Drafted, find_tripped, too_many_customers
from policies.policy import Policy
from tests.builders import policy

NOTHING_ODD = Drafted(is_automatic=True, with_open_items=10, contacted=2, customers=2)


def decisions(acting: int, customers: int) -> pl.DataFrame:
    """Return one open item per customer, the first `acting` of which act."""
    return pl.DataFrame(
        {
            "customer_id": [f"C{number}" for number in range(customers)],
            "amount_open": [Decimal(10)] * customers,
            "act": [number < acting for number in range(customers)],
        }
    )


def guarded(**guards: object) -> Policy:
    return policy({"step": "reminder_1", "after_due_days": 1, "channel": "email"}, guards=guards)


def limited(percent: int | None) -> Policy:
    return guarded() if percent is None else guarded(maximum_customers_contacted_percent=percent)


def codes(drafted: Drafted, **guards: object) -> list[str]:
    return [one.code for one in find_tripped(drafted, guarded(**guards).guards)]


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


ODD = replace(
    NOTHING_ODD,
    contacted=9,
    customers=8,
    first_contacts=7,
    demanded={"EUR": Decimal(1000), "USD": Decimal(5)},
    usual={"EUR": Decimal(100), "JPY": Decimal(100)},
    email_customers=10,
    bounced_customers=3,
    differences=("The totals differ.",),
)
LIMITS: dict[str, object] = {
    "maximum_customers_contacted_percent": 25,
    "maximum_amount": {"EUR": "999.99", "USD": "5.00"},
    "maximum_percent_of_usual_amount": 300,
    "maximum_first_contacts_percent": 50,
    "maximum_bounces_percent": 20,
}


def test_all_guards_that_trip_are_told_in_the_order_of_the_list() -> None:
    assert codes(ODD, **LIMITS) == [guard.code for guard in GUARDS]
    sentences = [one.sentence for one in find_tripped(ODD, guarded(**LIMITS).guards)]
    assert sentences[2:] == [
        "1000.00 EUR would be demanded, more than the 999.99 EUR the policy lets leave without a look.",
        "1000.00 EUR would be demanded, more than 300 percent of the usual 100.00 EUR.",
        (
            "7 of 8 customers would be contacted for the first time, "
            "more than the 50 percent the policy lets leave without a look."
        ),
        (
            "The addresses of 3 of 10 customers written to by e-mail in the last 30 days came back, "
            "more than the 20 percent the policy lets pass without a look."
        ),
    ]


def test_a_guard_whose_key_is_absent_is_off_and_totals_are_always_compared() -> None:
    assert codes(ODD) == ["totals_differ"]
    assert codes(NOTHING_ODD, **LIMITS) == []


def test_a_batch_that_waits_anyway_is_not_kept_for_its_money_or_for_new_customers() -> None:
    assert codes(replace(ODD, is_automatic=False), **LIMITS) == [
        "totals_differ",
        "many_customers",
        "many_bounces",
    ]


@pytest.mark.parametrize(
    ("changed", "limit"),
    [
        ({"demanded": {"EUR": Decimal("999.99")}}, "maximum_amount"),
        ({"usual": {"EUR": Decimal("333.34")}}, "maximum_percent_of_usual_amount"),
        ({"first_contacts": 4}, "maximum_first_contacts_percent"),
        ({"bounced_customers": 2}, "maximum_bounces_percent"),
        ({"email_customers": 9}, "maximum_bounces_percent"),
    ],
)
def test_at_its_limit_a_guard_does_not_trip(changed: dict[str, object], limit: str) -> None:
    drafted = replace(ODD, differences=(), **changed)  # type: ignore[arg-type]  # one field each
    assert codes(drafted, **{limit: LIMITS[limit]}) == []
