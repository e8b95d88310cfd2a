"""A message goes to the address that its customer has when it leaves, and only that one can turn out to be bad."""

from datetime import UTC, date, datetime
from pathlib import Path

from tasks.dispatch.deliveries import DeliveryStatus
from tasks.dispatch.journal import JOURNAL_NAME, Journal
from tasks.store.batches import release_batch
from tasks.store.connection import open_to_write
from tasks.workspace import Workspace
from tests.integration.mail_server import MailServer, running
from tests.integration.test_proposed_again import planned_for
from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, drop, events, relance, statuses

AFTER = "2026-03-12"
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
HEADER = "customer_id,customer_name,email,country,language,address_line_1,postcode,city"


def waiting(folder: Path, channel: str) -> Workspace:
    """Return a company whose notices to C1 and C2 were approved."""
    step = {"step": "notice", "after_due_days": 1, "channel": channel, "template": "formal_notice"}
    ladders = {"gentle": [step], "firm": [step | {"approval": "required"}]}
    workspace = company(folder, {"C1": "1200.00", "C2": "800.00"}, ladders=ladders)
    relance(workspace, "run", "--as-of", DAY)
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Zoe", "--as-of", DAY).returncode == 0
    return workspace


def moved(workspace: Workspace, customer: str, email: str, city: str) -> None:
    """Take in that a customer has another address."""
    row = f"{customer},Client {customer} SARL,{email},FR,fr,1 rue du Port,29200,{city}"
    drop(workspace, f"customers-{NEXT_DAY}.csv", [HEADER, row])
    relance(workspace, "intake", "--as-of", NEXT_DAY)


def test_an_approved_mail_does_not_leave_to_an_address_that_was_corrected(tmp_path: Path) -> None:
    workspace = waiting(tmp_path / "company", "email")
    moved(workspace, "C1", "new@example.com", "Brest")
    with running(MailServer()) as server:
        smtp = f"smtp: {{host: 127.0.0.1, port: {server.port}, security: none}}\n"
        with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
            creditor.write(smtp)
        relance(workspace, "release", "--as-of", NEXT_DAY)
        assert server.recipients_in_order() == ["c2@example.com"]
        assert [one["why"] for one in events(workspace, "action_withdrawn")] == [
            "the e-mail address of customer C1 has changed"
        ]
        relance(workspace, "run", "--as-of", AFTER)
        again = f"{AFTER}-notice"
        assert statuses(workspace, again) == {"C1": "composed"}
        relance(workspace, "batches", "approve", again, "--by", "Zoe", "--as-of", AFTER)
        relance(workspace, "release", "--as-of", AFTER)
        assert server.recipients_in_order() == ["c2@example.com", "new@example.com"]


def test_a_letter_does_not_leave_to_a_town_that_was_left(tmp_path: Path) -> None:
    workspace = waiting(tmp_path / "company", "letter")
    moved(workspace, "C1", "new@example.com", "Nice")
    relance(workspace, "release", "--as-of", NEXT_DAY)
    assert statuses(workspace, NOTICES)["C1"] == "withdrawn"


def test_a_mail_does_not_leave_to_an_address_that_came_back_meanwhile(tmp_path: Path) -> None:
    workspace = waiting(tmp_path / "company", "email")
    relance(workspace, "record", "bounce", "--customer", "C1", "--as-of", NEXT_DAY)
    relance(workspace, "release", "--as-of", NEXT_DAY)
    assert statuses(workspace, NOTICES) == {"C1": "withdrawn", "C2": "dispatched"}
    [withdrawn] = events(workspace, "action_withdrawn")
    assert withdrawn["why"] == "the e-mail address of customer C1 came back as unknown"


def test_a_refusal_of_the_old_address_does_not_condemn_the_new_one(tmp_path: Path) -> None:
    workspace = waiting(tmp_path / "company", "email")
    moved(workspace, "C1", "new@example.com", "Brest")
    planned = [planned_for(workspace, NOTICES, customer) for customer in ("C1", "C2")]
    with open_to_write(workspace) as connection:
        release_batch(connection, NOTICES, date.fromisoformat(NEXT_DAY))
    with Journal(workspace.outbox / NOTICES / JOURNAL_NAME, date.fromisoformat(NEXT_DAY)) as journal:
        for message in planned:
            journal.settle(message, DeliveryStatus.REFUSED, "550 5.1.1 unknown", NOW, is_bad_address=True)
    relance(workspace, "run", "--as-of", AFTER)
    bounces = [one["customer_id"] for one in events(workspace, "event_recorded") if one["kind"] == "bounce"]
    assert bounces == ["C2"]
    assert statuses(workspace, f"{AFTER}-notice") == {"C1": "composed"}
