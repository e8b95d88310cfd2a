"""Records what finance says by hand: the same rules as for a row of an events file, in the same tables.

A mistake is corrected by a new event; nothing recorded is ever changed.
"""

import csv
import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from policies.errors import WrongUseError
from policies.history import History
from policies.model import EVENTS, EventKind, SourceKind
from policies.sources import ParsedFile
from tasks.formats import read_export
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.history import read_history
from tasks.store.intakes import count_recorded_events, record_intake
from tasks.workspace import Workspace

SOURCE = "record"
_PERSONAL = ("note",)


def record_events(run: Run, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Record events given as the columns of an events file; return their numbers.

    Raises:
        WrongUseError: what is wrong with them; then none is recorded.
    """
    events = _check(run, rows)
    late = events.filter(
        (pl.col("kind") == EventKind.PROMISE.value) & (pl.col("until") < pl.col("event_date"))
    )
    if late.height:
        raise WrongUseError(
            f"Nothing was recorded: a promise of {late['event_date'][0]} is for {late['until'][0]}, a day before. "
            "Give the promised day with --until, or the day of the promise with --as-of."
        )
    with open_to_write(run.workspace) as connection:
        return add_events(connection, run, events)


def retell(run: Run, event_id: str, row: Mapping[str, str]) -> dict[str, str]:
    """Return a row that stands in the place of an event recorded before: its number and day, else what is stated.

    A correction says that nothing happened: what it concerned is taken from the event.
    """
    with open_to_read(run.workspace) as connection:
        known = read_history(connection).events.filter(event_id=event_id)
    if known.is_empty():
        raise WrongUseError(
            f"there is no event {event_id}; `relance audit log --kind event_recorded` shows their numbers."
        )
    before = known.row(0, named=True)
    kept = ["event_id", "event_date"]
    if row["kind"] == EventKind.CORRECTION:
        kept += [name for name in ("customer_id", "invoice_number", "installment") if before[name]]
    return {**row, **{name: str(before[name]) for name in kept}}


def list_events(workspace: Workspace, customer_id: str) -> pl.DataFrame:
    """Return what is recorded of a customer, by hand or from files, in its newest wording; without notes."""
    with open_to_read(workspace) as connection:
        events = read_history(connection).events
    return events.filter(customer_id=customer_id).sort("event_date", "sequence").drop("note", "sequence")


def find_doubts(run: Run, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return what a person who types may have mistyped: customers and invoices that nobody knows yet."""
    with open_to_read(run.workspace) as connection:
        history = read_history(connection)
    doubts = {_doubt(history, row["customer_id"], row.get("invoice_number")): None for row in rows}
    return [doubt for doubt in doubts if doubt]


def _doubt(history: History, customer: str, invoice: str | None) -> str:
    own = history.documents.filter(pl.col("customer_id") == customer)
    if own.is_empty() and history.customers.filter(pl.col("customer_id") == customer).is_empty():
        return f"No customer {customer} is known so far; check the number."
    if invoice and own.filter(pl.col("invoice_number") == invoice).is_empty():
        return f"Customer {customer} has no invoice {invoice} so far; check the number."
    return ""


def add_events(connection: Connection, run: Run, events: pl.DataFrame) -> list[str]:
    """Add checked events (schema EVENTS) in the caller's transaction, and log each; return their numbers.

    `event_id` is given only by who retells an event: the new wording counts, and the log holds both.
    """
    # A run may record several times: each event has a number of its own, or a later one would replace it.
    offset = count_recorded_events(connection, run.run_id) + 1
    named = events.with_row_index("number", offset=offset).with_columns(
        event_id=pl.coalesce("event_id", pl.format(f"{run.run_id}-{{}}", "number")),
        line_number=pl.col("number"),
        event_date=pl.coalesce("event_date", pl.lit(run.as_of)),
        actor=pl.coalesce("actor", pl.lit(run.actor)),
    )
    frame = named.select(EVENTS.names()).cast(EVENTS)
    content = frame.write_csv().encode()
    parsed = ParsedFile(
        source=SOURCE, kind=SourceKind.INCREMENTAL, file_date=run.as_of, records={"events": frame}
    )
    intake_id = record_intake(
        connection,
        parsed,
        sha256=hashlib.sha256(content).hexdigest(),
        file_name=SOURCE,
        as_of=run.as_of,
        run_id=run.run_id,
        recorded_at=run.clock(),
    )
    logged = [_logged(row, intake_id) for row in frame.iter_rows(named=True)]
    append_events(connection, logged, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
    return frame["event_id"].to_list()


def _check(run: Run, rows: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    """Return the events that the rows state, by the very rules of an events file."""
    names = list(
        dict.fromkeys(["event_date", "kind", "customer_id", *(name for row in rows for name in row)])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows({"event_date": run.as_of.isoformat(), **row} for row in rows)
        parsed = read_export(path, [], run.as_of)
    if parsed.problems.height:
        found = [
            " ".join(
                part
                for part in (
                    f"{row['column']}:" if row["column"] else "",
                    f"{row['rule'].rstrip('.')}.",
                    row["fix"],
                )
                if part
            )
            for row in parsed.problems.iter_rows(named=True)
        ]
        raise WrongUseError("Nothing was recorded: " + " ".join(found))
    # The reader numbers rows by their content; here only who retells an event has named it.
    named = [row.get("event_id") for row in rows]
    return parsed.records["events"].with_columns(event_id=pl.Series(named, dtype=pl.String))


def _logged(row: Mapping[str, object], intake_id: int) -> NewEvent:
    stated = {
        name: value
        for name, value in row.items()
        if value is not None and name not in {*_PERSONAL, "line_number"}
    }
    payload = {"intake_id": intake_id, **stated}
    personal = {name: str(row[name]) for name in _PERSONAL if row.get(name)}
    return NewEvent("event_recorded", payload, customer_id=str(row["customer_id"]), personal=personal)


def on_behalf_of(run: Run, actor: str | None) -> Run:
    """Return the run with another actor, when one is given."""
    return replace(run, actor=actor) if actor else run
