"""A person's word on a batch: approved by name, customers left out, rejected; and what nobody said in time.

What a word is worth is decided in `policies.approvals`. Words are recorded as claimed: with the name go the way it
was given and, for commands, the operating system's login.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from policies.approvals import has_expired
from policies.errors import WrongUseError
from policies.explanations import counted
from policies.model import EVENTS, EventKind
from policies.policy import Policy
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.run import Run
from tasks.store.approvals import (
    Claim,
    approve_batch,
    give_up_batch,
    is_taken,
    reject_batch,
    send_back,
    waiting_messages,
)
from tasks.store.batch_lists import list_actions, list_batches
from tasks.store.batches import BatchStatus, read_batch, withdraw_messages
from tasks.store.connection import Connection, open_to_read, open_to_write


@dataclass(frozen=True)
class LeftOut:
    """Customers whose messages don't leave with the batch, and why.

    With `until` their items are held to that day; without, the next run decides on them anew.
    """

    customers: tuple[str, ...]
    why: str
    until: date | None = None


@dataclass(frozen=True)
class Rejected:
    """How many messages a rejection ended, and what the batch is then: one that had begun to leave is not rejected."""

    messages: int
    status: BatchStatus

    @property
    def had_begun_to_leave(self) -> bool:
        """Return whether other messages of the batch have left, or may have."""
        return self.status is BatchStatus.RELEASED


def approve(run: Run, batch_id: str, claim: Claim, left_out: LeftOut | None = None) -> BatchStatus:
    """Note that a person approves; the batch stays a draft while more names are asked for.

    The answer of a form that was taken before changes nothing.
    """
    with open_to_write(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
        if batch and is_taken(connection, claim.reference):
            return BatchStatus(str(batch["status"]))
        recorded_at = run.clock()
        status = approve_batch(connection, batch_id, claim, run.as_of, recorded_at)
        if left_out and left_out.customers:
            _leave_out(connection, run, batch_id, claim.by, left_out)
        payload = {
            "batch_id": batch_id,
            "on": run.as_of,
            "status": status.value,
            "without": list(left_out.customers) if left_out else [],
            **_claimed(claim),
        }
        event = NewEvent("batch_approved", payload)
        append_events(connection, [event], recorded_at=recorded_at, actor=claim.by, run_id=run.run_id)
    return status


def reject(run: Run, batch_id: str, claim: Claim, why: str, until: date) -> Rejected:
    """Reject a batch, or what has not left of one that has begun to; each of its items is held until the date."""
    with open_to_write(run.workspace) as connection:
        recorded_at = run.clock()
        ended = reject_batch(
            connection, batch_id, by=claim.by, on=run.as_of, until=until, why=why, recorded_at=recorded_at
        )
        _hold(connection, run, batch_id, ended, claim.by, why, until)
        batch = read_batch(connection, batch_id) or {}
        rejected = Rejected(len(ended), BatchStatus(str(batch["status"])))
        payload = {
            "batch_id": batch_id,
            "on": run.as_of,
            "why": why,
            "until": until,
            "messages": rejected.messages,
            "had_begun_to_leave": rejected.had_begun_to_leave,
            **_claimed(claim),
        }
        logged = [NewEvent("batch_rejected", payload)]
        append_events(connection, logged, recorded_at=recorded_at, actor=claim.by, run_id=run.run_id)
    return rejected


def expire(run: Run, policy: Policy) -> dict[str, str]:
    """Let run out what has waited or counted too long; return batch_id -> what that means for it.

    An approved batch waits again; a draft nobody decided on is closed, and its items are decided anew.
    """
    with open_to_read(run.workspace) as connection:
        batches = list_batches(connection)
    told = {}
    for batch in batches.filter("approval_required").sort("as_of", "batch_id").iter_rows(named=True):
        days, name = policy.approvals.expire_after_days, batch["batch_id"]
        waits_since = batch["waits_since"] or batch["as_of"]
        if batch["status"] == BatchStatus.APPROVED and has_expired(batch["approved_on"], run.as_of, policy):
            last = batch["approved_on"] + timedelta(days=days or 0)
            why = f"the approval of {batch['approved_on']} counted for {counted(days or 0, 'day')}, until {last}"
            _expire_approval(run, name, why)
            told[name] = f"{why}: the batch waits for approval again"
        elif batch["status"] == BatchStatus.DRAFT and has_expired(waits_since, run.as_of, policy):
            why = f"nobody decided within {counted(days or 0, 'day')} from {waits_since} on"
            ended = _give_up(run, name, why)
            told[name] = f"{why}: {counted(ended, 'message')} withdrawn, to be decided anew"
    return told


def _expire_approval(run: Run, batch_id: str, why: str) -> None:
    with open_to_write(run.workspace) as connection:
        send_back(connection, batch_id, on=run.as_of, why=why)
        event = NewEvent("approval_expired", {"batch_id": batch_id, "on": run.as_of, "why": why})
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _give_up(run: Run, batch_id: str, why: str) -> int:
    with open_to_write(run.workspace) as connection:
        recorded_at = run.clock()
        ended = give_up_batch(connection, batch_id, on=run.as_of, why=why, recorded_at=recorded_at)
        events = [
            NewEvent("batch_given_up", {"batch_id": batch_id, "on": run.as_of, "why": why}),
            *_withdrawn(connection, run, batch_id, ended, why),
        ]
        append_events(connection, events, recorded_at=recorded_at, actor=run.actor, run_id=run.run_id)
    return len(ended)


def _leave_out(connection: Connection, run: Run, batch_id: str, by: str, left_out: LeftOut) -> None:
    """Withdraw the messages of customers from an approved batch, and hold their items where a day is given."""
    waiting = waiting_messages(connection, batch_id)
    chosen = waiting_messages(connection, batch_id, left_out.customers)
    named = list_actions(connection, batch_id).filter(pl.col("message_id").is_in(chosen))["customer_id"]
    if unknown := sorted(set(left_out.customers) - set(named)):
        raise WrongUseError(
            f"batch {batch_id} holds no message for {', '.join(unknown)}; nothing was approved."
        )
    if len(chosen) == len(waiting):
        raise WrongUseError(
            f"nothing of batch {batch_id} would be left: reject it, `relance batches reject {batch_id}`."
        )
    ended = withdraw_messages(connection, batch_id, chosen, run.as_of, run.clock())
    if left_out.until:
        _hold(connection, run, batch_id, ended, by, left_out.why, left_out.until)
    events = _withdrawn(connection, run, batch_id, ended, f"left out by {by}: {left_out.why}")
    append_events(connection, events, recorded_at=run.clock(), actor=by, run_id=run.run_id)


def _hold(
    connection: Connection, run: Run, batch_id: str, messages: Sequence[str], by: str, why: str, until: date
) -> None:
    """Hold every item of these messages until a date, by events as a person would record them."""
    held = list_actions(connection, batch_id).filter(pl.col("message_id").is_in(list(messages)))
    events = pl.concat(
        [
            held.select("customer_id", "invoice_number", "installment")
            .unique(maintain_order=True)
            .with_columns(
                kind=pl.lit(EventKind.HOLD.value),
                until=pl.lit(until),
                reference=pl.lit(batch_id),
                reason=pl.lit(why),
                actor=pl.lit(by),
            ),
            EVENTS.to_frame(),
        ],
        how="diagonal",
    ).select(EVENTS.names())
    if events.height:
        add_events(connection, run, events)


def _withdrawn(
    connection: Connection, run: Run, batch_id: str, messages: Sequence[str], why: str
) -> list[NewEvent]:
    actions = list_actions(connection, batch_id).filter(pl.col("message_id").is_in(list(messages)))
    return [
        NewEvent(
            "action_withdrawn",
            {"batch_id": batch_id, "message_id": row["message_id"], "on": run.as_of, "why": why},
            action_id=row["action_id"],
            customer_id=row["customer_id"],
        )
        for row in actions.iter_rows(named=True)
    ]


def _claimed(claim: Claim) -> dict[str, object]:
    """Return who says to decide, and how it was said: nobody has proved it."""
    return {"claimed_by": claim.by, "channel": claim.channel, "login": claim.login}
