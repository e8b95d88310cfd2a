"""Takes the files of the inbox in: each complete file is loaded whole, in one transaction, or refused whole.

A file still being written is left alone. The same bytes twice change nothing. Accepted originals go to
`archive/`; refused ones to `rejected/`, each with a list of its errors.
"""

import csv
import filecmp
import hashlib
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import polars as pl

from policies.explanations import counted
from policies.model import SourceKind
from policies.sources import ParsedFile
from tasks.documents.safe_text import plain_cell
from tasks.documents.whole_files import put_bytes
from tasks.formats import date_in_name, load_declarations, read_export
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.connection import Connection, open_to_write
from tasks.store.history import read_events
from tasks.store.intakes import (
    count_missing_items,
    find_changed_items,
    has_sha256,
    is_newest_sha256,
    record_intake,
)
from tasks.store.tracking import events_of_letters, find_contradictions, find_letters, find_unknown

_TEMPORARY_ENDINGS = (".part", ".tmp", ".crdownload", ".filepart", ".swp")
_TEMPORARY_STARTS = ("~$", ".")
MAIL_ENDING = ".eml"
"""Files of mail that came back are left to `relance follow-up`."""

_FULL_KINDS = (SourceKind.FULL_OPEN_ITEMS, SourceKind.FULL_INVOICES)
_LOOK_AGAIN_SECONDS = 1.0
_TRACKED = ("message_id", "tracking_number", "status", "status_date", "proof_ref")


