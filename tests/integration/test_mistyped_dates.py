"""A person's command with a mistyped date or name changes nothing, and forgets no batch that waits."""

from pathlib import Path

import pytest

from tasks.store.audit import read_log
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, events, relance, statuses, table

FAR = "2030-01-01"
APPROVE = ["batches", "approve", NOTICES, "--by", "Claire"]
REJECT = ["batches", "reject", NOTICES, "--by", "Claire", "--why", "mistyped", "--until"]


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Notices of 10 March that wait, for three days."""
    workspace = company(
        tmp_path_factory.mktemp("drafted") / "acme",
        {"C1": "1200.00", "C2": "800.00"},
        approvals={"expire_after_days": 3},
    )
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    return workspace


@pytest.fixture
def workspace(drafted: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(drafted, tmp_path / "acme")


def seen(workspace: Workspace) -> tuple[int, list[dict[str, str]], dict[str, str]]:
    """Return how long the log is, the list of batches, and what became of each customer's message."""
    with open_to_read(workspace) as connection:
        length = read_log(connection).height
    listed = table(relance(workspace, "batches", "list", "--format", "csv").stdout)
    return length, listed, statuses(workspace)


@pytest.mark.parametrize(
    "words",
    [
        ["batches", "approve", "nosuch", "--by", "Claire"],
        ["batches", "reject", "nosuch", "--by", "Claire", "--why", "x", "--until", FAR],
        ["release", "nosuch"],
        APPROVE,
        [*REJECT, FAR],
        ["release", NOTICES],
    ],
    ids=" ".join,
)
def test_a_command_refused_far_in_the_future_gives_up_no_batch(
    workspace: Workspace, words: list[str]
) -> None:
    before = seen(workspace)
    refused = relance(workspace, *words, "--as-of", FAR)
    assert refused.returncode == 2
    assert seen(workspace) == before
    assert relance(workspace, *APPROVE, "--as-of", NEXT_DAY).returncode == 0
    assert relance(workspace, "release", "--as-of", NEXT_DAY).returncode == 0
    assert set(statuses(workspace).values()) == {"dispatched"}


def test_a_draft_past_its_time_says_until_when_it_could_be_decided_on(workspace: Workspace) -> None:
    assert relance(workspace, *APPROVE, "--as-of", "2026-03-13").returncode == 0
    assert relance(workspace, *REJECT, "2026-03-13", "--as-of", "2026-03-13").returncode == 0
    again = copy_workspace(workspace, workspace.root.parent / "again")
    assert relance(again, "run", "--as-of", "2026-03-16").returncode == 5
    refused = relance(again, "batches", "approve", "2026-03-16-notice", "--by", "Claire", "--as-of", FAR)
    assert "could be decided on until 2026-03-19, and not on 2030-01-01" in refused.text


def test_approving_anew_ends_the_approval_that_ran_out_of_that_batch_alone(workspace: Workspace) -> None:
    assert relance(workspace, *APPROVE, "--as-of", DAY).returncode == 0
    late = "2026-03-16"
    unknown = relance(workspace, *APPROVE, "--without", "C9", "--why", "x", "--as-of", late)
    assert (unknown.returncode, events(workspace, "approval_expired")) == (2, [])
    assert relance(workspace, *APPROVE, "--as-of", late).returncode == 0
    assert [one["on"] for one in events(workspace, "approval_expired")] == [late]
    assert relance(workspace, "release", NOTICES, "--as-of", late).returncode == 0
    assert set(statuses(workspace).values()) == {"dispatched"}
