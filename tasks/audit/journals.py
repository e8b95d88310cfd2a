"""Whether the journals of releases are there, and those of releases that are over as they were taken into the log."""

import json
from collections.abc import Iterator
from pathlib import Path

from tasks.manifest import hash_file
from tasks.store.audit import read_log
from tasks.store.batch_lists import list_batches
from tasks.store.connection import Connection
from tasks.workspace import Workspace

_JOURNAL = "journal.jsonl"


def verify_journals(connection: Connection, workspace: Workspace) -> Iterator[str]:
    """Yield each journal that is gone, or was changed after its batch was closed."""
    for batch_id in list_batches(connection, "released")["batch_id"].sort():
        path = workspace.outbox / batch_id / _JOURNAL
        if not path.is_file():
            yield f"batch {batch_id} is being released, and {path.relative_to(workspace.root)} is missing"
    for row in read_log(connection, kind="batch_closed").iter_rows(named=True):
        try:
            payload = json.loads(row["payload"])
            batch_id, logged = str(payload["batch_id"]), payload.get("journal_sha256")
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a changed event is told by its hash
        path = workspace.outbox / batch_id / _JOURNAL
        if logged and (what := _trouble(path, logged)):
            yield f"event {row['sequence']} (batch_closed {batch_id}): {path.relative_to(workspace.root)} {what}"


def _trouble(path: Path, logged: str) -> str:
    if not path.is_file():
        return "is missing"
    return "" if hash_file(path) == logged else "was changed since"
