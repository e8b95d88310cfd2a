"""Who looks at the published copy while a run publishes sees nothing half done, and takes nothing for a fault."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tasks import manifest
from tasks.audit.published import unsealed_files, verify_published
from tasks.backup.taking import take_backup
from tasks.documents.whole_files import put_bytes
from tasks.manifest import manifest_bytes, read_manifest
from tasks.publish import publish
from tasks.run import Run
from tasks.store.audit import read_last_of_kind
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, initialise

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 2)


def at_work(workspace: Workspace, run_id: str = "run-1") -> Run:
    return Run(workspace, DAY, DAY, run_id, "Anna", lambda: NOW, lambda line: None)


@pytest.fixture
def published(tmp_path: Path) -> Workspace:
    workspace = initialise(tmp_path / "company")
    publish(at_work(workspace))
    return workspace


def test_a_run_that_publishes_while_the_copy_is_verified_raises_no_alarm(
    published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is read, then a run publishes, then the files are hashed."""
    runs = iter([at_work(published, "run-2"), at_work(published, "run-3")])

    def hash_later(path: Path) -> str:
        if run := next(runs, None):
            publish(run, decisions=pl.DataFrame({"by": [run.run_id]}))
        return manifest.hash_file(path)

    monkeypatch.setattr("tasks.audit.published.hash_file", hash_later)
    assert verify_published(published.published) == []
    (published.published / "reports").mkdir()
    (published.published / "reports" / "new.csv").write_text("x", encoding="utf-8")
    runs = iter([at_work(published, "run-4")])
    assert verify_published(published.published) == [
        "published file reports/new.csv was added: no run has written it"
    ]


def test_a_file_that_somebody_else_noted_for_the_list_is_named_by_the_event_that_takes_it_over(
    published: Workspace,
) -> None:
    publish(at_work(published), decisions=pl.DataFrame({"total": [1]}))
    name = f"decisions/as_of={DAY}.parquet"
    pl.DataFrame({"total": [2]}).write_parquet(published.published / name)
    planted = manifest.hash_file(published.published / name)
    (published.published / manifest.PENDING).write_text(json.dumps({"file": name, "sha256": planted}))
    assert unsealed_files(published.published) == [name]

    publish(at_work(published, "run-2"))

    with open_to_read(published) as connection:
        event = read_last_of_kind(connection, "copy_published")
    assert event
    changed = json.loads(str(event["payload"]))["changed"]
    assert changed == {
        name: planted,
        "latest.json": manifest.hash_file(published.published / "latest.json"),
    }


def test_a_copy_that_is_listed_meanwhile_is_pictured_again(
    published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old list is pictured, then a run writes the new one and forgets what was noted: no event is added."""
    folder = published.published
    new_list = (folder / "manifest.json").read_bytes()
    listed = read_manifest(folder)
    latest = listed.pop("latest.json")
    (folder / "manifest.json").write_bytes(manifest_bytes(listed))
    (folder / ".pending.jsonl").write_text(
        json.dumps({"file": "latest.json", "sha256": latest.sha256}) + "\n"
    )
    link = Path.hardlink_to

    def link_then_list(target: Path, source: Path) -> None:
        link(target, source)
        if source == folder / "manifest.json" and (folder / ".pending.jsonl").exists():
            put_bytes(source, new_list)
            (folder / ".pending.jsonl").unlink()

    monkeypatch.setattr(Path, "hardlink_to", link_then_list)
    archive, _ = take_backup(at_work(published), tmp_path / "backup.tar.gz")
    assert archive.is_file()
