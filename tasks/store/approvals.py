"""A person's word on a batch: who approved, what of it no longer counts, what was rejected or given up.

Words are never removed: one that no longer counts keeps the day and the reason of its end.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from policies.approvals import why_too_early, why_too_late
from policies.person_names import is_same_person
from policies.policy import Policy
from tasks.store.batches import (
    BatchStatus,
    MessageStatus,
    WrongStateError,
    batch_in,
    end_messages,
    read_batch,
    set_batch,
)
from tasks.store.connection import Connection, insert_row, load_query


@dataclass(frozen=True)
class Claim:
    """Who somebody says to be, and how it was said.

    Attributes:
        by: the name, as claimed.
        channel: `command line` or `ui`.
        login: of the operating system, where a command was typed.
        reference: names the answer of a form, so that it is taken once however often the run is played again.
        shown: digest of what the person was shown (`digest_shown`); empty = the batch as it is at this moment.
    """

    by: str
    channel: str = "command line"
    login: str = ""
    reference: str = ""
    shown: str = ""


class ChangedSinceShownError(WrongStateError):
    """A person decided on a batch as it was shown, and it is another one by now."""


def digest_shown(connection: Connection, batch_id: str) -> str:
    """Return the digest of what a person is shown of a batch: what would leave, why it waits, how often it waited."""
    batch = read_batch(connection, batch_id) or {}
    leaving = connection.execute(load_query("what_would_leave"), {"batch_id": batch_id}).fetchall()
    shown = [batch.get("sent_back") or 0, batch.get("guard_sentence"), leaving]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def check_as_shown(connection: Connection, batch_id: str, claim: Claim) -> None:
    """Refuse a word that was given on the batch as it is no longer."""
    if claim.shown and claim.shown != digest_shown(connection, batch_id):
        raise ChangedSinceShownError(
            f"Batch {batch_id} is no longer as it was shown to {claim.by}: this answer was not taken. "
            "Look at it as it is now, and decide again."
        )


def names_that_count(connection: Connection, batch_id: str) -> list[str]:
    """Return who has approved a batch as it is now, in order."""
    digest = digest_shown(connection, batch_id)
    return [name for name, shown in _words(connection, batch_id) if shown == digest]


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


def why_not_yet(batch: Mapping[str, Any], as_of: date) -> str:
    """Return why a batch cannot leave on a day: it was drafted, or approved, later; or nothing."""
    return why_too_early(batch["batch_id"], as_of, batch["as_of"], batch["approved_on"])


def refuse_wrong_day(
    batch: Mapping[str, Any], as_of: date, policy: Policy, *, after_words: bool = True
) -> None:
    """Refuse to decide on a batch, or to release it, on a day that doesn't fit.

    Args:
        batch: its row.
        as_of: the day.
        policy: says how long a draft waits for a person.
        after_words: whether the day must not lie before that of an approval; a rejection may, as it is the way out
            of an approval with a mistyped date.
    """
    approved_on = batch["approved_on"] if after_words else None
    if why := why_too_early(batch["batch_id"], as_of, batch["as_of"], approved_on):
        raise WrongStateError(f"batch {batch['batch_id']}: {why}")
    if batch["status"] == BatchStatus.DRAFT and batch["approval_required"]:
        since = batch["waits_since"] or batch["as_of"]
        if why := why_too_late(batch["batch_id"], since, as_of, policy):
            raise WrongStateError(why)


def approve_batch(
    connection: Connection, batch_id: str, claim: Claim, on: date, recorded_at: datetime
) -> BatchStatus:
    """Note that a person approves a draft as it is now; return its status, still draft while more must approve.

    Words on another state of it do not count: `end_outdated_words` comes first.
    """
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
        "shown": digest_shown(connection, batch_id),
    }
    insert_row(connection, "approvals", approval)
    enough = len(names) + 1 >= int(str(batch["approvers"]))
    status = BatchStatus.APPROVED if enough else BatchStatus.DRAFT
    set_batch(connection, batch_id, status=status, approved_by=", ".join([*names, claim.by]), approved_on=on)
    return status


def end_outdated_words(connection: Connection, batch_id: str, on: date, why: str) -> list[str]:
    """End the words that were given on another state of a batch; return whose."""
    digest = digest_shown(connection, batch_id)
    names = [name for name, shown in _words(connection, batch_id) if shown != digest]
    if names:
        connection.execute(
            "update approvals set ended_on = $on, ended_why = $why "
            "where batch_id = $id and ended_on is null and shown is distinct from $digest",
            {"on": on, "why": why, "id": batch_id, "digest": digest},
        )
    return names


def keep_words(connection: Connection, batch_id: str) -> None:
    """Let the words that count go on counting after an approval has taken customers out: less leaves than was shown."""
    connection.execute(
        "update approvals set shown = $digest where batch_id = $id and ended_on is null",
        {"digest": digest_shown(connection, batch_id), "id": batch_id},
    )


def send_back(
    connection: Connection, batch_id: str, *, on: date, why: str, guard_sentence: str | None = None
) -> None:
    """Let a batch that has not begun to leave wait for a person again: what was approved no longer counts.

    Args:
        connection: an open store.
        batch_id: a draft, or an approved batch.
        on: the day.
        why: the reason, kept with each approval.
        guard_sentence: what the next person is shown too, beside what stood there.
    """
    known = (BatchStatus.DRAFT, BatchStatus.APPROVED)
    batch = batch_in(connection, batch_id, known, "sent back")
    _end_approvals(connection, batch_id, on, why)
    known_sentences = str(batch["guard_sentence"] or "").splitlines()
    sentences = dict.fromkeys([*known_sentences, *(guard_sentence or "").splitlines()])
    set_batch(
        connection,
        batch_id,
        status=BatchStatus.DRAFT,
        approval_required=True,
        approved_by=None,
        approved_on=None,
        waits_since=on,
        sent_back=int(str(batch["sent_back"] or 0)) + 1,
        guard_sentence="\n".join(sentences) or None,
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


def _words(connection: Connection, batch_id: str) -> list[tuple[str, str | None]]:
    """Return who has approved, with what was shown; without the words that have ended."""
    found = connection.execute(
        "select approved_by, shown from approvals where batch_id = $id and ended_on is null order by recorded_at",
        {"id": batch_id},
    )
    return [(name, shown) for name, shown in found.fetchall()]


def _end_approvals(connection: Connection, batch_id: str, on: date, why: str) -> None:
    connection.execute(
        "update approvals set ended_on = $on, ended_why = $why where batch_id = $id and ended_on is null",
        {"on": on, "why": why, "id": batch_id},
    )
