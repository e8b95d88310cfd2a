"""The store: one writer, whole transactions, files loaded whole or not at all."""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from policies.errors import ExitCode, WrongUseError
from policies.model import CUSTOMERS, INVOICES, PAYMENTS, SourceKind
from policies.sources import ParsedFile
from tasks.store.connection import Connection, StoreBusyError, open_to_read, open_to_write
from tasks.store.history import read_history
from tasks.store.intakes import (
    count_missing_items,
    find_changed_items,
    has_sha256,
    list_intakes,
    record_intake,
)
from tasks.store.schema import NEWEST_VERSION, read_version
from tasks.workspace import Workspace, initialise

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialise(tmp_path / "company")


def invoice(number: str, amount: str = "100.00", **other: object) -> dict[str, object]:
    return {
        "customer_id": "C1",
        "invoice_number": number,
        "installment": "1",
        "document_type": "invoice",
        "invoice_date": date(2026, 9, 1),
        "due_date": date(2026, 10, 1),
        "currency": "EUR",
        "amount": Decimal(amount),
        "line_number": 2,
    } | other


def file_of(
    *invoices: dict[str, object], kind: SourceKind = SourceKind.FULL_OPEN_ITEMS, day: date = DAY
) -> ParsedFile:
    return ParsedFile(
        source="erp",
        kind=kind,
        file_date=day,
        carries_balances=True,
        records={"invoices": pl.DataFrame(list(invoices), schema=INVOICES)},
    )


def load(connection: Connection, parsed: ParsedFile, sha256: str = "ab", recorded_at: datetime = NOW) -> int:
    return record_intake(
        connection,
        parsed,
        sha256=sha256,
        file_name="invoices-full.csv",
        as_of=parsed.file_date,
        run_id="run-1",
        recorded_at=recorded_at,
    )


class TestOpening:
    def test_a_workspace_without_a_store_reads_as_empty_and_stays_without_one(
        self, workspace: Workspace
    ) -> None:
        with open_to_read(workspace) as connection:
            assert read_history(connection).documents.is_empty()
        assert not workspace.store_path.exists()

    def test_one_opening_is_one_transaction(self, workspace: Workspace) -> None:
        def fail_half_way() -> None:
            with open_to_write(workspace) as connection:
                load(connection, file_of(invoice("F1")))
                raise RuntimeError("half way")

        with pytest.raises(RuntimeError, match="half way"):
            fail_half_way()
        with open_to_read(workspace) as connection:
            assert list_intakes(connection).is_empty()
        with open_to_write(workspace) as connection:
            load(connection, file_of(invoice("F1")))
        with open_to_read(workspace) as connection:
            assert list_intakes(connection)["counts"].to_list() == ['{"invoices": 1}']

    def test_a_store_of_a_newer_program_is_refused_and_left_alone(self, workspace: Workspace) -> None:
        with open_to_write(workspace) as connection:
            assert read_version(connection) == NEWEST_VERSION
            connection.execute("update meta set schema_version = 999")
        for opening in (open_to_read, open_to_write):
            with pytest.raises(WrongUseError, match="a newer Relance has written it"), opening(workspace):
                pass

    def test_a_store_of_an_older_program_is_brought_forward_also_by_a_reader(
        self, workspace: Workspace
    ) -> None:
        with duckdb.connect(str(workspace.store_path)) as empty:
            empty.execute("select 1").fetchall()
        with open_to_read(workspace) as connection:
            assert read_version(connection) == NEWEST_VERSION

    def test_threads_of_one_process_write_one_after_the_other(self, workspace: Workspace) -> None:
        failed: list[Exception] = []

        def write(number: int) -> None:
            try:
                with open_to_write(workspace) as connection:
                    load(connection, file_of(invoice(f"F{number}"), kind=SourceKind.INCREMENTAL))
            except duckdb.Error as error:
                failed.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        with open_to_read(workspace) as connection:
            assert list_intakes(connection)["intake_id"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8]

    def test_a_second_writer_in_one_thread_is_told_so_and_does_not_hang(self, workspace: Workspace) -> None:
        with (
            open_to_write(workspace),
            pytest.raises(StoreBusyError),
            open_to_write(workspace, patience_seconds=0.1),
        ):
            pass


