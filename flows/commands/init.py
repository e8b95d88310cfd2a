"""`relance init DIR`: a new workspace that runs as it is."""

from pathlib import Path


def init(directory: Path, /) -> None:
    """Make a new workspace with a commented creditor.yaml.

    Args:
        directory: an empty or new folder.
    """
    from tasks.workspace import initialise

    workspace = initialise(directory)
    print(f"Made {workspace.root}.")
    print(f"1. Say who you are in {workspace.creditor_path} (as it stands it is a valid example).")
    print(f"2. Drop exports into {workspace.inbox}.")
    print(f"3. relance run --workspace {directory}")
