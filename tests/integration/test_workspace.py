"""The folder of one creditor, and who may act in it."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.errors import CreditorInvalidError, ExitCode, WrongUseError
from tasks.locking import WorkspaceHeldError, describe_holder, hold_workspace
from tasks.workspace import (
    Workspace,
    find_file,
    find_policy,
    find_template,
    initialise,
    list_files,
    open_workspace,
    read_creditor,
    shipped_root,
)

SINCE = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialise(tmp_path / "company")


def test_a_new_workspace_is_complete_and_names_a_creditor(workspace: Workspace) -> None:
    assert {path.name for path in workspace.root.iterdir()} == {
        "inbox",
        "archive",
        "rejected",
        "outbox",
        "published",
        "policies",
        "templates",
        "creditor.yaml",
    }
    assert workspace.documents.is_dir()
    assert read_creditor(open_workspace(workspace.root)).policy == "standard_fr"


def test_a_folder_that_is_not_a_workspace_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"has no creditor\.yaml.*relance init"):
        open_workspace(tmp_path)
    with pytest.raises(WrongUseError, match="does not exist"):
        open_workspace(tmp_path / "nowhere")


def test_a_folder_with_something_in_it_is_not_made_a_workspace(workspace: Workspace, tmp_path: Path) -> None:
    workspace.creditor_path.write_text("mine", encoding="utf-8")
    with pytest.raises(WrongUseError, match="not an empty folder"):
        initialise(workspace.root)
    assert workspace.creditor_path.read_text(encoding="utf-8") == "mine"
    (tmp_path / "file").touch()
    with pytest.raises(WrongUseError, match="not an empty folder"):
        initialise(tmp_path / "file")


def test_an_invalid_creditor_is_told_by_its_file_and_keys(workspace: Workspace) -> None:
    text = workspace.creditor_path.read_text(encoding="utf-8")
    workspace.creditor_path.write_text(text.replace("bic: AGRIFRPP", "bic: A"), encoding="utf-8")
    with pytest.raises(CreditorInvalidError, match=r"creditor\.yaml: bank\.bic: line"):
        read_creditor(workspace)


def test_a_file_of_the_workspace_stands_before_the_shipped_one(workspace: Workspace) -> None:
    shipped = find_file(workspace, "policies/creditor_example.yaml")
    assert shipped == shipped_root() / "policies" / "creditor_example.yaml"
    own = workspace.policies / "creditor_example.yaml"
    own.touch()
    assert find_file(workspace, "policies/creditor_example.yaml") == own
    assert [path for path in list_files(workspace, "policies", "*.yaml") if path.name == own.name] == [own]
    assert find_file(workspace, "policies/nothing.yaml") is None


def test_a_policy_that_does_not_exist_is_answered_with_those_that_do(workspace: Workspace) -> None:
    own = workspace.policies / "escalation" / "patient.yaml"
    own.parent.mkdir()
    own.touch()
    assert find_policy(workspace, "patient") == own
    with pytest.raises(WrongUseError, match=r"no policy 'strict' \(there are: .*patient"):
        find_policy(workspace, "strict")


def test_a_template_of_the_workspace_is_found(workspace: Workspace) -> None:
    own = workspace.templates / "reminder_1" / "fr" / "own.txt"
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_template(workspace, "reminder_1/fr/own.txt") == own
    assert find_template(workspace, "reminder_1/xx/own.txt") is None


def test_a_process_may_hold_its_workspace_several_times_over(workspace: Workspace) -> None:
    with hold_workspace(workspace, "run", SINCE):
        with hold_workspace(workspace, "intake", SINCE, patience_seconds=0):
            pass
        assert "`run`" in str(describe_holder(workspace))
        assert (
            json.loads(workspace.lock_path.read_text(encoding="utf-8"))["since"]
            == "2026-11-02T07:00:00+00:00"
        )
    assert describe_holder(workspace) is None


def test_missing_folders_are_made_by_who_acts(workspace: Workspace) -> None:
    workspace.outbox.rmdir()
    with hold_workspace(workspace, "run", SINCE):
        assert workspace.outbox.is_dir()


HOLD = """
import sys, datetime, pathlib
from tasks.locking import hold_workspace
from tasks.workspace import Workspace
since = datetime.datetime(2026, 11, 2, 7, tzinfo=datetime.timezone.utc)
with hold_workspace(Workspace(pathlib.Path(sys.argv[1])), "release", since):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_waits_and_then_says_who_is_at_work(workspace: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(WorkspaceHeldError, match=rf"`release` \(process {other.pid} on ") as raised,
            hold_workspace(workspace, "run", SINCE, patience_seconds=0.2),
        ):
            pass
        assert raised.value.exit_code is ExitCode.WAITING
        threading.Timer(0.3, other.stdin.close).start()
        with hold_workspace(workspace, "run", SINCE, patience_seconds=20):
            assert "`run`" in str(describe_holder(workspace))


def test_a_killed_process_holds_nothing(workspace: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()
    with hold_workspace(workspace, "run", SINCE, patience_seconds=0.2):
        pass