WRITE = """
import datetime, pathlib, sys
from tasks.ledger import NewEvent, append_events
from tasks.store.connection import open_to_write
from tasks.workspace import Workspace
workspace = Workspace(pathlib.Path(sys.argv[1]))
now = datetime.datetime(2026, 11, 2, tzinfo=datetime.timezone.utc)
for number in range(10):
    with open_to_write(workspace) as connection:
        event = NewEvent("noted", {"number": number})
        append_events(connection, [event], recorded_at=now, actor=sys.argv[2], run_id="r")
"""

HOLD = """
import os, pathlib, sys, time
from tasks.store.connection import open_to_write
from tasks.workspace import Workspace
with open_to_write(Workspace(pathlib.Path(sys.argv[1]))) as connection:
    connection.execute("insert into approvals (batch_id, approved_by, approved_on, recorded_at) "
    "values ('lost', 'x', date '2026-01-01', now())")
    if sys.argv[2] == "commit":
        connection.execute("commit")
        connection.execute("begin transaction")
        connection.execute("insert into approvals (batch_id, approved_by, approved_on, recorded_at) "
    "values ('lost', 'y', date '2026-01-01', now())")
    print("held", flush=True)
    time.sleep(60)
"""


class TestTwoProcesses:
    def test_both_write_and_nothing_is_lost(self, workspace: Workspace) -> None:
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITE, str(workspace.root), name], stderr=subprocess.PIPE)
            for name in ("anna", "bruno")
        ]
        assert [writer.communicate()[1] for writer in writers] == [b"", b""]
        with open_to_read(workspace) as connection:
            rows = connection.execute("select sequence, actor from audit_events order by sequence").fetchall()
        assert [sequence for sequence, _ in rows] == list(range(1, 21))
        assert sorted(actor for _, actor in rows) == ["anna"] * 10 + ["bruno"] * 10

    def test_who_waits_too_long_is_told_who_holds_the_store(self, workspace: Workspace) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(workspace.root), "no"], stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            for opening in (open_to_read, open_to_write):
                begun = time.monotonic()
                with (
                    pytest.raises(
                        StoreBusyError, match=rf"held by process {other.pid}, and still was"
                    ) as raised,
                    opening(workspace, patience_seconds=0.2),
                ):
                    pass
                assert time.monotonic() - begun < 5
                assert raised.value.exit_code is ExitCode.WAITING
            other.kill()

    def test_what_a_killed_writer_had_committed_is_read_and_the_rest_is_gone(
        self, workspace: Workspace
    ) -> None:
        with open_to_write(workspace):
            pass
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(workspace.root), "commit"], stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            other.kill()
        assert workspace.store_path.with_suffix(".duckdb.wal").exists()
        with open_to_read(workspace) as connection:
            assert connection.execute("select approved_by from approvals").fetchall() == [("x",)]
        with open_to_write(workspace) as connection:
            assert connection.execute("select approved_by from approvals").fetchall() == [("x",)]