class IntakeStatus(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    KNOWN = "known"
    REFUSED = "refused"
    KEPT = "kept"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class IntakeResult:
    """What became of one file, for people and for the summary."""

    file: str
    status: IntakeStatus
    source: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    cleared: int = 0
    vanished: int = 0
    message: str = ""
    warnings: tuple[str, ...] = ()


def find_files(run: Run) -> tuple[list[Path], list[IntakeResult]]:
    """Return the complete files of the inbox, and those still being written: two looks, one second apart."""
    return _complete(
        {path: path.name for path in sorted(run.workspace.inbox.iterdir()) if not _is_mail(path)}
    )


def find_mails(run: Run) -> tuple[list[Path], list[IntakeResult]]:
    """Return the same for files of mail, whose names tell persons and subjects: said by folder and number."""
    found: dict[Path, str] = {}
    for folder in (run.workspace.inbox, run.workspace.returned):
        mails = [path for path in sorted(folder.iterdir()) if _is_mail(path)] if folder.is_dir() else []
        found |= {path: f"{folder.name}, mail {number}" for number, path in enumerate(mails, start=1)}
    return _complete(found)


def _complete(found: Mapping[Path, str]) -> tuple[list[Path], list[IntakeResult]]:
    candidates = [path for path in found if path.is_file() and not _is_temporary(path)]
    if not candidates:
        return [], []
    first = {path: _look(path) for path in candidates}
    time.sleep(_LOOK_AGAIN_SECONDS)
    complete = [path for path in candidates if (seen := _look(path)) is not None and seen == first[path]]
    moving = [
        IntakeResult(
            found[path],
            IntakeStatus.INCOMPLETE,
            message="still being written; it is taken in by the next run",
        )
        for path in candidates
        if path not in complete
    ]
    return complete, moving


def take_in(run: Run, path: Path, accept_cleared: bool = False) -> IntakeResult:
    """Load one file, or refuse it, or keep it for a person; then put it away.

    Args:
        run: the run.
        path: a complete file of the inbox.
        accept_cleared: load it although it clears more items than its declaration allows by itself.
    """
    try:
        content = path.read_bytes()
        parsed = read_export(path, load_declarations(run.workspace.policies / "sources"), run.as_of)
        is_same = path.read_bytes() == content
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
        return IntakeResult(path.name, IntakeStatus.INCOMPLETE, message=why)
    if not is_same:
        return IntakeResult(path.name, IntakeStatus.INCOMPLETE, message="it changed while it was read")
    sha256 = hashlib.sha256(content).hexdigest()
    with open_to_write(run.workspace) as connection:
        result, problems = _load(connection, run, path.name, sha256, parsed, accept_cleared=accept_cleared)
    if result.status is IntakeStatus.REFUSED:
        # The list first: a file in rejected/ always has one.
        _write_errors(run.workspace.rejected, path.name, problems)
        put_away(path, run.workspace.rejected)
    elif result.status is not IntakeStatus.KEPT:
        put_away(path, run.workspace.archive)
    return result


def _load(
    connection: Connection, run: Run, name: str, sha256: str, parsed: ParsedFile, *, accept_cleared: bool
) -> tuple[IntakeResult, pl.DataFrame]:
    """Load the file in the caller's transaction, or say why not; return that, and what is wrong with it."""
    if _is_known(connection, name, sha256, parsed):
        known = IntakeResult(
            name, IntakeStatus.KNOWN, parsed.source, message="these bytes were loaded before"
        )
        return known, parsed.problems
    parsed, letters = _with_letters(connection, run, parsed)
    problems = parsed.problems if not parsed.problems.is_empty() else find_changed_items(connection, parsed)
    if not problems.is_empty():
        return _refuse(connection, run, name, sha256, parsed, problems), problems
    missing = count_missing_items(connection, parsed)
    limit = parsed.maximum_cleared_percent
    if limit is not None and not accept_cleared and missing.missing * 100 > limit * missing.known_open:
        message = (
            f"it no longer lists {missing.missing} of {counted(missing.known_open, 'open item')}, more than {limit} "
            f"percent: look at it, then take it in with `relance intake --accept {name}` or remove it"
        )
        return IntakeResult(name, IntakeStatus.KEPT, parsed.source, message=message), problems
    intake_id = record_intake(
        connection,
        parsed,
        sha256=sha256,
        file_name=name,
        as_of=run.as_of,
        run_id=run.run_id,
        recorded_at=run.clock(),
    )
    is_vanished = parsed.kind is SourceKind.FULL_INVOICES
    result = IntakeResult(
        name,
        IntakeStatus.LOADED,
        parsed.source,
        {kind: frame.height for kind, frame in parsed.records.items() if frame.height},
        cleared=0 if is_vanished else missing.missing,
        vanished=missing.missing if is_vanished else 0,
        warnings=tuple(parsed.warnings),
    )
    loaded = {"intake_id": intake_id, **_loaded_payload(result, parsed)}
    _log(connection, run, "file_loaded", name, sha256, parsed, loaded)
    _log_letters(connection, run, name, letters)
    return result, problems


def _with_letters(connection: Connection, run: Run, parsed: ParsedFile) -> tuple[ParsedFile, pl.DataFrame]:
    """Return the file with events in place of statuses of letters, and the statuses by action."""
    tracking = parsed.records.get("tracking")
    if tracking is None:
        return parsed, pl.DataFrame()
    letters = find_letters(connection, tracking)
    problems = find_unknown(letters, parsed.headers, run.as_of)
    if problems.is_empty():
        problems = find_contradictions(letters, read_events(connection), parsed.headers)
    events = {"events": events_of_letters(letters)} if problems.is_empty() else {}
    return replace(parsed, records=events, problems=problems), letters


def _log_letters(connection: Connection, run: Run, name: str, letters: pl.DataFrame) -> None:
    """Log what became of each action that left as a letter."""
    events = [
        NewEvent(
            "letter_tracked",
            {
                "file": name,
                **{key: row[key] for key in _TRACKED},
                "on": run.as_of,
            },
            action_id=row["action_id"],
            customer_id=row["customer_id"],
        )
        for row in letters.iter_rows(named=True)
    ]
    append_events(connection, events, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _is_known(connection: Connection, name: str, sha256: str, parsed: ParsedFile) -> bool:
    """Return whether the file says nothing new.

    The same bytes named for another day are another statement: still listed, still fresh. An unnamed full
    listing is known only while it is the newest: A after B says again what A said.
    """
    if date_in_name(name) == parsed.file_date:
        return has_sha256(connection, sha256, parsed.file_date)
    if parsed.kind in _FULL_KINDS:
        return is_newest_sha256(connection, parsed.source, sha256)
    return has_sha256(connection, sha256)


def _refuse(
    connection: Connection, run: Run, name: str, sha256: str, parsed: ParsedFile, problems: pl.DataFrame
) -> IntakeResult:
    first = problems.row(0, named=True)
    where = f"line {first['line']}: " if first["line"] is not None else ""
    what = f"{first['column']}: " if first["column"] else ""
    more = f" (and {problems.height - 1} more)" if problems.height > 1 else ""
    message = f"{where}{what}{first['rule']}. {first['fix'] or ''}{more} See rejected/{name}.errors.csv."
    _log(connection, run, "file_refused", name, sha256, parsed, {"problems": problems.height})
    return IntakeResult(name, IntakeStatus.REFUSED, parsed.source, message=message)


def _loaded_payload(result: IntakeResult, parsed: ParsedFile) -> dict[str, object]:
    return {
        "file_date": parsed.file_date.isoformat(),
        "kind": parsed.kind.value,
        "rows": dict(result.rows),
        "cleared": result.cleared,
        "vanished": result.vanished,
    }


def _log(
    connection: Connection,
    run: Run,
    kind: str,
    name: str,
    sha256: str,
    parsed: ParsedFile,
    payload: dict[str, object],
) -> None:
    back = {"came_back": "yes"} if parsed.came_back else {}
    event = NewEvent(
        kind, {"file": name, "sha256": sha256, "source": parsed.source, "as_of": run.as_of, **back, **payload}
    )
    append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(_TEMPORARY_STARTS) or path.name.lower().endswith(_TEMPORARY_ENDINGS)


def _is_mail(path: Path) -> bool:
    return path.suffix.lower() == MAIL_ENDING


def _look(path: Path) -> tuple[int, int] | None:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return None
    return seen.st_size, seen.st_mtime_ns


def put_away(path: Path, folder: Path) -> None:
    """Move a file into the folder; an earlier file of that name with other bytes keeps its place under another name."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    if target.exists() and not filecmp.cmp(target, path, shallow=False):
        with target.open("rb") as earlier:
            digest = hashlib.file_digest(earlier, "sha256").hexdigest()[:8]
        target.replace(folder / f"{target.stem}-{digest}{target.suffix}")
    path.replace(target)


def _write_errors(folder: Path, name: str, problems: pl.DataFrame) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["line", "column", "value", "rule", "how_to_fix"])
    for row in problems.select("line", "column", "value", "rule", "fix").iter_rows():
        writer.writerow([plain_cell("" if value is None else str(value)) for value in row])
    # Excel takes a file for UTF-8 only with this mark.
    put_bytes(folder / f"{name}.errors.csv", ("\ufeff" + text.getvalue()).encode())
