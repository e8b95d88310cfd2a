"""Simulations: what would have left, on which day, under which assumption."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.history import History
from policies.policy import Policy
from policies.simulation import Period, Simulation, simulate, working_days
from policies.statutes import Law
from tests.builders import Row, history, policy

NO_LAW = Law({}, {})
DUE = date(2026, 3, 2)  # a Monday
INVOICE: Row = {"invoice_number": "F1", "invoice_date": date(2026, 2, 2), "due_date": DUE, "amount": 100}
EVERY_DAY = {"contact_on": "every_day"}


def run(past: History, rules: Policy, last: date = date(2026, 3, 17), wait: int = 0) -> Simulation:
    return simulate(past, rules, NO_LAW, Period(DUE, last, wait), lambda day, count: None)


def taken(simulation: Simulation) -> list[tuple[str, str, str]]:
    rows = simulation.actions.select("dispatch_date", "invoice_number", "step").iter_rows()
    return [(day.isoformat(), invoice, step) for day, invoice, step in rows]


def test_each_step_leaves_on_the_first_day_that_the_ladder_allows() -> None:
    assert taken(
        run(history(invoices=[INVOICE]), policy(calendar={"country": "FR"}), last=date(2026, 4, 1))
    ) == [
        ("2026-03-03", "F1", "reminder_1"),
        ("2026-03-10", "F1", "reminder_2"),
        ("2026-04-01", "F1", "formal_notice"),
    ]


def test_a_customer_pays_when_he_really_paid() -> None:
    paid = [{"invoice_number": "F1", "payment_date": date(2026, 3, 9), "amount": 100}]
    simulation = run(history(invoices=[INVOICE], payments=paid), policy())
    assert taken(simulation) == [("2026-03-03", "F1", "reminder_1")]


def test_what_really_left_before_the_first_day_counts_and_what_left_after_does_not() -> None:
    actions = [
        {"invoice_number": "F1", "step": "reminder_1", "dispatch_date": date(2026, 2, 27)},
        {"invoice_number": "F1", "step": "reminder_2", "dispatch_date": date(2026, 3, 2)},
    ]
    simulation = run(history(invoices=[INVOICE], actions=actions), policy(), last=date(2026, 3, 10))
    assert taken(simulation) == [("2026-03-06", "F1", "reminder_2")]


def test_a_batch_that_waited_at_the_beginning_is_decided_anew_and_a_doubt_stays() -> None:
    waiting = {"step": "reminder_1", "proposed_date": date(2026, 2, 27)}
    proposals = [
        {**waiting, "invoice_number": "F1"},
        {**waiting, "invoice_number": "F2", "uncertain_date": date(2026, 2, 27)},
    ]
    past = history(invoices=[INVOICE, {**INVOICE, "invoice_number": "F2"}], proposals=proposals)
    assert taken(run(past, policy(), last=date(2026, 3, 3))) == [("2026-03-03", "F1", "reminder_1")]


def test_no_file_is_stale_in_a_simulation() -> None:
    files = [{"intake_id": 1, "file_date": date(2026, 1, 1), "carries_payments": True}]
    rules = policy(guards={"maximum_source_age_business_days": 1})
    simulation = run(history(files=files, invoices=[INVOICE]), rules, last=date(2026, 3, 3))
    assert taken(simulation) == [("2026-03-03", "F1", "reminder_1")]


def test_days_with_very_many_customers_are_counted_and_not_stopped() -> None:
    rules = policy(guards={"maximum_customers_contacted_percent": 50})
    simulation = run(history(invoices=[INVOICE]), rules, last=date(2026, 3, 3))
    assert simulation.guarded_days == (date(2026, 3, 3),)
    assert simulation.actions.height == 1


def test_a_call_reaches_the_customer_so_that_the_next_step_need_not_wait() -> None:
    steps: list[Row] = [
        {"step": "call", "after_due_days": 1, "channel": "call", "requires_outcome": True},
        {"step": "reminder_1", "after_previous_days": 3, "channel": "email"},
    ]
    assert taken(run(history(invoices=[INVOICE]), policy(*steps))) == [
        ("2026-03-03", "F1", "call"),
        ("2026-03-06", "F1", "reminder_1"),
    ]


def test_a_registered_letter_is_delivered() -> None:
    steps: list[Row] = [
        {
            "step": "formal_notice",
            "after_due_days": 1,
            "channel": "registered_letter",
            "needs_delivery_proof": True,
        },
        {"step": "placement", "after_previous_days": 5, "channel": "agency"},
    ]
    assert [step for _, _, step in taken(run(history(invoices=[INVOICE]), policy(*steps)))] == [
        "formal_notice",
        "placement",
    ]


APPROVED: list[Row] = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
    {"step": "formal_notice", "after_previous_days": 5, "channel": "email", "approval": "required"},
]


@pytest.mark.parametrize(("days", "leaves_on"), [(0, "2026-03-09"), (2, "2026-03-11"), (5, "2026-03-16")])
def test_a_step_that_needs_approval_leaves_on_the_first_working_day_after_it_was_given(
    days: int, leaves_on: str
) -> None:
    simulation = run(history(invoices=[INVOICE]), policy(*APPROVED), wait=days)
    assert taken(simulation) == [("2026-03-03", "F1", "reminder_1"), (leaves_on, "F1", "formal_notice")]
    assert simulation.actions["decided_on"].to_list()[1] == date(2026, 3, 9)


def test_what_changes_while_it_waits_for_approval_is_withdrawn_and_decided_anew() -> None:
    part = [{"invoice_number": "F1", "payment_date": date(2026, 3, 10), "amount": 40}]
    simulation = run(history(invoices=[INVOICE], payments=part), policy(*APPROVED), wait=2)
    assert simulation.withdrawn == 1
    assert taken(simulation)[1:] == [("2026-03-16", "F1", "formal_notice")]
    assert simulation.actions["amount_demanded"].to_list()[1] == Decimal(60)


def test_fees_are_claimed_once_and_stated_again() -> None:
    steps: list[Row] = [
        {"step": "reminder_1", "after_due_days": 1, "channel": "email", "fee": {"EUR": 5}},
        {"step": "call", "after_due_days": 3, "channel": "call"},
        {"step": "reminder_2", "after_due_days": 9, "channel": "email", "fee": {"EUR": 7}},
    ]
    simulation = run(history(invoices=[INVOICE]), policy(*steps))
    fees = simulation.actions.select("step", "fees").rows()
    assert fees == [("reminder_1", Decimal(5)), ("call", Decimal(5)), ("reminder_2", Decimal(12))]


def test_why_charges_are_left_out_is_counted() -> None:
    steps: list[Row] = [
        {"step": "reminder_1", "after_due_days": 1, "channel": "email", "charges": ["late_interest"]}
    ]
    simulation = run(history(invoices=[INVOICE]), policy(*steps))
    assert simulation.notes == {"charges left out: the policy names no statute": 1}
    assert simulation.actions["late_interest"].to_list() == [Decimal(0)]


def test_who_waits_is_told_after_every_month() -> None:
    told: list[tuple[date, int]] = []
    listen: Callable[[date, int], None] = lambda day, count: told.append((day, count))  # noqa: E731 - one line
    simulate(history(invoices=[INVOICE]), policy(), NO_LAW, Period(DUE, date(2026, 4, 1)), listen)
    assert told == [(date(2026, 3, 31), 2), (date(2026, 4, 1), 3)]


def test_a_period_without_working_days_has_no_actions() -> None:
    weekend = Period(date(2026, 3, 7), date(2026, 3, 8))
    simulation = simulate(history(invoices=[INVOICE]), policy(), NO_LAW, weekend, lambda day, count: None)
    assert simulation.days == ()
    assert simulation.actions.is_empty()


def test_working_days_follow_the_calendar_of_the_policy() -> None:
    first, last = date(2026, 7, 13), date(2026, 7, 19)  # the 14th is a holiday in France
    assert len(working_days(policy(), first, last)) == 5
    assert len(working_days(policy(calendar={"country": "FR"}), first, last)) == 4
    assert len(working_days(policy(calendar=EVERY_DAY), first, last)) == 7


def test_actions_say_who_what_and_how_much() -> None:
    simulation = run(history(invoices=[INVOICE]), policy(), last=date(2026, 3, 3))
    row = simulation.actions.row(0, named=True)
    assert (row["customer_id"], row["channel"], row["template"]) == ("C1", "email", "reminder_1")
    assert (row["amount_open"], row["days_past_due"], row["segment"]) == (Decimal(100), 1, "everyone")
    assert simulation.actions.schema["dispatch_date"] == pl.Date
