"""A person's word on a batch: who approved, what of it no longer counts, what was rejected or given up.

Words are never removed: one that no longer counts keeps the day and the reason of its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from policies.approvals import is_same_person
from tasks.store.batches import (
    BatchStatus,
    MessageStatus,
    WrongStateError,
    batch_in,
    end_messages,
    set_batch,
)
from tasks.store.connection import Connection, insert_row


@dataclass(frozen=True)
class Claim:
    """Who somebody says to be, and how it was said.

    Attributes:
        by: the name, as claimed.
        channel: `command line` or `ui`.
        login: of the operating system, where a command was typed.
        reference: names the answer of a form, so that it is taken once however often the run is played again.
    """

    by: str
    channel: str = "command line"
    login: str = ""
    reference: str = ""


def names_that_count(connection: Connection, batch_id: str) -> list[str]:
    """Return who has approved a batch so far, in order."""
    found = connection.execute(
        "select approved_by from approvals where batch_id = $id and ended_on is null order by recorded_at",
        {"id": batch_id},
    )
    return [name for (name,) in found.fetchall()]


def why_ended(connection: Connection, batch_id: str) -> str:
    """Return why the last approval of a batch counts no more, nothing when none has ended."""
    found = connection.execute(
        "select ended_why from approvals where batch_id = $id and ended_on is not null "
        "order by ended_on desc, recorded_at desc limit 1",
        {"id": batch_id},
    ).fetchall()
    return str(found[0][0]) if found else ""


def is_taken(connection: Connection, reference: str) -> bool:
    """Return whether the answer of a form was taken before, whether or not it still counts."""
    found = connection.execute(
        "select 1 from approvals where reference = $reference limit 1", {"reference": reference}
    )
    return bool(reference) and bool(found.fetchall())


def approve_batch(
    connection: Connection, batch_id: str, claim: Claim, on: date, recorded_at: datetime
) -> BatchStatus:
    """Note that a person approves a draft; return its status, still draft while more persons must approve."""
    batch = batch_in(connection, batch_id, (BatchStatus.DRAFT,), "approved")
    names = names_that_count(connection, batch_id)
    if any(is_same_person(claim.by, name) for name in names):
        raise WrongStateError(
            f"{claim.by} has approved batch {batch_id} already; it waits for another person."
        )
    approval = {
        "batch_id": batch_id,
        "approved_by": claim.by,
        "approved_on": on,
        "recorded_at": recorded_at,
        "channel": claim.channel,
        "login": claim.login or None,
        "reference": claim.reference or None,
    }
    insert_row(connection, "approvals", approval)
    enough = len(names) + 1 >= int(str(batch["approvers"]))
    status = BatchStatus.APPROVED if enough else BatchStatus.DRAFT
    set_batch(connection, batch_id, status=status, approved_by=", ".join([*names, claim.by]), approved_on=on)
    return status


def send_back(
    connection: Connection, batch_id: str, *, on: date, why: str, guard_sentence: str | None = None
) -> None:
    """Let a batch that has not begun to leave wait for a person again: what was approved no longer counts.

    Args:
        connection: an open store.
        batch_id: a draft, or an approved batch.
        on: the day.
        why: the reason, kept with each approval.
        guard_sentence: what the next person is shown; None leaves what stood there.
    """
    known = (BatchStatus.DRAFT, BatchStatus.APPROVED)
    batch = batch_in(connection, batch_id, known, "sent back")
    _end_approvals(connection, batch_id, on, why)
    set_batch(
        connection,
        batch_id,
        status=BatchStatus.DRAFT,
        approval_required=True,
        approved_by=None,
        approved_on=None,
        waits_since=on,
        sent_back=int(str(batch["sent_back"] or 0)) + 1,
        guard_sentence=guard_sentence or batch["guard_sentence"],
    )


def reject_batch(
    connection: Connection, batch_id: str, *, by: str, on: date, until: date, why: str, recorded_at: datetime
) -> list[str]:
    """Reject a batch with all its messages that have not left; return their numbers.

    One that has begun to leave stays so, and ends when the rest of it has: what has left or may have is no part of it.
    """
    known = (BatchStatus.DRAFT, BatchStatus.APPROVED, BatchStatus.RELEASED)
    batch = batch_in(connection, batch_id, known, "rejected")
    ids = waiting_messages(connection, batch_id)
    has_begun = batch["status"] == BatchStatus.RELEASED
    if has_begun and not ids:
        raise WrongStateError(
            f"nothing of batch {batch_id} waits to leave any more; "
            "`relance resolve` lists what may or may not have left."
        )
    set_batch(
        connection,
        batch_id,
        status=BatchStatus.RELEASED if has_begun else BatchStatus.REJECTED,
        rejected_by=by,
        rejected_on=on,
        reject_until=until,
        reject_why=why,
    )
    return end_messages(connection, batch_id, ids, MessageStatus.REJECTED, on, recorded_at)


def give_up_batch(
    connection: Connection, batch_id: str, *, on: date, why: str, recorded_at: datetime
) -> list[str]:
    """Close a draft that nobody decided on, with its messages withdrawn; return their numbers."""
    batch_in(connection, batch_id, (BatchStatus.DRAFT,), "given up")
    _end_approvals(connection, batch_id, on, why)
    set_batch(connection, batch_id, status=BatchStatus.CLOSED, closed_on=on)
    ids = waiting_messages(connection, batch_id)
    return end_messages(connection, batch_id, ids, MessageStatus.WITHDRAWN, on, recorded_at)


def waiting_messages(
    connection: Connection, batch_id: str, customers: Sequence[str] | None = None
) -> list[str]:
    """Return the messages of a batch that have not left; of these customers only, when they are given."""
    waiting = connection.execute(
        "select message_id, customer_id from messages "
        "where batch_id = $id and status in ('planned', 'composed') order by message_id",
        {"id": batch_id},
    ).fetchall()
    return [message for message, customer in waiting if customers is None or customer in customers]


def _end_approvals(connection: Connection, batch_id: str, on: date, why: str) -> None:
    connection.execute(
        "update approvals set ended_on = $on, ended_why = $why where batch_id = $id and ended_on is null",
        {"on": on, "why": why, "id": batch_id},
    )
