"""A message of which nobody knows whether it left: all evidence is shown, and a person's word settles it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.integration.mail_server import DROP, MailServer, running
from tests.torture.company import copy_workspace, start
from tests.waiting_company import DAY, NEXT_DAY, company, drop, events, relance, statuses, table

REMINDERS = f"{DAY}-automatic"
TODAY = ("--as-of", DAY)


@pytest.fixture(scope="module")
def only_server() -> Iterator[MailServer]:
    """Drops the connection after the first message's data, and takes whatever comes afterwards."""
    with running(MailServer(to_data={"c4@example.com": [DROP, "250 OK"]})) as server:
        yield server


@pytest.fixture(scope="module")
def in_doubt(only_server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("doubt") / "acme", {"C4": "50.00"})
    smtp = f"smtp: {{host: 127.0.0.1, port: {only_server.port}, security: none}}\n"
    with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
        creditor.write(smtp)
    ran = relance(workspace, "run", *TODAY)
    assert ran.returncode == 5, ran.text
    assert "`relance resolve" in ran.text
    return workspace


@pytest.fixture
def server(only_server: MailServer) -> MailServer:
    only_server.received.clear()
    return only_server


@pytest.fixture
def workspace(in_doubt: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(in_doubt, tmp_path / "acme")


def settled(workspace: Workspace) -> list[str]:
    """Return how the audit says that the only doubtful message was settled."""
    (row,) = table(relance(workspace, "audit", "query", "uncertain", "--format", "csv").stdout)
    return [row[name] for name in ("settled_as", "settled_by", "settled_on", "settled_why")]


def doubt(workspace: Workspace) -> dict[str, str]:
    (found,) = json.loads(relance(workspace, "resolve", "--format", "json").stdout)
    return dict(found)


def test_all_evidence_is_shown(workspace: Workspace) -> None:
    known = doubt(workspace)
    document = Path(known["document"])
    assert known["customer_id"] == "C4"
    assert known["batch_id"] == REMINDERS
    assert known["mail_id"] in document.read_text(encoding="utf-8")
    assert known["handed_over_at"]
    assert known["answer"]
    shown = relance(workspace, "resolve")
    assert shown.returncode == 5
    told = "".join(shown.stdout.split())
    assert all("".join(value.split()) in told for value in known.values())
    assert relance(workspace, "resolve", known["message_id"]).returncode == 5
    assert relance(workspace, "resolve", "no-such-message").returncode == 2


def test_a_second_run_on_the_day_goes_on_and_does_not_send_it_again(
    workspace: Workspace, server: MailServer
) -> None:
    again = relance(workspace, "run", *TODAY)
    assert again.returncode == 5, again.text
    assert "may or may not have left" in again.text
    assert settled(workspace) == ["", "", "", ""]
    assert statuses(workspace, REMINDERS) == {"C4": "uncertain"}
    assert server.received == []


def test_one_that_left_counts_on_the_day_it_was_handed_over(workspace: Workspace, server: MailServer) -> None:
    message = doubt(workspace)["message_id"]
    words = ["--left", "--by", "Claire", "--why", "found in the sent folder"]
    assert relance(workspace, "resolve", "--left", "--by", "Claire", "--why", "x").returncode == 2
    assert relance(workspace, "resolve", message, "--left").returncode == 2
    told = relance(workspace, "resolve", message, *words)
    assert "counts as dispatched on the day it was handed over" in told.text, told.text
    assert statuses(workspace, REMINDERS) == {"C4": "dispatched"}
    assert [one["on"] for one in events(workspace, "action_dispatched")] == [DAY]
    (said,) = events(workspace, "delivery_resolved")
    assert (said["left"], said["evidence"], said["actor"]) == ("yes", "found in the sent folder", "Claire")
    assert settled(workspace) == ["left", "Claire", said["on"], "found in the sent folder"]
    listed = table(relance(workspace, "batches", "list", "--format", "csv").stdout)
    assert [row["status"] for row in listed] == ["closed"]
    assert relance(workspace, "resolve", message, *words).returncode == 2
    assert relance(workspace, "release", "--as-of", NEXT_DAY).returncode == 0
    assert server.received == []


def test_a_message_that_is_settled_is_told_as_what_by_whom_and_how_a_later_finding_is_told(
    workspace: Workspace,
) -> None:
    message = doubt(workspace)["message_id"]
    words = ["--by", "Claire", "--why", "found in the sent folder"]
    relance(workspace, "resolve", message, "--left", *words)
    for again in (
        relance(workspace, "resolve", message, "--not-left", *words),
        relance(workspace, "resolve", message),
    ):
        assert again.returncode == 2
        assert f"message {message} to customer C4, batch {REMINDERS}, is not uncertain" in again.text
        assert f"it counts as dispatched on {DAY}" in again.text
        assert "as left: found in the sent folder" in again.text
        assert "`relance record bounce --customer C4`" in again.text


def test_a_message_that_waits_again_or_is_unknown_is_told_as_that(workspace: Workspace) -> None:
    message = doubt(workspace)["message_id"]
    words = ["--not-left", "--by", "Claire", "--why", "not in the mail log"]
    relance(workspace, "resolve", message, *words)
    assert (
        "it has not left, and waits for its batch to leave"
        in relance(workspace, "resolve", message, *words).text
    )
    assert "there is no message 0815" in relance(workspace, "resolve", "0815", *words).text


@pytest.mark.parametrize("chosen", [["--left", "--not-left"], []])
def test_both_answers_or_none_are_met_with_what_each_means(workspace: Workspace, chosen: list[str]) -> None:
    message = doubt(workspace)["message_id"]
    told = relance(workspace, "resolve", message, *chosen, "--by", "Claire", "--why", "looked")
    assert told.returncode == 2
    assert "--left = it left, counts as dispatched on the day it was handed over" in told.text
    assert "--not-left = it did not leave, and the next release sends it" in told.text
    assert statuses(workspace, REMINDERS) == {"C4": "uncertain"}


def test_one_that_did_not_leave_leaves_with_the_next_release_once(
    workspace: Workspace, server: MailServer
) -> None:
    message = doubt(workspace)["message_id"]
    words = ["--not-left", "--by", "Claire", "--why", "not in the mail log"]
    assert "leaves with the next release" in relance(workspace, "resolve", message, *words).text
    assert statuses(workspace, REMINDERS) == {"C4": "composed"}
    (said,) = events(workspace, "delivery_resolved")
    assert settled(workspace) == ["did not leave", "Claire", said["on"], "not in the mail log"]
    for _ in range(2):
        assert relance(workspace, "release", *TODAY).returncode == 0
    assert server.recipients_in_order() == ["c4@example.com"]
    assert statuses(workspace, REMINDERS) == {"C4": "dispatched"}
    assert relance(workspace, "audit", "verify").returncode == 0


def test_one_that_did_not_leave_and_was_paid_since_stays(workspace: Workspace, server: MailServer) -> None:
    message = doubt(workspace)["message_id"]
    relance(workspace, "resolve", message, "--not-left", "--by", "Claire", "--why", "not in the mail log")
    head = "payment_id,customer_id,payment_date,currency,amount,invoice_number"
    drop(workspace, f"payments-{NEXT_DAY}.csv", [head, f"P1,C4,{NEXT_DAY},EUR,50.00,F-C4"])
    assert relance(workspace, "run", "--as-of", NEXT_DAY).returncode == 0
    assert statuses(workspace, REMINDERS) == {"C4": "withdrawn"}
    assert server.received == []


def test_a_word_that_was_cut_between_journal_and_store_is_taken_in(workspace: Workspace) -> None:
    message = doubt(workspace)["message_id"]
    words = ["resolve", message, "--left", "--by", "Claire", "--why", "sent folder"]
    place = "tasks.dispatch.resolution:take_in_journal"
    killed = start(
        ["-m", "tests.torture.killed", place, "1", "before", *words, "--workspace", str(workspace.root)]
    )
    killed.communicate(timeout=120)
    assert (killed.returncode, events(workspace, "delivery_resolved")) == (-signal.SIGKILL, [])
    assert relance(workspace, "resolve").returncode == 0
    assert statuses(workspace, REMINDERS) == {"C4": "dispatched"}
    (told,) = events(workspace, "action_dispatched")
    assert (told["on"], told["answer"]) == (DAY, "resolved by Claire: sent folder")
    (said,) = events(workspace, "delivery_resolved")
    assert (said["left"], said["evidence"], said["actor"]) == ("yes", "sent folder", "Claire")
    assert relance(workspace, "audit", "verify").returncode == 0
