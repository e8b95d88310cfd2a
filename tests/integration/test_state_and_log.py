"""What the store holds is what the log says: whoever changes a row is found out, and the event is named."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tasks.audit.personal_fields import verify_personal_fields
from tasks.audit.state import verify_state
from tasks.ledger import NewEvent, append_events
from tasks.record import record_events
from tasks.run import Run
from tasks.store.connection import Connection, open_to_write
from tasks.store.seals import read_seals
from tasks.workspace import initialise
from tests.torture.tampered_past import read_mail

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(
        workspace=initialise(tmp_path / "company"),
        as_of=DAY,
        today=DAY,
        run_id="run-1",
        actor="Anna",
        clock=lambda: NOW,
        say=lambda line: None,
    )
    record_events(run, [dispute("C1", "wrong price"), dispute("C2", "late")])
    return run


@pytest.fixture
def connection(run: Run) -> Iterator[Connection]:
    with open_to_write(run.workspace) as opened:
        yield opened


def dispute(customer: str, note: str) -> dict[str, str]:
    return {"kind": "dispute", "customer_id": customer, "amount": "10.50", "note": note}


def problems(connection: Connection, statement: str) -> list[str]:
    assert verify_state(connection).problems == []
    connection.execute(statement)
    return verify_state(connection).problems


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "update event_lines set amount = 10.51 where customer_id = 'C2'",
            "event_lines of intake 1 was changed",
        ),
        (
            "update event_lines set note = null where customer_id = 'C2'",
            "event_lines of intake 1 was changed",
        ),
        ("update event_lines set line_number = line_number + 1", "event_lines of intake 1 was changed"),
        ("delete from event_lines where customer_id = 'C1'", "rows of event_lines of intake 1 were removed"),
        ("insert into event_lines from event_lines limit 1", "rows of event_lines of intake 1 were added"),
        ("delete from intakes", "rows of intakes of intake 1 were removed"),
        ("update intakes set as_of = date '2026-03-03'", "intakes of intake 1 was changed"),
    ],
)
def test_a_changed_row_is_found_and_its_event_named(
    connection: Connection, statement: str, told: str
) -> None:
    found = problems(connection, statement)
    assert len(found) == 1
    assert found[0].startswith("event 2 (event_recorded): ")
    assert told in found[0]


def test_text_that_moves_from_one_column_to_the_next_is_a_change(connection: Connection) -> None:
    connection.execute("update event_lines set reason = 'x;note=1:y' where customer_id = 'C1'")
    first = verify_state(connection).problems
    connection.execute("update event_lines set reason = 'x', note = 'y' where customer_id = 'C1'")
    assert len(first) == len(verify_state(connection).problems) == 1


def test_a_file_of_which_no_event_tells_was_added(connection: Connection) -> None:
    added = "insert into intakes select 7 as intake_id, * exclude (intake_id, run_id), 'run-9' as run_id from intakes"
    assert problems(connection, added.replace("insert into intakes", "insert into intakes by name")) == [
        "intake 7: no event tells of it; its rows in intakes were added"
    ]


def test_lines_of_no_file_at_all_were_added(connection: Connection) -> None:
    orphan = "insert into payment_lines (intake_id, payment_id, customer_id, currency) values (9, 'P', 'C1', 'EUR')"
    assert problems(connection, orphan) == [
        "intake 9: no event tells of it; its rows in payment_lines were added"
    ]


def test_a_table_or_column_that_no_version_made_is_told(connection: Connection) -> None:
    assert problems(connection, "alter table batches add column approved_too varchar") == [
        "column batches.approved_too (VARCHAR) was added or changed"
    ]
    connection.execute("drop table approvals")
    assert (
        "column approvals.batch_id (VARCHAR) is missing or was changed" in verify_state(connection).problems
    )


def test_what_is_older_than_seals_is_told_as_not_covered(tmp_path: Path) -> None:
    with open_to_write(initialise(tmp_path / "old")) as connection:
        events = [NewEvent("file_loaded", {"file": "a.csv"})]
        append_events(connection, events, recorded_at=NOW, actor="Anna", run_id="old")
        connection.execute(
            "insert into intakes values (1, 's', 'incremental', 'a.csv', 'x', $day, null, "
            "false, false, true, false, $day, 'old', $now, '{}')",
            {"day": DAY, "now": NOW},
        )
        checked = verify_state(connection)
    assert (checked.problems, checked.not_covered) == ([], ["1 intake"])


def test_an_erasure_explains_what_is_missing_and_changed_until_then(connection: Connection) -> None:
    connection.execute("update event_lines set note = null where customer_id = 'C1'")
    connection.execute("delete from personal_fields where sequence = 1")
    assert [problem.partition(":")[0] for problem in verify_state(connection).problems] == [
        "event 2 (event_recorded)",
        "event 1",
    ]
    erased = NewEvent("personal_data_erased", {"intake_ids": [1], "batch_ids": []}, customer_id="C1")
    append_events(connection, [erased], recorded_at=NOW, actor="Anna", run_id="run-2")
    assert verify_state(connection).problems == []
    connection.execute("delete from personal_fields")
    assert verify_state(connection).problems == [
        "event 2: its personal field note was removed, and no event tells of an erasure"
    ]


def test_a_dispatch_that_only_the_store_or_only_the_log_knows_is_found(connection: Connection) -> None:
    left = NewEvent("action_dispatched", {"on": DAY}, action_id="A1")
    append_events(connection, [left], recorded_at=NOW, actor="Anna", run_id="run-1")
    assert verify_state(connection).problems == [
        "event 3: action A1 left on 2026-03-02, and the store does not know of it"
    ]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update returns set kind = 'delivered', customer_id = null", "returns of returned mail"),
        ("delete from returns where sequence = 2", "rows of returns of returned mail"),
        (
            "insert into returns select * replace ('9' || return_id as return_id) from returns where sequence = 1",
            "its rows in returns were added",
        ),
        ("update mailboxes set last_uid = 999999", "(mailbox_read): mailboxes of mailbox imap"),
        ("delete from mailboxes", "(mailbox_read): rows of mailboxes of mailbox imap"),
        (
            "insert into mailboxes select * replace ('other' as mailbox) from mailboxes",
            "mailbox other: no event tells of it",
        ),
    ],
)
def test_changed_rows_of_what_came_back_are_found(run: Run, statement: str, told: str) -> None:
    read_mail(run.workspace, DAY)
    with open_to_write(run.workspace) as connection:
        [*found] = problems(connection, statement)
    assert found
    assert all(told in problem for problem in found)


@pytest.mark.parametrize("sequence", [-(2**63), 0, 2**63 - 1])
def test_a_personal_field_under_a_number_of_no_event_is_found(connection: Connection, sequence: int) -> None:
    connection.execute(
        "insert into personal_fields values ($sequence, 'note', '', 'x')", {"sequence": sequence}
    )
    assert verify_personal_fields(connection) == [
        f"event {sequence}: its personal field note was changed or added"
    ]


def test_groups_read_together_have_the_seals_that_they_have_alone(connection: Connection) -> None:
    connection.execute(
        "insert into payment_lines (intake_id, payment_id, customer_id, currency) "
        "select number // 7000, number, 'C1', 'EUR' from range(7000, 77000) as numbers (number) "
        "union all select 11, number, 'C1', 'EUR' from range(25000) as numbers (number)"
    )
    together = read_seals(connection, "intake_id")
    assert sorted(together, key=int) == [str(number) for number in range(1, 12)]
    assert together == {number: read_seals(connection, "intake_id", [number])[number] for number in together}
    assert read_seals(connection, "intake_id", [3, 9]) == {number: together[number] for number in ("3", "9")}
