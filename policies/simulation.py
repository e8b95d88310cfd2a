"""Replays what is known of the past under a policy, day by day: what would have left, to whom, when.

Customers pay and answer as they really did, whatever the policy says to them. Only the dispatches before the first day
are real; from then on the policy's own stand in for them. What cannot be known is assumed (`ASSUMPTIONS`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import polars as pl

from policies.books import Books, keep_books
from policies.business_days import is_business_day
from policies.earlier_balances import remember
from policies.escalation import decide_from_facts, gather_facts
from policies.guards import too_many_customers
from policies.history import DISPATCHES, HISTORY_EVENTS, PROPOSALS, History
from policies.model import ITEM_KEY, Channel, EventKind
from policies.policy import ContactOn, Policy
from policies.releasing import find_changed
from policies.settled import leave_out_settled
from policies.simulated_claims import AMOUNTS, with_claims
from policies.statutes import Law
from policies.waivers import Waivers

ASSUMPTIONS = (
    "Customers pay, promise, dispute and answer on the days they really did.",
    "Calls reach the customer the same day; letters are delivered, unless they are known to have come back.",
    "Every file was there in time: the guard on stale sources is off.",
    "Nobody stops a day on which many customers are contacted: that guard only counts such days.",
)

ACTIONS = pl.Schema(
    {
        "dispatch_date": pl.Date(),
        "customer_id": pl.String(),
        "currency": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "step": pl.String(),
        "attempt": pl.Int64(),
        "channel": pl.String(),
        "message_step": pl.String(),
        "template": pl.String(),
        "segment": pl.String(),
        "days_past_due": pl.Int64(),
        "amount_open": AMOUNTS["late_interest"],
        "amount_demanded": AMOUNTS["late_interest"],
        **AMOUNTS,
        "decided_on": pl.Date(),
    }
)
"""One row per item and step that left: the columns of `relance policy simulate`."""

_MESSAGE = ("customer_id", "currency", "carrier", "is_pre_due", "needs_approval", "decided_on")
_PLANNED = pl.Schema(
    {
        **{name: dtype for name, dtype in ACTIONS.items() if name != "dispatch_date"},
        "carrier": pl.String(),
        "due_date": pl.Date(),
        "is_pre_due": pl.Boolean(),
        "needs_approval": pl.Boolean(),
    }
)
_WAITING = (*ITEM_KEY, "step", "proposed_date")


@dataclass(frozen=True)
class Period:
    """The days to replay, both ends included, and how long a person takes to approve."""

    first: date
    last: date
    approve_after_days: int = 0


@dataclass(frozen=True)
class Simulation:
    """What a policy would have done.

    Attributes:
        policy: its name.
        period: what was asked for.
        days: the days that were lived through.
        actions: what left, as ACTIONS.
        guarded_days: days whose batch would have waited for a look, so many customers were in it.
        withdrawn: items whose approved message was taken back because something had changed meanwhile.
        notes: why charges were left out, and for how many items.
    """

    policy: str
    period: Period
    days: tuple[date, ...]
    actions: pl.DataFrame
    guarded_days: tuple[date, ...]
    withdrawn: int
    notes: dict[str, int]


MapDays = Callable[[Callable[[date], Books], Sequence[date]], Iterable[Books]]
"""How the books of the days of a month are kept: `map`, or one that runs ahead."""


def simulate(
    history: History,
    policy: Policy,
    law: Law,
    period: Period,
    tell: Callable[[date, int], None],
    map_days: MapDays = map,
) -> Simulation:
    """Return what would have left in a period under the policy.

    Args:
        history: all that is known now.
        policy: the one to try.
        law: statutes and rates for charges.
        period: from when to when.
        tell: told after each month: its last day, and how many items left so far.
        map_days: keeps the books of some days, in their order.
    """
    replay = _Replay(history, policy, law, period)
    days = working_days(policy, period.first, period.last)
    for _, month in groupby(days, key=lambda day: (day.year, day.month)):
        ahead = list(month)
        replay.look_at(ahead)
        for day, books in zip(ahead, map_days(replay.books_of, ahead), strict=True):
            replay.live(day, books)
        tell(ahead[-1], replay.count)
    return Simulation(
        policy=policy.policy,
        period=period,
        days=tuple(days),
        actions=replay.actions(),
        guarded_days=tuple(replay.guarded_days),
        withdrawn=replay.withdrawn,
        notes=replay.notes,
    )


def working_days(policy: Policy, first: date, last: date) -> list[date]:
    """Return the days on which the creditor runs: business days, or every day if the policy contacts on every day."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    calendar = policy.calendar
    if calendar and calendar.contact_on is ContactOn.EVERY_DAY:
        return days
    return [day for day in days if is_business_day(day, (calendar and calendar.country) or "")]


def start_of(history: History, period: Period) -> History:
    """Return what is known up to the end of the period, with what was dispatched before it and no batch that waits.

    Only the doubts of releases that cannot say whether a message left stay as they are.
    """
    return replace(
        remember(history),
        documents=history.documents.filter(pl.col("invoice_date") <= period.last),
        payments=history.payments.filter(pl.col("payment_date") <= period.last),
        events=history.events.filter(pl.col("event_date") <= period.last),
        dispatches=history.dispatches.filter(pl.col("dispatch_date") < period.first),
        proposals=history.proposals.filter(pl.col("uncertain_date") < period.first),
    )


