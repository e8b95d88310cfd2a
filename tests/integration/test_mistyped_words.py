"""A person's command with a mistyped date or name changes nothing, and forgets no batch that waits."""

from pathlib import Path

import pytest

from tasks.store.audit import read_log
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import (
    DAY,
    NEXT_DAY,
    NOTICES,
    company,
    drop,
    events,
    relance,
    statuses,
    table,
    write_policy,
)

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


def test_nobody_decides_on_a_batch_before_the_day_it_was_drafted(workspace: Workspace) -> None:
    before, early = seen(workspace), "2026-03-09"
    for words in (APPROVE, [*REJECT, DAY], ["release", NOTICES]):
        refused = relance(workspace, *words, "--as-of", early)
        assert refused.returncode == 2
        assert f"it was drafted on {DAY}, and {early} lies before that. Act on {DAY} or later" in refused.text
    assert seen(workspace) == before


def test_nothing_leaves_and_no_second_name_counts_before_the_day_of_an_approval(workspace: Workspace) -> None:
    assert relance(workspace, *APPROVE, "--as-of", NEXT_DAY).returncode == 0
    before = seen(workspace)
    for words in (["release"], ["release", NOTICES], APPROVE):
        refused = relance(workspace, *words, "--as-of", DAY)
        assert refused.returncode == 2
        assert f"it was approved on {NEXT_DAY}, and {DAY} lies before that" in refused.text
    assert seen(workspace) == before


def test_a_second_name_is_not_dated_before_the_first(workspace: Workspace) -> None:
    write_policy(workspace, approvals={"two_names_above": {"EUR": "100.00"}})
    assert relance(workspace, "run", "--as-of", NEXT_DAY).returncode == 5
    assert relance(workspace, *REJECT, DAY, "--as-of", DAY).returncode == 0
    assert relance(workspace, "run", "--as-of", NEXT_DAY).returncode == 5
    approve = ["batches", "approve", f"{NEXT_DAY}-notice", "--by"]
    assert "one more person is asked for" in relance(workspace, *approve, "Anna", "--as-of", FAR).text
    assert f"it was approved on {FAR}" in relance(workspace, *approve, "Bruno", "--as-of", NEXT_DAY).text
    assert relance(workspace, *approve, "Bruno", "--as-of", FAR).returncode == 0


def test_an_approval_with_a_mistyped_date_is_rejected_and_what_it_held_is_decided_anew(
    tmp_path: Path,
) -> None:
    workspace = company(tmp_path / "acme", {"C1": "1200.00"})
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    assert relance(workspace, *APPROVE, "--as-of", FAR).returncode == 0
    refused = relance(workspace, "release", "--as-of", DAY)
    way_out = f"`relance batches reject {NOTICES} --by NAME --why TEXT --until {DAY} --as-of {DAY}`"
    assert (refused.returncode, way_out in refused.text) == (2, True)
    assert relance(workspace, *REJECT, DAY, "--as-of", DAY).returncode == 0
    assert relance(workspace, "run", "--as-of", NEXT_DAY).returncode == 5
    assert statuses(workspace, f"{NEXT_DAY}-notice") == {"C1": "composed"}


def test_a_batch_of_a_later_day_stays_and_the_others_leave(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C1": "1200.00"})
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    assert relance(workspace, *APPROVE, "--as-of", DAY).returncode == 0
    later = "2026-03-12"
    drop(
        workspace,
        f"invoices-{later}.csv",
        [
            "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount",
            "C2,Client C2 SARL,F-C2,2026-01-05,2026-02-04,EUR,700.00",
        ],
    )
    address = "C2,Client C2 SARL,FR,fr,1 rue du Port,29200,Brest"
    head = "customer_id,customer_name,country,language,address_line_1,postcode,city"
    drop(workspace, f"customers-{later}.csv", [head, address])
    assert relance(workspace, "run", "--as-of", later).returncode == 5
    approve = ["batches", "approve", f"{later}-notice", "--by", "Claire", "--as-of", later]
    assert relance(workspace, *approve).returncode == 0
    released = relance(workspace, "release", "--as-of", NEXT_DAY)
    assert released.returncode == 5
    assert f"{later}-notice: it was drafted on {later}, and {NEXT_DAY} lies before that" in released.text
    assert statuses(workspace) == {"C1": "dispatched"}
    assert statuses(workspace, f"{later}-notice") == {"C2": "composed"}


def test_a_name_that_looks_the_same_is_no_second_person(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", approvals={"two_names_above": {"EUR": "100.00"}})
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    approve = ["batches", "approve", NOTICES, "--as-of", DAY, "--by"]
    assert relance(workspace, *approve, "Claire Fontanel").returncode == 0
    alike = ["Claire\u200bFontanel", "Claire Fontanel\u200b", "Claire Fon\u00adtanel", "Claire Fontanel."]
    no_name = ["\u202eClaire Fontanel", "\u0421laire Fontanel"]
    told = [relance(workspace, *approve, name) for name in (*alike, *no_name)]
    assert {one.returncode for one in told} == {2}
    assert all("has approved batch" in one.text for one in told[: len(alike)])
    assert all("--by must name a person: " in one.text for one in told[len(alike) :])
    assert len(events(workspace, "batch_approved")) == 1


@pytest.mark.parametrize(
    "words",
    [
        APPROVE[:-2],
        [*REJECT[:3], "--why", "x", "--until", DAY],
        ["record", "hold", "--customer", "C1", "--until", DAY],
        ["resolve", "M1", "--left", "--why", "x"],
        ["stop", "--why", "x"],
        ["start"],
        ["audit", "erase", "--customer", "C1", "--why", "x"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_who_acts_has_a_name_with_a_letter(workspace: Workspace, words: list[str]) -> None:
    before = seen(workspace)
    refused = relance(workspace, *words, "--by", "\u200b")
    assert refused.returncode == 2
    assert "must name a person: a name has at least one letter." in refused.text
    assert (seen(workspace), workspace.stop_path.exists()) == (before, False)
