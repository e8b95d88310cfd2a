"""The copy for people: Parquet that is safe to open at any time, complete or not there at all.

Events go into segments that are never written again, listed with their hashes in a manifest; the head beside it
says how many there are. What a killed run left unpublished is published by the next.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from tasks.documents.whole_files import put_frame, put_json
from tasks.ledger import START, Chain, compare_head, verify_from
from tasks.store.audit import EVENT_ROWS, Head, count_events, page_events
from tasks.store.batch_lists import list_actions, list_batches, list_messages
from tasks.store.connection import Connection, open_to_read
from tasks.store.intakes import list_customers, list_intakes
from tasks.store.published import DEFAULT_LIMITS, Limits, ask_views, build_views, read_view
from tasks.workspace import Workspace

_TABLES = {
    "batches": list_batches,
    "messages": list_messages,
    "actions": list_actions,
    "intakes": list_intakes,
    "customers": list_customers,
}
REPORTS = ("credit_hold", "habits", "write_offs", "insolvencies", "provisions")
"""The lists that each day has under `reports/<as_of>/`, for people as CSV and for queries as Parquet."""

_PATTERNS = {
    "events": "audit/events-*.parquet",
    "decisions": "decisions/as_of=*.parquet",
    "aging": "aging/as_of=*.parquet",
    **{name: f"reports/*/{name}.parquet" for name in REPORTS},
}
_SEGMENT_ROWS = 200_000
_LOOKED_AT_AGAIN = 1_000


@dataclass(frozen=True)
class Segment:
    """One file of events; the hash is of its bytes."""

    file: str
    first: int
    last: int
    sha256: str


@dataclass(frozen=True)
class Latest:
    """The run whose results are published."""

    run_id: str
    as_of: date


def publish(
    workspace: Workspace,
    *,
    run_id: str,
    as_of: date,
    aging: pl.DataFrame | None = None,
    decisions: pl.DataFrame | None = None,
    patience_seconds: float = 30,
) -> int:
    """Publish new events, current tables, and a day's aging and decisions; return the number of new events."""
    with open_to_read(workspace, patience_seconds) as connection:
        events = _read_new_events(connection, _published_head(workspace))
        tables = {name: read(connection) for name, read in _TABLES.items()}
    for name, frame in (("aging", aging), ("decisions", decisions)):
        if frame is not None:
            put_frame(workspace.published / name / f"as_of={as_of}.parquet", _dated(frame, as_of))
    for name, frame in tables.items():
        put_frame(workspace.published / f"{name}.parquet", frame)
    _publish_events(_audit_folder(workspace), events)
    put_json(workspace.published / "latest.json", {"run_id": run_id, "as_of": as_of.isoformat()})
    _rebuild_views(workspace)
    return events.height


def read_latest(workspace: Workspace) -> Latest | None:
    """Return the run whose results are published, or nothing."""
    path = workspace.published / "latest.json"
    if not path.exists():
        return None
    latest = json.loads(path.read_text(encoding="utf-8"))
    return Latest(latest["run_id"], date.fromisoformat(latest["as_of"]))


def read_published(workspace: Workspace, name: str, as_of: date) -> pl.DataFrame | None:
    """Return the published `aging` or `decisions` of a day, or nothing."""
    path = workspace.published / name / f"as_of={as_of}.parquet"
    return pl.read_parquet(path, hive_partitioning=False) if path.exists() else None


