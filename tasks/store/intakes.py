"""Loading one parsed file, and the checks on it that need what is already known.

Parsing is done in `tasks.formats`; whether a file is kept back for a person is decided by who calls.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from policies.model import INVOICES, SourceKind
from policies.sources import PROBLEMS, ParsedFile
from tasks.store.connection import (
    Connection,
    conform,
    fetch,
    insert_frame,
    insert_row,
    lend_frames,
    load_query,
)

_TABLES = {
    "invoices": "invoice_lines",
    "customers": "customer_lines",
    "payments": "payment_lines",
    "events": "event_lines",
    "actions": "action_lines",
}
_FULL = (SourceKind.FULL_OPEN_ITEMS, SourceKind.FULL_INVOICES)


@dataclass(frozen=True)
class MissingItems:
    """Open items of a source's last full file, and how many of them a newer one no longer lists."""

    known_open: int
    missing: int


def has_sha256(connection: Connection, sha256: str, named_date: date | None = None) -> bool:
    """Return whether these bytes are loaded already.

    Args:
        connection: an open store.
        sha256: hash of the file's bytes.
        named_date: the date in the file's name; the same bytes named for another date are another statement.
    """
    found = connection.execute(
        "select 1 from intakes where sha256 = $sha256 and ($named is null or file_date = $named) limit 1",
        {"sha256": sha256, "named": named_date},
    )
    return bool(found.fetchall())


def is_newest_sha256(connection: Connection, source: str, sha256: str) -> bool:
    """Return whether these bytes are those of the source's newest intake."""
    rows = connection.execute(
        "select sha256 from intakes where source = $source order by intake_id desc limit 1",
        {"source": source},
    ).fetchall()
    return bool(rows) and rows[0][0] == sha256


def find_changed_items(connection: Connection, parsed: ParsedFile) -> pl.DataFrame:
    """Return, as problems, the rows that change the currency or issue date of a known item."""
    with lend_frames(connection, incoming_invoices=_invoices_of(parsed)):
        changed = fetch(
            connection, load_query("changed_items"), source=parsed.source, fiscal_year=parsed.fiscal_year
        )
    problems = changed.select(
        "line",
        "column",
        "value",
        rule=pl.format("a known item keeps its {}: it was {} in {}", "column", "known", "file_name"),
        fix=pl.lit("correct the row; if the item was issued anew, give it a number of its own"),
    )
    return conform(problems, PROBLEMS)


def count_missing_items(connection: Connection, parsed: ParsedFile) -> MissingItems:
    """Return how many open items the source's last file listed, and how many of them this one leaves out."""
    if parsed.kind not in _FULL or "invoices" not in parsed.records:
        return MissingItems(0, 0)
    with lend_frames(connection, incoming_invoices=_invoices_of(parsed)):
        counts = fetch(
            connection, load_query("missing_items"), source=parsed.source, file_date=parsed.file_date
        )
    return MissingItems(*counts.row(0))


def record_intake(
    connection: Connection,
    parsed: ParsedFile,
    *,
    sha256: str,
    file_name: str,
    as_of: date,
    run_id: str,
    recorded_at: datetime,
) -> int:
    """Load a file that was found good, in the caller's transaction, and return its number."""
    if not parsed.problems.is_empty():
        raise ValueError(f"{file_name} was refused and cannot be loaded")
    newest = connection.execute("select coalesce(max(intake_id), 0) from intakes").fetchall()[0][0]
    intake_id = int(newest) + 1
    counts = {name: frame.height for name, frame in sorted(parsed.records.items())}
    intake = {
        "intake_id": intake_id,
        "source": parsed.source,
        "kind": parsed.kind.value,
        "file_name": file_name,
        "sha256": sha256,
        "file_date": parsed.file_date,
        "fiscal_year": parsed.fiscal_year,
        "carries_payments": parsed.carries_payments,
        "carries_balances": parsed.carries_balances,
        "lists_invoices": "invoices" in parsed.records,
        # A file of customers knows them better than a file of invoices of the same date.
        "states_customers": "customers" in parsed.records and "invoices" not in parsed.records,
        "as_of": as_of,
        "run_id": run_id,
        "recorded_at": recorded_at,
        "counts": json.dumps(counts),
    }
    insert_row(connection, "intakes", intake)
    for name, frame in parsed.records.items():
        insert_frame(connection, _TABLES[name], frame, intake_id=intake_id)
    return intake_id


def count_recorded_events(connection: Connection, run_id: str) -> int:
    """Return how many events a run has recorded so far, those of files not counted."""
    found = connection.execute(
        "select count(*) from event_lines where event_id ^@ $prefix", {"prefix": f"{run_id}-"}
    ).fetchall()
    return int(found[0][0])


def list_intakes(connection: Connection) -> pl.DataFrame:
    """Return the files that were loaded, oldest first."""
    return fetch(connection, "select * from intakes order by intake_id")


def list_customers(connection: Connection) -> pl.DataFrame:
    """Return the numbers of the customers that were ever stated, and since when they are known."""
    return fetch(connection, load_query("list_customers"))


def _invoices_of(parsed: ParsedFile) -> pl.DataFrame:
    return parsed.records.get("invoices", INVOICES.to_frame())
