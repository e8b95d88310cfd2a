"""Who only reads gets an answer at every moment of a day; `python -m tests.torture.readers` asks on a larger scale."""

from pathlib import Path

import polars as pl
import pytest

from tasks.present import print_table
from tests.torture.readers import ask_while_at_work, counting_server, make_workspace, wrong


def test_every_question_is_answered_while_a_day_goes_on(tmp_path: Path) -> None:
    with counting_server() as (port, taken):
        workspace = make_workspace(tmp_path / "company", 60, port)
        answers, _ = ask_while_at_work(workspace)
    assert len(set(taken)) == len(taken) == 60
    assert answers
    assert wrong(answers, None) == []


def test_a_long_table_says_what_a_short_one_says(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["C1", "C2\nx", "C 3", None] * 100
    frame = pl.DataFrame({"customer_id": names, "amount": ["1.00", "22.50", "3.00", "4.00"] * 100})
    print_table(frame, "Owed", {"customer_id": "customer", "amount": "amount"})
    short = capsys.readouterr().out.splitlines()
    print_table(pl.concat([frame, frame]), "Owed", {"customer_id": "customer", "amount": "amount"})
    long = capsys.readouterr().out.splitlines()
    assert [line.split() for line in long[2:402]] == [line.split() for line in short[2:]]
    assert long[:2] == [line.rstrip() for line in short[:2]]
    assert len(long) == 802
