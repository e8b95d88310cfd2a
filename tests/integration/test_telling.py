"""What a person reads of a run, and of a table, in a terminal of 100 columns."""

from datetime import date

import polars as pl
import pytest

from flows.commands.telling import tell
from flows.steps import DecidedDay
from flows.summary import RunSummary
from tasks.findings.report import Findings
from tasks.plan import PlannedBatch
from tasks.present import print_table

DAY = date(2026, 3, 10)


def told(capsys: pytest.CaptureFixture[str], acting: int, *drafted: PlannedBatch) -> list[str]:
    decided = DecidedDay({}, {"reminder_1": acting}, [], drafted, Findings())
    tell(RunSummary("run", DAY, decided=decided))
    return [line.strip() for line in capsys.readouterr().out.splitlines()[1:]]


def batch(messages: int, items: int) -> PlannedBatch:
    return PlannedBatch("B1", messages, items, approval_required=False, guard_sentence=None)


def test_one_of_a_kind_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, 1, batch(1, 1)) == ["act     1 item: reminder_1 1", "draft   B1: 1 message"]
    assert told(capsys, 3, batch(2, 3)) == ["act     3 items: reminder_1 3", "draft   B1: 2 messages"]


def test_a_second_run_of_the_day_tells_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, 13)[1] == "draft   0 messages; 13 items decided to act were already drafted today"
    assert told(capsys, 2, batch(1, 1))[1:] == [
        "draft   B1: 1 message",
        "draft   1 item decided to act was already drafted today",
    ]


def test_codes_and_dates_of_a_table_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"customer, invoice": "C00012 INVOICE-2026-000012", "step": "formal_notice", "what": "only A"}
    amounts = {f"amount {number}": "123456.00" for number in range(4)}
    print_table(pl.DataFrame([{**row, "A on": DAY, "B on": DAY, **amounts}]), "Differences")
    printed = capsys.readouterr().out
    assert "formal_notice" in printed
    assert printed.count("2026-03-10") == 2
    assert max(len(line) for line in printed.splitlines()) <= 100
