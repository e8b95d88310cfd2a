"""A disk that is full, closed or damaged: what is wrong is said, nothing is lost, and doing it again works."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from tasks.manifest import put_published_frame
from tasks.store.connection import open_to_read, open_to_write
from tasks.store.faults import DiskFaultError
from tasks.store.schema import NEWEST_VERSION
from tasks.workspace import Workspace
from tests.torture.company import COMMANDS, ENDED_WELL, Stages, arguments, copy_workspace, relance
from tests.torture.migrations import CALLS_OF_A_STEP, contents, differs, make_store
from tests.torture.moments import APPROVE, INTAKE


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages(tmp_path_factory.mktemp("stages"))


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: what a full disk does, on any machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_store_that_cannot_grow_keeps_what_it_had(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with open_to_write(workspace) as connection:
        connection.execute("create table many as select range as number from range(10)")
    size = workspace.store_path.stat().st_size
    with (
        files_no_longer_than(size),
        pytest.raises(DiskFaultError, match="the disk is full"),
        open_to_write(workspace) as connection,
    ):
        connection.execute("insert into many select hash(range) % 1000000007 from range(3000000)")
    with open_to_write(workspace) as connection:
        assert connection.execute("select count(*) from many").fetchall() == [(10,)]
        connection.execute("insert into many values (11)")


def test_a_table_that_finds_no_room_leaves_the_published_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "actions.parquet"
    put_published_frame(tmp_path, path, pl.DataFrame({"a": [1]}))
    with files_no_longer_than(2_000), pytest.raises(OSError, match="File too large") as raised:
        put_published_frame(tmp_path, path, pl.select(a=pl.int_range(100_000)))
    assert raised.value.filename == str(path)
    assert pl.read_parquet(path)["a"].to_list() == [1]


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Let nobody write below a folder: by its modes, and for the superuser by a mount of it."""
    if os.geteuid():
        subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
        try:
            yield
        finally:
            subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        return
    mounted = subprocess.run(["mount", "--bind", str(folder), str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("the superuser of this machine may not mount, and modes do not bind him")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_nobody_may_write_can_be_read_and_refuses_to_act_with_its_name(
    stages: Stages, tmp_path: Path
) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    where = ("--workspace", str(workspace.root))
    with closed(workspace.root):
        acted = relance(*arguments(workspace, COMMANDS[APPROVE]))
        taken_in = relance(*arguments(workspace, COMMANDS[INTAKE]))
        backed_up = relance("backup", str(tmp_path), *where)
        listed = relance("batches", "list", *where)
        verified = relance("audit", "verify", *where)
    for refused in (acted, taken_in, backed_up):
        assert refused.returncode == 2, refused.stderr
        assert str(workspace.root) in refused.stderr
        assert "bug" not in refused.stderr
    assert (listed.returncode, verified.returncode) == (0, 0), listed.stderr + verified.stderr
    assert relance(*arguments(workspace, COMMANDS[APPROVE])).returncode in ENDED_WELL


@pytest.mark.parametrize("what", ["cut", "overwritten", "emptied", "head lost"])
def test_a_damaged_store_names_the_way_back(stages: Stages, tmp_path: Path, what: str) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    content = workspace.store_path.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "overwritten": b"not a database at all " * 500,
        "emptied": b"",
        "head lost": bytes(12_288) + content[12_288:],
    }[what]
    workspace.store_path.write_bytes(damaged)
    told = relance(*arguments(workspace, ["run"]))
    assert told.returncode == 6, told.stderr
    assert "relance restore BACKUP NEW --journals OLD/outbox" in told.stderr
    assert workspace.store_path.read_bytes() == damaged


@pytest.mark.parametrize("step", range(1, NEWEST_VERSION + 1))
def test_a_step_of_the_schema_that_was_killed_before_it_was_kept_is_taken_again(
    tmp_path: Path, step: int
) -> None:
    assert not differs(tmp_path / "stores", step - 1, CALLS_OF_A_STEP, "before")


def test_a_migration_killed_between_two_steps_goes_on_with_the_second(tmp_path: Path) -> None:
    assert not differs(tmp_path / "stores", NEWEST_VERSION - 2, CALLS_OF_A_STEP, "after")


def test_a_migration_that_finds_no_room_leaves_the_older_store(tmp_path: Path) -> None:
    for name in ("full", "undisturbed"):
        (tmp_path / name).mkdir()
        make_store(tmp_path / name / "relance.duckdb", 1)
    workspace = Workspace(tmp_path / "full")
    kept = tmp_path / "kept"
    shutil.copy(workspace.store_path, kept)
    with (
        files_no_longer_than(1),
        pytest.raises(DiskFaultError, match="the disk is full"),
        open_to_read(workspace),
    ):
        pass
    assert contents(workspace.store_path) == contents(tmp_path / "undisturbed" / "relance.duckdb")
