"""Whether a release was cut: asked by every command that reads, so it imports little. Taken in by `recovery.py`."""

from tasks.dispatch.journal import JOURNAL_NAME
from tasks.store.batch_lists import list_batches
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace


def has_open_journals(workspace: Workspace, patience_seconds: float) -> bool:
    """Return whether a release was cut before its journal was taken in."""
    journals = {path.parent.name for path in workspace.outbox.glob(f"*/{JOURNAL_NAME}")}
    if not journals:
        return False
    with open_to_read(workspace, patience_seconds) as connection:
        released = list_batches(connection, "released")["batch_id"].to_list()
    return not journals.isdisjoint(released)
