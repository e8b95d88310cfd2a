"""What a person records has a number, a time and an actor; a new event corrects a mistake, and the log keeps both."""

import re
from pathlib import Path

import pytest

from policies.model import EventKind
from tasks.workspace import Workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import DAY, NEXT_DAY, company, drop, events, relance, table

WORDS = {
    EventKind.PROMISE: ["--until", "2026-04-01", "--amount", "10"],
    EventKind.PAYMENT_PLAN: ["--until", "2026-04-01", "--amount", "10", "--reference", "plan"],
    EventKind.REDUCTION: ["--amount", "10"],
    EventKind.HOLD: ["--until", "2026-04-01"],
}
KINDS = [kind for kind in EventKind if kind is not EventKind.CORRECTION]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("recorded") / "acme")
    assert relance(workspace, "intake", "--as-of", DAY).returncode == 0
    return workspace


@pytest.fixture
def workspace(fresh: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(fresh, tmp_path / "acme")


def record(workspace: Workspace, kind: EventKind, *words: str, on: str = DAY) -> str:
    """Record an event and return its number."""
    done = relance(workspace, "record", kind.value, *words, "--as-of", on)
    assert done.returncode == 0, done.text
    found = re.search(r"Its number is (\S+)\.$", done.stdout.strip())
    assert found
    return found[1]


def decisions(workspace: Workspace, on: str = DAY) -> list[dict[str, str]]:
    return table(relance(workspace, "decisions", "--as-of", on, "--format", "csv").stdout)


def test_every_kind_is_recorded_by_command_and_taken_back_by_a_file(workspace: Workspace) -> None:
    before = decisions(workspace, NEXT_DAY)
    about = ["--customer", "C1", "--by", "Claire"]
    numbers = [record(workspace, kind, *about, *WORDS.get(kind, [])) for kind in KINDS]
    assert decisions(workspace, NEXT_DAY) != before
    logged = events(workspace, "event_recorded")
    assert [(one["event_id"], one["kind"], one["actor"]) for one in logged] == [
        (number, kind.value, "Claire") for number, kind in zip(numbers, KINDS, strict=True)
    ]
    rows = [f"{number},{NEXT_DAY},correction,C1" for number in numbers]
    drop(workspace, f"events-{NEXT_DAY}.csv", ["event_id,event_date,kind,customer_id", *rows])
    assert relance(workspace, "intake", "--as-of", NEXT_DAY).returncode == 0
    assert decisions(workspace, NEXT_DAY) == before


def test_every_kind_comes_from_a_file_and_one_is_taken_back_by_command(workspace: Workspace) -> None:
    before = decisions(workspace, NEXT_DAY)
    head = "event_id,event_date,kind,customer_id,amount,until,reference"
    rows = [f"E-{kind.value},{DAY},{kind.value},C1,10,2026-04-01,r" for kind in KINDS]
    drop(workspace, f"events-{DAY}.csv", [head, *rows])
    assert relance(workspace, "intake", "--as-of", DAY).returncode == 0
    assert decisions(workspace, NEXT_DAY) != before
    held = [row["reason"] for row in decisions(workspace, NEXT_DAY) if row["customer_id"] == "C1"]
    assert held == ["promise_running"]
    for kind in (EventKind.PROMISE, EventKind.INSOLVENCY_CLOSED):
        record(
            workspace, EventKind.CORRECTION, "--replaces", f"E-{kind.value}", "--by", "Claire", on=NEXT_DAY
        )
    held = [row["reason"] for row in decisions(workspace, NEXT_DAY) if row["customer_id"] == "C1"]
    assert held == ["insolvent"]
    logged = events(workspace, "event_recorded")
    assert [(one["kind"], one["actor"]) for one in logged] == [("correction", "Claire")] * 2
    listed = table(relance(workspace, "record", "--customer", "C1", "--format", "csv").stdout)
    assert {row["event_id"] for row in listed} == {f"E-{kind.value}" for kind in KINDS}
    assert [row["kind"] for row in listed].count("correction") == 2


def test_an_event_is_retold_with_its_own_day(workspace: Workspace) -> None:
    about = ["--customer", "C1", "--invoice", "F-C1"]
    wrong = record(workspace, EventKind.PROMISE, *about, "--until", "2026-03-11", "--amount", "1200")
    about = ["--customer", "C2", "--invoice", "F-C2"]
    words = ["--until", "2026-03-20", "--amount", "800", "--replaces", wrong]
    assert record(workspace, EventKind.PROMISE, *about, *words, on=NEXT_DAY) == wrong
    reasons = {row["customer_id"]: row["reason"] for row in decisions(workspace)}
    assert (reasons["C1"], reasons["C2"]) == ("", "promise_running")
    assert [one["event_date"] for one in events(workspace, "event_recorded")] == [DAY, DAY]


def test_a_correction_of_nothing_and_an_event_of_nobody_are_refused(workspace: Workspace) -> None:
    for words in (
        ["correction", "--customer", "C1"],
        ["correction", "--replaces", "no-such-event"],
        ["dispute"],
        [],
        ["hold", "--customer", "C1", "--replaces", "no-such-event"],
    ):
        done = relance(workspace, "record", *words, "--as-of", DAY)
        assert done.returncode == 2, done.text
    assert events(workspace, "event_recorded") == []
