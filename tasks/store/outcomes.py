"""What became of messages, taken from a release's journal into the store; the same journal twice changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import polars as pl

from tasks.store.connection import Connection, lend_frames, load_query


class OutcomeKind(StrEnum):
    """What is known of one attempt to hand a message over."""

    DISPATCHED = "dispatched"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """One line of a journal; `failed` surely did not leave and may be tried again."""

    message_id: str
    kind: OutcomeKind
    on: date
    recorded_at: datetime
    answer: str = ""


def take_in_outcomes(connection: Connection, batch_id: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Move messages of a batch and their actions to what its journal says; return the outcomes that changed something.

    The last outcome of a message counts, and only for this batch: one that was withdrawn may stand in another again.
    What has left, was withdrawn or rejected does not move any more.
    """
    latest = {outcome.message_id: outcome for outcome in outcomes}
    if not latest:
        return []
    rows = [{**vars(outcome), "kind": outcome.kind.value} for outcome in latest.values()]
    with lend_frames(connection, journal_outcomes=pl.DataFrame(rows, infer_schema_length=None)):
        changed = connection.execute(load_query("take_in_outcomes"), {"batch_id": batch_id}).fetchall()
        ids = {message_id for (message_id,) in changed}
        taken = [outcome for outcome in latest.values() if outcome.message_id in ids]
        if taken:
            with lend_frames(connection, taken_messages=pl.DataFrame({"message_id": sorted(ids)})):
                connection.execute(load_query("move_actions"), {"batch_id": batch_id})
    return taken


def note_left_before(connection: Connection, batch_id: str, on: date) -> bool:
    """Note that a batch began to leave before this store could know, whoever approved it; False when it knew."""
    changed = connection.execute(
        "update batches set status = 'released', released_on = $on "
        "where batch_id = $batch_id and status in ('draft', 'approved') returning batch_id",
        {"batch_id": batch_id, "on": on},
    ).fetchall()
    return bool(changed)
