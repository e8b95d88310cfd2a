"""Whether the files that hold several messages of a batch, print runs and lists, are still those that were composed.

A call sheet is there to be filled in: of that only `audit show` tells. One that is gone is told when it is to leave.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.documents.batch_folder import LETTERS, PRINTED
from tasks.manifest import hash_file
from tasks.store.audit import LoggedFiles, read_log, read_logged_files
from tasks.store.connection import Connection
from tasks.store.last_seals import read_payload
from tasks.workspace import Workspace

ERASED = ("personal_data_erased", "files_erased")
"""The kinds of events that say which documents were erased or rewritten."""
FILES_LOGGED = ("batch_files_composed", "batch_files_replaced")
_FILLED_IN = "calls.csv"


def verify_shared_files(connection: Connection, workspace: Workspace) -> Iterator[str]:
    """Yield each file that several messages share and that was changed since it was composed."""
    after = _erasures(
        read_payload(row["payload"])
        for kind in ERASED
        for row in read_log(connection, kind=kind).iter_rows(named=True)
    )
    for batch_id, logged in read_logged_files(connection, batch_id=None).items():
        names = [name for name in logged.files if name != _FILLED_IN]
        yield from _changed(workspace, batch_id, logged, names, after)


def changed_prints(
    workspace: Workspace,
    row: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    erasures: Iterable[Mapping[str, Any]],
) -> list[str]:
    """Return how the files that the printer got with a letter differ from those that were composed.

    Args:
        workspace: whose.
        row: the action, as published.
        events: of the kinds FILES_LOGGED, payloads read, in order.
        erasures: of the kinds ERASED, likewise.
    """
    of_batch = [event for event in events if event["payload"].get("batch_id") == row["batch_id"]]
    if row["channel"] not in LETTERS or not of_batch:
        return []
    last = of_batch[-1]
    logged = LoggedFiles(f"event {last['sequence']} ({last['kind']})", last["payload"].get("files", {}))
    after = _erasures(event["payload"] for event in erasures)
    return list(_changed(workspace, row["batch_id"], logged, PRINTED, after))


def _changed(
    workspace: Workspace,
    batch_id: str,
    logged: LoggedFiles,
    names: Iterable[str],
    after: Mapping[tuple[str, str], str | None],
) -> Iterator[str]:
    for name in names:
        path = workspace.outbox / batch_id / name
        place, digest = path.relative_to(workspace.root).as_posix(), logged.files.get(name)
        while digest and (place, digest) in after:
            digest = after[place, digest]
        if digest and path.is_file() and hash_file(path) != digest:
            yield f"{logged.event}: {place} was changed since"


def _erasures(payloads: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str | None]:
    """Return what each document became that an erasure touched, by its path and its hash before."""
    return {
        (entry["document"], entry["sha256"]): entry["sha256_after"]
        for payload in payloads
        for entry in payload.get("documents", [])
    }
