"""Backs a workspace up, every night and whenever a person asks; a run that is at work goes on meanwhile."""

from pathlib import Path

from flows.engine import ended, step, storyline
from flows.start import begin
from policies.explanations import counted
from tasks.backup.taking import take_backup
from tasks.run import Run


@storyline("backup", "Writes the whole workspace into one verified file, also while a run is at work.")
def backup(to: Path, workspace: Path = Path("workspace")) -> str:
    """Back the workspace up.

    Args:
        to: A folder on another disk, for a file named after workspace and instant; or a new file.
        workspace: The creditor's folder.
    """
    sentence = write_backup(begin(workspace, None), to)
    return ended(sentence, sentence)


@step("write the backup")
def write_backup(run: Run, to: Path) -> str:
    """Write one archive, read it again, and return what it holds in a sentence."""
    archive, manifest = take_backup(run, to)
    left_out = f" Left out: {'; '.join(manifest.left_out)}." if manifest.left_out else ""
    return (
        f"{archive}: {counted(len(manifest.files), 'file')}, {archive.stat().st_size:,} bytes, as of "
        f"{manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, the log up to event {manifest.head_sequence}. It was read again "
        f"and holds. It contains personal data: only you may read it.{left_out}"
    )