class _Replay:
    """The days so far: what has left, what waits, and the part of the past that still matters."""

    def __init__(self, history: History, policy: Policy, law: Law, period: Period) -> None:
        guards = policy.guards.model_copy(update={"maximum_source_age_business_days": None})
        self._policy = policy.model_copy(update={"guards": guards})
        self._law, self._period = law, period
        self._has_outcomes = any(step.requires_outcome for steps in policy.ladders.values() for step in steps)
        self._past = self._near = start_of(history, period)
        # An amount waived is laid over what was claimed of invoices that are paid by now, too.
        self._has_amounts = not Waivers(self._past.events).customers_with_amounts.is_empty()
        self._dispatches, self._events = self._past.dispatches, self._past.events
        self._waiting = _PLANNED.to_frame()
        self._left: list[pl.DataFrame] = []
        self.count = self.withdrawn = 0
        self.guarded_days: list[date] = []
        self.notes: dict[str, int] = {}

    def look_at(self, days: list[date]) -> None:
        """Choose the part of the past that some days need."""
        past = replace(self._past, dispatches=self._dispatches)
        self._past = leave_out_settled(past, days[0], self._period.last, keep_dispatched=self._has_amounts)
        documents = self._past.documents.filter(pl.col("invoice_date") <= days[-1])
        known = documents.select("customer_id").unique()
        self._near = replace(
            self._past,
            documents=documents,
            payments=self._past.payments.filter(pl.col("payment_date") <= days[-1]),
            customers=self._past.customers.join(known, on="customer_id", how="semi"),
        )

    def books_of(self, day: date) -> Books:
        """Return the books of a day that was chosen; nothing that leaves changes them."""
        return keep_books(self._near, self._policy, day)

    def live(self, day: date, books: Books) -> None:
        """Decide on a day, and let leave what the policy lets leave."""
        history = replace(
            self._near, dispatches=self._dispatches, events=self._events, proposals=self._proposals()
        )
        facts = gather_facts(history, self._policy, day, books)
        decisions = decide_from_facts(facts, history, self._policy, worded=False)
        if too_many_customers(decisions, self._policy):
            self.guarded_days.append(day)
        acting, notes = with_claims(decisions, facts, self._policy, self._law)
        for note in notes:
            self.notes[note] = self.notes.get(note, 0) + 1
        planned = acting.with_columns(
            channel="message_channel", template="message_template", decided_on=pl.lit(day)
        ).select(pl.col(name).cast(dtype) for name, dtype in _PLANNED.items())
        self._dispatch(self._approved(planned, decisions, day), day)

    def actions(self) -> pl.DataFrame:
        """Return what has left, in the order of days and customers."""
        parts = [ACTIONS.to_frame(), *self._left]
        return pl.concat(parts).sort("dispatch_date", *ITEM_KEY, "step", "attempt")

    def _approved(self, planned: pl.DataFrame, decisions: pl.DataFrame, day: date) -> pl.DataFrame:
        """Return what leaves today of what was planned: what needs no approval, and what was approved in time."""
        if not self._period.approve_after_days:
            return planned
        waiting = pl.concat([self._waiting, planned.filter("needs_approval")])
        is_approved = pl.col("decided_on") <= day - timedelta(days=self._period.approve_after_days)
        approved, self._waiting = waiting.filter(is_approved), waiting.filter(~is_approved)
        changed = find_changed(
            approved.select(*_MESSAGE, *ITEM_KEY[1:], was_demanded="amount_demanded", was_due="due_date"),
            decisions,
            _MESSAGE,
        )
        still_true = approved.join(changed, on=_MESSAGE, how="anti")
        self.withdrawn += approved.height - still_true.height
        return pl.concat([planned.filter(~pl.col("needs_approval")), still_true])

    def _proposals(self) -> pl.DataFrame:
        """Return what waits for approval, beside the doubts that were there before."""
        waiting = self._waiting.with_columns(proposed_date="decided_on").select(
            (pl.col(name) if name in _WAITING else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in PROPOSALS.items()
        )
        return pl.concat([self._past.proposals, waiting])

    def _dispatch(self, leaving: pl.DataFrame, day: date) -> None:
        if leaving.is_empty():
            return
        is_registered = pl.col("channel") == Channel.REGISTERED_LETTER.value
        gone = leaving.with_columns(
            dispatch_date=pl.lit(day), fee="fees", outcome=pl.when(is_registered).then(pl.lit("delivered"))
        )
        self._left.append(gone.select(ACTIONS.names()))
        self.count += gone.height
        self._dispatches = pl.concat(
            [self._dispatches, gone.select(pl.col(name).cast(dtype) for name, dtype in DISPATCHES.items())],
            rechunk=True,
        )
        if self._has_outcomes:
            self._events = pl.concat([self._events, self._outcomes(gone, day)])

    def _outcomes(self, gone: pl.DataFrame, day: date) -> pl.DataFrame:
        """Return the outcomes of the day's calls, as if somebody had recorded them."""
        newest = self._events["sequence"].max()
        calls = gone.filter(pl.col("channel") == Channel.CALL.value).with_row_index("number")
        said = {name: pl.col(name) for name in ITEM_KEY} | {
            "event_date": pl.lit(day),
            "kind": pl.lit(EventKind.CALL_OUTCOME.value),
            "sequence": pl.col("number").cast(pl.Int64) + (newest if isinstance(newest, int) else 0) + 1,
        }
        return calls.select(
            said.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in HISTORY_EVENTS.items()
        )
