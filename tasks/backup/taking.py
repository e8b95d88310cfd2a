"""Takes a backup: a picture of the workspace, its chain checked, in one archive that is read again before it counts."""

import stat
from importlib.metadata import version
from pathlib import Path

from policies.errors import WrongUseError
from tasks.audit.verify import verify_log
from tasks.backup.archive import list_files, write_archive
from tasks.backup.manifest import Manifest
from tasks.backup.picture import Picture, picture
from tasks.run import Run
from tasks.store.audit import read_head
from tasks.store.batch_lists import find_last_dispatch_date
from tasks.store.connection import open_to_read
from tasks.store.schema import NEWEST_VERSION

ENDING = ".tar.gz"


def take_backup(run: Run, to: Path) -> tuple[Path, Manifest]:
    """Back the workspace up, also while a run is at work in it; return the archive and what it says of itself.

    Args:
        run: who asks, and for which workspace.
        to: a folder, for a file named after workspace and instant; else the file itself, which must be new.

    Raises:
        AuditBrokenError: the log does not hold; nothing is written, so that no good backup is rotated away for it.
    """
    archive = _archive_path(run, to)
    with picture(run) as taken:
        verify_log(taken.workspace, with_outbox=False)
        manifest = _manifest(run, taken)
        write_archive(archive, manifest, taken.workspace.root)
    return archive, manifest


def _manifest(run: Run, taken: Picture) -> Manifest:
    with open_to_read(taken.workspace) as connection:
        head, last = read_head(connection), find_last_dispatch_date(connection)
    return Manifest(
        format="relance-backup-1",
        workspace=run.workspace.root.name,
        taken_at=taken.taken_at,
        taken_by=run.actor,
        relance_version=version("relance"),
        schema_version=NEWEST_VERSION,
        head_sequence=head.sequence,
        head_hash=head.hash,
        last_dispatch_date=last,
        root_mode=stat.S_IMODE(run.workspace.root.stat().st_mode),
        files=list_files(taken.workspace.root),
        left_out=taken.left_out,
    )


def _archive_path(run: Run, to: Path) -> Path:
    root = run.workspace.root.resolve()
    name = f"{root.name}-{run.clock():%Y-%m-%dT%H%M%SZ}{ENDING}"
    archive = (to / name if to.is_dir() else to).absolute()
    if not archive.name.endswith(ENDING):
        raise WrongUseError(
            f"{to} is no folder; name one that is there, or a new file that ends in {ENDING}."
        )
    if not archive.parent.is_dir():
        raise WrongUseError(f"there is no folder {archive.parent}; make it first.")
    if archive.resolve().is_relative_to(root):
        raise WrongUseError(
            f"{archive} lies in the workspace itself and would be lost with it; name another disk."
        )
    if archive.exists():
        raise WrongUseError(f"{archive} is there already; nothing was written. Name a new file.")
    return archive
