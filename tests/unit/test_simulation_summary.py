"""What a simulated policy did, added up, and compared with another."""

from datetime import date
from decimal import Decimal
from functools import cache

import polars as pl

from policies.simulation import Period, Simulation, simulate
from policies.simulation_diff import (
    charges_compared,
    count_customers,
    customers_compared,
    differences,
    months_compared,
    steps_compared,
)
from policies.simulation_summary import (
    by_customer,
    charges_by_month,
    charges_in_all,
    contacts_by_month,
    steps_by_month,
)
from policies.statutes import Law
from tests.builders import Row, history, policy

DUE = date(2026, 3, 2)
PAST = history(
    invoices=[
        {"invoice_number": "F1", "invoice_date": date(2026, 2, 2), "due_date": DUE, "amount": 100},
        {"invoice_number": "F2", "invoice_date": date(2026, 2, 2), "due_date": DUE, "amount": 50},
        {
            "customer_id": "C2",
            "invoice_number": "G1",
            "invoice_date": date(2026, 2, 2),
            "due_date": date(2026, 3, 23),
            "amount": 80,
        },
    ],
    payments=[{"invoice_number": "F2", "payment_date": date(2026, 3, 12), "amount": 50}],
)
FEES: list[Row] = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
    {"step": "reminder_2", "after_previous_days": 7, "channel": "letter", "fee": {"EUR": 5}},
    {"step": "formal_notice", "after_due_days": 30, "channel": "registered_letter", "fee": {"EUR": 10}},
    {"step": "placement", "after_due_days": 40, "channel": "agency"},
]


@cache
def standard(last: date) -> Simulation:
    return simulate(PAST, policy(*FEES), Law({}, {}), Period(DUE, last), lambda day, count: None)


def run(*steps: Row, last: date = date(2026, 4, 6)) -> Simulation:
    if not steps:
        return standard(last)
    return simulate(PAST, policy(*steps), Law({}, {}), Period(DUE, last), lambda day, count: None)


def test_contacts_are_customers_on_days_and_agencies_are_none() -> None:
    assert contacts_by_month(run(last=date(2026, 4, 13))).rows() == [
        ("2026-03", 2, 4, 4, 6),
        ("2026-04", 1, 1, 2, 2),
    ]


def test_steps_are_counted_by_month_and_channel() -> None:
    counted = steps_by_month(run()).filter(pl.col("month") == "2026-03")
    assert counted.select("step", "channel", "messages", "items").rows() == [
        ("reminder_1", "email", 2, 3),
        ("reminder_2", "letter", 2, 3),
    ]


def test_charges_stated_again_are_not_added_up() -> None:
    simulation = run()
    assert simulation.actions["fees"].drop_nulls().sum() == Decimal(25)
    by_month = charges_by_month(simulation).select("month", "currency", "items", "charged").rows()
    assert by_month == [("2026-03", "EUR", 3, Decimal(10)), ("2026-04", "EUR", 1, Decimal(15))]
    assert charges_in_all(simulation).select("items", "charged").rows() == [(3, Decimal(20))]


def test_customers_are_told_with_what_was_claimed_last() -> None:
    rows = by_customer(run()).select("customer_id", "contacts", "items", "last_step", "charged").rows()
    assert rows == [("C1", 3, 5, "formal_notice", Decimal(15)), ("C2", 2, 2, "reminder_2", Decimal(5))]


def test_the_same_policy_differs_in_nothing() -> None:
    assert differences(run(), run()).is_empty()
    assert count_customers(customers_compared(run(), run())) == {
        "more": 0,
        "less": 0,
        "earlier": 0,
        "later": 0,
        "alike": 2,
    }


STRICTER: list[Row] = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email", "when": "invoice_number <> 'G1'"},
    {"step": "reminder_2", "after_previous_days": 4, "channel": "letter", "fee": {"EUR": 6}},
    {"step": "formal_notice", "after_due_days": 35, "channel": "registered_letter", "fee": {"EUR": 10}},
]


def test_differences_say_who_when_which_step_and_how_much() -> None:
    found = differences(run(), run(*STRICTER))
    columns = ["difference", "invoice_number", "step", "dispatch_date_a", "dispatch_date_b"]
    assert found.select(columns).rows() == [
        ("earlier", "F1", "reminder_2", date(2026, 3, 10), date(2026, 3, 9)),
        ("earlier", "F2", "reminder_2", date(2026, 3, 10), date(2026, 3, 9)),
        ("only_a", "G1", "reminder_1", date(2026, 3, 24), None),
        ("earlier", "G1", "reminder_2", date(2026, 3, 31), date(2026, 3, 27)),
        ("later", "F1", "formal_notice", date(2026, 4, 1), date(2026, 4, 6)),
    ]
    assert found["charged_a"].to_list()[0] == Decimal(5)
    assert found["charged_b"].to_list()[0] == Decimal(6)


def test_another_amount_on_the_same_day_is_a_difference() -> None:
    dearer = [{**step, "fee": {"EUR": 9}} if step["step"] == "reminder_2" else step for step in FEES]
    last = date(2026, 3, 12)
    assert differences(run(last=last), run(*dearer, last=last))["difference"].to_list() == ["other"]


def test_customers_are_contacted_more_less_earlier_or_later() -> None:
    compared = customers_compared(run(), run(*STRICTER))
    flags = compared.select("customer_id", "is_more", "is_less", "is_earlier", "is_later").rows()
    assert flags == [("C1", False, False, False, False), ("C2", False, True, False, True)]
    assert count_customers(compared) == {"more": 0, "less": 1, "earlier": 0, "later": 1, "alike": 1}


def test_months_steps_and_money_stand_side_by_side() -> None:
    mild = FEES[:1]
    assert months_compared(run(), run(*mild)).rows() == [("2026-03", 4, 2), ("2026-04", 1, 0)]
    assert steps_compared(run(), run(*mild)).rows() == [
        ("formal_notice", 1, 0),
        ("reminder_1", 3, 3),
        ("reminder_2", 3, 0),
    ]
    assert charges_compared(run(), run(*mild)).rows() == [("EUR", Decimal(20), Decimal(0))]
