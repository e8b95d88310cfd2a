"""`relance backup DIR|FILE`: the whole workspace in one verified file, also while a run is at work."""

from pathlib import Path

from flows.commands.options import DEFAULT_WORKSPACE, Workspace


def backup(to: Path, /, *, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Back the workspace up, at any moment.

    Args:
        to: a folder on another disk, or a new file whose name ends in .tar.gz.
        workspace: the creditor's folder.
    """
    from flows.backup import backup as flow

    print(flow(to=to, workspace=workspace))
