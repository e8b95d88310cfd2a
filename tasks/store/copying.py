"""A copy of the store as of one instant, for backups: a copy of the live file would miss its write-ahead log."""

from pathlib import Path

import duckdb

from tasks.store.connection import SETTINGS, Connection, patiently
from tasks.store.faults import telling_faults
from tasks.workspace import Workspace


def copy_store(workspace: Workspace, target: Path, patience_seconds: float = 30) -> None:
    """Copy all tables into a new file; the store is held, for reading, only meanwhile (1 million rows: half a second).

    Args:
        workspace: whose store; a workspace that has none yet gives no file.
        target: a path where nothing is.
        patience_seconds: how long to wait for a process that writes.
    """
    if not workspace.store_path.exists():
        return

    def attach() -> Connection:
        connection = duckdb.connect(":memory:", config=SETTINGS)
        try:
            connection.execute(f"attach '{_quoted(workspace.store_path)}' as live (read_only)")
        except BaseException:
            connection.close()
            raise
        return connection

    with telling_faults(target), patiently(workspace, attach, patience_seconds) as connection:
        connection.execute(f"attach '{_quoted(target)}' as copied")
        connection.execute("copy from database live to copied")
        connection.execute("detach copied")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
