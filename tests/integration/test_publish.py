"""The copy for people: complete or not there, and its events cannot be changed unseen."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from policies.errors import AuditBrokenError, ExitCode, WrongUseError
from tasks import manifest
from tasks.audit.published import unsealed_files, verify_published
from tasks.documents.whole_files import put_bytes
from tasks.ledger import NewEvent, append_events, verify_store
from tasks.publish import publish, verify_agreement
from tasks.published_tables import query_published, read_latest, read_published
from tasks.run import Run
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
    return publish(at_work(workspace))


def cut(workspace: Workspace) -> Run:
    """A run that is killed when it wants to write into the log."""

    def die() -> datetime:
        raise KeyboardInterrupt

    return replace(at_work(workspace), clock=die)


def at_work(workspace: Workspace, run_id: str = "run-1") -> Run:
    return Run(workspace, DAY, DAY, run_id, "Anna", lambda: NOW, lambda line: None)


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
        "events-000000001-000000003.parquet",
        "events-000000004-000000004.parquet",
        "events-000000005-000000006.parquet",
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
    assert publish_now(workspace) == 2
    assert publish_now(workspace) == 0
    assert verify_published(workspace.published) == []


def test_the_tables_of_a_day_are_read_again_with_the_run_that_made_them(workspace: Workspace) -> None:
    aging = pl.DataFrame({"customer_id": ["C1"], "total": [Decimal("1.50")]})
    publish(at_work(workspace, "run-7"), aging=aging, decisions=aging)
    latest = read_latest(workspace)
    assert latest is not None
    assert (latest.run_id, latest.as_of) == ("run-7", DAY)
    found = read_published(workspace, "aging", DAY)
    assert found is not None
    assert found.rows() == [(DAY, "C1", Decimal("1.50"))]
    assert aging.columns == ["customer_id", "total"]


def test_a_day_published_again_is_replaced(workspace: Workspace) -> None:
    for total in (1, 2):
        publish(at_work(workspace), decisions=pl.DataFrame({"total": [total]}))
    assert query_published(workspace, "select total from decisions")["total"].to_list() == [2]


def test_people_ask_the_published_tables_while_a_run_holds_the_store(published: Workspace) -> None:
    with open_to_write(published):
        found = query_published(published, "select sequence, kind from events order by sequence desc limit 1")
        assert found.rows() == [(6, "fourth")]
        assert query_published(published, "describe events").height == 10
        assert query_published(published, "select count(*) from batches").rows() == [(0,)]
        with duckdb.connect(str(published.published / "audit.duckdb"), read_only=True) as views:
            assert views.execute("select count(*) from events").fetchall() == [(6,)]


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
    with pytest.raises(KeyboardInterrupt):
        publish(cut(published), aging=pl.DataFrame({"total": [1]}))
    assert verify_published(published.published) == []
    assert unsealed_files(published.published) == [
        "actions.parquet",
        "aging/as_of=2026-11-02.parquet",
        "batches.parquet",
        "customers.parquet",
        "intakes.parquet",
        "latest.json",
        "messages.parquet",
    ]
    tell(published, "sixth")
    assert publish_now(published) == 4
    assert [path.name for path in segments(published)][3:] == [
        "events-000000007-000000009.parquet",
        "events-000000010-000000010.parquet",
    ]
    assert unsealed_files(published.published) == []
    assert verify_published(published.published) == []


def test_every_instant_at_which_publishing_is_cut_leaves_a_copy_that_holds(
    published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file in turn is the last that is written; the next run publishes the rest."""
    put, written = put_bytes, 0

    def put_until(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written == last:
            raise KeyboardInterrupt
        put(path, content)

    for last in range(1, 12):
        tell(published, f"event of round {last}")
        written = 0
        monkeypatch.setattr(manifest, "put_bytes", put_until)
        with pytest.raises(KeyboardInterrupt):
            publish(at_work(published), decisions=pl.DataFrame({"round": [last]}))
        monkeypatch.setattr(manifest, "put_bytes", put)
        assert verify_published(published.published) == [], last
        publish(at_work(published), decisions=pl.DataFrame({"round": [last]}))
        assert verify_published(published.published) == [], last
        assert unsealed_files(published.published) == []


def change(path: Path, **values: pl.Expr) -> None:
    pl.read_parquet(path).with_columns(**values).write_parquet(path)


def test_a_changed_event_is_named(published: Workspace) -> None:
    change(segments(published)[2], kind=pl.lit("other"))
    assert verify_published(published.published)[:2] == [
        f"published event 5 was changed: its hash does not fit its content ({segments(published)[2]})",
        f"published event 6 was changed: its hash does not fit its content ({segments(published)[2]})",
    ]


def test_any_changed_byte_of_any_published_file_is_found_and_the_file_named(published: Workspace) -> None:
    files = [path for path in published.published.rglob("*") if path.is_file()]
    assert len(files) == 18
    for path in files:
        good = path.read_bytes()
        for place in range(0, len(good), 1 + len(good) // 3):
            bad = bytearray(good)
            bad[place] ^= 1
            path.write_bytes(bad)
            problems = verify_published(published.published)
            is_named = any(path.name in problem for problem in problems)
            # A name changed in the list itself is told as a file missing and one too many.
            assert is_named or (path.name == "manifest.json" and problems), (path, place, problems)
        path.write_bytes(good)
    assert verify_published(published.published) == []


def test_a_missing_and_a_further_file_are_named(published: Workspace) -> None:
    (published.published / "actions.parquet").unlink()
    (published.published / "reports").mkdir()
    (published.published / "reports" / "new.csv").write_text("x", encoding="utf-8")
    assert verify_published(published.published) == [
        "published file reports/new.csv was added: no run has written it",
        "published file actions.parquet is missing",
    ]


def test_what_somebody_else_changed_is_not_taken_over_by_the_next_run(published: Workspace) -> None:
    publish(at_work(published), decisions=pl.DataFrame({"total": [1]}))
    old = published.published / "decisions" / f"as_of={DAY}.parquet"
    change(old, total=pl.lit(2))
    tell(published, "fifth")
    publish_now(published)
    assert verify_published(published.published) == [
        f"published file decisions/as_of={DAY}.parquet was changed: its bytes are not those in manifest.json"
    ]


def test_a_list_written_anew_to_fit_a_changed_file_is_not_the_one_that_the_log_holds(
    published: Workspace,
) -> None:
    (published.published / "latest.json").write_text("{}", encoding="utf-8")
    path = published.published / "manifest.json"
    listed = json.loads(path.read_text(encoding="utf-8"))
    listed["files"]["latest.json"]["sha256"] = manifest.hash_file(published.published / "latest.json")
    path.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    told = "published file manifest.json was changed: event 4 (copy_published) holds another digest"
    assert any(problem.startswith(told) for problem in verify_published(published.published))


def test_a_copy_whose_list_was_lost_is_listed_anew_and_the_log_says_so(published: Workspace) -> None:
    (published.published / "manifest.json").unlink()
    assert verify_published(published.published) == ["published file manifest.json is missing"]
    publish(at_work(published), decisions=pl.DataFrame({"total": [1]}))
    assert verify_published(published.published) == []
    found = query_published(published, "select payload from events where payload like '%listed_anew%'")
    assert found.height == 4  # the very first list and this one, each before and after its views were made


def test_a_dropped_last_event_of_the_copy_is_named(published: Workspace) -> None:
    path = segments(published)[2]
    pl.read_parquet(path).head(1).write_parquet(path)
    assert "published event 6 is missing" in verify_published(published.published)[0]


def test_a_dropped_segment_is_named(published: Workspace) -> None:
    path = segments(published)[2]
    path.unlink()
    assert verify_published(published.published)[0] == f"published event 5 to 6: missing, there is no {path}"


def test_a_segment_taken_out_of_the_manifest_too_is_found_by_the_head(published: Workspace) -> None:
    listing = published.published / "audit" / "manifest.json"
    listing.write_text(json.dumps(json.loads(listing.read_text(encoding="utf-8"))[:2]), encoding="utf-8")
    assert verify_published(published.published)[0] == (
        "published event 5 is missing: the events end with 4, published/audit/head.json states 6"
    )


def test_events_in_another_order_are_found(published: Workspace) -> None:
    path = segments(published)[0]
    pl.read_parquet(path).reverse().write_parquet(path)
    assert "published event 1 is missing or out of order" in verify_published(published.published)[0]


def test_a_changed_line_beside_a_good_table_is_named(published: Workspace) -> None:
    path = segments(published)[2].with_suffix(".jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace("fourth", "forth"), encoding="utf-8")
    assert verify_published(published.published)[0] == (
        f"published event 6 was changed, added or removed in {path}: its lines are not those of the table beside it"
    )


@pytest.mark.parametrize("name", ["manifest.json", "head.json"])
def test_a_missing_or_broken_list_is_told(published: Workspace, name: str) -> None:
    path = published.published / "audit" / name
    path.write_text("{", encoding="utf-8")
    assert any("cannot be read" in problem for problem in verify_published(published.published))
    path.unlink()
    assert any("is missing" in problem for problem in verify_published(published.published))


def test_a_store_cut_off_together_with_its_head_contradicts_what_was_published(published: Workspace) -> None:
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == []
    with open_to_write(published) as connection:
        connection.execute("delete from audit_events where sequence > 5")
        connection.execute(
            "update meta set head_sequence = 5, head_hash = (select max_by(hash, sequence) from audit_events)"
        )
        assert verify_store(connection) == []
        assert verify_agreement(connection, published.published) == [
            "event 6 is missing in the store: 6 are published"
        ]
    with pytest.raises(AuditBrokenError, match="event 6 is missing in the store"):
        publish_now(published)
    tell(published, "another sixth")
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == [
            "event 6 in the store is not the one that was published"
        ]


def test_a_copy_that_lags_behind_is_no_contradiction(published: Workspace) -> None:
    tell(published, "fifth")
    with open_to_read(published) as connection:
        assert verify_agreement(connection, published.published) == []


def test_a_damaged_copy_stops_publishing_and_a_removed_one_is_made_anew(published: Workspace) -> None:
    segments(published)[2].write_bytes(b"x")
    with pytest.raises(AuditBrokenError, match="cannot be read"):
        publish_now(published)
    for path in (published.published / "audit").iterdir():
        path.unlink()
    assert publish_now(published) == 6
    assert verify_published(published.published) == []


READ = """
import pathlib, sys
from tasks.published_tables import query_published
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
