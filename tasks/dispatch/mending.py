"""Looks over the documents of a batch before it leaves; one that is missing or was changed is made again, or withdrawn.

Made again is what comes out with the hash that the log has: what is approved is what leaves. The others are withdrawn,
and decided anew. They are read once more as each leaves (`departure.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from policies.messages import Message
from policies.model import Channel
from tasks.dispatch.withdrawing import withdraw
from tasks.documents.batch_folder import LETTERS, PRINTED
from tasks.documents.made_again import make_again
from tasks.ledger import NewEvent, append_events
from tasks.manifest import hash_file
from tasks.rules import Rules
from tasks.run import Run
from tasks.store.batch_lists import StoredMessage, has_begun_to_leave, read_leaving, read_messages
from tasks.store.batches import MessageStatus
from tasks.store.connection import open_to_read, open_to_write
from tasks.workspace import Workspace

_MISSING = "is missing"
_CHANGED = "was changed since it was composed"


@dataclass(frozen=True)
class Mended:
    """What became of documents that were missing or changed.

    Attributes:
        made_again: a sentence on those that are as they were again, or nothing.
        withdrawn: why messages leave no more, by their numbers.
        kept: why the batch stays, or nothing.
    """

    made_again: str = ""
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    kept: str = ""


def mend_documents(
    run: Run, batch_id: str, rules: Rules, calls_again: Callable[[], Sequence[Message]]
) -> Mended:
    """Make documents of a batch again that are missing or changed, and withdraw the messages of those that cannot be.

    Once a batch has begun to leave, its papers may be out of the house: they are made again or stay.

    Args:
        run: the run.
        batch_id: a batch whose documents were composed.
        rules: the creditor, for sender and agencies.
        calls_again: returns the earlier calls that its call sheet lists.
    """
    with open_to_read(run.workspace) as connection:
        leaving = read_leaving(connection, batch_id)
    damaged = _find_damaged(run.workspace, batch_id, leaving)
    if not damaged:
        return Mended()
    with open_to_read(run.workspace) as connection:
        stored = read_messages(connection, batch_id)
    make_again(run.workspace, rules, batch_id, _to_make(stored, damaged), calls_again(), stored)
    still = _find_damaged(run.workspace, batch_id, leaving, only=damaged)
    made_again = sorted(set(damaged) - set(still))
    _log(run, batch_id, made_again)
    begun = has_begun_to_leave(stored)
    changes = {
        one.message.message_id: (
            f"its document {Path(path).name} {still[path]}, and would be another one if it was made today"
        )
        for one in stored
        if _is_live(one) and (path := one.document_path or "") in still
        if not begun or one.message.channel == Channel.EMAIL
    }
    withdrawn = withdraw(run, batch_id, [one.message for one in stored], changes)
    lost_papers = [Path(path).name for path in still if Path(path).name in PRINTED]
    return Mended(
        made_again=_told(made_again, damaged),
        withdrawn=withdrawn,
        kept=_why_kept(batch_id, lost_papers) if lost_papers and not withdrawn else "",
    )


def _find_damaged(
    workspace: Workspace, batch_id: str, leaving: pl.DataFrame, only: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what is wrong with documents, by their paths; each file is read once however many messages share it."""
    documents = leaving.filter(pl.col("document_path").is_not_null())
    wanted = dict(documents.select("document_path", "document_sha256").unique().sort(pl.all()).iter_rows())
    found = {
        path: what
        for path, sha256 in wanted.items()
        if only is None or path in only
        if (what := _what_is_wrong(workspace.root / path, sha256))
    }
    if documents.filter(pl.col("channel").is_in(list(LETTERS))).height:
        folder = workspace.outbox / batch_id
        papers = [folder / name for name in PRINTED]
        found |= {str(one.relative_to(workspace.root)): _MISSING for one in papers if not one.is_file()}
    return found


def _what_is_wrong(path: Path, sha256: str) -> str:
    try:
        return "" if hash_file(path) == sha256 else _CHANGED
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return _MISSING


def _is_live(one: StoredMessage) -> bool:
    return one.status in (MessageStatus.PLANNED, MessageStatus.COMPOSED)


def _to_make(stored: Sequence[StoredMessage], damaged: Mapping[str, str]) -> list[Message]:
    """Return the messages to make documents of: an e-mail stands for itself, papers share files with others."""
    live_papers = {
        (one.document_path, one.document_sha256)
        for one in stored
        if _is_live(one) and one.message.channel != Channel.EMAIL
    }
    needs_papers = any(not path.endswith(".eml") for path in damaged)
    return [
        one.message
        for one in stored
        if (one.message.channel == Channel.EMAIL and _is_live(one) and one.document_path in damaged)
        or (needs_papers and (one.document_path, one.document_sha256) in live_papers)
    ]


def _log(run: Run, batch_id: str, made_again: Sequence[str]) -> None:
    if not made_again:
        return
    documents = {path: hash_file(run.workspace.root / path) for path in made_again}
    event = NewEvent("documents_made_again", {"batch_id": batch_id, "on": run.as_of, "documents": documents})
    with open_to_write(run.workspace) as connection:
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _told(made_again: Sequence[str], damaged: Mapping[str, str]) -> str:
    if not made_again:
        return ""
    first = f"{Path(made_again[0]).name} {damaged[made_again[0]]}"
    more = f", and {len(made_again) - 1} more" if len(made_again) > 1 else ""
    return f"{first}{more}: made again as composed"


def _why_kept(batch_id: str, papers: Sequence[str]) -> str:
    verb = "is" if len(papers) == 1 else "are"
    return (
        f"{' and '.join(papers)} {verb} missing, and today's letters would be others than those composed. "
        f"`relance batches reject {batch_id} --by NAME --why TEXT --until DATE` ends what has not left; "
        "its items are decided anew after that date."
    )
