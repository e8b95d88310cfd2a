"""Whoever changes the store or the published copy is found out, and the event or the file is named.

The thousand changes of `python -m tests.torture.tampering` in small, on one day of the sample company.
"""

import random
from pathlib import Path

import duckdb
import pytest

from tasks.workspace import Workspace
from tests.torture.company import Stages
from tests.torture.moments import APPROVE
from tests.torture.store_bytes import MEANS_NOTHING, count_store_bytes
from tests.torture.store_changes import undone
from tests.torture.tampering import flip_published, logical_changes, said_of, verify


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Stages(tmp_path_factory.mktemp("tampering")).before(APPROVE)


def test_a_log_nobody_touched_holds(untouched: Workspace) -> None:
    code, said = verify(untouched)
    assert code == 0, said
    assert said.startswith("The log holds: ")


def test_logical_changes_are_found_and_the_event_or_file_named(untouched: Workspace) -> None:
    found = list(logical_changes(untouched, 14, random.Random(3)))
    assert [one for one in found if not one.is_found] == []
    assert len({one.kind for one in found}) > 4
    assert said_of(untouched) == ""


def test_a_bit_of_a_published_file_is_found_and_the_file_named(untouched: Workspace) -> None:
    flips = flip_published(untouched, random.Random(4))
    found = [next(flips) for _ in range(10)]
    assert [one for one in found if not one.is_found] == []


def test_a_bit_of_the_store_is_found_or_means_nothing(untouched: Workspace) -> None:
    counts = count_store_bytes(untouched, 4, seed=5)
    assert {what for what in counts if what.isupper()} == set()
    assert counts.get(MEANS_NOTHING, 0) < 4


def test_all_that_is_wrong_is_told_at_once_with_what_to_do(untouched: Workspace) -> None:
    latest = untouched.published / "latest.json"
    with undone(untouched.store_path), undone(latest):
        latest.write_text("{}", encoding="utf-8")
        with duckdb.connect(str(untouched.store_path)) as connection:
            connection.execute("update invoice_lines set amount = amount + 1 where line_number = 2")
            connection.execute("update audit_events set actor = 'nobody' where sequence in (2, 4)")
        code, said = verify(untouched)
    assert code == 6
    for told in (
        "Published file latest.json was changed",
        "In the store, event 2 was changed",
        "In the store, event 4 was changed",
        "invoice_lines of intake",
        "restore the newest backup",
    ):
        assert told in said


def test_a_published_copy_is_verified_while_a_flow_holds_the_store(
    untouched: Workspace, tmp_path: Path
) -> None:
    with duckdb.connect(str(untouched.store_path)):
        code, said = verify(untouched)
    assert code == 0, said
    assert "The published copy holds. The store was not checked" in said
