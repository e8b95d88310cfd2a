"""Batches, their messages and actions: saved once, then moved from state to state, each move guarded.

Batch: draft → approved → released → closed, or rejected; a draft nobody decides on is closed. Message: planned →
composed → dispatched or uncertain, else withdrawn or rejected. An action has the state of its message; its name
(`action_id`) can leave only once. What was withdrawn or rejected may be proposed again, under the same numbers in a
later batch: a message or action is one of a batch. What persons say of a batch stands in `tasks.store.approvals`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from policies.errors import WrongUseError
from policies.messages import Message
from policies.model import MONEY
from tasks.store.connection import Connection, fetch, insert_frame, insert_row, lend_frames, load_query

AUTOMATIC = "automatic"
"""The kind of the batch that needs no approval; the others are of the kind of their step."""


class BatchStatus(StrEnum):
    """How far a batch has come."""

    DRAFT = "draft"
    APPROVED = "approved"
    RELEASED = "released"
    CLOSED = "closed"
    REJECTED = "rejected"


class MessageStatus(StrEnum):
    """How far a message, and each action in it, has come."""

    PLANNED = "planned"
    COMPOSED = "composed"
    DISPATCHED = "dispatched"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"


class WrongStateError(WrongUseError):
    """A batch or message is not in a state that allows this."""


@dataclass(frozen=True)
class NewBatch:
    """What is told of a batch when it is drafted; `guard_sentence` says why a guard asks for approval."""

    batch_id: str
    as_of: date
    kind: str
    approval_required: bool
    policy: str
    policy_hash: str
    run_id: str
    approvers: int = 1
    guard_sentence: str | None = None


@dataclass(frozen=True)
class ComposedDocument:
    """The document made for a message; its path is relative to the workspace."""

    message_id: str
    document_path: str
    document_sha256: str
    template_sha256: str


_ACTIONS = pl.Schema(
    {
        "action_id": pl.String(),
        "message_id": pl.String(),
        "batch_id": pl.String(),
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "currency": pl.String(),
        "step": pl.String(),
        "attempt": pl.Int32(),
        "channel": pl.String(),
        "amount_open": MONEY,
        "amount_demanded": MONEY,
        "fees": MONEY,
        "status": pl.String(),
        "proposed_on": pl.Date(),
    }
)
_MESSAGE_COLUMNS = ("message_id", "batch_id", "currency", "language", "step", "template", "channel")


@dataclass(frozen=True)
class Drafts:
    """Messages and their actions as rows: a tenth of the memory that the messages themselves take."""

    messages: pl.DataFrame
    actions: pl.DataFrame


def draft_rows(messages: Sequence[Message]) -> Drafts:
    """Return the rows of new messages."""
    return Drafts(_messages_of(messages), _actions_of(messages))


def save_drafts(connection: Connection, batch: NewBatch, drafts: Drafts, recorded_at: datetime) -> bool:
    """Draft a batch from rows; return False when it was saved before (nothing changes)."""
    if read_batch(connection, batch.batch_id) is not None:
        return False
    _refuse_taken(connection, drafts.actions)
    insert_row(connection, "batches", {**asdict(batch), "status": "draft", "recorded_at": recorded_at})
    insert_frame(connection, "messages", drafts.messages)
    insert_frame(connection, "actions", drafts.actions, proposed_at=recorded_at)
    return True


def mark_composed(connection: Connection, batch_id: str, documents: Sequence[ComposedDocument]) -> int:
    """Note the documents of planned messages of a batch; return how many were noted now."""
    if not documents:
        return 0
    frame = pl.DataFrame([asdict(document) for document in documents])
    with lend_frames(connection, composed_documents=frame):
        changed = connection.execute(load_query("mark_composed"), {"batch_id": batch_id}).fetchall()
    ids = [message_id for (message_id,) in changed]
    _set_composed(connection, batch_id, ids)
    return len(ids)


def release_batch(connection: Connection, batch_id: str, on: date) -> bool:
    """Commit to sending a batch; return False when that was done before and is only taken up again."""
    known = (BatchStatus.DRAFT, BatchStatus.APPROVED, BatchStatus.RELEASED)
    batch = batch_in(connection, batch_id, known, "released")
    if batch["status"] == BatchStatus.RELEASED:
        return False
    if batch["status"] == BatchStatus.DRAFT and batch["approval_required"]:
        raise WrongStateError(
            f"batch {batch_id} waits for approval: `relance batches approve {batch_id} --by NAME`."
        )
    set_batch(connection, batch_id, status=BatchStatus.RELEASED, released_on=on)
    return True


def close_batch(connection: Connection, batch_id: str, on: date) -> bool:
    """Close a released batch once each of its messages has ended; return whether it was closed now.

    One that waits for a person stays, though evidence may show that a message of it left.
    """
    batch = batch_in(connection, batch_id, tuple(BatchStatus), "closed")
    if batch["status"] != BatchStatus.RELEASED or count_waiting(connection, batch_id):
        return False
    set_batch(connection, batch_id, status=BatchStatus.CLOSED, closed_on=on)
    return True


def count_waiting(connection: Connection, batch_id: str) -> int:
    """Return how many messages of a batch have not ended."""
    counted = connection.execute(
        "select count(*) from messages where batch_id = $id and status in ('planned', 'composed', 'uncertain')",
        {"id": batch_id},
    ).fetchall()
    return int(counted[0][0])


def withdraw_messages(
    connection: Connection, batch_id: str, message_ids: Sequence[str], on: date, recorded_at: datetime
) -> list[str]:
    """Withdraw messages of a batch that must not leave any more, or that surely did not; return those changed now."""
    return end_messages(connection, batch_id, message_ids, MessageStatus.WITHDRAWN, on, recorded_at)


def end_messages(
    connection: Connection,
    batch_id: str,
    message_ids: Sequence[str],
    status: MessageStatus,
    on: date,
    recorded_at: datetime,
) -> list[str]:
    """End messages of a batch that have not left, with their actions; return those changed now."""
    if not message_ids:
        return []
    with lend_frames(connection, ending_messages=pl.DataFrame({"message_id": list(message_ids)})):
        changed = connection.execute(
            load_query("end_messages"), {"batch_id": batch_id, "status": status, "ended_at": recorded_at}
        ).fetchall()
    ids = sorted(message_id for (message_id,) in changed)
    if ids:
        with lend_frames(connection, ended_messages=pl.DataFrame({"message_id": ids})):
            connection.execute(
                load_query("end_actions"),
                {"batch_id": batch_id, "status": status, "ended_on": on, "ended_at": recorded_at},
            )
    return ids


def read_batch(connection: Connection, batch_id: str) -> dict[str, object] | None:
    """Return one batch by name, or nothing."""
    frame = fetch(connection, "select * from batches where batch_id = $batch_id", batch_id=batch_id)
    return frame.row(0, named=True) if frame.height else None


def batch_in(
    connection: Connection, batch_id: str, allowed: Sequence[BatchStatus], verb: str
) -> dict[str, object]:
    """Return a batch that is in one of these states, or say why it cannot be approved, released and so on."""
    batch = read_batch(connection, batch_id)
    if batch is None:
        raise WrongUseError(f"there is no batch {batch_id}; `relance batches list` shows them.")
    if batch["status"] not in allowed:
        raise WrongStateError(
            f"batch {batch_id} is {batch['status']} and cannot be {verb}; "
            f"only one that is {' or '.join(allowed)} can."
        )
    return batch


def set_batch(connection: Connection, batch_id: str, **values: object) -> None:
    """Change columns of a batch."""
    changes = ", ".join(f"{name} = ${name}" for name in values)
    connection.execute(
        f"update batches set {changes} where batch_id = $batch_id", {**values, "batch_id": batch_id}
    )


def _set_composed(connection: Connection, batch_id: str, message_ids: Sequence[str]) -> None:
    if message_ids:
        with lend_frames(connection, changed_messages=pl.DataFrame({"message_id": list(message_ids)})):
            connection.execute(
                "update actions set status = $status "
                "where batch_id = $batch_id and message_id in (select message_id from changed_messages)",
                {"batch_id": batch_id, "status": MessageStatus.COMPOSED},
            )


def _refuse_taken(connection: Connection, actions: pl.DataFrame) -> None:
    with lend_frames(connection, proposed_actions=actions):
        taken = fetch(connection, load_query("taken_actions"))
    twice = actions.height - actions["action_id"].n_unique()
    if taken.height or twice:
        where = f", first in batch {taken['batch_id'][0]}" if taken.height else ""
        raise WrongStateError(
            f"{taken.height + twice} of {actions.height} actions were proposed already{where}: another run was "
            "faster, and nothing was saved. Run again: it decides on what is known now."
        )


def _messages_of(messages: Sequence[Message]) -> pl.DataFrame:
    rows = [
        {
            **{name: getattr(message, name) for name in _MESSAGE_COLUMNS},
            "customer_id": message.customer.customer_id,
            "payload": message.model_dump_json(),
            "status": MessageStatus.PLANNED.value,
        }
        for message in messages
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _actions_of(messages: Sequence[Message]) -> pl.DataFrame:
    rows = [
        {
            "action_id": item.action_id,
            "message_id": message.message_id,
            "batch_id": message.batch_id,
            "customer_id": message.customer.customer_id,
            "invoice_number": item.invoice_number,
            "installment": item.installment,
            "currency": message.currency,
            "step": item.step,
            "attempt": item.attempt,
            "channel": message.channel,
            "amount_open": item.amount_open,
            "amount_demanded": item.amount_demanded,
            "fees": item.charges.fees,
            "status": MessageStatus.PLANNED.value,
            "proposed_on": message.as_of,
        }
        for message in messages
        for item in message.items
    ]
    return pl.DataFrame(rows, schema=_ACTIONS)
