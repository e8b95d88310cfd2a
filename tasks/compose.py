"""Makes the documents of a batch in the outbox, and notes their hashes in the log before anything leaves.

`outbox/<batch>/`: emails/*.eml, letters/*.pdf with print.pdf and letters.csv, calls.csv, placements/*.zip,
batch.json. Doing it again writes the same bytes, so a cut run is simply done again.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

import polars as pl

from policies.creditor import Agency
from policies.errors import CreditorInvalidError
from policies.messages import Message
from policies.model import ITEM_KEY, Channel, HoldReason
from policies.policy_warnings import DEFAULT_AGENCY
from tasks.documents.call_sheet import render_call_sheet
from tasks.documents.email import mail_date, render_email
from tasks.documents.letter import Letter, letter_rows, print_run, render_letters
from tasks.documents.placement import render_placement
from tasks.documents.safe_text import file_name
from tasks.documents.spreadsheet import write_csv
from tasks.documents.wording import choose_language, template_hash
from tasks.ledger import NewEvent, append_events
from tasks.publish import read_published
from tasks.rules import Rules, read_rules
from tasks.run import Run
from tasks.store.batch_lists import (
    StoredMessage,
    has_begun_to_leave,
    list_batches,
    read_messages,
    read_open_calls,
)
from tasks.store.batches import AUTOMATIC, ComposedDocument, MessageStatus, mark_composed, read_batch
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.workspace import Workspace, shipped_root

_THIRD_PARTIES = (Channel.AGENCY.value, Channel.COURT.value)
_SHARED = (Channel.CALL.value, *_THIRD_PARTIES)
_LETTERS = (Channel.LETTER.value, Channel.REGISTERED_LETTER.value)
_LONGEST_NAME = 200
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
    rules = read_rules(run.workspace)
    documents = write_documents(run.workspace, rules, batch_id, [one.message for one in stored], again)
    with open_to_write(run.workspace) as connection:
        composed = mark_composed(connection, documents)
        _log(connection, run, "action_composed", stored, documents, {MessageStatus.PLANNED})
    return composed


def list_calls_again(run: Run) -> int:
    """List open calls of earlier days again on a day that has no batch to list them in; return how many."""
    with open_to_read(run.workspace) as connection:
        of_day = list_batches(connection).filter(
            (pl.col("as_of") == run.as_of) & (pl.col("kind") == AUTOMATIC)
        )
        again = _open_calls(run.workspace, connection, run.as_of) if of_day.is_empty() else []
    if again:
        _Writer(run.workspace, read_rules(run.workspace), f"{run.as_of}-open_calls").call_sheet([], again)
    return len(again)


def compose_again(run: Run, batch_id: str) -> None:
    """Make the documents of a batch anew where messages were withdrawn from it, and say so in the log.

    Safe to do again: a run that is cut between withdrawing and this leaves it to the next.
    """
    with open_to_read(run.workspace) as connection:
        everything = read_messages(connection, batch_id)
        again = _calls_again(run.workspace, connection, batch_id)
    withdrawn = [one for one in everything if one.status is MessageStatus.WITHDRAWN]
    for one in withdrawn:
        if one.document_path and one.message.channel not in _SHARED:
            (run.workspace.root / one.document_path).unlink(missing_ok=True)
    if not withdrawn or has_begun_to_leave(everything):
        return
    stored = [one for one in everything if one.status in _LIVE]
    messages = [one.message for one in stored]
    documents = write_documents(
        run.workspace, read_rules(run.workspace), batch_id, messages, again, alone=True
    )
    before = {one.message.message_id: one.document_sha256 for one in stored}
    changed = [one for one in documents if before[one.message_id] != one.document_sha256]
    with open_to_write(run.workspace) as connection:
        mark_composed(connection, changed)
        _log(connection, run, "document_replaced", stored, changed, set(_LIVE))


def write_documents(
    workspace: Workspace,
    rules: Rules,
    batch_id: str,
    messages: Sequence[Message],
    calls_again: Sequence[Message] = (),
    *,
    alone: bool = False,
) -> list[ComposedDocument]:
    """Write the documents of a batch and its summary; return what each message's document is.

    Args:
        workspace: where.
        rules: the creditor, for sender and agencies.
        batch_id: names the folder in the outbox.
        messages: that the documents say.
        calls_again: earlier calls to list once more.
        alone: take away what else lies in the folder, such as a print run with letters since withdrawn.
    """
    writer = _Writer(workspace, rules, batch_id)
    documents = [
        *writer.emails(messages),
        *writer.letters(messages),
        *writer.calls(messages, calls_again),
        *writer.placements(messages),
    ]
    writer.summary(messages, documents)
    if alone:
        writer.remove_others()
    return documents


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


class _Writer:
    """The documents of one batch, by channel."""

    def __init__(self, workspace: Workspace, rules: Rules, batch_id: str) -> None:
        self.workspace, self.creditor, self.batch_id = workspace, rules.creditor, batch_id
        self.roots = (workspace.templates, shipped_root() / "templates")
        self.folder = workspace.outbox / batch_id
        self.written: set[Path] = set()

    def emails(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        domain = self.creditor.sender.email.rpartition("@")[2]
        for message in messages:
            if message.channel == Channel.EMAIL:
                sent_at = mail_date(message, self.creditor)
                content = render_email(
                    message, self.creditor, self.roots, self._attachments(message), sent_at, domain
                )
                yield self._document(message, f"emails/{_name(message)}.eml", content)

    def letters(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        letters = [Letter(one, tuple(self._attachments(one))) for one in messages if one.channel in _LETTERS]
        if not letters:
            return
        for letter, content in zip(letters, render_letters(letters, self.creditor, self.roots), strict=True):
            yield self._document(letter.message, f"letters/{_name(letter.message)}.pdf", content)
        run = print_run(letters, self.creditor, self.roots)
        self._write("print.pdf", run.pdf)
        rows = letter_rows(letters, self.creditor, run)
        self._write("letters.csv", write_csv(list(rows[0]), rows, byte_order_mark=True))

    def calls(self, messages: Sequence[Message], again: Sequence[Message]) -> Iterator[ComposedDocument]:
        calls = [message for message in messages if message.channel == Channel.CALL]
        if calls or again:
            content = self.call_sheet(calls, again)
            for message in calls:
                yield self._document(message, "calls.csv", content)

    def call_sheet(self, calls: Sequence[Message], again: Sequence[Message]) -> bytes:
        content = render_call_sheet(calls, self.creditor, self.roots, again)
        self._write("calls.csv", content)
        return content

    def placements(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        placed = [message for message in messages if message.channel in _THIRD_PARTIES]
        for name, cases in groupby(sorted(placed, key=_third_party), _third_party):
            of_agency = list(cases)
            papers = {one.message_id: self._attachments(one) for one in of_agency}
            content = render_placement(
                of_agency, self.creditor, self.roots, self._agency(of_agency[0]), papers
            )
            for message in of_agency:
                yield self._document(message, f"placements/{file_name(name)}.zip", content)

    def _agency(self, message: Message) -> Agency:
        """Return who gets the case; a court's own file is addressed when it is filed."""
        if message.channel == Channel.COURT:
            return Agency(name="Court")
        name = message.agency or DEFAULT_AGENCY
        if name not in self.creditor.agencies:
            known = ", ".join(sorted(self.creditor.agencies)) or "none"
            raise CreditorInvalidError(
                f"creditor.yaml: agencies: step {message.step} of policy {message.policy} places cases with the agency "
                f"{name!r}, which is not there (there are: {known}). Add it with its name and address."
            )
        return self.creditor.agencies[name]

    def summary(self, messages: Sequence[Message], documents: Iterable[ComposedDocument]) -> None:
        paths = {document.message_id: document for document in documents}
        listed = [
            {
                "message_id": message.message_id,
                "customer_id": message.customer.customer_id,
                "step": message.step,
                "channel": message.channel,
                "currency": message.currency,
                "total": str(message.total),
                "items": len(message.items),
                "document": paths[message.message_id].document_path,
                "sha256": paths[message.message_id].document_sha256,
            }
            for message in messages
        ]
        content = json.dumps({"batch_id": self.batch_id, "messages": listed}, ensure_ascii=False, indent=2)
        self._write("batch.json", content.encode() + b"\n")

    def remove_others(self) -> None:
        """Remove the files of the batch that were not written now; its journal stays."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.written and path.suffix != ".jsonl":
                path.unlink()

    def _attachments(self, message: Message) -> list[Path]:
        """Return the documents finance dropped for the invoices, and for a third party those of the customer."""
        invoices = dict.fromkeys(item.invoice_number for item in message.items)
        found = [self.workspace.documents / f"{number}.pdf" for number in invoices if _is_file_name(number)]
        if message.channel in _THIRD_PARTIES and _is_file_name(message.customer.customer_id):
            folder = self.workspace.documents / "customers" / message.customer.customer_id
            found += sorted(folder.glob("*.pdf"))
        inside = self.workspace.documents.resolve()
        return [path for path in found if path.is_file() and path.resolve().is_relative_to(inside)]

    def _document(self, message: Message, name: str, content: bytes) -> ComposedDocument:
        self._write(name, content)
        language = choose_language(self.roots, message.template, message.language, self.creditor.language)
        return ComposedDocument(
            message_id=message.message_id,
            document_path=str((self.folder / name).relative_to(self.workspace.root)),
            document_sha256=hashlib.sha256(content).hexdigest(),
            template_sha256=template_hash(self.roots, message.template, language, message.channel),
        )

    def _write(self, name: str, content: bytes) -> None:
        """Write a file of the batch whole or not at all."""
        path = self.folder / name
        self.written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return
        aside = path.with_name(f".{path.name}.tmp")
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)


def _third_party(message: Message) -> str:
    return message.channel if message.channel == Channel.COURT else message.agency or DEFAULT_AGENCY


def _name(message: Message) -> str:
    """Return a file name that people recognise; the message's own number keeps it apart from all others."""
    return f"{file_name(message.customer.customer_id)[:40]}-{file_name(message.currency)}-{message.message_id[:8]}"


def _is_file_name(text: str) -> bool:
    return "/" not in text and len(text.encode()) <= _LONGEST_NAME


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
