"""Changes a workspace by hand and by chance, and counts what `audit verify` finds.

python -m tests.torture.tampering [--changes N] [--bytes N] [--store-bytes N] [--seed S]

Logical changes: a field, a row, the order, in every table of the store and in every published table and text file;
after a tenth of them the program takes a step of its own before the look.
Then single bytes of published files, single bytes of the store's file, and the end of the chain cut off everywhere.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from tasks.audit.published import verify_published
from tasks.audit.verify import verify_log
from tasks.workspace import Workspace
from tests.torture.company import copy_workspace, relance
from tests.torture.store_bytes import count_store_bytes
from tests.torture.store_changes import STORE_CHANGES, tables_of, undone
from tests.torture.tampered_past import tampered_workspace

NEXT_DAY = "2026-03-10"
_ONE_GOES_ON = 10


@dataclass(frozen=True)
class Found:
    """One change, and whether it was found and named."""

    kind: str
    story: str
    is_found: bool
    said: str


def verify(workspace: Workspace) -> tuple[int, str]:
    """Return the exit code of `relance audit verify` and what it says."""
    done = relance("audit", "verify", "--workspace", str(workspace.root))
    return done.returncode, (done.stdout + done.stderr).strip().replace(str(workspace.root), "WORKSPACE")


def said_of(workspace: Workspace) -> str:
    """Return what is wrong, "" when nothing is."""
    try:
        verify_log(workspace)
    except (AuditBrokenError, WrongUseError) as error:
        # Wrong use is a store of another version: whoever says so in it is told to use that version.
        return str(error)
    return ""


def change_store(workspace: Workspace, chance: random.Random) -> Iterator[Found]:
    """Change one table of the store after the other, without end; each change is undone."""
    while True:
        for table in tables_of(workspace):
            for kind, make in STORE_CHANGES.items():
                with undone(workspace.store_path):
                    with duckdb.connect(str(workspace.store_path)) as connection:
                        story = make(connection, table, chance)
                    said = said_of(workspace) if story else ""
                if story:
                    is_named = "event " in said or table in said or "schema version" in said
                    yield Found(f"store: {kind}", f"{table}: {story}", is_named, said)


def change_and_go_on(workspace: Workspace, chance: random.Random) -> Iterator[Found]:
    """Change one table of a copy after the other, then let the program take a step of its own; found all the same."""
    steps = steps_of(workspace)
    while True:
        tables = tables_of(workspace)
        for table in chance.sample(tables, len(tables)):
            for kind, make in STORE_CHANGES.items():
                with copied(workspace) as copy:
                    with duckdb.connect(str(copy.store_path)) as connection:
                        story = make(connection, table, chance)
                    if not story:
                        continue
                    step = chance.choice(steps)
                    code = relance(*step, "--workspace", str(copy.root)).returncode
                    said = said_of(copy)
                is_named = "event " in said or table in said or "schema version" in said
                what = f"{table}: {story}, then {' '.join(step)}: exit {code}"
                yield Found(f"store: {kind}, then a step", what, is_named, said)


def steps_of(workspace: Workspace) -> list[list[str]]:
    """Return what may be done next: another day, a release, a word on each batch that waits."""
    with duckdb.connect(str(workspace.store_path), read_only=True) as connection:
        waiting = connection.execute("select batch_id from batches where status = 'draft'").fetchall()
    steps = [["run"], ["release"], *(["batches", "approve", name, "--by", "Claire"] for (name,) in waiting)]
    return [[*step, "--as-of", NEXT_DAY] for step in steps]


@contextmanager
def copied(workspace: Workspace) -> Iterator[Workspace]:
    """Lend a copy of the workspace."""
    with tempfile.TemporaryDirectory(prefix="relance-step-") as folder:
        yield copy_workspace(workspace, Path(folder) / "company")


def change_published(workspace: Workspace, chance: random.Random) -> Iterator[Found]:
    """Change one published file after the other, without end; each change is undone."""
    while True:
        for path in published_files(workspace):
            for kind, edit in _edits(path).items():
                before, said = path.read_bytes(), ""
                edit(path, chance)
                is_changed = not path.exists() or path.read_bytes() != before
                if is_changed:
                    said = said_of(workspace)
                path.write_bytes(before)
                if is_changed:
                    name = path.relative_to(workspace.published).as_posix()
                    is_named = path.name in said or (path.name == "manifest.json" and bool(said))
                    yield Found(f"published {path.suffix or path.name}: {kind}", name, is_named, said)


def flip_published(workspace: Workspace, chance: random.Random) -> Iterator[Found]:
    """Change one bit of a published file after the other, without end."""
    files = published_files(workspace)
    while True:
        path = chance.choice(files)
        with undone(path):
            place = flip(path, chance)
            said = "\n".join(verify_published(workspace.published))
        is_named = path.name in said or (path.name == "manifest.json" and bool(said))
        yield Found(f"published byte: {path.suffix}", f"{path.name} byte {place}", is_named, said)


def flip(path: Path, chance: random.Random) -> int:
    """Change one bit of a file and return where."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return place


