"""Which files are past the period that `creditor.yaml` declares: documents in the outbox, originals, returned mails.

A file is judged by what the log and the store say of it, never by its time on the disk, which a restore changes.
"""

import re
from collections.abc import Collection, Iterator
from datetime import date

import polars as pl

from policies.retention import Retention, months_before
from tasks.audit.personal_files import FileChange, gone
from tasks.documents.batch_folder import SHARED_CHANNELS
from tasks.manifest import hash_file
from tasks.run import Run
from tasks.store.batch_lists import list_batches, list_messages
from tasks.store.connection import open_to_read
from tasks.store.erasure import list_taken_in

_SHARED_FILES = ("calls.csv", "letters.csv", "print.pdf", "placements/*.zip")
_OPEN_CALLS = re.compile(r"(\d{4}-\d{2}-\d{2})-open_calls")
_ERRORS = ".errors.csv"


def find_past_files(run: Run, retention: Retention, owing: Collection[str]) -> dict[str, list[FileChange]]:
    """Return the files that are past their period, by the key that says so.

    Args:
        run: the run; periods are counted back from its date.
        retention: the periods.
        owing: customers whose documents a claim still needs.
    """
    found: dict[str, list[FileChange]] = {}
    if retention.documents_months:
        cutoff = months_before(run.as_of, retention.documents_months)
        found["documents_months"] = list(_past_documents(run, cutoff, owing))
    for key, months in (
        ("exports_months", retention.exports_months),
        ("returns_months", retention.returns_months),
    ):
        if months:
            found[key] = list(_past_originals(run, months_before(run.as_of, months), key == "returns_months"))
    return found


def _past_documents(run: Run, cutoff: date, owing: Collection[str]) -> Iterator[FileChange]:
    """Yield documents of batches that ended by the cutoff; a file shared with a customer who owes stays."""
    workspace = run.workspace
    with open_to_read(workspace) as connection:
        batches, messages = list_batches(connection), list_messages(connection)
    ended = batches.filter(pl.coalesce("closed_on", "rejected_on") <= cutoff)["batch_id"].sort()
    for batch_id in ended:
        own = messages.filter(pl.col("batch_id") == batch_id)
        free = own.filter(~pl.col("customer_id").is_in(list(owing)))
        names = free.filter(~pl.col("channel").is_in(list(SHARED_CHANNELS)))["document_path"].drop_nulls()
        paths = [workspace.root / name for name in names]
        if free.height == own.height:
            paths += [path for name in _SHARED_FILES for path in (workspace.outbox / batch_id).glob(name)]
        yield from (gone(workspace, path) for path in sorted(set(paths)) if path.is_file())
    for folder in sorted(workspace.outbox.glob("*-open_calls")):
        named = _OPEN_CALLS.fullmatch(folder.name)
        if named and date.fromisoformat(named[1]) <= cutoff and (folder / "calls.csv").is_file():
            yield gone(workspace, folder / "calls.csv")


def _past_originals(run: Run, cutoff: date, is_returns: bool) -> Iterator[FileChange]:
    """Yield files of `archive/` and `rejected/` that the log says to have been taken in by the cutoff."""
    workspace = run.workspace
    with open_to_read(workspace) as connection:
        taken_in = list_taken_in(connection).filter(
            (pl.col("last_on") <= cutoff) & (pl.col("is_return") == is_returns)
        )
    past = set(taken_in["sha256"])
    for root in (workspace.archive, workspace.rejected):
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            if path.name.endswith(_ERRORS) or hash_file(path) not in past:
                continue
            yield gone(workspace, path)
            errors = path.with_name(path.name + _ERRORS)
            if errors.is_file():
                yield gone(workspace, errors)
