"""Makes the documents of a batch in the outbox, and notes their hashes in the log before anything leaves.

Doing it again writes the same bytes (`tasks.documents.batch_folder`), so a cut run is simply done again.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from policies.messages import Message
from policies.model import ITEM_KEY, Channel, HoldReason
from tasks.documents.batch_folder import (
    SHARED_CHANNELS,
    BatchFolder,
    hash_shared_files,
    render_documents,
    write_documents,
)
from tasks.ledger import NewEvent, append_events
from tasks.published_tables import read_published
from tasks.rules import Rules, read_rules
from tasks.run import Run
from tasks.store.approvals import send_back
from tasks.store.audit import read_logged_files
from tasks.store.batch_lists import (
    StoredMessage,
    has_begun_to_leave,
    list_batches,
    read_messages,
    read_open_calls,
)
from tasks.store.batches import (
    AUTOMATIC,
    BatchStatus,
    ComposedDocument,
    MessageStatus,
    mark_composed,
    read_batch,
)
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.sealing import require_unchanged
from tasks.workspace import Workspace

_FILES_COMPOSED, _FILES_REPLACED = "batch_files_composed", "batch_files_replaced"
_OTHER = (
    "Messages were taken out, and templates, creditor.yaml or papers no longer give the documents that were composed: "
    "look at the documents as they are made today."
)
_LIVE = (MessageStatus.PLANNED, MessageStatus.COMPOSED)


def compose_batch(run: Run, batch_id: str) -> int:
    """Make the documents of a batch whose messages are planned; return how many messages were composed now.

    Once they are made and noted they stay as they are: what is approved is what leaves.
    """
    with open_to_read(run.workspace) as connection:
        stored = [one for one in read_messages(connection, batch_id) if one.status in _LIVE]
        again = _calls_again(run.workspace, connection, batch_id)
    if all(one.status is not MessageStatus.PLANNED for one in stored):
        return 0
    with open_to_read(run.workspace) as connection:
        require_unchanged(connection, "batch_id", batch_id)
    rules = read_rules(run.workspace)
    documents = write_documents(run.workspace, rules, batch_id, [one.message for one in stored], again)
    with open_to_write(run.workspace) as connection:
        composed = mark_composed(connection, batch_id, documents)
        _log(connection, run, "action_composed", stored, documents, {MessageStatus.PLANNED})
        _log_shared_files(connection, run, batch_id, _FILES_COMPOSED)
    return composed


def list_calls_again(run: Run) -> int:
    """List open calls of earlier days again on a day that has no batch to list them in; return how many."""
    with open_to_read(run.workspace) as connection:
        of_day = list_batches(connection).filter(
            (pl.col("as_of") == run.as_of) & (pl.col("kind") == AUTOMATIC)
        )
        again = _open_calls(run.workspace, connection, run.as_of) if of_day.is_empty() else []
    if again:
        BatchFolder(run.workspace, read_rules(run.workspace), f"{run.as_of}-open_calls").call_sheet([], again)
    return len(again)


def calls_listed_again(run: Run, batch_id: str) -> list[Message]:
    """Return the earlier calls without outcome that the call sheet of a batch lists once more."""
    with open_to_read(run.workspace) as connection:
        return _calls_again(run.workspace, connection, batch_id)


def compose_again(run: Run, batch_id: str) -> str:
    """Take what was withdrawn out of the files of a batch; return why it now waits for a person, or nothing.

    What is approved is what leaves: an e-mail that stays is not made again, and files that hold several messages are
    built again only while templates, creditor and papers still give what was approved. Else they are made anew, and
    the batch waits for a person. Safe to do again: a run that is cut before this leaves it to the next.
    """
    with open_to_read(run.workspace) as connection:
        everything = read_messages(connection, batch_id)
        again = _calls_again(run.workspace, connection, batch_id)
        batch = read_batch(connection, batch_id)
    withdrawn = [one for one in everything if one.status is MessageStatus.WITHDRAWN]
    for one in withdrawn:
        if one.document_path and one.message.channel not in SHARED_CHANNELS:
            (run.workspace.root / one.document_path).unlink(missing_ok=True)
    if batch is None or not withdrawn or has_begun_to_leave(everything):
        return ""
    stored = [one for one in everything if one.status in _LIVE]
    rules = read_rules(run.workspace)
    is_other = _would_be_other(run, rules, batch_id, everything, again)
    may_wait = batch["status"] in (BatchStatus.DRAFT, BatchStatus.APPROVED)
    if is_other and not may_wait:
        return _OTHER
    messages, kept = [one.message for one in stored], _kept(stored)
    documents = write_documents(run.workspace, rules, batch_id, messages, again, alone=True, kept=kept)
    before = {one.message.message_id: one.document_sha256 for one in stored}
    changed = [one for one in documents if before[one.message_id] != one.document_sha256]
    with open_to_write(run.workspace) as connection:
        mark_composed(connection, batch_id, changed)
        _log(connection, run, "document_replaced", stored, changed, set(_LIVE))
        _log_shared_files(connection, run, batch_id, _FILES_REPLACED)
        if is_other:
            _send_back(connection, run, batch_id)
    return _OTHER if is_other else ""


def _would_be_other(
    run: Run, rules: Rules, batch_id: str, everything: Sequence[StoredMessage], again: Sequence[Message]
) -> bool:
    """Return whether the paper of those that stay, made today, would say other things than what was composed.

    A file that several share is made with all who were in it, so that nobody's leaving counts as a change.
    """
    live = {
        (one.document_path, one.document_sha256)
        for one in everything
        if one.status is MessageStatus.COMPOSED and one.message.channel != Channel.EMAIL
    }
    known = {
        one.message.message_id: one for one in everything if (one.document_path, one.document_sha256) in live
    }
    made = render_documents(run.workspace, rules, batch_id, [one.message for one in known.values()], again)
    return any(one.document_sha256 != known[one.message_id].document_sha256 for one in made)


def _kept(stored: Sequence[StoredMessage]) -> list[ComposedDocument]:
    """Return the e-mails that were composed: each stands for itself."""
    return [
        ComposedDocument(
            one.message.message_id, one.document_path, one.document_sha256, one.template_sha256 or ""
        )
        for one in stored
        if one.message.channel == Channel.EMAIL and one.document_path and one.document_sha256
    ]


def _send_back(connection: Connection, run: Run, batch_id: str) -> None:
    send_back(connection, batch_id, on=run.as_of, why="a guard asks for another look", guard_sentence=_OTHER)
    guards = [{"code": "documents_changed", "sentence": _OTHER}]
    event = NewEvent("batch_sent_back", {"batch_id": batch_id, "on": run.as_of, "guards": guards})
    append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _log_shared_files(connection: Connection, run: Run, batch_id: str, kind: str) -> None:
    """Tell the log the hashes of the files that hold several messages, when they are not those it knows."""
    files = hash_shared_files(run.workspace.outbox / batch_id)
    known = read_logged_files(connection, batch_id).get(batch_id)
    if known is None or known.files != files:
        event = NewEvent(kind, {"batch_id": batch_id, "on": run.as_of, "files": files})
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _calls_again(workspace: Workspace, connection: Connection, batch_id: str) -> list[Message]:
    """Return earlier calls without outcome that are still owed, for the day's automatic batch."""
    batch = read_batch(connection, batch_id)
    if batch is None or batch["kind"] != AUTOMATIC or not isinstance(as_of := batch["as_of"], date):
        return []
    return _open_calls(workspace, connection, as_of)


