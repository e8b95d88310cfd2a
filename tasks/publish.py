"""The copy for people: Parquet that is safe to open at any time, complete or not there at all.

Events go into segments that are never written again, as Parquet and as the lines that were hashed; the head beside
them says how many there are. Each file's hash stands in `tasks.manifest`, and the digest of that list in the log. What
a killed run left unpublished is published by the next. Whether all of it is whole: `tasks.audit.published`; who asks
it: `tasks.published_tables`.
"""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import polars as pl

from policies.errors import AuditBrokenError
from tasks.ledger import START, NewEvent, append_events, lines_of, verify_from
from tasks.manifest import (
    MANIFEST,
    Entries,
    changes_between,
    current_entries,
    digest_of,
    put_published,
    put_published_frame,
    read_manifest,
    remove_published,
    write_manifest,
)
from tasks.published_tables import CURRENT_TABLES, Segment, read_json, read_segments, rebuild_views
from tasks.run import Run
from tasks.store.audit import EVENT_ROWS, Head, count_events, page_events, read_last_of_kind
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.workspace import Workspace

_SEGMENT_ROWS = 100_000
_LOOKED_AT_AGAIN = 1_000
HEADS = "heads.jsonl"
"""Every head that was published, one line each: what is copied to where others keep it."""

SEALED = "copy_published"
"""The kind of event that holds the digest of the list of published files."""


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
        tables = {name: read(connection) for name, read in CURRENT_TABLES.items()}
    for name, frame in (("aging", aging), ("decisions", decisions)):
        if frame is not None:
            put_published_frame(folder, folder / name / f"as_of={day}.parquet", _dated(frame, day))
    for name, frame in tables.items():
        put_published_frame(folder, folder / f"{name}.parquet", frame)
    _put_json(folder, folder / "latest.json", {"run_id": run.run_id, "as_of": day.isoformat()})
    count = _publish_log(run, patience_seconds)
    if rebuild_views(run.workspace):
        count += _publish_log(run, patience_seconds)
    write_manifest(folder, current_entries(folder))
    return count


def verify_agreement(connection: Connection, folder: Path) -> list[str]:
    """Return how the store contradicts what was published; a copy that lags behind is no contradiction."""
    path = folder / "audit" / "head.json"
    if not path.exists():
        return []
    try:
        stated = read_json(path)
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
    segments = read_segments(audit)
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
    segments = read_segments(audit)
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


def _put_json(folder: Path, path: Path, content: object) -> None:
    put_published(folder, path, (json.dumps(content, indent=2) + "\n").encode())


def _audit_folder(workspace: Workspace) -> Path:
    return workspace.published / "audit"


def _dated(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return frame if "as_of" in frame.columns else frame.select(pl.lit(as_of).alias("as_of"), pl.all())
