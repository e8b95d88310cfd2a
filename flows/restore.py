"""A workspace goes on from a backup, after a disk or a machine was lost. Typed by a person: no schedule restores."""

from datetime import datetime
from pathlib import Path

from flows import steps
from flows.start import PATIENCE_SECONDS, begin
from policies.explanations import counted
from tasks.backup.manifest import Manifest
from tasks.backup.restoring import log_restore, restored, stop_release
from tasks.dispatch.lost_journals import LostOutcomes, take_in_lost_journals
from tasks.dispatch.recovery import take_in_journals
from tasks.documents.whole_files import put_bytes
from tasks.intake import IntakeStatus, take_in
from tasks.locking import hold_workspace
from tasks.run import Run
from tasks.stopping import read_stop

_FROM_JOURNALS = "actions-from-lost-journals.csv"
_SHOWN_MESSAGES = 20


def restore(archive: Path, target: Path, journals: Path | None = None) -> list[str]:
    """Restore a backup into a new folder, its release halted; return what a person must know.

    Args:
        archive: The backup.
        target: A new or empty folder.
        journals: The folder `outbox` of the workspace that was lost, if it can still be read.
    """
    with restored(archive, target) as (workspace, manifest):
        run = begin(workspace.root, None)
        with hold_workspace(workspace, "restore", run.clock(), PATIENCE_SECONDS):
            log_restore(run, archive, manifest, with_journals=journals is not None)
            take_in_journals(run)
            lost = take_in_lost_journals(run, journals) if journals else None
            told = _take_in_actions(run, lost) if lost else ""
            why = _why_halted(manifest, lost, told)
            halted = read_stop(workspace)
            stop_release(workspace, why, run.clock(), before=halted.why if halted else "")
    run = begin(target, None)
    with hold_workspace(run.workspace, "restore", run.clock(), PATIENCE_SECONDS):
        steps.publish_log(run)
    head = (
        f"event {manifest.head_sequence}, hash {manifest.head_hash[:16]}..." if manifest.head_hash else "none"
    )
    files = counted(len(manifest.files), "file")
    return [
        f"Restored {target} from {archive.name}: {files}, the log holds, last event of the backup: {head}",
        f"Release is halted: {why}",
    ]


def _take_in_actions(run: Run, lost: LostOutcomes) -> str:
    """Take what left in unknown batches in as actions of the time before; return what could not be taken in."""
    if lost.actions.is_empty():
        return ""
    path = run.workspace.inbox / _FROM_JOURNALS
    put_bytes(path, lost.actions.write_csv().encode())
    result = take_in(run, path)
    return (
        "" if result.status is IntakeStatus.LOADED else f" {_FROM_JOURNALS} was not loaded: {result.message}"
    )


def _why_halted(manifest: Manifest, lost: LostOutcomes | None, told: str) -> str:
    since = _instant(manifest.taken_at)
    last = manifest.last_dispatch_date
    before = f"the backup was taken at {since}; the last dispatch it knows is of {last or 'no day'}. "
    if lost is None:
        return (
            f"{before}What left after that instant is unknown here and would be sent again: restore with --journals "
            "and the old outbox, or compare the mail server's log, before you start release."
        )
    left = lost.actions.select("customer_id", "dispatch_date").unique().height
    sentence = (
        f"{before}The old journals, whose newest line is of {_instant(lost.newest_at)}, settled "
        f"{counted(lost.settled, 'message')} more, and told of {counted(lost.actions.height, 'action')} "
        f"({counted(left, 'contact')}) in batches drafted later: these count as done."
    )
    if lost.unknown:
        names = ", ".join(lost.unknown[:_SHOWN_MESSAGES])
        more = (
            f" and {len(lost.unknown) - _SHOWN_MESSAGES} more" if len(lost.unknown) > _SHOWN_MESSAGES else ""
        )
        sentence += (
            f" Of {counted(len(lost.unknown), 'message')} that left nobody can tell what they demanded, and they "
            f"would be sent again: {names}{more}."
        )
    last_word = (
        "What finance recorded or approved after that instant is lost: record it again, then start release."
    )
    return f"{sentence}{told} {last_word}"


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "no day"
