"""The published log is verified by a script that knows nothing of our code, as docs/audit-log.md says."""

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.workspace import Workspace, shipped_root
from tests.torture.company import Stages, copy_workspace
from tests.torture.moments import APPROVE

SCRIPT = shipped_root() / "docs" / "verify_log.pl"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Stages(tmp_path_factory.mktemp("log")).before(APPROVE)


def verify(workspace: Workspace, *heads: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["perl", SCRIPT, workspace.published / "audit", *heads], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def lines_file(workspace: Workspace) -> Path:
    return min((workspace.published / "audit").glob("events-*.jsonl"))


def test_the_worked_example_of_the_page_has_the_hash_that_the_page_states() -> None:
    page = (shipped_root() / "docs" / "audit-log.md").read_text(encoding="utf-8")
    record = re.search(r"```json\n(.*)\n```", page)
    stated = re.search(r"its hash is `([0-9a-f]{64})`", page)
    assert record
    assert stated
    assert hashlib.sha256(record[1].encode()).hexdigest() == stated[1]
    assert list(json.loads(record[1])) == sorted(json.loads(record[1]))


def test_the_script_has_at_most_thirty_lines_of_code() -> None:
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) <= 30


def test_a_log_nobody_touched_holds_for_the_script(untouched: Workspace) -> None:
    head = json.loads((untouched.published / "audit" / "head.json").read_text(encoding="utf-8"))
    assert verify(untouched) == (0, f"The log holds: {head['events']} events, the last is {head['hash']}.\n")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            lambda lines: [*lines[:3], lines[3].replace(b"2026", b"2027", 1), *lines[4:]],
            "event 4 was changed",
        ),
        (lambda lines: [*lines[:3], *lines[4:]], "event 4"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "event 1 does not follow"),
        (lambda lines: [*lines, lines[-1]], "does not follow"),
        (lambda lines: [*lines[:2], b"{}\n", *lines[2:]], "is no event"),
    ],
)
def test_a_changed_line_is_found_by_the_script(
    untouched: Workspace, tmp_path: Path, edit: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    workspace = copy_workspace(untouched, tmp_path / "company")
    path = lines_file(workspace)
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))
    code, said = verify(workspace)
    assert code == 6
    assert told in said


def test_a_cut_end_is_found_by_a_head_kept_elsewhere(untouched: Workspace, tmp_path: Path) -> None:
    workspace = copy_workspace(untouched, tmp_path / "company")
    audit = workspace.published / "audit"
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes((audit / "heads.jsonl").read_bytes())
    last = max(audit.glob("events-*.jsonl"))
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    for name in ("head.json", "heads.jsonl"):
        (audit / name).write_text("", encoding="utf-8")
    assert verify(workspace)[0] == 0
    code, said = verify(workspace, kept)
    assert code == 6
    assert "is missing or replaced" in said
