"""Changes a log by hand, and quotes what `audit verify` says of it: python -m tests.torture.tampering."""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from tasks.workspace import Workspace
from tests.torture.company import Stages, copy_workspace, relance
from tests.torture.moments import APPROVE

EVENT = 4


@dataclass(frozen=True)
class Tampering:
    """One change of a log.

    Attributes:
        story: what was changed.
        change: changes it.
        names: what the answer must name.
    """

    story: str
    change: Callable[[Workspace], None]
    names: str


def verify(workspace: Workspace) -> tuple[int, str]:
    """Return the exit code of `relance audit verify` and what it says."""
    done = relance("audit", "verify", "--workspace", str(workspace.root))
    return done.returncode, (done.stdout + done.stderr).strip().replace(str(workspace.root), "WORKSPACE")


def in_store(*statements: str) -> Callable[[Workspace], None]:
    """Return a change that runs SQL on the store."""

    def change(workspace: Workspace) -> None:
        with duckdb.connect(str(workspace.store_path)) as connection:
            for statement in statements:
                connection.execute(statement)

    return change


def in_copy(edit: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Workspace], None]:
    """Return a change of the first published segment of events."""

    def change(workspace: Workspace) -> None:
        segment = min((workspace.published / "audit").glob("events-*.parquet"))
        edit(pl.read_parquet(segment)).write_parquet(segment)

    return change


def in_bytes(workspace: Workspace) -> None:
    """Change one byte in the middle of the first published segment."""
    segment = min((workspace.published / "audit").glob("events-*.parquet"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)


def drop_last_published(workspace: Workspace) -> None:
    """Drop the last event of the last published segment."""
    audit = workspace.published / "audit"
    manifest = json.loads((audit / "manifest.json").read_text(encoding="utf-8"))
    segment = audit / manifest[-1]["file"]
    pl.read_parquet(segment).head(-1).write_parquet(segment)


def _one_byte(frame: pl.DataFrame) -> pl.DataFrame:
    changed = pl.col("payload").str.replace("loaded|file", "fi1e")
    return frame.with_columns(pl.when(pl.col("sequence") == EVENT).then(changed).otherwise("payload"))


def _swap(frame: pl.DataFrame) -> pl.DataFrame:
    order = [1, 0, *range(2, frame.height)]
    return frame[order]


TAMPERINGS = (
    Tampering(
        f"one byte of event {EVENT} in the store",
        in_store(
            f"update audit_events set payload = replace(payload, 'file', 'fi1e') where sequence = {EVENT}"
        ),
        f"in the store, event {EVENT} was changed",
    ),
    Tampering(
        f"one byte of event {EVENT} in the published copy",
        in_copy(_one_byte),
        f"event {EVENT} was changed",
    ),
    Tampering("one byte of a published file", in_bytes, "event"),
    Tampering(
        "the last event dropped in the store",
        in_store(
            "delete from audit_events where sequence = (select max(sequence) from audit_events)",
        ),
        "is missing",
    ),
    Tampering(
        "the last event dropped in the store, its head moved back too",
        in_store(
            "delete from audit_events where sequence = (select max(sequence) from audit_events)",
            "update meta set head_sequence = (select max(sequence) from audit_events), "
            "head_hash = (select arg_max(hash, sequence) from audit_events)",
        ),
        "is missing in the store",
    ),
    Tampering("the last event dropped in the published copy", drop_last_published, "is missing"),
    Tampering(
        "events 2 and 3 change places in the store",
        in_store(
            "update audit_events set sequence = case sequence when 2 then 3 else 2 end where sequence in (2, 3)"
        ),
        "event 2",
    ),
    Tampering("the first two published events change places", in_copy(_swap), "event 1"),
    Tampering(
        "a personal field changed in the store",
        in_store(
            "update personal_fields set value = value || 'x' "
            "where sequence = (select min(sequence) from personal_fields)"
        ),
        "personal field",
    ),
)


def main() -> int:
    """Print each change and the answer; the exit code says whether all were found."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="relance-tampering-") as folder:
        before = Stages(Path(folder) / "stages").before(APPROVE)
        print(f"untouched: exit {verify(before)[0]}\n    {verify(before)[1]}")
        for number, tampering in enumerate(TAMPERINGS):
            workspace = copy_workspace(before, Path(folder) / str(number))
            tampering.change(workspace)
            code, said = verify(workspace)
            found = code == 6 and tampering.names.lower() in said.lower()
            wrong += not found
            print(
                f"{tampering.story}: exit {code}{'' if found else '  NOT AS IT SHOULD BE'}\n    {said}",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
