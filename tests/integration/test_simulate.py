"""`relance policy simulate` and `policy diff` on a workspace: what they print, and that they leave it as it is."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.__main__ import run as relance
from tasks.workspace import Workspace, initialise

CUSTOMERS = """customer_id,customer_name,email,language,country,address_line_1,postcode,city,phone
C1,Cooperative,ledger@customer.example,fr,FR,1 rue du Port,29200,Brest,+33 2 98 00 00 00
"""
INVOICES = """customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount
C1,Cooperative,F1,2026-01-30,2026-03-02,EUR,1000.00
"""
STRICTER = """description: Later and milder.
policy: later
segments: [{segment: everyone, ladder: only}]
ladders: {only: [{step: reminder_1, after_due_days: 4, channel: email}]}
"""
PERIOD = ["--from", "2026-03-02", "--to", "2026-03-12"]


@pytest.fixture
def acme(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    workspace = initialise(tmp_path / "acme")
    (workspace.inbox / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (workspace.inbox / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    assert relance(["intake", "--workspace", str(workspace.root), "--as-of", "2026-03-02"]) == 0
    (workspace.root / "later.yaml").write_text(STRICTER, encoding="utf-8")
    capsys.readouterr()
    return workspace


def files_of(workspace: Workspace) -> dict[str, bytes]:
    return {
        str(path.relative_to(workspace.root)): path.read_bytes()
        for path in workspace.root.rglob("*")
        if path.is_file()
    }


def test_a_simulation_tells_steps_and_charges_and_changes_nothing(
    acme: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(acme)
    assert relance(["policy", "simulate", "standard_fr", *PERIOD, "--workspace", str(acme.root)]) == 0
    told = capsys.readouterr()
    assert "9 working days, 2 contacts, 2 messages, 2 items" in told.out
    assert "reminder_2" in told.out
    assert "standard_fr: 2026-03, 2 actions so far" in told.err
    assert max(len(line) for line in told.out.splitlines()) <= 100
    assert files_of(acme) == before


def test_all_rows_are_had_as_files(
    acme: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.parquet"
    words = ["policy", "simulate", *PERIOD, "--format", "csv", "--output", str(rows)]
    assert relance([*words, "--workspace", str(acme.root)]) == 0
    assert capsys.readouterr().out.startswith("dispatch_date,customer_id,currency,invoice_number")
    left = pl.read_parquet(rows)
    assert left["dispatch_date"].to_list() == [date(2026, 3, 3), date(2026, 3, 10)]
    assert left["recovery_charge"].to_list() == [None, "40.00"]


@pytest.mark.parametrize(
    ("by", "column"), [("month", "contacts"), ("step", "messages"), ("customer", "charged")]
)
def test_sums_are_had_for_machines(
    acme: Workspace, by: str, column: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["policy", "simulate", *PERIOD, "--by", by, "--format", "csv", "--workspace", str(acme.root)]
    assert relance(words) == 0
    assert column in capsys.readouterr().out.splitlines()[0].split(",")


def test_a_diff_tells_who_is_contacted_differently_and_fails_only_when_asked(
    acme: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["policy", "diff", "standard_fr", str(acme.root / "later.yaml"), *PERIOD]
    place = ["--workspace", str(acme.root)]
    assert relance([*words, *place]) == 0
    told = capsys.readouterr().out
    assert "more often 0, less often 1, first earlier 0, first later 1; alike 0" in told
    assert "only A" in told
    assert relance([*words, *place, "--format", "json", "--fail-on-change"]) == 5


def test_a_policy_compared_with_itself_differs_in_nothing(acme: Workspace) -> None:
    words = ["policy", "diff", "standard_fr", "standard_fr", *PERIOD, "--fail-on-change"]
    assert relance([*words, "--workspace", str(acme.root)]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "2026-03-02", "--to", "2026-03-01"], "turn them round"),
        ([*PERIOD, "--approve-after-days", "-1"], "from 0"),
        ([*PERIOD, "--output", "rows.txt"], ".csv, .json or .parquet"),
        ([*PERIOD, "--output", "nowhere/rows.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    acme: Workspace, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert relance(["policy", "simulate", "standard_fr", *words, "--workspace", str(acme.root)]) == 2
    assert message in capsys.readouterr().err
