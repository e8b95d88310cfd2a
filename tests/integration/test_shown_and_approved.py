"""A person's word counts for the batch as it was shown, and guards stay in sight until it is decided."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.approval import approve
from tasks.audit.questions import ask
from tasks.ledger import NewEvent, append_events
from tasks.review import Review, look_at
from tasks.run import Run
from tasks.store.approvals import ChangedSinceShownError, Claim, waiting_messages
from tasks.store.batches import withdraw_messages
from tasks.store.connection import open_to_write
from tasks.workspace import Workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import (
    DAY,
    NEXT_DAY,
    NOTICES,
    Told,
    company,
    events,
    relance,
    statuses,
    write_policy,
)

RULES: dict[str, Any] = {
    "guards": {"maximum_customers_contacted_percent": 10},
    "approvals": {"two_names_above": {"EUR": "1.00"}},
}


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("drafted") / "acme", **RULES)
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    return workspace


@pytest.fixture
def workspace(drafted: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(drafted, tmp_path / "acme")


def on(workspace: Workspace, day: str) -> Run:
    as_of = date.fromisoformat(day)
    return Run(workspace, as_of, as_of, "a run", "a person", lambda: datetime.now(UTC), lambda line: None)


def say(workspace: Workspace, name: str, *words: str, day: str = DAY) -> Told:
    return relance(workspace, "batches", "approve", NOTICES, "--by", name, "--as-of", day, *words)


def send_back_for_another_policy(workspace: Workspace) -> Review:
    """Approve by two, change the policy, try to release; return what a form showed before all that."""
    shown = look_at(on(workspace, DAY), NOTICES)
    for name in ("Anna", "Bruno"):
        assert say(workspace, name).returncode == 0
    write_policy(workspace, **RULES, small_balance={"EUR": "1.00"})
    assert relance(workspace, "release", NOTICES, "--as-of", NEXT_DAY).returncode == 5
    return shown


def take_one_out(workspace: Workspace) -> None:
    """Withdraw a message of the batch, as a mail that proves that it has left would."""
    run = on(workspace, DAY)
    with open_to_write(workspace) as connection:
        first = waiting_messages(connection, NOTICES)[:1]
        withdraw_messages(connection, NOTICES, first, run.as_of, run.clock())
        event = NewEvent("action_withdrawn", {"batch_id": NOTICES, "message_id": first[0], "why": "a test"})
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def test_a_form_that_was_opened_before_a_guard_tripped_approves_nothing(workspace: Workspace) -> None:
    before = send_back_for_another_policy(workspace)
    now = look_at(on(workspace, NEXT_DAY), NOTICES)
    old, new = [Claim("Carl", "ui", "", f"form {n}", one.digest) for n, one in enumerate((before, now))]
    with pytest.raises(ChangedSinceShownError, match="no longer as it was shown to Carl"):
        approve(on(workspace, NEXT_DAY), NOTICES, old)
    assert look_at(on(workspace, NEXT_DAY), NOTICES).names == ()
    approve(on(workspace, NEXT_DAY), NOTICES, new)
    assert look_at(on(workspace, NEXT_DAY), NOTICES).names == ("Carl",)
    assert events(workspace, "batch_approved")[-1]["shown"] == now.digest


def test_a_guard_that_trips_at_release_does_not_hide_those_of_the_draft(workspace: Workspace) -> None:
    shown = send_back_for_another_policy(workspace).guards
    assert len(shown) == 1
    again = look_at(on(workspace, NEXT_DAY), NOTICES).guards
    assert again[:1] == shown
    assert "The policy was changed" in again[1]


def test_two_names_approve_the_same_or_the_first_no_longer_counts(workspace: Workspace) -> None:
    assert say(workspace, "Anna").returncode == 0
    take_one_out(workspace)
    told = say(workspace, "Bruno")
    assert "The approval of Anna no longer counts" in told.text
    assert "one more person is asked for" in told.text
    assert [one["names"] for one in events(workspace, "approval_ended")] == [["Anna"]]
    assert look_at(on(workspace, DAY), NOTICES).names == ("Bruno",)
    assert say(workspace, "Anna").returncode == 0
    assert relance(workspace, "release", NOTICES, "--as-of", DAY).returncode == 0
    assert sorted(statuses(workspace).values()) == ["dispatched", "dispatched", "dispatched", "withdrawn"]


def test_who_leaves_customers_out_approves_what_the_second_person_sees(workspace: Workspace) -> None:
    assert say(workspace, "Anna", "--without", "C2", "--why", "in talks").returncode == 0
    told = say(workspace, "Bruno")
    assert "is approved by Bruno" in told.text
    assert "no longer counts" not in told.text


def test_auditors_see_what_ended_a_word_and_which_guards_spoke(workspace: Workspace) -> None:
    send_back_for_another_policy(workspace)
    assert say(workspace, "Anna", day=NEXT_DAY).returncode == 0
    told = ask(workspace, ["approvals", NOTICES]).frame
    assert told.select("decision", "decided_by", "counts").rows()[:2] == [
        ("batch_approved", "Anna", False),
        ("batch_approved", "Bruno", False),
    ]
    assert told["decision"].to_list()[2] == "batch_sent_back"
    assert "The policy was changed" in told["why"][2]
    assert told.select("decided_by", "counts").rows()[3] == ("Anna", True)

    of_customer = ask(workspace, ["customer", "C1"]).frame
    details = dict(of_customer.filter(what="batch_sent_back").select("what", "detail").rows())
    assert "The policy was changed" in details["batch_sent_back"]
    drafted = of_customer.filter(what="batch_drafted")["detail"][0]
    assert "would be contacted" in drafted
