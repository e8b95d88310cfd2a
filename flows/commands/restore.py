"""`relance restore BACKUP DIR`: a workspace from a backup, its release halted until a person has looked."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def restore(
    backup: Path,
    directory: Path,
    /,
    *,
    journals: Annotated[
        Path | None, Parameter(help="The folder outbox/ of the lost workspace: tells what left since.")
    ] = None,
) -> int:
    """Restore a backup into a new folder, verified to the last hash; nothing leaves it until a person starts release.

    Args:
        backup: the file that `relance backup` made.
        directory: an empty or new folder.
        journals: the outbox of the lost workspace, if it can still be read.
    """
    from flows.restore import restore as restore_workspace
    from policies.errors import ExitCode
    from tasks.present import print_lines

    print_lines(restore_workspace(backup, directory, journals))
    return ExitCode.WAITING
