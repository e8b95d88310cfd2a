"""A message that was withdrawn and is proposed again: the same number in two batches, and each batch for itself."""

from datetime import UTC, date, datetime
from pathlib import Path

from tasks.audit.proof import actions_of, prove_document
from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.journal import JOURNAL_NAME, Journal
from tasks.ledger import NewEvent, append_events
from tasks.store.batch_lists import list_actions, list_messages
from tasks.store.batches import release_batch
from tasks.store.connection import open_to_read, open_to_write
from tasks.workspace import Workspace
from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, events, relance, statuses

AFTER = "2026-03-12"
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_who_was_left_out_is_written_to_once_with_the_next_batch_and_the_log_holds(tmp_path: Path) -> None:
    workspace = company(tmp_path / "company")
    relance(workspace, "run", "--as-of", DAY)
    left_out = ("--without", "C1", "--why", "call first", "--as-of", DAY)
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Claire", *left_out).returncode == 0
    relance(workspace, "run", "--as-of", NEXT_DAY)
    again = f"{NEXT_DAY}-notice"
    assert statuses(workspace, again) == {"C1": "composed"}
    assert number_in(workspace, NOTICES) == number_in(workspace, again)
    assert relance(workspace, "audit", "verify").returncode == 0
    relance(workspace, "release", "--as-of", NEXT_DAY)
    assert relance(workspace, "audit", "verify").returncode == 0
    approved = relance(workspace, "batches", "approve", again, "--by", "Claire", "--as-of", NEXT_DAY)
    assert approved.returncode == 0
    assert relance(workspace, "release", "--as-of", NEXT_DAY).returncode == 0
    verified = relance(workspace, "audit", "verify")
    assert verified.returncode == 0, verified.text
    assert statuses(workspace)["C1"] == "withdrawn"
    assert statuses(workspace, again) == {"C1": "dispatched"}
    assert [
        one["batch_id"] for one in events(workspace, "action_dispatched") if one["customer_id"] == "C1"
    ] == [again]
    first, second = actions_of(workspace, "C1")
    assert prove_document(workspace, first).sentence.startswith("It never left")
    assert prove_document(workspace, second).sentence.startswith("Document outbox/2026-03-11-notice/")


def test_the_journal_of_an_old_batch_does_not_withdraw_what_was_proposed_again(tmp_path: Path) -> None:
    workspace = company(tmp_path / "company", {"C1": "50.00", "C2": "60.00"})
    (workspace.root / "release.stopped").touch()
    relance(workspace, "run", "--as-of", DAY)
    old = f"{DAY}-automatic"
    planned = {one: planned_for(workspace, old, one) for one in ("C1", "C2")}
    with open_to_write(workspace) as connection:
        release_batch(connection, old, date.fromisoformat(DAY))
        began = NewEvent("batch_released", {"batch_id": old, "on": DAY, "messages": 2})
        append_events(connection, [began], recorded_at=NOW, actor="relance", run_id="first")
    # C1's message is refused for what it says, and C2's was cut before its answer: the batch stays open for days.
    with Journal(workspace.outbox / old / JOURNAL_NAME, date.fromisoformat(DAY)) as journal:
        journal.settle(planned["C1"], DeliveryStatus.REFUSED, "550 5.7.1 not from you", NOW)
        journal.intend(planned["C2"], NOW)
    released = ("--customer", "C1", "--invoice", "F-C1", "--as-of", NEXT_DAY)
    assert relance(workspace, "record", "hold_released", *released).returncode == 0
    for day in (NEXT_DAY, AFTER):
        relance(workspace, "run", "--as-of", day)
        assert statuses(workspace, f"{NEXT_DAY}-automatic") == {"C1": "composed"}
        assert statuses(workspace, old) == {"C1": "withdrawn", "C2": "uncertain"}
    assert [one["batch_id"] for one in events(workspace, "action_refused")] == [old]
    assert relance(workspace, "audit", "verify").returncode == 0


def number_in(workspace: Workspace, batch_id: str) -> str:
    with open_to_read(workspace) as connection:
        [number] = list_messages(connection, batch_id).filter(customer_id="C1")["message_id"]
    return str(number)


def planned_for(workspace: Workspace, batch_id: str, customer: str) -> PlannedMessage:
    with open_to_read(workspace) as connection:
        [message] = list_messages(connection, batch_id).filter(customer_id=customer).iter_rows(named=True)
        actions = list_actions(connection, batch_id).filter(customer_id=customer)["action_id"]
    document = workspace.root / message["document_path"]
    return PlannedMessage(
        message["message_id"], tuple(actions), "email", document, message["document_sha256"]
    )
