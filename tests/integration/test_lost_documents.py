"""Documents missing or changed when their batch is to leave, and a batch rejected half-way: there is a way on."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.integration.scripted_mail import Script, listening
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
    table,
)

REMINDERS = f"{DAY}-reminder_1"
LATER = "2026-03-16"
BY_EMAIL = {
    "ladders": {
        "gentle": [{"step": "reminder_1", "after_due_days": 1, "channel": "email"}],
        "firm": [
            {"step": "reminder_1", "after_due_days": 1, "channel": "email", "approval": "required"},
        ],
    }
}
AMOUNTS = {"C1": "1200.00", "C2": "800.00", "C3": "500.00"}


@pytest.fixture(scope="module")
def reminders(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three e-mails that are approved."""
    workspace = company(tmp_path_factory.mktemp("reminders") / "acme", AMOUNTS, **BY_EMAIL)
    relance(workspace, "run", "--as-of", DAY)
    assert approve(workspace, REMINDERS).returncode == 0
    return workspace


@pytest.fixture(scope="module")
def notices(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three letters that are approved."""
    workspace = company(tmp_path_factory.mktemp("notices") / "acme", AMOUNTS)
    relance(workspace, "run", "--as-of", DAY)
    assert approve(workspace, NOTICES).returncode == 0
    return workspace


@pytest.fixture
def mails(reminders: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(reminders, tmp_path / "acme")


@pytest.fixture
def letters(notices: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(notices, tmp_path / "acme")


@pytest.fixture
def half_way(mails: Workspace) -> Iterator[Workspace]:
    """Two of three e-mails have left; the mail server asked to come back later for the third."""
    with listening(Script(to_recipient={"c1@example.com": "451 4.3.0 later"})) as script:
        with mails.creditor_path.open("a", encoding="utf-8") as file:
            file.write(
                f"\nsmtp: {{host: 127.0.0.1, port: {script.port}, security: none, retry_for_seconds: 0}}\n"
            )
        relance(mails, "release", "--as-of", DAY)
        assert statuses(mails, REMINDERS) == {"C1": "composed", "C2": "dispatched", "C3": "dispatched"}
        yield mails


def approve(workspace: Workspace, batch: str, on: str = DAY) -> Told:
    return relance(workspace, "batches", "approve", batch, "--by", "Claire", "--as-of", on)


def reject(workspace: Workspace, batch: str, on: str = DAY) -> Told:
    words = ("--by", "Noé", "--why", "no more", "--until", "2026-03-13", "--as-of", on)
    return relance(workspace, "batches", "reject", batch, *words)


def state(workspace: Workspace, batch: str) -> str:
    listed = table(relance(workspace, "batches", "list", "--format", "csv").stdout)
    return next(row["status"] for row in listed if row["batch_id"] == batch)


def documents(workspace: Workspace, batch: str) -> dict[str, bytes]:
    folder = workspace.outbox / batch
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "journal.jsonl"
    }


def rename_creditor(workspace: Workspace) -> None:
    """Let every document made from now on be another one."""
    text = workspace.creditor_path.read_text(encoding="utf-8")
    changed = text.replace("legal_name: ", "legal_name: Autre ", 1)
    workspace.creditor_path.write_text(changed, encoding="utf-8")


def test_emails_that_were_lost_or_changed_leave_as_they_were_approved(mails: Workspace) -> None:
    before = documents(mails, REMINDERS)
    first, second, _ = sorted((mails.outbox / REMINDERS / "emails").iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes() + b"and pay me")

    released = relance(mails, "release", "--as-of", NEXT_DAY)

    assert released.returncode == 0, released.text
    assert f"{first.name} is missing, and 1 more: made again as composed" in released.text
    assert set(statuses(mails, REMINDERS).values()) == {"dispatched"}
    assert documents(mails, REMINDERS) == before
    told = events(mails, "documents_made_again")
    assert [Path(path).name for path in told[0]["documents"]] == [first.name, second.name]
    assert relance(mails, "audit", "verify").returncode == 0


@pytest.mark.parametrize("batch", [REMINDERS, NOTICES])
def test_a_batch_whose_folder_is_gone_leaves_as_it_was_approved(
    mails: Workspace, notices: Workspace, tmp_path: Path, batch: str
) -> None:
    workspace = mails if batch == REMINDERS else copy_workspace(notices, tmp_path / "letters")
    before = documents(workspace, batch)
    shutil.rmtree(workspace.outbox / batch)

    released = relance(workspace, "release", "--as-of", NEXT_DAY)

    assert released.returncode == 0, released.text
    assert set(statuses(workspace, batch).values()) == {"dispatched"}
    after = documents(workspace, batch)
    assert {name: after[name] for name in before} == before


def test_an_email_that_would_be_another_one_today_is_withdrawn_and_proposed_again(mails: Workspace) -> None:
    first, *_ = sorted((mails.outbox / REMINDERS / "emails").iterdir())
    first.unlink()
    rename_creditor(mails)

    released = relance(mails, "release", "--as-of", NEXT_DAY)

    assert released.returncode == 0, released.text
    assert f"withdrawn, customer C1: its document {first.name} is missing" in released.text
    assert statuses(mails, REMINDERS) == {"C1": "withdrawn", "C2": "dispatched", "C3": "dispatched"}
    relance(mails, "run", "--as-of", LATER)
    again = f"{LATER}-reminder_1"
    assert statuses(mails, again) == {"C1": "composed"}
    assert approve(mails, again, LATER).returncode == 0
    assert relance(mails, "release", "--as-of", LATER).returncode == 0
    assert statuses(mails, again) == {"C1": "dispatched"}
    assert relance(mails, "audit", "verify").returncode == 0


def test_a_letter_that_would_be_another_one_today_lets_the_others_wait_for_another_look(
    letters: Workspace,
) -> None:
    first, *_ = sorted((letters.outbox / NOTICES / "letters").iterdir())
    first.write_bytes(first.read_bytes() + b"x")
    rename_creditor(letters)

    released = relance(letters, "release", "--as-of", NEXT_DAY)

    assert released.returncode == 5
    assert "look at the documents as they are made today" in released.text
    assert statuses(letters) == {"C1": "withdrawn", "C2": "composed", "C3": "composed"}
    assert approve(letters, NOTICES, NEXT_DAY).returncode == 0
    assert relance(letters, "release", "--as-of", NEXT_DAY).returncode == 0
    assert statuses(letters) == {"C1": "withdrawn", "C2": "dispatched", "C3": "dispatched"}


def test_a_print_run_that_cannot_be_made_again_keeps_the_batch_until_it_is_rejected(
    letters: Workspace,
) -> None:
    (letters.outbox / NOTICES / "print.pdf").unlink()
    rename_creditor(letters)

    released = relance(letters, "release", "--as-of", DAY)

    assert released.returncode == 5
    assert "print.pdf is missing, and today's letters would be others than those composed." in released.text
    assert f"`relance batches reject {NOTICES} --by NAME --why TEXT --until DATE` ends" in released.text
    assert set(statuses(letters).values()) == {"composed"}
    assert reject(letters, NOTICES).returncode == 0
    relance(letters, "run", "--as-of", LATER)
    assert approve(letters, f"{LATER}-notice", LATER).returncode == 0
    assert relance(letters, "release", "--as-of", LATER).returncode == 0
    assert set(statuses(letters, f"{LATER}-notice").values()) == {"dispatched"}


def test_an_email_lost_half_way_leaves_as_it_was_approved(half_way: Workspace) -> None:
    first, *_ = sorted((half_way.outbox / REMINDERS / "emails").iterdir())
    before = first.read_bytes()
    first.unlink()

    relance(half_way, "release", "--as-of", DAY)

    assert first.read_bytes() == before
    assert state(half_way, REMINDERS) == "released"


def test_an_email_lost_half_way_that_would_be_another_one_is_withdrawn_and_the_batch_ends(
    half_way: Workspace,
) -> None:
    first, *_ = sorted((half_way.outbox / REMINDERS / "emails").iterdir())
    first.unlink()
    rename_creditor(half_way)

    released = relance(half_way, "release", "--as-of", DAY)

    assert released.returncode == 0, released.text
    assert statuses(half_way, REMINDERS)["C1"] == "withdrawn"
    assert state(half_way, REMINDERS) == "closed"


def test_rejecting_a_batch_half_way_ends_what_has_not_left_and_its_items_come_back(
    half_way: Workspace,
) -> None:
    rejected = reject(half_way, REMINDERS)

    assert rejected.returncode == 0, rejected.text
    assert f"What has not left of {REMINDERS} is rejected by Noé: 1 message" in rejected.text
    assert statuses(half_way, REMINDERS) == {"C1": "rejected", "C2": "dispatched", "C3": "dispatched"}
    assert state(half_way, REMINDERS) == "closed"
    told = events(half_way, "batch_rejected")
    assert [(one["messages"], one["had_begun_to_leave"]) for one in told] == [(1, True)]
    why = relance(half_way, "audit", "query", "why-not", "C1", "--format", "csv").text
    assert f"Batch {REMINDERS} was rejected by Noé: no more" in why
    assert relance(half_way, "audit", "verify").returncode == 0
    assert reject(half_way, REMINDERS).returncode == 2

    relance(half_way, "run", "--as-of", LATER)
    assert statuses(half_way, f"{LATER}-reminder_1") == {"C1": "composed"}


def test_a_batch_of_which_nothing_waits_any_more_cannot_be_rejected(mails: Workspace) -> None:
    answers = threading.Semaphore(0)
    with listening(Script(answers=answers)) as script:
        with mails.creditor_path.open("a", encoding="utf-8") as file:
            more = "security: none, connections: 3, timeout_seconds: {answer: 1}"
            file.write(f"\nsmtp: {{host: 127.0.0.1, port: {script.port}, {more}}}\n")
        relance(mails, "release", "--as-of", DAY)
        answers.release(3)
    assert set(statuses(mails, REMINDERS).values()) == {"uncertain"}

    rejected = reject(mails, REMINDERS)

    assert rejected.returncode == 2
    assert "`relance resolve` lists what may or may not have left" in rejected.text
    assert set(statuses(mails, REMINDERS).values()) == {"uncertain"}
    assert events(mails, "batch_rejected") == []
