"""Erasing personal data: it stands nowhere any more, the log holds, and everything is still decided and told."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from policies.retention import Retention
from tasks.audit.erasure import REQUEST, Erased, erase_customers, erase_unmatched_returns
from tasks.audit.periods import find_past_files
from tasks.audit.personal_files import index_shared_files
from tasks.audit.proof import find_action, prove_address, prove_document, read_document
from tasks.audit.questions import ask
from tasks.audit.state import verify_state
from tasks.ledger import NewEvent, append_events
from tasks.publish import publish
from tasks.published_tables import read_table
from tasks.run import Run
from tasks.store.connection import StoreBusyError, open_to_read, open_to_write
from tasks.store.erasure import ErasedRows, without_old_blocks
from tasks.workspace import Workspace, initialise
from tests.integration.audited_company import (
    CALLED,
    LATER,
    MAILED,
    NOTE,
    NOTIFIED,
    PEOPLE,
    PLACED,
    SECOND,
)
from tests.integration.audited_company import ask as ask_by_command
from tests.integration.console import relance
from tests.torture.company import copy_workspace, start
from tests.torture.tampered_past import read_mail

EXCEPTIONS = ("archive", "rejected")
"""Originals of exports hold everybody and go by period alone (docs/auditors.md)."""


def places_of(workspace: Workspace, texts: tuple[str, ...]) -> set[str]:
    """Return the files of a workspace whose bytes, unpacked where they are archives, hold one of the texts."""
    found = set()
    for path in workspace.root.rglob("*"):
        if path.is_file() and any(text.encode() in content for text in texts for content in contents(path)):
            found.add(str(path.relative_to(workspace.root)))
    return found


def contents(path: Path) -> list[bytes]:
    content = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [archive.read(name) for name in archive.namelist()]
    if path.suffix == ".parquet":
        return [content, pl.read_parquet(path, hive_partitioning=False).write_json().encode()]
    if path.suffix == ".duckdb" and path.name == "relance.duckdb":
        return [content, every_text(path)]
    return [content]


def every_text(store: Path) -> bytes:
    """Return all rows of all tables: what is compressed in the file is read too."""
    with duckdb.connect(str(store), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        rows = [connection.execute(f'select * from "{name}"').fetchall() for name in tables]
    return repr(rows).encode()


def left_after(workspace: Workspace, texts: tuple[str, ...]) -> set[str]:
    return {place for place in places_of(workspace, texts) if not place.startswith(EXCEPTIONS)}


def erase(workspace: Workspace, customer: str, *more: str) -> "subprocess.CompletedProcess[str]":
    words = ("--customer", customer, "--by", "Ada Officer", "--why", "request 12", "--as-of", SECOND, *more)
    return relance("audit", "erase", *words, "--workspace", str(workspace.root))


def acting_in(workspace: Workspace) -> Run:
    day, instant = date.fromisoformat(SECOND), datetime(2026, 3, 3, 12, tzinfo=UTC)
    return Run(workspace, day, day, "run-of-erasure", "Ada Officer", lambda: instant, lambda _: None)


def erase_now(workspace: Workspace, *customers: str) -> list[Erased]:
    """Erase without a command line, as it does once nothing stands against it."""
    acting = acting_in(workspace)
    shared = index_shared_files(workspace)
    done = erase_customers(acting, customers, shared, ground=REQUEST, by="Ada Officer", why="request 12")
    publish(acting)
    return done


def data_of(customer: str) -> tuple[str, ...]:
    return tuple(text for text in PEOPLE[customer] if text)


@pytest.fixture(scope="module")
def erased(audited: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The company after four people were erased on request, one by one."""
    workspace = copy_workspace(audited, tmp_path_factory.mktemp("erased") / "workspace")
    done = erase(workspace, MAILED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Erased the personal data of customer {MAILED}")
    assert all(one.rows for one in erase_now(workspace, CALLED, PLACED, NOTIFIED))
    return workspace


@pytest.mark.parametrize("customer", [MAILED, CALLED, PLACED, NOTIFIED])
def test_no_byte_of_an_erased_person_stands_outside_the_originals(
    audited: Workspace, erased: Workspace, customer: str
) -> None:
    before = left_after(audited, data_of(customer))
    assert "relance.duckdb" in before
    assert any(place.startswith("outbox/") for place in before) or customer == NOTIFIED
    assert left_after(erased, data_of(customer)) == set()


def test_notes_go_and_were_never_published(audited: Workspace, erased: Workspace) -> None:
    assert left_after(audited, (NOTE,)) == {"relance.duckdb"}
    assert left_after(erased, (NOTE, "Quartzmann")) == set()


def test_documents_of_letters_go_with_the_print_run_and_other_letters_stay(
    audited: Workspace, erased: Workspace
) -> None:
    folder = "outbox/2026-03-02-formal_notice"
    assert (audited.root / folder / "print.pdf").is_file()
    assert not (erased.root / folder / "print.pdf").exists()
    kept = sorted(path.name for path in (erased.root / folder / "letters").iterdir())
    assert [name.split("-")[0] for name in kept] == ["00106", "00129"]
    listed = csv.DictReader(io.StringIO((erased.root / folder / "letters.csv").read_text("utf-8-sig")))
    assert [row["customer_id"] for row in listed] == ["00106", "00129"]


def test_an_archive_of_cases_keeps_the_others_and_a_manifest_that_fits(erased: Workspace) -> None:
    path = erased.root / "outbox/2026-03-02-placement/placements/default.zip"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        debtors = list(csv.DictReader(io.StringIO(archive.read("debtor.csv").decode("utf-8-sig"))))
        manifest = json.loads(archive.read("manifest.json"))
    assert [row["debtor_ref"] for row in debtors] == ["00128"]
    assert manifest["cases_erased"] == 1
    assert set(manifest["sha256"]) == names - {"manifest.json"}


def test_the_log_holds_and_says_what_was_erased_without_saying_whom(erased: Workspace) -> None:
    assert "holds" in ask_by_command(erased, "verify")
    told = ask(erased, ["erased"]).frame
    assert told["customer_id"].to_list() == [MAILED, CALLED, PLACED, NOTIFIED]
    assert set(told["by"]) == {"Ada Officer"}
    event = read_table(erased, "events").filter(kind="personal_data_erased", customer_id=MAILED)
    payload = json.loads(event["payload"][0])
    assert payload["rows"]["personal_fields"] > 0
    assert payload["columns"]["event_lines"] == ["note"]
    assert payload["batch_ids"] == ["2026-03-02-automatic"]
    assert payload["intake_ids"]
    assert {entry["sha256_after"] for entry in payload["documents"]} == {None}


def test_questions_about_an_erased_customer_are_still_answered(audited: Workspace, erased: Workspace) -> None:
    before, after = (ask(workspace, ["customer", MAILED]).frame for workspace in (audited, erased))
    assert (
        after.filter(pl.col("what") != "personal_data_erased").drop("who").rows() == before.drop("who").rows()
    )
    page = ask_by_command(erased, "dossier", MAILED)
    assert "was erased" in page
    assert "Quartzmann" not in page


def test_days_are_still_decided(audited: Workspace, erased: Workspace) -> None:
    def decided(workspace: Workspace) -> str:
        words = ("decisions", "--as-of", SECOND, "--format", "csv", "--workspace", str(workspace.root))
        return relance(*words).stdout

    assert decided(erased) == decided(audited) != ""


def test_the_proof_follows_a_document_through_its_erasure(erased: Workspace) -> None:
    number = {
        customer: read_table(erased, "actions").filter(customer_id=customer)["action_id"][0]
        for customer in (MAILED, "00107")
    }
    gone = find_action(erased, number[MAILED])
    assert prove_document(erased, gone).holds
    assert "was erased" in prove_document(erased, gone).sentence
    assert prove_address(erased, gone, PEOPLE[MAILED][1]).startswith("Nobody can say any more")
    content, proof = read_document(erased, find_action(erased, number["00107"]))
    assert not proof.is_whole
    assert "took another customer out of it" in proof.sentence
    assert b"00107" in content
    shown = relance("audit", "show", number[MAILED], "--document", "--workspace", str(erased.root))
    assert (shown.returncode, shown.stdout) == (2, "")


def test_erasing_twice_changes_nothing_more(erased: Workspace, tmp_path: Path) -> None:
    workspace = copy_workspace(erased, tmp_path / "workspace")
    erasures = ask(workspace, ["erased"]).frame.height
    [again] = erase_now(workspace, MAILED)
    assert "nothing was changed" in again.sentence
    assert ask(workspace, ["erased"]).frame.height == erasures


def test_who_owes_is_not_erased_and_nobody_unknown(audited: Workspace) -> None:
    owing = erase(audited, "00107")
    assert owing.returncode == 5
    assert "customer 00107 has open items" in owing.stderr
    assert erase(audited, "nobody").returncode == 2


def test_what_is_past_its_period_goes_by_itself_and_what_a_claim_needs_stays(
    audited: Workspace, tmp_path: Path
) -> None:
    workspace = copy_workspace(audited, tmp_path / "workspace")
    place = ("--as-of", LATER, "--workspace", str(workspace.root))
    assert "declares no `retention`" in relance("audit", "retain", *place).stdout
    periods = "retention: {personal_fields_months: 1, documents_months: 1, exports_months: 1}\n"
    with workspace.creditor_path.open("a", encoding="utf-8") as file:
        file.write(periods)
    done = relance("audit", "retain", *place)
    assert done.returncode == 0, done.stderr
    assert "by exports_months" in done.stdout
    everybody = tuple(text for customer in PEOPLE for text in data_of(customer))
    assert places_of(workspace, everybody) == set()
    assert not any((workspace.root / "archive").iterdir())
    assert "holds" in ask_by_command(workspace, "verify")
    owing = find_action(
        workspace, read_table(workspace, "actions").filter(customer_id="00101")["action_id"][0]
    )
    assert prove_document(workspace, owing).path is not None
    told = ask(workspace, ["erased"]).frame
    assert {MAILED, CALLED, PLACED, NOTIFIED} <= set(told["customer_id"])
    assert "00101" not in set(told["customer_id"])


def test_a_crash_before_the_files_went_is_ended_by_the_next_erasure(
    audited: Workspace, tmp_path: Path
) -> None:
    """Rows and event are in the store, files and old blocks are not gone: as a kill between them leaves it."""
    workspace = copy_workspace(audited, tmp_path / "workspace")
    mails = workspace.root / "outbox/2026-03-02-automatic/emails"
    [own] = mails.glob(f"{MAILED}-*.eml")
    content = own.read_bytes()
    erase_now(workspace, MAILED)
    own.write_bytes(content)
    workspace.store_path.with_name(".relance.duckdb.erasing").touch()
    file_before = workspace.store_path.stat().st_ino
    [again] = erase_now(workspace, MAILED)
    assert (again.rows, again.deleted) == ({}, 1)
    assert workspace.store_path.stat().st_ino != file_before
    assert not list(workspace.root.glob(".relance.duckdb.*"))
    assert left_after(workspace, data_of(MAILED)) == set()


def test_a_reader_is_waited_for_and_what_he_hinders_is_owed(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "workspace")
    with open_to_write(workspace):
        pass
    mark = workspace.store_path.with_name(".relance.duckdb.erasing")
    file_before = workspace.store_path.stat().st_ino
    hold = f"held = duckdb.connect({str(workspace.store_path)!r}, read_only=True)"
    reader = start(["-c", f"import duckdb, time; {hold}; print('held', flush=True); time.sleep(60)"])
    assert reader.stdout
    assert reader.stdout.readline() == "held\n"
    try:
        with (
            pytest.raises(StoreBusyError, match=f"process {reader.pid}, and still was"),
            without_old_blocks(workspace, patience_seconds=0.1) as rows,
        ):
            rows.append(ErasedRows("event_lines", ("note",), 1))
    finally:
        reader.kill()
        reader.communicate()
    assert mark.exists()
    with without_old_blocks(workspace):
        pass
    assert not mark.exists()
    assert workspace.store_path.stat().st_ino != file_before


def test_sender_and_subject_of_mail_about_nobody_we_know_go_with_the_returned_mail(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "workspace")
    for day in (date(2026, 3, 9), date(2026, 4, 9)):
        read_mail(workspace, day)
    run = replace(acting_in(workspace), as_of=date(2026, 5, 9))
    with open_to_read(workspace) as connection:
        [(before,)] = connection.execute("select count(*) from personal_fields").fetchall()
    assert erase_unmatched_returns(run, date(2026, 3, 31), by="Anna", why="period") == before // 2 > 0
    assert erase_unmatched_returns(run, date(2026, 3, 31), by="Anna", why="period") == 0
    with open_to_write(workspace) as connection:
        assert verify_state(connection).problems == []
        connection.execute("delete from personal_fields")
        assert len(verify_state(connection).problems) == before // 2


def test_a_store_written_anew_is_readable_for_the_same_as_before(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "workspace")
    with open_to_write(workspace):
        pass
    workspace.store_path.chmod(0o600)
    with without_old_blocks(workspace) as erased:
        erased.append(ErasedRows("event_lines", ("note",), 1))
    assert workspace.store_path.stat().st_mode & 0o777 == 0o600


def test_an_export_has_a_period_and_files_the_log_does_not_know_stay(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "workspace")
    run = acting_in(workspace)
    for name in ("export.csv", "unknown.csv"):
        (workspace.archive / name).write_text(name)
    digest = hashlib.sha256(b"export.csv").hexdigest()
    with open_to_write(workspace) as connection:
        told = [NewEvent("file_loaded", {"sha256": digest, "as_of": date(2026, 1, 3)})]
        append_events(connection, told, recorded_at=run.clock(), actor="Anna", run_id="run-1")
    past = find_past_files(run, Retention(exports_months=2, returns_months=2), ())
    assert {key: [change.name for change in changes] for key, changes in past.items()} == {
        "exports_months": ["archive/export.csv"],
        "returns_months": [],
    }
    assert find_past_files(run, Retention(exports_months=3), ()) == {"exports_months": []}
