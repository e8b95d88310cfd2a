"""A person's word on a batch: approved by name, customers left out, rejected; and what nobody said in time.

What a word is worth is decided in `policies.approvals`. Words are recorded as claimed: with the name go the way it
was given and, for commands, the operating system's login.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from policies.approvals import has_expired, last_day
from policies.errors import WrongUseError
from policies.explanations import counted
from policies.model import EVENTS, EventKind
from policies.policy import Policy
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.rules import read_rules
from tasks.run import Run
from tasks.store.approvals import (
    Claim,
    approve_batch,
    check_as_shown,
    digest_shown,
    end_outdated_words,
    give_up_batch,
    is_taken,
    keep_words,
    refuse_wrong_day,
    reject_batch,
    send_back,
    waiting_messages,
)
from tasks.store.batch_lists import list_actions, list_batches
from tasks.store.batches import BatchStatus, read_batch, withdraw_messages
from tasks.store.connection import Connection, open_to_read, open_to_write

_OUTDATED = "the batch is no longer what was approved"


@dataclass(frozen=True)
class LeftOut:
    """Customers whose messages don't leave with the batch, and why.

    With `until` their items are held to that day; without, the next run decides on them anew.
    """

    customers: tuple[str, ...]
    why: str
    until: date | None = None


@dataclass(frozen=True)
class Approval:
    """What came of an approval: the batch's state, and whose words of before no longer count."""

    status: BatchStatus
    outdated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """How many messages a rejection ended, and what the batch is then: one that had begun to leave is not rejected."""

    messages: int
    status: BatchStatus

    @property
    def had_begun_to_leave(self) -> bool:
        """Return whether other messages of the batch have left, or may have."""
        return self.status is BatchStatus.RELEASED


def approve(run: Run, batch_id: str, claim: Claim, left_out: LeftOut | None = None) -> Approval:
    """Note that a person approves; the batch stays a draft while more names are asked for.

    The answer of a form that was taken before changes nothing. A word counts for the batch as it was shown: one on
    another state is refused, and words of before that were given on another state end. An approval that ran out ends
    first; nothing of another batch does, so that a date which is mistyped here costs none of them.
    """
    policy = read_rules(run.workspace).policy
    with open_to_write(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
        if batch and is_taken(connection, claim.reference):
            return Approval(BatchStatus(str(batch["status"])))
        if batch:
            refuse_wrong_day(batch, run.as_of, policy)
            if why := _why_approval_ended(batch, run.as_of, policy):
                _end_approval(connection, run, batch_id, why)
        check_as_shown(connection, batch_id, claim)
        recorded_at, shown = run.clock(), digest_shown(connection, batch_id)
        outdated = end_outdated_words(connection, batch_id, run.as_of, _OUTDATED)
        status = approve_batch(connection, batch_id, claim, run.as_of, recorded_at)
        if left_out and left_out.customers:
            _leave_out(connection, run, batch_id, claim.by, left_out)
            keep_words(connection, batch_id)
        payload = {
            "batch_id": batch_id,
            "on": run.as_of,
            "status": status.value,
            "without": list(left_out.customers) if left_out else [],
            "shown": shown,
            **_claimed(claim),
        }
        ended = {"batch_id": batch_id, "on": run.as_of, "why": _OUTDATED, "names": outdated}
        events = [
            *([NewEvent("approval_ended", ended)] if outdated else []),
            NewEvent("batch_approved", payload),
        ]
        append_events(connection, events, recorded_at=recorded_at, actor=claim.by, run_id=run.run_id)
    return Approval(status, tuple(outdated))


def reject(run: Run, batch_id: str, claim: Claim, why: str, until: date) -> Rejected:
    """Reject a batch, or what has not left of one that has begun to; each of its items is held until the date."""
    policy = read_rules(run.workspace).policy
    with open_to_write(run.workspace) as connection:
        check_as_shown(connection, batch_id, claim)
        recorded_at = run.clock()
        if batch := read_batch(connection, batch_id):
            refuse_wrong_day(batch, run.as_of, policy, after_words=False)
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


def expire(run: Run, policy: Policy, only: str = "") -> dict[str, str]:
    """Let run out what has waited or counted too long; return batch_id -> what that means for it.

    An approved batch waits again; a draft nobody decided on is closed, and its items are decided anew.

    Args:
        run: the run.
        policy: says how long.
        only: one batch; empty = all.
    """
    with open_to_read(run.workspace) as connection:
        batches = list_batches(connection)
    chosen = batches.filter(pl.col("batch_id") == only) if only else batches
    told = {}
    for batch in chosen.sort("as_of", "batch_id").iter_rows(named=True):
        name = batch["batch_id"]
        if why := _why_approval_ended(batch, run.as_of, policy):
            with open_to_write(run.workspace) as connection:
                _end_approval(connection, run, name, why)
            told[name] = f"{why}: the batch waits for approval again"
        elif why := _why_given_up(batch, run.as_of, policy):
            ended = _give_up(run, name, why)
            told[name] = f"{why}: {counted(ended, 'message')} withdrawn, to be decided anew"
    return told


def _why_approval_ended(batch: Mapping[str, Any], as_of: date, policy: Policy) -> str:
    since, is_approved = batch["approved_on"], batch["status"] == BatchStatus.APPROVED
    if not (batch["approval_required"] and is_approved and has_expired(since, as_of, policy)):
        return ""
    return f"the approval of {since} counted for {_days(policy)}, until {last_day(since, policy)}"


def _why_given_up(batch: Mapping[str, Any], as_of: date, policy: Policy) -> str:
    since, is_draft = batch["waits_since"] or batch["as_of"], batch["status"] == BatchStatus.DRAFT
    if not (batch["approval_required"] and is_draft and has_expired(since, as_of, policy)):
        return ""
    return f"nobody decided within {_days(policy)} from {since} on"


def _days(policy: Policy) -> str:
    return counted(policy.approvals.expire_after_days or 0, "day")


def _end_approval(connection: Connection, run: Run, batch_id: str, why: str) -> None:
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