def query_published(
    workspace: Workspace,
    sql: str,
    parameters: Mapping[str, object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> pl.DataFrame:
    """Return what a query selects from the published tables, also while a run holds the store."""
    return ask_views(workspace.published.resolve(), _some_views(workspace), sql, parameters, limits)


def read_table(workspace: Workspace, name: str) -> pl.DataFrame:
    """Return a published table whole: events, batches, messages, actions or intakes."""
    return read_view(workspace.published.resolve(), _some_views(workspace), name)


def verify_published(folder: Path) -> list[str]:
    """Return what is wrong with published events (the folder `published`); nothing means the chain holds."""
    audit = folder / "audit"
    try:
        segments = _read_segments(audit)
        head = Head(
            **{
                key: json.loads((audit / "head.json").read_text(encoding="utf-8"))[key]
                for key in ("sequence", "hash")
            }
        )
    except FileNotFoundError as error:
        return [f"event 1: {error.filename} is missing"] if any(audit.glob("*")) else []
    except (ValueError, KeyError, TypeError) as error:
        return [f"event 1: the manifest or head.json in {audit} cannot be read: {error}"]
    chain = Chain()
    passed = START
    for segment in segments:
        if problem := _verify_segment(audit, segment, chain):
            return [f"published {problem}"]
        if segment.first <= head.sequence <= segment.last:
            passed = _head_at(audit, segment, head.sequence)
    # The head is written after the events: after a kill it may be behind them, never before them.
    if chain.head.sequence < head.sequence:
        passed = chain.head
    problem = compare_head(passed, head, "published/audit/head.json")
    return [f"published {problem}"] if problem else []


def verify_agreement(connection: Connection, folder: Path) -> list[str]:
    """Return how the store contradicts what was published; a copy that lags behind is no contradiction."""
    path = folder / "audit" / "head.json"
    if not path.exists():
        return []
    stated = json.loads(path.read_text(encoding="utf-8"))
    published = Head(stated["sequence"], stated["hash"])
    return [problem] if (problem := _contradiction(connection, published)) else []


def find_break_since_published(connection: Connection, workspace: Workspace) -> str:
    """Return what is wrong with the log in the store since some events before its published head, or nothing."""
    try:
        published = _published_head(workspace)
    except AuditBrokenError as error:
        return str(error).rstrip(".")
    first = max(published.sequence - _LOOKED_AT_AGAIN, 1)
    return _contradiction(connection, published) or verify_from(connection, first) or ""


def _contradiction(connection: Connection, published: Head) -> str | None:
    if published.sequence == 0:
        return None
    page = next(page_events(connection, published.sequence - 1), EVENT_ROWS.to_frame())
    found = page.head(1).filter(pl.col("sequence") == published.sequence)
    if found.is_empty():
        return f"event {count_events(connection) + 1} is missing in the store: {published.sequence} are published"
    if found["hash"][0] != published.hash:
        return f"event {published.sequence} in the store is not the one that was published"
    return None


def _read_new_events(connection: Connection, published: Head) -> pl.DataFrame:
    if problem := _contradiction(connection, published):
        raise AuditBrokenError(
            f"{problem}. Nothing was published. Was the store restored from a backup, or changed by hand? "
            "`relance audit verify` tells more."
        )
    return pl.concat([EVENT_ROWS.to_frame(), *page_events(connection, published.sequence)])


def _published_head(workspace: Workspace) -> Head:
    audit = _audit_folder(workspace)
    segments = _read_segments(audit) if (audit / "manifest.json").exists() else []
    return _head_at(audit, segments[-1], segments[-1].last) if segments else START


def _head_at(audit: Path, segment: Segment, sequence: int) -> Head:
    try:
        row = pl.read_parquet(audit / segment.file).filter(pl.col("sequence") == sequence)
        return Head(sequence, row["hash"][0])
    except (pl.exceptions.PolarsError, OSError, IndexError) as error:
        raise AuditBrokenError(
            f"event {sequence} cannot be read from {audit / segment.file}: {error}. `relance audit verify` tells more; "
            f"without the folder {audit} the next run publishes all events anew."
        ) from error


def _publish_events(audit: Path, events: pl.DataFrame) -> None:
    segments = _read_segments(audit) if (audit / "manifest.json").exists() else []
    listed = {segment.file for segment in segments}
    for orphan in audit.glob("events-*.parquet"):
        # Written by a run that was killed before it could list it; its events are written again.
        if orphan.name not in listed:
            orphan.unlink()
    for part in events.iter_slices(_SEGMENT_ROWS):
        first, last = part["sequence"][0], part["sequence"][-1]
        file = f"events-{first:09d}-{last:09d}.parquet"
        segments.append(Segment(file, first, last, put_frame(audit / file, part)))
    put_json(audit / "manifest.json", [asdict(segment) for segment in segments])
    head = Head(events["sequence"][-1], events["hash"][-1]) if events.height else None
    if head is None:
        head = _head_at(audit, segments[-1], segments[-1].last) if segments else START
    put_json(audit / "head.json", {**asdict(head), "events": head.sequence})


def _verify_segment(audit: Path, segment: Segment, chain: Chain) -> str | None:
    path = audit / segment.file
    events = f"event {segment.first} to {segment.last}"
    if not path.exists():
        return f"{events}: missing, there is no {path}"
    try:
        frame = pl.read_parquet(path, hive_partitioning=False).select(list(EVENT_ROWS)).cast(EVENT_ROWS)
    except (pl.exceptions.PolarsError, OSError) as error:
        return f"{events}: changed, {path} cannot be read: {error}"
    if problem := chain.follow(frame):
        return f"{problem} ({path})"
    if chain.head.sequence < segment.last:
        return f"event {chain.head.sequence + 1} is missing: {path} should hold {events}"
    if hashlib.sha256(path.read_bytes()).hexdigest() != segment.sha256:
        return f"{events}: {path} was written again, its bytes are not those in the manifest"
    return None


def _views(workspace: Workspace) -> dict[str, list[Path]]:
    published = workspace.published.resolve()
    audit = published / "audit"
    segments = _read_segments(audit) if (audit / "manifest.json").exists() else []
    files = {
        "events": [audit / segment.file for segment in segments],
        "decisions": sorted((published / "decisions").glob("as_of=*.parquet")),
        "aging": sorted((published / "aging").glob("as_of=*.parquet")),
        **{name: sorted(published.glob(_PATTERNS[name])) for name in REPORTS},
        **{name: [path] for name in _TABLES if (path := published / f"{name}.parquet").exists()},
    }
    return {name: paths for name, paths in files.items() if paths}


def _some_views(workspace: Workspace) -> dict[str, list[Path]]:
    views = _views(workspace)
    if not views:
        raise WrongUseError(f"{workspace.published} holds nothing yet: `relance run` publishes.")
    return views


def _rebuild_views(workspace: Workspace) -> None:
    """Make `audit.duckdb` anew when there is a new kind of table; its views take in new files by themselves."""
    published, path = workspace.published.resolve(), workspace.published / "audit.duckdb"
    kinds, known = sorted(_views(workspace)), workspace.published / ".views.json"
    stated = json.dumps([str(published), kinds])
    if path.exists() and known.exists() and known.read_text(encoding="utf-8") == stated:
        return
    aside = path.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    build_views(aside, {kind: [published / _PATTERNS.get(kind, f"{kind}.parquet")] for kind in kinds})
    aside.replace(path)
    known.write_text(stated, encoding="utf-8")


def _audit_folder(workspace: Workspace) -> Path:
    return workspace.published / "audit"


def _dated(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return frame if "as_of" in frame.columns else frame.select(pl.lit(as_of).alias("as_of"), pl.all())


def _read_segments(audit: Path) -> list[Segment]:
    return [Segment(**entry) for entry in json.loads((audit / "manifest.json").read_text(encoding="utf-8"))]
