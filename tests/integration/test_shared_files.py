"""What the printer gets is in the log from the moment it is composed: it leaves as it was, and a change is told."""

import shutil
from pathlib import Path

import pytest

from tasks.published_tables import read_table
from tasks.workspace import Workspace, open_workspace
from tests.waiting_company import DAY, NOTICES, company, events, relance, statuses


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("drafted") / "company")
    relance(workspace, "run", "--as-of", DAY)
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Anna", "--as-of", DAY).returncode == 0
    return workspace


@pytest.fixture
def approved(drafted: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(drafted.root, tmp_path / "company")
    return open_workspace(tmp_path / "company")


def test_files_of_several_messages_are_in_the_log_when_they_are_composed(approved: Workspace) -> None:
    [files] = [one["files"] for one in events(approved, "batch_files_composed") if one["batch_id"] == NOTICES]
    assert set(files) == {"print.pdf", "letters.csv", "batch.json"}


@pytest.mark.parametrize("name", ["print.pdf", "letters.csv"])
def test_no_letter_leaves_with_a_print_run_or_list_that_was_changed(approved: Workspace, name: str) -> None:
    path = approved.outbox / NOTICES / name
    composed = path.read_bytes()
    path.write_bytes(b"forged")
    told = relance(approved, "release", "--as-of", DAY)
    assert told.returncode == 5
    assert told.text.count(f"{name} was changed since it was composed") == 1
    assert set(statuses(approved).values()) == {"composed"}
    path.write_bytes(composed)
    assert relance(approved, "release", "--as-of", DAY).returncode == 0
    assert set(statuses(approved).values()) == {"dispatched"}


def test_a_print_run_changed_after_it_left_is_told(approved: Workspace) -> None:
    assert relance(approved, "release", "--as-of", DAY).returncode == 0
    [left, *_] = [one["action_id"] for one in _actions(approved)]
    assert relance(approved, "audit", "verify").returncode == 0
    assert relance(approved, "audit", "show", left).returncode == 0
    (approved.outbox / NOTICES / "print.pdf").write_bytes(b"forged")
    for words in (["audit", "verify"], ["audit", "show", left]):
        told = relance(approved, *words)
        assert told.returncode == 6
        assert f"outbox/{NOTICES}/print.pdf was changed since" in told.text


def _actions(workspace: Workspace) -> list[dict[str, str]]:
    return read_table(workspace, "actions").filter(channel="letter").to_dicts()