def _open_calls(workspace: Workspace, connection: Connection, as_of: date) -> list[Message]:
    decisions = read_published(workspace, "decisions", as_of)
    if decisions is None:
        return []
    held = [HoldReason.NO_STEP_DUE.value, HoldReason.LADDER_FINISHED.value]
    owed = decisions.filter(pl.col("act") | pl.col("reason").is_in(held)).select(ITEM_KEY)
    keys = set(owed.iter_rows())
    return [
        message
        for message in read_open_calls(connection, as_of)
        if any(
            (message.customer.customer_id, item.invoice_number, item.installment) in keys
            for item in message.items
        )
    ]


def _log(
    connection: Connection,
    run: Run,
    kind: str,
    stored: Sequence[StoredMessage],
    documents: Sequence[ComposedDocument],
    statuses: set[MessageStatus],
) -> None:
    by_message = {document.message_id: document for document in documents}
    events = [
        event
        for one in stored
        if one.status in statuses and one.message.message_id in by_message
        for event in _action_events(kind, one.message, by_message[one.message.message_id])
    ]
    append_events(connection, events, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _action_events(kind: str, message: Message, document: ComposedDocument) -> Iterator[NewEvent]:
    """Yield one event per action: the balances of the moment, the rule, the rates, and the hashes of what was made."""
    shared = {
        "message_id": message.message_id,
        "batch_id": message.batch_id,
        "as_of": message.as_of,
        "message_step": message.step,
        "channel": message.channel,
        "language": message.language,
        "currency": message.currency,
        "total": message.total,
        "policy": message.policy,
        "policy_hash": message.policy_hash,
        "template_sha256": document.template_sha256,
        "document": document.document_path,
        "document_sha256": document.document_sha256,
    }
    address = _address(message)
    for item in message.items:
        details = item.model_dump(mode="json", exclude={"action_id", "description", "delivery_place"})
        yield NewEvent(
            kind,
            {**shared, **details},
            action_id=item.action_id,
            customer_id=message.customer.customer_id,
            personal={"address": address} if address else {},
        )


def _address(message: Message) -> str:
    customer = message.customer
    if message.channel == Channel.EMAIL:
        return customer.email
    if message.channel == Channel.CALL:
        return customer.phone
    return ", ".join(
        [*customer.address_lines, f"{customer.postcode} {customer.city}".strip(), customer.country]
    )
