"""The copy for people: complete or not there, and its events cannot be changed unseen."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from policies.errors import AuditBrokenError, ExitCode, WrongUseError
from tasks.ledger import NewEvent, append_events, verify_store
from tasks.publish import (
    publish,
    query_published,
    read_latest,
    read_published,
    verify_agreement,
    verify_published,
)
from tasks.store.connection import open_to_read, open_to_write
from tasks.workspace import Workspace, initialise

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 2)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return initialise(tmp_path / "the company's")


def tell(workspace: Workspace, *kinds: str) -> None:
    with open_to_write(workspace) as connection:
        events = [NewEvent(kind, {"text": "é"}) for kind in kinds]
        append_events(connection, events, recorded_at=NOW, actor="Anna", run_id="run-1")


def publish_now(workspace: Workspace) -> int:
    return publish(workspace, run_id="run-1", as_of=DAY)


def segments(workspace: Workspace) -> list[Path]:
    return sorted((workspace.published / "audit").glob("*.parquet"))


@pytest.fixture
def published(workspace: Workspace) -> Workspace:
    tell(workspace, "first", "second")
    publish_now(workspace)
    tell(workspace, "third", "fourth")
    publish_now(workspace)
    return workspace


def test_each_run_adds_only_its_new_events(published: Workspace) -> None:
    assert [path.name for path in segments(published)] == [
        "events-000000001-000000002.parquet",
        "events-000000003-000000004.parquet",
    ]
    before = segments(published)[0].stat().st_mtime_ns
    assert publish_now(published) == 0
    assert segments(published)[0].stat().st_mtime_ns == before
    assert verify_published(published.published) == []
    assert not list(published.published.rglob("*.tmp"))


def test_nothing_published_is_nothing_wrong(workspace: Workspace) -> None:
    assert verify_published(workspace.published) == []
    assert read_latest(workspace) is None
    assert read_published(workspace, "aging", DAY) is None
    assert publish_now(workspace) == 0
    assert verify_published(workspace.published) == []


def test_the_tables_of_a_day_are_read_again_with_the_run_that_made_them(workspace: Workspace) -> None:
    aging = pl.DataFrame({"customer_id": ["C1"], "total": [Decimal("1.50")]})
    publish(workspace, run_id="run-7", as_of=DAY, aging=aging, decisions=aging)
    latest = read_latest(workspace)
    assert latest is not None
    assert (latest.run_id, latest.as_of) == ("run-7", DAY)
    found = read_published(workspace, "aging", DAY)
    assert found is not None
    assert found.rows() == [(DAY, "C1", Decimal("1.50"))]
    assert aging.columns == ["customer_id", "total"]


def test_a_day_published_again_is_replaced(workspace: Workspace) -> None:
    for total in (1, 2):
        publish(workspace, run_id="r", as_of=DAY, decisions=pl.DataFrame({"total": [total]}))
    assert query_published(workspace, "select total from decisions")["total"].to_list() == [2]


def test_people_ask_the_published_tables_while_a_run_holds_the_store(published: Workspace) -> None:
    with open_to_write(published):
        found = query_published(published, "select sequence, kind from events order by sequence desc limit 1")
        assert found.rows() == [(4, "fourth")]
        assert query_published(published, "describe events").height == 10
        assert query_published(published, "select count(*) from batches").rows() == [(0,)]
        with duckdb.connect(str(published.published / "audit.duckdb"), read_only=True) as views:
            assert views.execute("select count(*) from events").fetchall() == [(4,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy (select 1) to 'x.csv'",
        "create table t as select 1",
        "select 1; select 2",
        "set enable_external_access = true",
        "attach 'x.duckdb'",
        "install httpfs",
        "pragma enable_profiling",
        "selct 1",
        "select * from nothing",
        "",
    ],
)
def test_a_query_that_does_more_than_read_is_refused(published: Workspace, sql: str) -> None:
    with pytest.raises(WrongUseError) as raised:
        query_published(published, sql)
    assert raised.value.exit_code is ExitCode.WRONG_USE


def test_the_store_itself_cannot_be_read_by_a_query(published: Workspace) -> None:
    with pytest.raises(WrongUseError):
        query_published(
            published,
            f"select * from read_blob('{str(published.creditor_path).replace(chr(39), chr(39) * 2)}')",
        )


def test_before_the_first_run_a_query_says_what_is_missing(workspace: Workspace) -> None:
    with pytest.raises(WrongUseError, match="holds nothing yet"):
        query_published(workspace, "select 1")


def test_what_a_killed_run_left_unpublished_is_published_by_the_next(published: Workspace) -> None:
    tell(published, "fifth")
    manifest = published.published / "audit" / "manifest.json"
    listed = manifest.read_bytes()
    publish_now(published)
    manifest.write_bytes(listed)
    tell(published, "sixth")
    assert publish_now(published) == 2
    assert [path.name for path in segments(published)][2:] == ["events-000000005-000000006.parquet"]
    assert verify_published(published.published) == []


def test_a_head_behind_its_events_is_what_a_kill_leaves_and_no_fault(published: Workspace) -> None:
    head = published.published / "audit" / "head.json"
    before = head.read_bytes()
    tell(published, "fifth")
    publish_now(published)
    head.write_bytes(before)
    assert verify_published(published.published) == []


def change(path: Path, **values: pl.Expr) -> None:
    pl.read_parquet(path).with_columns(**values).write_parquet(path)


def test_a_changed_event_is_named(published: Workspace) -> None:
    change(segments(published)[1], kind=pl.lit("other"))
    assert verify_published(published.published) == [
        f"published event 3 was changed: its hash does not fit its content ({segments(published)[1]})"
    ]


def test_any_changed_byte_of_the_copy_is_found_and_its_events_named(published: Workspace) -> None:
    path = segments(published)[1]
    good = path.read_bytes()
    for place in range(0, len(good), 97):
        bad = bytearray(good)
        bad[place] ^= 1
        path.write_bytes(bad)
        problems = verify_published(published.published)
        assert len(problems) == 1, place
        assert problems[0].startswith("published event "), problems
    path.write_bytes(good)
    assert verify_published(published.published) == []


def test_a_dropped_last_event_of_the_copy_is_named(published: Workspace) -> None:
    path = segments(published)[1]
    pl.read_parquet(path).head(1).write_parquet(path)
    assert "published event 4 is missing" in verify_published(published.published)[0]


def test_a_dropped_segment_is_named(published: Workspace) -> None:
    path = segments(published)[1]
    path.unlink()
    assert verify_published(published.published) == [f"published event 3 to 4: missing, there is no {path}"]


def test_a_segment_taken_out_of_the_manifest_too_is_found_by_the_head(published: Workspace) -> None:
    manifest = published.published / "audit" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8"))[:1]), encoding="utf-8")
    assert verify_published(published.published) == [
        "published event 3 is missing: the events end with 2, published/audit/head.json states 4"
    ]


def test_events_in_another_order_are_found(published: Workspace) -> None:
    path = segments(published)[0]
    pl.read_parquet(path).reverse().write_parquet(path)
    assert "published event 1 is missing or out of order" in verify_published(published.published)[0]


@pytest.mark.parametrize("name", ["manifest.json", "head.json"])
def test_a_missing_or_broken_list_is_told(published: Workspace, name: str) -> None:
    path = published.published / "audit" / name
    path.write_text("{", encoding="utf-8")
    assert "cannot be read" in verify_published(published.published)[0]
    path.unlink()
    assert "is missing" in verify_published(published.published)[0]


def test_a_store_cut_off_together_with_its_head_contradicts_what_was_published(published: Workspace) -> None:
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == []
    with open_to_write(published) as connection:
        connection.execute("delete from audit_events where sequence > 3")
        connection.execute(
            "update meta set head_sequence = 3, head_hash = (select max_by(hash, sequence) from audit_events)"
        )
        assert verify_store(connection) == []
        assert verify_agreement(connection, published.published) == [
            "event 4 is missing in the store: 4 are published"
        ]
    with pytest.raises(AuditBrokenError, match="event 4 is missing in the store"):
        publish_now(published)
    tell(published, "another fourth")
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == [
            "event 4 in the store is not the one that was published"
        ]


def test_a_copy_that_lags_behind_is_no_contradiction(published: Workspace) -> None:
    tell(published, "fifth")
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == []


def test_a_damaged_copy_stops_publishing_and_a_removed_one_is_made_anew(published: Workspace) -> None:
    segments(published)[1].write_bytes(b"x")
    with pytest.raises(AuditBrokenError, match="cannot be read"):
        publish_now(published)
    for path in (published.published / "audit").iterdir():
        path.unlink()
    assert publish_now(published) == 4
    assert verify_published(published.published) == []


READ = """
import pathlib, sys
from tasks.publish import query_published
from tasks.workspace import Workspace
workspace = Workspace(pathlib.Path(sys.argv[1]))
for _ in range(15):
    counts = query_published(workspace, "select count(*) as n, max(sequence) as last from events").row(0)
    assert counts[0] == counts[1], counts
"""


def test_a_reader_never_sees_half_of_what_is_being_published(published: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(published.root)], stderr=subprocess.PIPE
    ) as reader:
        while reader.poll() is None:
            tell(published, "more")
            publish_now(published)
        assert reader.stderr is not None
        assert reader.stderr.read() == b""
