"""Evidence of what left after a backup was taken: the journals of the workspace that was lost.

What the restored store knows as waiting is settled through the journal, as after a cut. What was drafted later is
unknown to it: the actions that the lost workspace had published tell what those messages demanded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from policies.model import ACTIONS
from tasks.dispatch.deliveries import DeliveryStatus, MessageOutcome
from tasks.dispatch.journal import JOURNAL_NAME, read_journal
from tasks.dispatch.recovery import note_begun, take_in_journal
from tasks.documents.whole_files import put_bytes
from tasks.run import Run
from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read, open_to_write

_STILL_MOVES = ("planned", "composed", "uncertain", "dispatched")
_LEFT = (DeliveryStatus.DISPATCHED, DeliveryStatus.UNCERTAIN)
_ACTION_COLUMNS = [name for name in ACTIONS.names() if name != "line_number"]


@dataclass(frozen=True)
class LostOutcomes:
    """What the journals of a lost workspace told.

    Attributes:
        settled: outcomes of messages that the restored store knew, and has taken in.
        actions: what else left, in the columns of the canonical file `actions.csv`.
        unknown: numbers of messages that left, of which nobody here can tell what they demanded.
        newest_at: the instant of the newest outcome.
    """

    settled: int
    actions: pl.DataFrame
    unknown: tuple[str, ...]
    newest_at: datetime | None


def take_in_lost_journals(run: Run, outbox: Path) -> LostOutcomes:
    """Take the outcomes in that the journals below another outbox tell, and return what the store cannot hold.

    Raises:
        WrongUseError: there is no journal.
        AuditBrokenError: a journal is damaged, or contradicts the one in the backup.
    """
    journals = {path.parent.name: path for path in sorted(outbox.glob(f"*/{JOURNAL_NAME}"))}
    if not journals:
        raise WrongUseError(
            f"there is no {JOURNAL_NAME} below {outbox}; name the folder outbox/ of the lost workspace."
        )
    outcomes = {batch_id: read_journal(path) for batch_id, path in journals.items()}
    with open_to_read(run.workspace) as connection:
        messages = list_messages(connection).filter(pl.col("status").is_in(_STILL_MOVES))
    known = dict(messages.select("message_id", "batch_id").iter_rows())
    settled = 0
    for batch_id, path in journals.items():
        if any(known.get(one.message_id) == batch_id for one in outcomes[batch_id]):
            _put_journal(path, run.workspace.outbox / batch_id / JOURNAL_NAME)
            settled += _settle(run, batch_id, outcomes[batch_id])
    left = [
        one
        for batch_id, listed in outcomes.items()
        for one in listed
        if one.status in _LEFT and known.get(one.message_id) != batch_id
    ]
    actions, unknown = _actions_of(left, outbox.absolute().parent / "published" / "actions.parquet")
    newest = max((one.recorded_at for listed in outcomes.values() for one in listed), default=None)
    return LostOutcomes(settled, actions, unknown, newest)


def _put_journal(lost: Path, own: Path) -> None:
    """Let the longer of two journals of one batch stand; one must go on where the other ends."""
    there = own.read_bytes() if own.exists() else b""
    found = lost.read_bytes()
    whole = there[: there.rfind(b"\n") + 1]
    if found.startswith(whole):
        put_bytes(own, found)
    elif not there.startswith(found):
        raise AuditBrokenError(
            f"{lost} does not go on where the journal in the backup ends: it is of another workspace, or was changed. "
            "Nothing was restored."
        )


def _settle(run: Run, batch_id: str, outcomes: Sequence[MessageOutcome]) -> int:
    began_on = min(one.on for one in outcomes)
    with open_to_write(run.workspace) as connection:
        note_begun(connection, run, batch_id, began_on, len(outcomes), "journal")
        return take_in_journal(connection, run, batch_id)


def _actions_of(left: Sequence[MessageOutcome], published: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return what messages demanded, as far as the lost workspace had published it, and the numbers of the others."""
    rows = [
        {
            "message_id": one.message_id,
            "action_id": action,
            "dispatch_date": one.on,
            "outcome": str(one.status),
        }
        for one in left
        for action in one.action_ids
    ]
    if not rows:
        return pl.DataFrame(schema=_ACTION_COLUMNS), ()
    told = pl.DataFrame(rows)
    listed = _published(published).drop("dispatch_date", "outcome", "message_id", strict=False)
    found = told.join(listed.unique("action_id", keep="last"), on="action_id")
    missing = told.join(found, on="action_id", how="anti")["message_id"].unique().sort()
    return found.select(_ACTION_COLUMNS), tuple(missing)


def _published(path: Path) -> pl.DataFrame:
    """Return the actions that a workspace had published; none when the file is gone or damaged too."""
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        return pl.DataFrame(schema=["action_id", *_ACTION_COLUMNS]).cast(pl.String)