class TestIntakes:
    def test_the_same_bytes_are_known_again_unless_named_for_another_day(self, workspace: Workspace) -> None:
        with open_to_write(workspace) as connection:
            load(connection, file_of(invoice("F1")), sha256="abc")
            assert has_sha256(connection, "abc")
            assert has_sha256(connection, "abc", named_date=DAY)
            assert not has_sha256(connection, "abc", named_date=DAY + timedelta(days=1))
            assert not has_sha256(connection, "other")

    def test_a_refused_file_cannot_be_loaded(self, workspace: Workspace) -> None:
        wrong = pl.DataFrame([{"line": 2, "column": "amount", "value": "x", "rule": "r", "fix": "f"}])
        with open_to_write(workspace) as connection, pytest.raises(ValueError, match="was refused"):
            load(connection, replace(file_of(invoice("F1")), problems=wrong))

    def test_all_records_are_loaded_beside_their_file(self, workspace: Workspace) -> None:
        customers = pl.DataFrame(
            [{"customer_id": "C1", "email": "a@b.example", "line_number": 2}], schema=CUSTOMERS
        )
        payments = pl.DataFrame(
            [
                {
                    "payment_id": "P1",
                    "customer_id": "C1",
                    "currency": "EUR",
                    "amount": Decimal(5),
                    "line_number": 2,
                }
            ],
            schema=PAYMENTS,
        )
        parsed = file_of(invoice("F1"))
        parsed.records.update(customers=customers, payments=payments)
        with open_to_write(workspace) as connection:
            assert load(connection, parsed) == 1
            history = read_history(connection)
        assert history.customers["email"].to_list() == ["a@b.example"]
        assert history.payments["amount"].to_list() == [Decimal("5.000")]

    def test_a_known_item_keeps_its_currency_and_issue_date(self, workspace: Workspace) -> None:
        with open_to_write(workspace) as connection:
            load(connection, file_of(invoice("F1"), invoice("F2"), invoice("F3")))
            problems = find_changed_items(
                connection,
                file_of(
                    invoice("F1", line_number=2),
                    invoice("F2", currency="USD", line_number=3),
                    invoice("F3", invoice_date=date(2026, 9, 2), line_number=4),
                    invoice("F4", currency="USD", line_number=5),
                ),
            )
        assert problems.select("line", "column", "value").rows() == [
            (3, "currency", "USD"),
            (4, "invoice_date", "2026-09-02"),
        ]
        assert problems["rule"][0] == "a known item keeps its currency: it was EUR in invoices-full.csv"

    def test_a_ledger_may_change_what_it_said_of_the_same_year_itself(self, workspace: Workspace) -> None:
        before = replace(file_of(invoice("F1"), kind=SourceKind.LEDGER), fiscal_year="2026")
        after = replace(
            file_of(invoice("F1", invoice_date=date(2026, 9, 2)), kind=SourceKind.LEDGER), fiscal_year="2026"
        )
        with open_to_write(workspace) as connection:
            load(connection, before)
            assert find_changed_items(connection, after).is_empty()
            assert find_changed_items(connection, replace(after, fiscal_year="2027")).height == 1

    def test_a_file_without_invoices_changes_no_item(self, workspace: Workspace) -> None:
        with open_to_write(workspace) as connection:
            assert find_changed_items(connection, replace(file_of(), records={})).is_empty()

    def test_what_a_full_file_no_longer_lists_is_counted(self, workspace: Workspace) -> None:
        tomorrow = DAY + timedelta(days=1)
        with open_to_write(workspace) as connection:
            load(connection, file_of(invoice("F1"), invoice("F2"), invoice("F3", amount_open=Decimal(0))))
            missing = count_missing_items(connection, file_of(invoice("F2"), day=tomorrow))
            assert (missing.known_open, missing.missing) == (2, 1)
            yesterday = count_missing_items(connection, file_of(day=DAY - timedelta(days=1)))
            assert (yesterday.known_open, yesterday.missing) == (0, 0)
            some = count_missing_items(connection, file_of(kind=SourceKind.INCREMENTAL, day=tomorrow))
            assert (some.known_open, some.missing) == (0, 0)

    def test_a_file_without_invoices_says_nothing_about_what_is_still_open(
        self, workspace: Workspace
    ) -> None:
        with open_to_write(workspace) as connection:
            load(connection, file_of(invoice("F1")))
            payments = replace(file_of(), records={"payments": PAYMENTS.to_frame()})
            assert count_missing_items(connection, payments).missing == 0
            load(connection, payments)
            assert count_missing_items(connection, file_of()).missing == 1
