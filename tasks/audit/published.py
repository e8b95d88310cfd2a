"""Whether the published copy is whole: its list of files, the chain in its segments, the heads beside them.

The copy is written by `tasks.publish`. A kill leaves it behind the store, and files noted but not yet listed: no fault.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import WaitingError
from tasks.ledger import Chain, compare_head, lines_of
from tasks.manifest import (
    MANIFEST,
    PENDING,
    Entry,
    current_entries,
    digest_of,
    hash_file,
    list_published,
    manifest_bytes,
    publishing_state,
    read_manifest,
    read_pending,
)
from tasks.publish import HEADS, SEALED
from tasks.published_tables import VIEWS, Segment
from tasks.store.audit import EVENT_ROWS, Head

_PASSES = 8
_PAUSE_SECONDS = 0.25
_BAD_JSON = (ValueError, KeyError, TypeError, AttributeError)


@dataclass
class Copy:
    """What was found while the published events were followed."""

    chain: Chain = field(default_factory=Chain)
    hashes: dict[int, str] = field(default_factory=lambda: {0: ""})
    sealed: str | None = None
    sealed_by: int = 0


def verify_published(folder: Path) -> list[str]:
    """Return all that is wrong with the folder `published`; nothing means it is whole.

    What was found while a run published may be its work half seen: then all is looked at again.

    Raises:
        WaitingError: runs kept publishing.
    """
    problems: list[str] = []
    for number in range(_PASSES):
        before = publishing_state(folder)
        try:
            problems = _look_at(folder)
        except FileNotFoundError as error:
            problems = [f"published file {error.filename} is missing"]
        if not problems or publishing_state(folder) == before:
            return problems
        time.sleep(_PAUSE_SECONDS * (number + 1))
    raise WaitingError(
        f"Not checked: a run is publishing into {folder}, and what it had changed did not fit together in any of "
        f"{_PASSES} looks. Ask again when it has ended. What did not fit: {problems[0]}"
    )


def _look_at(folder: Path) -> list[str]:
    audit = folder / "audit"
    if not any(audit.glob("*")):
        return list(_wrong_files(folder, is_listed=False))
    copy, problems = Copy(), []
    wanted, wrong_heads = _stated_heads(audit)
    try:
        for segment in _segments(audit):
            told = _verify_segment(audit, segment, copy, {head.sequence for _, head in wanted})
            problems += [f"published {problem}" for problem in told]
    except FileNotFoundError as error:
        problems.append(f"published event 1: {error.filename} is missing")
    except _BAD_JSON as error:
        problems.append(f"published event 1: {audit / MANIFEST} cannot be read: {error}")
    else:
        compared = (_compare(copy, head, where) for where, head in wanted)
        problems += [f"published {problem}" for problem in compared if problem]
    is_listed = copy.sealed_by > 0
    problems += [problem for name, problem in wrong_heads if is_listed or name != HEADS]
    return [*problems, *_wrong_files(folder, is_listed=is_listed), *_wrong_seal(folder, copy)]


def unsealed_files(folder: Path) -> list[str]:
    """Return the files that a run wrote and, because it was cut or is at work, did not seal in the log yet."""
    return sorted(name for name in read_pending(folder) if (folder / name).exists())


def find_hashes(folder: Path, sequences: set[int]) -> dict[int, str]:
    """Return the hashes of some of the published events."""
    copy = Copy()
    for segment in _segments(folder / "audit"):
        if any(segment.first <= one <= segment.last for one in sequences):
            _remember(_read(folder / "audit" / segment.file), copy, sequences)
    return copy.hashes


def _segments(audit: Path) -> list[Segment]:
    return [Segment(**entry) for entry in json.loads((audit / MANIFEST).read_text(encoding="utf-8"))]


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, hive_partitioning=False).select(list(EVENT_ROWS)).cast(EVENT_ROWS)


def _stated_heads(audit: Path) -> tuple[list[tuple[str, Head]], list[tuple[str, str]]]:
    """Return the heads that files of the copy state, and what is wrong with these files."""
    heads: list[tuple[str, Head]] = []
    problems: list[tuple[str, str]] = []
    for name in ("head.json", HEADS):
        path = audit / name
        try:
            text = path.read_text(encoding="utf-8")
            found = (
                [json.loads(text)] if name == "head.json" else [json.loads(one) for one in text.splitlines()]
            )
            heads += [
                (f"published/audit/{name}", Head(int(one["sequence"]), str(one["hash"]))) for one in found
            ]
        except FileNotFoundError:
            problems.append((name, f"published event 1: {path} is missing"))
        except _BAD_JSON as error:
            problems.append((name, f"published event 1: {path} cannot be read: {error}"))
    return heads, problems


def _compare(copy: Copy, head: Head, where: str) -> str | None:
    """Return how the followed chain contradicts a head; one behind its events is what a kill leaves."""
    if head.sequence > copy.chain.head.sequence:
        return compare_head(copy.chain.head, head, where)
    return compare_head(Head(head.sequence, copy.hashes.get(head.sequence, "")), head, where)


def _verify_segment(audit: Path, segment: Segment, copy: Copy, wanted: set[int]) -> Iterator[str]:
    path = audit / segment.file
    events = f"event {segment.first} to {segment.last}"
    try:
        frame = _read(path)
    except FileNotFoundError:
        yield f"{events}: missing, there is no {path}"
        copy.chain = Chain(Head(segment.last, ""))
        return
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        yield f"{events}: changed, {path} cannot be read: {error}"
        copy.chain = Chain(Head(segment.last, ""))
        return
    for problem in copy.chain.follow(frame):
        yield f"{problem} ({path})"
    if copy.chain.head.sequence < segment.last:
        yield f"event {copy.chain.head.sequence + 1} is missing: {path} should hold {events}"
    if hash_file(path) != segment.sha256:
        yield f"{events}: {path} was written again, its bytes are not those in {audit.name}/{MANIFEST}"
    yield from _wrong_lines(path.with_suffix(".jsonl"), frame, events)
    _remember(frame, copy, wanted)


def _remember(frame: pl.DataFrame, copy: Copy, wanted: set[int]) -> None:
    copy.hashes.update(frame.filter(pl.col("sequence").is_in(wanted)).select("sequence", "hash").iter_rows())
    for row in frame.filter(pl.col("kind") == SEALED).tail(1).iter_rows(named=True):
        copy.sealed, copy.sealed_by = _sealed(row), row["sequence"]


def _sealed(row: dict[str, Any]) -> str | None:
    try:
        return str(json.loads(row["payload"])["sha256"])
    except _BAD_JSON:
        return None


def _wrong_lines(path: Path, frame: pl.DataFrame, events: str) -> Iterator[str]:
    """Yield how the lines of a segment differ from its table; they hold the same events, byte for byte."""
    if not path.exists():
        # Published before there were lines; the next run makes them. A file that is listed is missed elsewhere.
        return
    try:
        expected, found = lines_of(frame), path.read_bytes().decode()
    except (UnicodeError, OSError) as error:
        yield f"{events}: changed, {path} cannot be read: {error}"
        return
    if expected == found:
        return
    pairs = zip(expected.splitlines(), found.splitlines(), strict=False)
    number = next((place for place, (one, other) in enumerate(pairs) if one != other), None)
    is_one = number is not None and number < frame.height
    what = f"event {frame['sequence'][number]} was" if is_one else f"{events}: some were"
    yield f"{what} changed, added or removed in {path}: its lines are not those of the table beside it"


def _wrong_files(folder: Path, *, is_listed: bool) -> Iterator[str]:
    """Yield each file that is changed, missing or not listed."""
    try:
        pending = read_pending(folder)
        entries = read_manifest(folder)
    except FileNotFoundError:
        # A copy from before there was a list, or the very first one, cut.
        if is_listed and not (folder / PENDING).exists():
            yield f"published file {MANIFEST} is missing"
        return
    except _BAD_JSON as error:
        yield f"published file {MANIFEST} cannot be read: {error}"
        return
    if (folder / MANIFEST).read_bytes() != manifest_bytes(entries):
        yield f"published file {MANIFEST} was changed: it is not written as runs write it"
    there = list_published(folder)
    for name, path in there.items():
        if problem := _wrong_file(name, path, entries.get(name), pending.get(name, set())):
            yield problem
    for name in sorted(set(entries) - set(there)):
        if "" not in pending.get(name, set()):
            yield f"published file {name} is missing"


def _wrong_file(name: str, path: Path, entry: Entry | None, noted: set[str]) -> str | None:
    if entry is None and not noted:
        return f"published file {name} was added: no run has written it"
    found = hash_file(path)
    if found in noted:
        return None
    if entry is None or found != entry.sha256:
        return f"published file {name} was changed: its bytes are not those in {MANIFEST}"
    if entry.bytes != path.stat().st_size:
        return f"published file {MANIFEST} was changed: it states another size of {name}"
    return None


def _wrong_seal(folder: Path, copy: Copy) -> Iterator[str]:
    """Yield when the list of files is not the one whose digest the log holds.

    A run that was cut between sealing and writing the list leaves the old list, and what belongs in it noted beside
    it; the views are made after a first seal, and sealed again.
    """
    if copy.sealed is None:
        return
    try:
        entries, noted = read_manifest(folder), current_entries(folder)
    except (*_BAD_JSON, OSError):
        return
    before_views = {name: entry for name, entry in noted.items() if name not in VIEWS} | {
        name: entry for name, entry in entries.items() if name in VIEWS
    }
    if copy.sealed not in map(digest_of, (entries, noted, before_views)):
        yield (
            f"published file {MANIFEST} was changed: event {copy.sealed_by} ({SEALED}) holds another digest of the "
            "files that it lists"
        )
