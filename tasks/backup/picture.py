"""A picture of a workspace as of one instant, taken without holding up whoever works in it.

The store is copied first and the journals last, so a journal never knows less than the store. When the log has grown
or a run has published meanwhile the picture is taken again; when that goes on, the workspace is held for the moment it
takes.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from policies.errors import WaitingError
from tasks.documents.whole_files import keep_access
from tasks.locking import hold_workspace
from tasks.manifest import publishing_state
from tasks.run import Run
from tasks.store.audit import Head, read_head
from tasks.store.connection import open_to_read
from tasks.store.copying import copy_store
from tasks.workspace import Workspace

STAGING = ".backup"
_TRIES = 3
_JOURNAL = ".jsonl"
_UNFINISHED = (".tmp", ".part", ".wal")
# Files there are only renamed into place, never written in place: a second name keeps what the first had.
_WRITTEN_ONCE = ("archive", "rejected", "outbox", "published")


@dataclass(frozen=True)
class Picture:
    """A workspace as it was at an instant, below `workspace.root`, and what was left out of it."""

    workspace: Workspace
    taken_at: datetime
    left_out: tuple[str, ...]


@contextmanager
def picture(run: Run, patience_seconds: float = 60) -> Iterator[Picture]:
    """Take a picture into the workspace's folder `.backup`, and take it away again when the block ends."""
    staging = run.workspace.root / STAGING
    staging.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(staging, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WaitingError(
                f"another backup of {run.workspace.root} is being taken; wait for it."
            ) from None
        try:
            yield _settled(run, staging, patience_seconds)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)


def _settled(run: Run, staging: Path, patience_seconds: float) -> Picture:
    for _ in range(_TRIES):
        before = _state(run.workspace)
        taken = _take(run, staging)
        if _state(run.workspace) == before:
            return taken
    run.say("the log keeps growing: waiting for the run at work, so that the backup is of one instant")
    with hold_workspace(run.workspace, "backup", run.clock(), patience_seconds):
        return _take(run, staging)


def _state(workspace: Workspace) -> tuple[Head, object]:
    """Return the head of the log and how far it is published; the published list is written after the log."""
    with open_to_read(workspace, patience_seconds=30) as connection:
        return read_head(connection), publishing_state(workspace.published)


def _take(run: Run, staging: Path) -> Picture:
    workspace, copied = run.workspace, Workspace(staging / "files")
    shutil.rmtree(copied.root, ignore_errors=True)
    copied.root.mkdir()
    taken_at = run.clock()
    copy_store(workspace, copied.store_path)
    if workspace.store_path.exists():
        keep_access(workspace.store_path, copied.store_path)
    left_out: list[str] = []
    journals: list[Path] = []
    for path in _files(workspace, left_out):
        if path.suffix == _JOURNAL:
            journals.append(path)
        else:
            _keep(workspace, path, copied, left_out)
    for path in journals:
        _keep(workspace, path, copied, left_out)
    return Picture(copied, taken_at, tuple(left_out))


def _files(workspace: Workspace, left_out: list[str]) -> Iterator[Path]:
    """Yield the files of a workspace: the inbox before the archive, so that no file is missed on its way."""
    own = (STAGING, workspace.lock_path.name, workspace.store_path.name)
    first = {"inbox": 0}
    for top in sorted(workspace.root.iterdir(), key=lambda path: (first.get(path.name, 1), path.name)):
        if top.name in own or top.name.endswith(_UNFINISHED):
            continue
        yield from _below(workspace, top, left_out) if top.is_dir() else [top]


def _below(workspace: Workspace, folder: Path, left_out: list[str]) -> Iterator[Path]:
    """Yield the files below a folder, which may itself be a link; links below it are not followed."""
    for base, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in (*folders, *names) if (Path(base) / name).is_symlink()]
        left_out += [f"{(Path(base) / name).relative_to(workspace.root)}: a link" for name in links]
        for name in sorted(set(names) - set(links)):
            path = Path(base) / name
            if not name.endswith(_UNFINISHED) and path.is_file():
                yield path


def _keep(workspace: Workspace, path: Path, copied: Workspace, left_out: list[str]) -> None:
    relative = path.relative_to(workspace.root)
    target = copied.root / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if relative.parts[0] in _WRITTEN_ONCE and path.suffix != _JOURNAL:
            _link(path, target)
        else:
            before = path.stat()
            shutil.copy2(path, target)
            after = path.stat()
            is_journal = path.suffix == _JOURNAL
            if not is_journal and (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                target.unlink()
                left_out.append(f"{relative}: it changed while it was read")
    except FileNotFoundError:
        # Renamed or taken away meanwhile, by a run or by hand: its new place is looked at later.
        left_out.append(f"{relative}: it was moved meanwhile")


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        # Another disk, or one that knows no second names.
        shutil.copy2(path, target)