def published_files(workspace: Workspace) -> list[Path]:
    """Return all files of the published copy that hold anything."""
    return [path for path in sorted(workspace.published.rglob("*")) if path.is_file() and path.stat().st_size]


def _edits(path: Path) -> dict[str, Callable[[Path, random.Random], None]]:
    edits: dict[str, Callable[[Path, random.Random], None]] = {
        "removed": lambda one, chance: one.unlink(),
    }
    if path.suffix == ".parquet":
        frames: dict[str, Callable[[pl.DataFrame, random.Random], pl.DataFrame]] = {
            "field": _other_field,
            "row removed": _without,
            "row added": lambda frame, chance: pl.concat([frame, frame.sample(1, seed=chance.randrange(99))]),
            "order": lambda frame, chance: frame.reverse(),
        }
        for kind, change in frames.items():
            edits[kind] = _in_table(change)
    elif path.suffix in (".jsonl", ".csv", ".json"):
        edits["field"] = _other_character
        if len(path.read_bytes().splitlines()) > 1:
            edits["row removed"] = _in_lines(_dropped)
            edits["row added"] = _in_lines(lambda lines, chance: [*lines, chance.choice(lines)])
            edits["order"] = _in_lines(lambda lines, chance: lines[::-1])
    return edits


def _in_table(
    change: Callable[[pl.DataFrame, random.Random], pl.DataFrame],
) -> Callable[[Path, random.Random], None]:
    def edit(path: Path, chance: random.Random) -> None:
        frame = pl.read_parquet(path, hive_partitioning=False)
        if frame.height:
            change(frame, chance).write_parquet(path)

    return edit


def _in_lines(
    change: Callable[[list[bytes], random.Random], list[bytes]],
) -> Callable[[Path, random.Random], None]:
    def edit(path: Path, chance: random.Random) -> None:
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True), chance)))

    return edit


def _other_field(frame: pl.DataFrame, chance: random.Random) -> pl.DataFrame:
    name, row = chance.choice(frame.columns), chance.randrange(frame.height)
    values = frame[name].to_list()
    others = [value for value in values if value != values[row]]
    values[row] = chance.choice(others) if others else None
    return frame.with_columns(pl.Series(name, values, dtype=frame.schema[name]))


def _without(frame: pl.DataFrame, chance: random.Random) -> pl.DataFrame:
    row = chance.randrange(frame.height)
    return pl.concat([frame.head(row), frame.tail(frame.height - row - 1)])


def _dropped(lines: list[bytes], chance: random.Random) -> list[bytes]:
    row = chance.randrange(len(lines))
    return [*lines[:row], *lines[row + 1 :]]


