"""The copy for people: Parquet that is safe to open at any time, complete or not there at all.

Events go into segments that are never written again, as Parquet and as the lines that were hashed; the head beside
them says how many there are. Each file's hash stands in `tasks.manifest`, and the digest of that list in the log. What
a killed run left unpublished is published by the next. Whether all of it is whole: `tasks.audit.published`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from tasks.ledger import START, NewEvent, append_events, lines_of, verify_from
from tasks.manifest import (
    MANIFEST,
    Entries,
    changes_between,
    current_entries,
    digest_of,
    note_published,
    put_published,
    put_published_frame,
    read_manifest,
    remove_published,
    write_manifest,
)
from tasks.run import Run
from tasks.store.audit import EVENT_ROWS, Head, count_events, page_events, read_last_of_kind
from tasks.store.batch_lists import list_actions, list_batches, list_messages
from tasks.store.connection import Connection, open_to_read, open_to_write
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
_SEGMENT_ROWS = 100_000
_LOOKED_AT_AGAIN = 1_000
VIEWS = ("audit.duckdb", ".views.json")
"""Ready views over all other tables, and for which kinds of table they were made."""

HEADS = "heads.jsonl"
"""Every head that was published, one line each: what is copied to where others keep it."""

SEALED = "copy_published"
"""The kind of event that holds the digest of the list of published files."""


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
    run: Run,
    *,
    aging: pl.DataFrame | None = None,
    decisions: pl.DataFrame | None = None,
    patience_seconds: float = 30,
) -> int:
    """Publish new events, current tables, and a day's aging and decisions; return the number of new events.

    The log gets an event with the digest of all that was published, when that has changed.
    """
    folder, day = run.workspace.published, run.as_of
    with open_to_read(run.workspace, patience_seconds) as connection:
        _refuse_contradiction(connection, run.workspace)
        tables = {name: read(connection) for name, read in _TABLES.items()}
    for name, frame in (("aging", aging), ("decisions", decisions)):
        if frame is not None:
            put_published_frame(folder, folder / name / f"as_of={day}.parquet", _dated(frame, day))
    for name, frame in tables.items():
        put_published_frame(folder, folder / f"{name}.parquet", frame)
    _put_json(folder, folder / "latest.json", {"run_id": run.run_id, "as_of": day.isoformat()})
    count = _publish_log(run, patience_seconds)
    if _rebuild_views(run.workspace):
        count += _publish_log(run, patience_seconds)
    write_manifest(folder, current_entries(folder))
    return count


def read_latest(workspace: Workspace) -> Latest | None:
    """Return the run whose results are published, or nothing."""
    path = workspace.published / "latest.json"
    if not path.exists():
        return None
    latest = _read_json(path)
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


def verify_agreement(connection: Connection, folder: Path) -> list[str]:
    """Return how the store contradicts what was published; a copy that lags behind is no contradiction."""
    path = folder / "audit" / "head.json"
    if not path.exists():
        return []
    try:
        stated = _read_json(path)
        published = Head(int(stated["sequence"]), str(stated["hash"]))
    except (AuditBrokenError, KeyError, TypeError, ValueError):
        return []  # told of the copy itself
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


def _refuse_contradiction(connection: Connection, workspace: Workspace) -> Head:
    published = _published_head(workspace)
    if problem := _contradiction(connection, published):
        raise AuditBrokenError(
            f"{problem}. Nothing was published. Was the store restored from a backup, or changed by hand? "
            "`relance audit verify` tells more."
        )
    return published


def _publish_log(run: Run, patience_seconds: float) -> int:
    """Seal what is published in the log, publish its new events, and return how many there were."""
    folder = run.workspace.published
    entries = current_entries(folder)
    with open_to_write(run.workspace, patience_seconds) as connection:
        published = _refuse_contradiction(connection, run.workspace)
        _seal(connection, run, entries, read_manifest(folder) if (folder / MANIFEST).exists() else None)
        events = pl.concat([EVENT_ROWS.to_frame(), *page_events(connection, published.sequence)])
    _publish_events(folder, events, run)
    return events.height


def _seal(connection: Connection, run: Run, entries: Entries, listed: Entries | None) -> None:
    """Log the digest of all published files but the log's own, unless it is the last one logged.

    It names the files that changed since the list was written, so that nothing is taken over unseen.
    """
    sealed = {"files": sum(not name.startswith("audit/") for name in entries), "sha256": digest_of(entries)}
    last = read_last_of_kind(connection, SEALED)
    if last and json.loads(str(last["payload"]))["sha256"] == sealed["sha256"]:
        return
    # Without a list there was nothing to compare with: what lay in the folder was taken as it was.
    taken = {"listed_anew": "yes"} if listed is None else {"changed": changes_between(listed, entries)}
    event = NewEvent(SEALED, {"as_of": run.as_of, **sealed, **taken})
    append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


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


def _publish_events(folder: Path, events: pl.DataFrame, run: Run) -> None:
    audit = folder / "audit"
    segments = _read_segments(audit) if (audit / "manifest.json").exists() else []
    if not segments:
        # Removed by a person, to have all events published anew.
        for name in current_entries(folder):
            if name.startswith("audit/") and not (folder / name).exists():
                remove_published(folder, folder / name)
    for orphan in _orphans(audit, segments):
        # Written by a run that was killed before it could list it; its events are written again.
        remove_published(folder, orphan)
    for segment in segments:
        lines = (audit / segment.file).with_suffix(".jsonl")
        if not lines.exists():
            put_published(folder, lines, lines_of(pl.read_parquet(audit / segment.file)).encode())
    for part in events.iter_slices(_SEGMENT_ROWS):
        first, last = part["sequence"][0], part["sequence"][-1]
        path = audit / f"events-{first:09d}-{last:09d}.parquet"
        put_published(folder, path.with_suffix(".jsonl"), lines_of(part).encode())
        segments.append(Segment(path.name, first, last, put_published_frame(folder, path, part)))
    _put_json(folder, audit / "manifest.json", [asdict(segment) for segment in segments])
    head = _head_at(audit, segments[-1], segments[-1].last) if segments else START
    _put_json(folder, audit / "head.json", {**asdict(head), "events": head.sequence})
    _note_head(folder, head, run)


def _orphans(audit: Path, segments: list[Segment]) -> list[Path]:
    listed = {Path(segment.file).stem for segment in segments}
    return [path for path in sorted(audit.glob("events-*.*")) if path.stem not in listed]


def _note_head(folder: Path, head: Head, run: Run) -> None:
    """Add the head to the list of heads, one line for each that was published."""
    path = folder / "audit" / HEADS
    known = path.read_text(encoding="utf-8") if path.exists() else ""
    line = json.dumps({**asdict(head), "as_of": run.as_of.isoformat(), "run_id": run.run_id})
    if head.sequence and f'"hash": "{head.hash}"' not in known:
        put_published(folder, path, f"{known}{line}\n".encode())


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


def _rebuild_views(workspace: Workspace) -> bool:
    """Make `audit.duckdb` anew when there is a new kind of table; its views take in new files by themselves."""
    published, (path, known) = workspace.published.resolve(), (workspace.published / name for name in VIEWS)
    kinds = sorted(_views(workspace))
    stated = json.dumps([str(published), kinds])
    if path.exists() and known.exists() and known.read_text(encoding="utf-8") == stated:
        return False
    aside = path.with_name(f".{path.name}.tmp")
    aside.unlink(missing_ok=True)
    build_views(aside, {kind: [published / _PATTERNS.get(kind, f"{kind}.parquet")] for kind in kinds})
    note_published(workspace.published, path, aside)
    aside.replace(path)
    put_published(workspace.published, known, stated.encode())
    return True


def _put_json(folder: Path, path: Path, content: object) -> None:
    put_published(folder, path, (json.dumps(content, indent=2) + "\n").encode())


def _audit_folder(workspace: Workspace) -> Path:
    return workspace.published / "audit"


def _dated(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return frame if "as_of" in frame.columns else frame.select(pl.lit(as_of).alias("as_of"), pl.all())


def _read_segments(audit: Path) -> list[Segment]:
    return [Segment(**entry) for entry in _read_json(audit / "manifest.json")]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AuditBrokenError(
            f"{path} is damaged: {error}. `relance audit verify` tells more; take the file from a backup."
        ) from error
