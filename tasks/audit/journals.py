"""Whether the journals of releases that are over are still those that were taken into the log."""

import json
from collections.abc import Iterator

from tasks.manifest import hash_file
from tasks.store.audit import read_log
from tasks.store.connection import Connection
from tasks.workspace import Workspace

_JOURNAL = "journal.jsonl"


def verify_journals(connection: Connection, workspace: Workspace) -> Iterator[str]:
    """Yield each journal that was changed after its batch was closed; one that is gone is in the log all the same."""
    for row in read_log(connection, kind="batch_closed").iter_rows(named=True):
        try:
            payload = json.loads(row["payload"])
            batch_id, logged = str(payload["batch_id"]), payload.get("journal_sha256")
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a changed event is told by its hash
        path = workspace.outbox / batch_id / _JOURNAL
        if logged and path.is_file() and hash_file(path) != logged:
            yield (
                f"event {row['sequence']} (batch_closed {batch_id}): {path.relative_to(workspace.root)} was "
                "changed since"
            )
