"""What a mail server refuses for good: the address bounces, or the items wait for a person; nothing is tried again."""

from datetime import UTC, date, datetime
from pathlib import Path

from policies.model import HoldReason
from tasks.audit.verify import verify_log
from tasks.dispatch.deliveries import DeliveryStatus
from tasks.dispatch.journal import JOURNAL_NAME, Journal
from tasks.store.audit import read_log
from tasks.store.batches import release_batch
from tasks.store.connection import open_to_read, open_to_write
from tests.integration.mail_server import MailServer, running
from tests.integration.test_proposed_again import planned_for
from tests.waiting_company import DAY, NEXT_DAY, company, events, relance, statuses

BATCH = f"{DAY}-automatic"
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_a_message_refused_for_what_it_is_waits_for_a_person_and_is_not_tried_again(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C3": "40.00", "C4": "50.00"})
    refusing = MailServer(to_data={"c3@example.com": ["554 5.7.1 looks like spam"]})
    with running(refusing) as server:
        smtp = f"smtp: {{host: 127.0.0.1, port: {server.port}, security: none}}\n"
        with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
            creditor.write(smtp)
        ran = relance(workspace, "run", "--as-of", DAY)
        again = relance(workspace, "run", "--as-of", DAY)
    assert "554 5.7.1 looks like spam" in ran.text
    assert server.tries["data", "c3@example.com"] == 1
    assert server.recipients_in_order() == ["c4@example.com"]
    assert statuses(workspace, BATCH) == {"C3": "withdrawn", "C4": "dispatched"}
    assert again.returncode == 0
    held = [one for one in events(workspace, "event_recorded") if one["kind"] == "hold"]
    assert [(one["customer_id"], one["invoice_number"], one["until"]) for one in held] == [
        ("C3", "F-C3", "2026-03-17")
    ]
    decided = relance(workspace, "decisions", "--as-of", "2026-03-12", "--format", "csv")
    assert HoldReason.MANUAL_HOLD.value in decided.text
    assert "The log holds" in verify_log(workspace)


def test_a_sender_beyond_ascii_is_handed_over_in_the_form_for_name_servers(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    with running(MailServer()) as server:
        keys = "from: factures@société.example, copy_to: archive@société.example"
        with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
            creditor.write(f"smtp: {{host: 127.0.0.1, port: {server.port}, security: none, {keys}}}\n")
        relance(workspace, "run", "--as-of", DAY)
    [received] = server.received
    assert received.recipients == ["c4@example.com", "archive@xn--socit-esab.example"]
    assert received.sender.startswith("factures+")
    assert received.sender.endswith("@xn--socit-esab.example")
    assert b"<factures@xn--socit-esab.example>" in received.content.partition(b"\r\n\r\n")[0]


def test_what_a_reading_command_takes_in_bears_the_day_on_which_it_was_refused(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C3": "40.00", "C4": "50.00"})
    workspace.stop_path.touch()
    relance(workspace, "run", "--as-of", DAY)
    address, message = (planned_for(workspace, BATCH, customer) for customer in ("C3", "C4"))
    on = date.fromisoformat(DAY)
    with open_to_write(workspace) as connection:
        release_batch(connection, BATCH, on)
    with Journal(workspace.outbox / BATCH / JOURNAL_NAME, on) as journal:
        journal.settle(address, DeliveryStatus.REFUSED, "550 5.1.1 unknown", NOW, is_bad_address=True)
        journal.settle(message, DeliveryStatus.REFUSED, "554 5.6.0 unreadable", NOW)
    assert relance(workspace, "decisions", "--as-of", NEXT_DAY).returncode == 0
    recorded = [
        (one["kind"], one["customer_id"], one["event_date"], one.get("until"))
        for one in events(workspace, "event_recorded")
    ]
    assert recorded == [("bounce", "C3", DAY, None), ("hold", "C4", DAY, "2026-03-17")]
    assert [one["on"] for one in events(workspace, "batch_closed")] == [DAY]


def test_a_journal_changed_after_its_batch_was_closed_is_told(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    relance(workspace, "run", "--as-of", DAY)
    with open_to_read(workspace) as connection:
        closed = read_log(connection, kind="batch_closed")["sequence"][0]
    with (workspace.outbox / BATCH / "journal.jsonl").open("a", encoding="utf-8") as journal:
        journal.write("{}\n")
    told = relance(workspace, "audit", "verify")
    assert told.returncode == 6
    assert f"event {closed} (batch_closed {BATCH})" in told.text
