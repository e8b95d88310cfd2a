"""Restores a workspace into a new folder: unpacked aside, checked to the last hash, and only then given its name.

What left after the backup was taken is unknown to it, so nothing leaves a restored workspace until a person says so.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from policies.errors import AuditBrokenError, WrongUseError
from tasks.audit.verify import verify_log
from tasks.backup.archive import opened, unpack
from tasks.backup.manifest import Manifest
from tasks.documents.whole_files import keep_access, put_json
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.audit import Head, read_head
from tasks.store.connection import open_to_read, open_to_write
from tasks.store.schema import NEWEST_VERSION
from tasks.workspace import Workspace, open_workspace


@contextmanager
def restored(archive: Path, target: Path) -> Iterator[tuple[Workspace, Manifest]]:
    """Lend the restored workspace under a name of its own; it gets the name `target` when the block ends well.

    Raises:
        WrongUseError: the target is in use, the disk too small, or the archive none of ours.
        AuditBrokenError: the archive or the log in it is not what was backed up.
    """
    target = target.absolute()
    _refuse_used(target)
    _refuse_unfit(archive, target)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.restoring-", dir=target.parent))
    try:
        manifest = unpack(archive, aside)
        workspace = open_workspace(aside)
        _check(workspace, manifest, archive)
        yield workspace, manifest
        if target.exists():
            keep_access(target, aside)
        elif manifest.root_mode is not None:
            aside.chmod(manifest.root_mode | 0o700)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def log_restore(run: Run, archive: Path, manifest: Manifest, *, with_journals: bool) -> None:
    """Log that the workspace goes on from a backup."""
    payload = {
        "backup": archive.name,
        "taken_at": manifest.taken_at,
        "head_sequence": manifest.head_sequence,
        "head_hash": manifest.head_hash,
        "last_dispatch_date": manifest.last_dispatch_date,
        "with_journals": "yes" if with_journals else "no",
    }
    event = NewEvent("workspace_restored", payload)
    with open_to_write(run.workspace) as connection:
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def stop_release(workspace: Workspace, why: str, since: datetime, before: str = "") -> None:
    """Halt all release in the workspace until a person starts it; why it was halted before the backup is kept."""
    earlier = f" Before the backup: {before}" if before else ""
    content = {
        "by": "relance restore",
        "why": f"{why}{earlier}".rstrip("."),
        "since": since.isoformat(timespec="seconds"),
    }
    put_json(workspace.stop_path, content)


def _refuse_used(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WrongUseError(
            f"{target} is not an empty folder, nothing in it was touched. Name a new one, and rename it when the old "
            "workspace is out of the way."
        )
    if not target.parent.is_dir():
        raise WrongUseError(f"there is no folder {target.parent}; make it first.")


def _refuse_unfit(archive: Path, target: Path) -> None:
    with opened(archive) as (manifest, _):
        pass
    if manifest.schema_version > NEWEST_VERSION:
        raise WrongUseError(
            f"{archive} was taken by Relance {manifest.relance_version} (schema version {manifest.schema_version}); "
            f"this program knows {NEWEST_VERSION}. Use that version of Relance; nothing was restored."
        )
    free = shutil.disk_usage(target.parent).free
    if manifest.size > free:
        raise WrongUseError(
            f"{archive} holds {manifest.size:,} bytes and the disk of {target.parent} has {free:,} free. Free some "
            "space, or name a folder on another disk; nothing was restored."
        )


def _check(workspace: Workspace, manifest: Manifest, archive: Path) -> None:
    # What people have done to a print run must not make a backup useless: its own list holds each file as it was.
    verify_log(workspace, with_outbox=False)
    with open_to_read(workspace) as connection:
        head = read_head(connection)
    if head != Head(manifest.head_sequence, manifest.head_hash):
        raise AuditBrokenError(
            f"{archive}: its log ends with event {head.sequence}, and its list says {manifest.head_sequence} or "
            "another hash: one of them was replaced. Take an earlier backup; nothing was restored."
        )
