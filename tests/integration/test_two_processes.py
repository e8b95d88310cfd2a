"""Two processes in one workspace: one acts, the other waits or says for whom, and reading goes on all the time."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.audit.verify import verify_log
from tasks.store.audit import read_log
from tasks.store.batch_lists import list_actions
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, shipped_root
from tests.integration.console import relance as ask
from tests.torture.company import COMMANDS, DAY, ENDED_WELL, Stages, arguments, copy_workspace, relance, start
from tests.torture.moments import APPROVE, RUN

HOLD_STORE = """
import sys
from pathlib import Path
from tasks.store.connection import open_to_write
from tasks.workspace import open_workspace
with open_to_write(open_workspace(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""
HOLD_WORKSPACE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tasks.locking import hold_workspace
from tasks.workspace import open_workspace
with hold_workspace(open_workspace(Path(sys.argv[1])), "run", datetime(2026, 3, 2, 6, 0, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages(tmp_path_factory.mktemp("stages"))


@contextmanager
def held_by_another(script: str, workspace: Workspace) -> Iterator[int]:
    """Let another process hold what the script holds; yields its number."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(workspace.root)],
        cwd=shipped_root(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process.pid
    finally:
        process.communicate("")


def where(workspace: Workspace) -> list[str]:
    return ["--workspace", str(workspace.root)]


def test_two_runs_at_once_do_the_work_of_one(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(RUN), tmp_path / "company")
    both = [start(["-m", "flows", *arguments(workspace, COMMANDS[RUN])]) for _ in range(2)]
    ends = [process.communicate(timeout=300) for process in both]
    assert all(process.returncode in ENDED_WELL for process in both), ends
    with open_to_read(workspace) as connection:
        actions, events = list_actions(connection), read_log(connection)
    assert actions.height == actions["action_id"].n_unique() > 0
    left = events.filter(kind="action_dispatched")
    assert left.height == left["action_id"].n_unique() > 0
    assert "The log holds" in verify_log(workspace)


def test_a_second_run_names_who_is_at_work_and_does_nothing(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(RUN), tmp_path / "company")
    with held_by_another(HOLD_WORKSPACE, workspace) as holder:
        words = ["-c", IMPATIENT, *arguments(workspace, COMMANDS[RUN])]
        process = start(words)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 5
    assert f"`run` (process {holder} on" in said
    assert "Nothing was done" in said
    assert not workspace.store_path.exists()


def test_a_run_waits_for_another_that_ends_in_time(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    with held_by_another(HOLD_WORKSPACE, workspace):
        process = start(["-m", "flows", *arguments(workspace, COMMANDS[APPROVE])])
        time.sleep(3)
        assert process.poll() is None
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said


def test_while_a_run_holds_the_store_reading_answers_from_what_was_published(
    stages: Stages, tmp_path: Path
) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    decisions = ["decisions", "--as-of", DAY, "--format", "csv", *where(workspace)]
    before = ask(*decisions)
    holds = ["report", "credit-hold", "--as-of", DAY, "--format", "csv", *where(workspace)]
    holds_before = ask(*holds)
    with held_by_another(HOLD_STORE, workspace):
        during = ask(*decisions)
        holds_during = ask(*holds)
        everyone_on_hold = ask(*holds, "--all")
        aging = ask("aging", "--as-of", DAY, *where(workspace))
        asked = ask("audit", "query", "select count(*) from events", *where(workspace))
        verified = ask("audit", "verify", *where(workspace))
        listed = ask("batches", "list", *where(workspace))
        never_published = ask("decisions", "--as-of", "2026-03-03", *where(workspace))
    assert during.stdout == before.stdout
    assert (holds_during.returncode, holds_during.stdout) == (0, holds_before.stdout)
    assert everyone_on_hold.returncode == 5
    assert "this is what was published last, by run 2026-03-02-" in during.stderr
    assert [aging.returncode, asked.returncode, verified.returncode] == [0, 0, 0]
    assert "The store was not checked" in verified.stdout
    assert listed.returncode == 0, listed.stderr
    assert "2026-03-02-formal_notice" in listed.stdout
    assert never_published.returncode == 5
    assert "Nothing was published for 2026-03-03" in never_published.stderr


def test_a_store_and_a_lock_that_a_killed_run_left_behind_stop_nobody(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    words = arguments(workspace, COMMANDS[RUN])
    process = start(["-m", "tests.torture.killed", "flows.steps:plan_day", "1", "before", *words])
    process.communicate(timeout=120)
    assert workspace.lock_path.read_text(encoding="utf-8")
    (workspace.published / ".decisions.tmp").write_text("half a file", encoding="utf-8")
    assert relance("decisions", "--as-of", DAY, *where(workspace)).returncode == 0
    assert relance(*arguments(workspace, COMMANDS[RUN])).returncode in ENDED_WELL
    assert not workspace.lock_path.read_text(encoding="utf-8")


IMPATIENT = """
import sys
from flows import engine
engine.choose_way()
import flows.start
flows.start.PATIENCE_SECONDS = 0.2
from flows.__main__ import run
sys.exit(run(sys.argv[1:]))
"""
