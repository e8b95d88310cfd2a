"""Audit events as rows. What a hash covers and whether a chain holds is decided in `tasks.ledger`."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tasks.store.connection import Connection, fetch, insert_frame, lend_frames, load_query

EVENT_ROWS = pl.Schema(
    {
        "sequence": pl.Int64(),
        "recorded_at": pl.Datetime("us", "UTC"),
        "actor": pl.String(),
        "run_id": pl.String(),
        "kind": pl.String(),
        "action_id": pl.String(),
        "customer_id": pl.String(),
        "payload": pl.String(),
        "previous_hash": pl.String(),
        "hash": pl.String(),
    }
)
PERSONAL_ROWS = pl.Schema(
    {"sequence": pl.Int64(), "field": pl.String(), "salt": pl.String(), "value": pl.String()}
)
_PAGE_ROWS = 50_000
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Head:
    """The last event of a chain; sequence 0 and an empty hash before the first."""

    sequence: int
    hash: str


def read_head(connection: Connection) -> Head:
    """Return the head that the store keeps beside the events."""
    return read_heads(connection)[0]


def read_heads(connection: Connection) -> list[Head]:
    """Return every head in the store; there is one, unless somebody changed the store by hand."""
    rows = connection.execute("select head_sequence, head_hash from meta").fetchall()
    return [Head(*row) for row in rows]


def append_rows(connection: Connection, events: pl.DataFrame, personal: pl.DataFrame, head: Head) -> None:
    """Add events and move the head, in the caller's transaction."""
    insert_frame(connection, "audit_events", events)
    insert_frame(connection, "personal_fields", personal)
    connection.execute(
        "update meta set head_sequence = $sequence, head_hash = $hash",
        {"sequence": head.sequence, "hash": head.hash},
    )


def count_events(connection: Connection) -> int:
    """Return how many events there are."""
    return int(connection.execute("select count(*) from audit_events").fetchall()[0][0])


def page_events(connection: Connection, after: int = 0) -> Iterator[pl.DataFrame]:
    """Yield the events after a sequence, in order, some thousands at a time."""
    for first, last in _stretches(connection, "audit_events", after + 1):
        yield fetch(connection, load_query("page_events"), EVENT_ROWS, first=first, last=last)


def page_personal_fields(connection: Connection) -> Iterator[pl.DataFrame]:
    """Yield the personal fields, each with the payload of its event (null when there is none)."""
    for first, last in _stretches(connection, "personal_fields", -_LARGEST - 1):
        yield fetch(connection, load_query("page_personal"), first=first, last=last)


def _stretches(connection: Connection, table: str, first: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last sequence of each page: a page by bounds is read without looking at all others."""
    query = f"select min(sequence) from {table} where sequence >= $first"
    while (found := connection.execute(query, {"first": first}).fetchall()[0][0]) is not None:
        last = min(found + _PAGE_ROWS - 1, _LARGEST)
        yield found, last
        first = last + 1


def read_personal_fields(connection: Connection, action_id: str) -> pl.DataFrame:
    """Return the personal fields of the events of an action, until they are erased."""
    return fetch(connection, load_query("personal_of_action"), PERSONAL_ROWS, action_id=action_id)


def read_log(
    connection: Connection,
    *,
    kind: str | None = None,
    customer_id: str | None = None,
    action_id: str | None = None,
    run_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    newest: int | None = None,
) -> pl.DataFrame:
    """Return the events that fit all filters given, oldest first; `newest` keeps only so many of the last."""
    return fetch(
        connection,
        load_query("read_log"),
        EVENT_ROWS,
        kind=kind,
        customer_id=customer_id,
        action_id=action_id,
        run_id=run_id,
        since=since,
        until=until,
        newest=newest if newest is not None else 2**62,
    )


def find_newest_before(connection: Connection, run_id: str) -> datetime | None:
    """Return the latest instant that other runs have noted, or nothing: a run's own events only repeat its clock."""
    query = "select max(recorded_at) from audit_events where run_id is distinct from $run_id"
    newest: datetime | None = connection.execute(query, {"run_id": run_id}).fetchall()[0][0]
    return newest


def erase_personal_fields(connection: Connection, customer_id: str) -> int:
    """Erase what the log keeps of a person beside its events; the chain holds without it."""
    erased = connection.execute(load_query("erase_personal"), {"customer_id": customer_id}).fetchall()
    return len(erased)


def read_last_of_kind(connection: Connection, kind: str) -> dict[str, object] | None:
    """Return the last event of a kind, or nothing."""
    query = "select * from audit_events where kind = $kind order by sequence desc limit 1"
    found = fetch(connection, query, EVENT_ROWS, kind=kind)
    return found.row(0, named=True) if found.height else None


def read_hashes(connection: Connection, sequences: Collection[int]) -> dict[int, str]:
    """Return the hashes of some events."""
    with lend_frames(
        connection, asked_events=pl.DataFrame({"sequence": sorted(sequences)}, {"sequence": pl.Int64()})
    ):
        rows = connection.execute(
            "select sequence, hash from audit_events semi join asked_events using (sequence)"
        ).fetchall()
    return dict(rows)


def read_sealing_events(connection: Connection) -> pl.DataFrame:
    """Return the events that seal something: sequence, kind, run_id, payload."""
    return fetch(connection, load_query("sealed_events"))


def read_runs_before(connection: Connection, sequence: int) -> set[str]:
    """Return the runs that were at work before an event."""
    rows = connection.execute(
        "select distinct run_id from audit_events where sequence < $sequence", {"sequence": sequence}
    ).fetchall()
    return {run_id for (run_id,) in rows}


def find_missing_personal(connection: Connection) -> pl.DataFrame:
    """Return the personal fields that events name and that are not there: sequence, field."""
    return fetch(connection, load_query("missing_personal"))


def find_untold_dispatches(connection: Connection) -> pl.DataFrame:
    """Return the actions of whose dispatch the store and the log say something else."""
    return fetch(connection, load_query("dispatches_told"))


def find_composed_otherwise(connection: Connection) -> pl.DataFrame:
    """Return the actions that are not what the log says of them: sequence, kind, batch_id, action_id, differing."""
    return fetch(connection, load_query("composed_otherwise"))


@dataclass(frozen=True)
class LoggedFiles:
    """The files of a batch that hold several messages, with their hashes; `event` names the one that says so."""

    event: str
    files: Mapping[str, str]


def read_logged_files(connection: Connection, batch_id: str | None = None) -> dict[str, LoggedFiles]:
    """Return by batch what the log last said of its shared files; of one batch when it is named."""
    found = fetch(connection, load_query("logged_files"), batch_id=batch_id)
    return {
        row["batch_id"]: LoggedFiles(
            f"event {row['sequence']} ({row['kind']} {row['batch_id']})", json.loads(row["files"] or "{}")
        )
        for row in found.iter_rows(named=True)
    }
