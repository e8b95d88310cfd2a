"""What was changed by hand is told before anything is done with it, and no later step makes it look right."""

import shutil
import signal
from pathlib import Path

import duckdb
import pytest

from tasks.store.audit import find_composed_otherwise
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, open_workspace
from tests.torture.company import start
from tests.waiting_company import DAY, NEXT_DAY, NOTICES, company, drop, events, relance, statuses

THIEF = "update messages set payload = replace(payload, 'c1@example.com', 'thief@evil.example')"
LESS = "update actions set amount_demanded = 1 where customer_id = 'C2'"
NAMES = ["messages of batch", NOTICES]


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("drafted") / "company")
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    return workspace


@pytest.fixture
def waiting(drafted: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(drafted.root, tmp_path / "company")
    return open_workspace(tmp_path / "company")


def by_hand(workspace: Workspace, statement: str) -> None:
    with duckdb.connect(str(workspace.store_path)) as connection:
        connection.execute(statement)


def rows(workspace: Workspace) -> list[tuple[object, ...]]:
    with duckdb.connect(str(workspace.store_path), read_only=True) as connection:
        query = "select (select max(sequence) from audit_events), status, approved_by from batches order by batch_id"
        return connection.execute(query).fetchall()


def approve(workspace: Workspace) -> None:
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Anna", "--as-of", DAY).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["batches", "approve", NOTICES, "--by", "Anna", "--as-of", DAY],
        [
            "batches",
            "reject",
            NOTICES,
            "--by",
            "Anna",
            "--why",
            "no",
            "--until",
            "2026-05-01",
            "--as-of",
            DAY,
        ],
    ],
)
def test_a_batch_changed_by_hand_is_neither_approved_nor_rejected(
    waiting: Workspace, words: list[str]
) -> None:
    by_hand(waiting, THIEF)
    before = rows(waiting)
    told = relance(waiting, *words)
    assert told.returncode == 6
    assert all(name in told.text for name in NAMES)
    assert rows(waiting) == before


@pytest.mark.parametrize(("statement", "table_name"), [(THIEF, "messages"), (LESS, "actions")])
def test_an_approved_batch_changed_by_hand_does_not_leave(
    waiting: Workspace, statement: str, table_name: str
) -> None:
    approve(waiting)
    by_hand(waiting, statement)
    before = rows(waiting)
    told = relance(waiting, "release", "--as-of", DAY)
    assert told.returncode == 6
    assert f"{table_name} of batch {NOTICES}" in told.text
    assert rows(waiting) == before
    assert (waiting.outbox / NOTICES / "journal.jsonl").read_bytes() == b""
    assert relance(waiting, "audit", "verify").returncode == 6


def test_nothing_is_withdrawn_from_a_batch_changed_by_hand(waiting: Workspace) -> None:
    approve(waiting)
    by_hand(waiting, LESS)
    header = "payment_id,customer_id,payment_date,currency,amount,invoice_number"
    drop(waiting, "payments.csv", [header, f"P1,C1,{NEXT_DAY},EUR,1200.00,F-C1"])
    relance(waiting, "intake", "--as-of", NEXT_DAY)
    told = relance(waiting, "release", "--as-of", NEXT_DAY)
    assert told.returncode == 6
    assert set(statuses(waiting).values()) == {"composed"}


def test_no_document_is_made_of_messages_changed_by_hand(waiting: Workspace) -> None:
    shutil.rmtree(waiting.outbox / NOTICES)
    by_hand(waiting, THIEF + f", status = 'planned' where batch_id = '{NOTICES}'")
    assert relance(waiting, "run", "--as-of", DAY).returncode == 6
    assert not (waiting.outbox / NOTICES).exists()


def test_what_left_of_a_batch_changed_meanwhile_is_recorded_and_told_for_good(waiting: Workspace) -> None:
    approve(waiting)
    words = ["release", "--as-of", DAY, "--workspace", str(waiting.root)]
    killed = start(
        ["-m", "tests.torture.killed", "tasks.dispatch.journal:Journal.settle", "3", "before", *words]
    )
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    by_hand(waiting, LESS)
    told = relance(waiting, "release", "--as-of", DAY)
    assert told.returncode == 6
    assert sorted(statuses(waiting).values()) == ["composed", "composed", "dispatched", "dispatched"]
    [broken] = events(waiting, "seal_broken")
    assert broken["batch_id"] == NOTICES
    assert "actions of batch" in broken["problems"][0]
    verified = relance(waiting, "audit", "verify")
    assert verified.returncode == 6
    assert "(seal_broken) tells of event" in verified.text


def test_an_erasure_seals_no_file_that_was_changed_by_hand(waiting: Workspace) -> None:
    header = "payment_id,customer_id,payment_date,currency,amount,invoice_number"
    approve(waiting)
    relance(waiting, "release", "--as-of", DAY)
    drop(waiting, "payments.csv", [header, f"P1,C1,{NEXT_DAY},EUR,1200.00,F-C1"])
    relance(waiting, "intake", "--as-of", NEXT_DAY)
    by_hand(waiting, "update customer_lines set email = 'thief@evil.example' where customer_id = 'C2'")
    asked = ["audit", "erase", "--customer", "C1", "--by", "Ada", "--why", "request", "--as-of", NEXT_DAY]
    told = relance(waiting, *asked)
    assert told.returncode == 6
    assert "customer_lines of intake" in told.text
    assert not events(waiting, "personal_data_erased")


def test_a_batch_removed_by_hand_and_drafted_anew_under_its_name_is_told(waiting: Workspace) -> None:
    for name in ("batches", "messages", "actions", "approvals"):
        by_hand(waiting, f"delete from {name} where batch_id = '{NOTICES}'")
    relance(waiting, "run", "--as-of", DAY)
    assert len(events(waiting, "batch_drafted")) == 3
    told = relance(waiting, "audit", "verify")
    assert told.returncode == 6
    assert f"batch {NOTICES} is told as new" in told.text


@pytest.mark.parametrize(
    ("statement", "differing"),
    [
        (LESS, "amount_demanded"),
        ("update actions set step = 'call' where customer_id = 'C1'", "step"),
        ("update messages set document_sha256 = 'x' where customer_id = 'C1'", "document_sha256"),
        ("update messages set payload = replace(payload, '1 rue du Port', '9 rue du Port')", "address"),
        (THIEF.replace("c1@", "c4@"), "address"),
    ],
)
def test_each_action_is_compared_with_the_event_that_composed_it(
    waiting: Workspace, statement: str, differing: str
) -> None:
    assert composed_otherwise(waiting) == set()
    by_hand(waiting, statement)
    assert composed_otherwise(waiting) == {differing}
    assert f"stands in the store with another {differing}" in relance(waiting, "audit", "verify").text


def composed_otherwise(workspace: Workspace) -> set[str]:
    with open_to_read(workspace) as connection:
        return {", ".join(names) for names in find_composed_otherwise(connection)["differing"]}