def _other_character(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    place = chance.choice([place for place, one in enumerate(content) if chr(one).isalnum()])
    content[place] = ord("7") if content[place] != ord("7") else ord("8")
    path.write_bytes(content)


def cut_everywhere(workspace: Workspace, kept: Path) -> Iterator[Found]:
    """Cut the last events off the store and the copy alike: found where a head was kept elsewhere, and only there."""
    kept.write_bytes((workspace.published / "audit" / "heads.jsonl").read_bytes())
    with _cut(workspace):
        said = said_of(workspace)
        yield Found("cut off store and copy, no head elsewhere", "NOT to be found", not said, said)
        try:
            verify_log(workspace, [kept])
            said = ""
        except AuditBrokenError as error:
            said = str(error)
        yield Found("cut off store and copy, a head kept elsewhere", "to be found", kept.name in said, said)


@contextmanager
def _cut(workspace: Workspace) -> Iterator[None]:
    """Go back to an earlier day whole, as one who has an old copy of the folder can."""
    aside, earlier = workspace.root.with_suffix(".aside"), workspace.root.with_suffix(".earlier")
    workspace.root.rename(aside)
    shutil.copytree(earlier, workspace.root)
    try:
        yield
    finally:
        shutil.rmtree(workspace.root)
        aside.rename(workspace.root)


def logical_changes(workspace: Workspace, changes: int, chance: random.Random) -> Iterator[Found]:
    """Change the store and the copy in turn; after some changes of the store the program goes on before the look."""
    in_store, in_copy = change_store(workspace, chance), change_published(workspace, chance)
    gone_on = change_and_go_on(workspace, chance)
    for number in range(changes):
        yield next(in_copy if number % 3 == 2 else gone_on if number % _ONE_GOES_ON == 0 else in_store)


def main() -> int:
    """Print what was found by kind; the exit code says whether all that must be found was."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.tampering", description=__doc__)
    parser.add_argument("--changes", type=int, default=1000, help="logical changes")
    parser.add_argument("--bytes", type=int, default=500, help="single bits of published files")
    parser.add_argument("--store-bytes", type=int, default=500, help="single bits of the store's file")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, started = random.Random(asked.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="relance-tampering-") as folder:
        workspace = tampered_workspace(Path(folder))
        print(f"untouched: exit {verify(workspace)[0]}: {verify(workspace)[1]}\n", flush=True)
        found = list(logical_changes(workspace, asked.changes, chance))
        flips = flip_published(workspace, chance)
        found += [next(flips) for _ in range(asked.bytes)]
        found += cut_everywhere(workspace, Path(folder) / "kept.jsonl")
        wrong = tell(found)
        wrong += sample_exit_codes(workspace, chance)
        print("\n| a bit of the store's file | times |\n|---|---|")
        for what, count in count_store_bytes(workspace, asked.store_bytes, asked.seed).items():
            print(f"| {what} | {count} |", flush=True)
            wrong += count if what.isupper() else 0
    print(f"\n{len(found)} changes, {wrong} wrong, seed {asked.seed}, {time.monotonic() - started:.0f} s.")
    return 1 if wrong else 0


def tell(found: list[Found]) -> int:
    """Print how many of each kind were found; return how many were not."""
    tried, missed = Counter(one.kind for one in found), Counter(one.kind for one in found if not one.is_found)
    print("| change | tried | found and named |\n|---|---|---|")
    for kind in sorted(tried):
        print(f"| {kind} | {tried[kind]} | {tried[kind] - missed[kind]} |")
    for one in [one for one in found if not one.is_found][:20]:
        print(f"NOT AS IT SHOULD BE: {one.kind}: {one.story}: {one.said[:300]}")
    return missed.total()


def sample_exit_codes(workspace: Workspace, chance: random.Random) -> int:
    """Return how many of some changes do not end the command with exit code 6."""
    wrong = 0
    for path in chance.sample(published_files(workspace), 3):
        with undone(path):
            flip(path, chance)
            wrong += verify(workspace)[0] != 6
    with undone(workspace.store_path):
        with duckdb.connect(str(workspace.store_path)) as connection:
            connection.execute("update actions set amount_open = amount_open + 1")
        code, said = verify(workspace)
        wrong += code != 6
    print(f"\nOf 4 changes by command {4 - wrong} end with exit code 6; the last says:\n{said}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
