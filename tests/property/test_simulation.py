"""A simulated day is a real day: the same decisions, whatever was left out to be faster."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import polars as pl
import pytest

from policies.escalation import decide
from policies.history import DISPATCHES, History
from policies.policy import Policy
from policies.settled import leave_out_settled
from policies.simulation import Period, simulate, start_of
from policies.statutes import Law
from tests.builders import policy
from tests.property.closed_pasts import LENGTH_DAYS, START, draw_closed_past

LATE_PAYERS = {
    "segment": "late_payers",
    "when": "average_days_late > 5 or late_trend_days > 0",
    "ladder": "firm",
}
HABITS = policy(
    segments=[
        LATE_PAYERS,
        {"segment": "new", "when": "paid_invoices = 0 or days_since_last_payment > 60", "ladder": "mild"},
        {"segment": "others", "when": "exposure_share < 0.5 or unapplied_amount < 0", "ladder": "firm"},
        {"segment": "rest", "ladder": "mild"},
    ],
    ladders={
        "mild": [
            {"step": "courtesy", "after_due_days": -5, "channel": "email"},
            {"step": "reminder_1", "after_due_days": 3, "channel": "email"},
            {"step": "reminder_2", "after_previous_days": 7, "channel": "letter"},
        ],
        "firm": [
            {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
            {"step": "call", "after_due_days": 5, "channel": "call", "requires_outcome": True},
            {"step": "reminder_2", "after_previous_days": 4, "channel": "letter", "when": "late_share > 0"},
            {"step": "formal_notice", "after_due_days": 20, "channel": "registered_letter"},
            {"step": "placement", "after_due_days": 40, "channel": "agency"},
        ],
    },
    contact={"minimum_gap_days": 3},
    risk=[{"class": "bad", "when": "broken_promises >= 1 or median_days_late > 20"}, {"class": "good"}],
    accelerate=[{"when": "risk = 'bad' and contacts_without_answer >= 2", "to": "formal_notice"}],
    promise_grace_days=2,
)
NUMBERS = ("item", "account")
NOBODY = Law({}, {})


def decisions(past: History, rules: Policy, day: date) -> pl.DataFrame:
    """Return what is decided, without the numbers that stand for items within one day."""
    return decide(past, rules, day).drop(NUMBERS)


@pytest.mark.parametrize("seed", range(4))
def test_leaving_out_what_is_settled_changes_no_decision(seed: int) -> None:
    past = draw_closed_past(Random(seed))
    last = START + timedelta(days=LENGTH_DAYS + 20)
    few = past
    for offset in range(60, LENGTH_DAYS + 20, 30):
        day = START + timedelta(days=offset)
        few = leave_out_settled(few, day, last)
        for later in (day + timedelta(days=3), day + timedelta(days=12), last):
            is_same = decisions(few, HABITS, later).equals(decisions(past, HABITS, later))
            assert is_same, f"{later} is decided otherwise without what was settled before {day}"


def test_most_of_what_is_paid_is_left_out() -> None:
    pasts = [draw_closed_past(Random(seed)) for seed in range(12)]
    end = START + timedelta(days=200)
    few = [leave_out_settled(past, end, end) for past in pasts]
    assert sum(one.documents.height for one in few) < sum(past.documents.height for past in pasts) * 0.6


@pytest.mark.parametrize("seed", [100])
def test_every_simulated_day_decides_as_if_what_left_before_had_really_left(seed: int) -> None:
    past = draw_closed_past(Random(seed))
    period = Period(START + timedelta(days=35), START + timedelta(days=75))
    simulation = simulate(past, HABITS, NOBODY, period, lambda day, count: None)
    started = start_of(past, period)
    calls = _call_outcomes(simulation.actions, started)
    for day in simulation.days:
        lived = replace(
            started,
            dispatches=pl.concat([started.dispatches, _dispatched(simulation.actions)]),
            events=pl.concat([started.events, calls]),
        )
        acting = decide(lived, HABITS, day).filter("act")
        left = simulation.actions.filter(pl.col("dispatch_date") == day)
        columns = ["customer_id", "invoice_number", "installment", "step", "attempt", "amount_demanded"]
        assert left.select(columns).rows() == acting.sort(columns[:3]).select(columns).rows()


def _dispatched(actions: pl.DataFrame) -> pl.DataFrame:
    is_registered = pl.col("channel") == "registered_letter"
    left = actions.with_columns(fee="fees", outcome=pl.when(is_registered).then(pl.lit("delivered")))
    return left.select(pl.col(name).cast(dtype) for name, dtype in DISPATCHES.items())


def _call_outcomes(actions: pl.DataFrame, past: History) -> pl.DataFrame:
    calls = actions.filter(pl.col("channel") == "call").rename({"dispatch_date": "event_date"})
    known = calls.with_columns(kind=pl.lit("call_outcome"), sequence=pl.int_range(pl.len()) + 1_000)
    return known.select(
        (pl.col(name) if name in known.columns and name != "amount" else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in past.events.schema.items()
    )
