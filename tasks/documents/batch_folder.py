"""The files of one batch in the outbox, by channel, and a summary of them.

`outbox/<batch>/`: emails/*.eml, letters/*.pdf with print.pdf and letters.csv, calls.csv, placements/*.zip,
batch.json. The same messages give the same bytes; a file is written whole or not at all.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from policies.creditor import Agency
from policies.errors import CreditorInvalidError, RelanceError
from policies.mail_addresses import mail_address
from policies.messages import Message
from policies.model import Channel
from policies.policy_warnings import DEFAULT_AGENCY
from tasks.documents.call_sheet import render_call_sheet
from tasks.documents.email import mail_date, render_email
from tasks.documents.letter import Letter, letter_rows, print_run, render_letters
from tasks.documents.placement import render_placement
from tasks.documents.safe_text import file_name
from tasks.documents.spreadsheet import write_csv
from tasks.documents.whole_files import naming
from tasks.documents.wording import choose_language, template_hash
from tasks.manifest import hash_file
from tasks.rules import Rules
from tasks.store.batches import ComposedDocument
from tasks.workspace import Workspace, shipped_root

_THIRD_PARTIES = (Channel.AGENCY.value, Channel.COURT.value)
SHARED_CHANNELS = (Channel.CALL.value, *_THIRD_PARTIES)
"""Their messages share a file with others."""

LETTERS = (Channel.LETTER.value, Channel.REGISTERED_LETTER.value)
PRINTED = ("print.pdf", "letters.csv")
"""What the printer gets beside the letters."""

SUMMARY = "batch.json"

_LONGEST_NAME = 200


def write_documents(
    workspace: Workspace,
    rules: Rules,
    batch_id: str,
    messages: Sequence[Message],
    calls_again: Sequence[Message] = (),
    *,
    alone: bool = False,
    kept: Sequence[ComposedDocument] = (),
) -> list[ComposedDocument]:
    """Write the documents of a batch and its summary; return what each message's document is.

    Args:
        workspace: where.
        rules: the creditor, for sender and agencies.
        batch_id: names the folder in the outbox.
        messages: that the documents say.
        calls_again: earlier calls to list once more.
        alone: take away what else lies in the folder, such as a print run with letters since withdrawn.
        kept: documents of messages that are not made again: they stay as they are.
    """
    writer = BatchFolder(workspace, rules, batch_id)
    writer.written.update(workspace.root / one.document_path for one in kept)
    known = {one.message_id for one in kept}
    made = [one for one in messages if one.message_id not in known]
    try:
        documents = [*kept, *writer.everything(made, calls_again)]
    except RelanceError:
        writer.remove_new()
        raise
    writer.summary(messages, documents)
    if alone:
        writer.remove_others()
    return documents


def render_documents(
    workspace: Workspace,
    rules: Rules,
    batch_id: str,
    messages: Sequence[Message],
    calls_again: Sequence[Message] = (),
) -> list[ComposedDocument]:
    """Return what the documents of these messages would be today, and write nothing."""
    return BatchFolder(workspace, rules, batch_id, writes=False).everything(messages, calls_again)


def hash_shared_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of a batch that hold several messages, by path in its folder."""
    files = [path for pattern in ("*", "placements/*") for path in folder.glob(pattern) if path.is_file()]
    lasting = sorted(path for path in files if path.suffix != ".jsonl")
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in lasting}


class BatchFolder:
    """The documents of one batch, by channel."""

    def __init__(self, workspace: Workspace, rules: Rules, batch_id: str, *, writes: bool = True) -> None:
        self.writes = writes
        self.workspace, self.creditor, self.batch_id = workspace, rules.creditor, batch_id
        self.roots = (workspace.templates, shipped_root() / "templates")
        self.folder = workspace.outbox / batch_id
        self.written: set[Path] = set()
        self.new: list[Path] = []

    def everything(self, messages: Sequence[Message], again: Sequence[Message]) -> list[ComposedDocument]:
        """Make the documents of every channel."""
        return [
            *self.emails(messages),
            *self.letters(messages),
            *self.calls(messages, again),
            *self.placements(messages),
        ]

    def emails(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        """Write one file per e-mail."""
        domain = mail_address(self.creditor.sender.email).rpartition("@")[2]
        for message in messages:
            if message.channel == Channel.EMAIL:
                sent_at = mail_date(message, self.creditor)
                content = render_email(
                    message, self.creditor, self.roots, self._attachments(message), sent_at, domain
                )
                yield self._document(message, f"emails/{_name(message)}.eml", content)

    def letters(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        """Write one PDF per letter, all of them for the printer, and the list of where they go."""
        letters = [Letter(one, tuple(self._attachments(one))) for one in messages if one.channel in LETTERS]
        if not letters:
            return
        for letter, content in zip(letters, render_letters(letters, self.creditor, self.roots), strict=True):
            yield self._document(letter.message, f"letters/{_name(letter.message)}.pdf", content)
        run = print_run(letters, self.creditor, self.roots)
        self._write("print.pdf", run.pdf)
        rows = letter_rows(letters, self.creditor, run)
        self._write("letters.csv", write_csv(list(rows[0]), rows, byte_order_mark=True))

    def calls(self, messages: Sequence[Message], again: Sequence[Message]) -> Iterator[ComposedDocument]:
        """Write the call sheet of the batch, if anyone is to be called."""
        calls = [message for message in messages if message.channel == Channel.CALL]
        if calls or again:
            content = self.call_sheet(calls, again)
            for message in calls:
                yield self._document(message, "calls.csv", content)

    def call_sheet(self, calls: Sequence[Message], again: Sequence[Message]) -> bytes:
        """Write a call sheet, with calls of earlier days that are still open."""
        content = render_call_sheet(calls, self.creditor, self.roots, again)
        self._write("calls.csv", content)
        return content

    def placements(self, messages: Sequence[Message]) -> Iterator[ComposedDocument]:
        """Write one archive per agency, or for the court."""
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
        """Write batch.json: what the batch holds and the hash of each document."""
        paths = {document.message_id: document for document in documents}
        listed = [
            {
                "message_id": message.message_id,
                "customer_id": message.customer.customer_id,
                "step": message.step,
                "channel": message.channel,
                "currency": message.currency,
                "total": str(message.total),
                "total_fees": str(message.total_fees),
                "items": len(message.items),
                "document": paths[message.message_id].document_path,
                "sha256": paths[message.message_id].document_sha256,
            }
            for message in messages
        ]
        content = json.dumps({"batch_id": self.batch_id, "messages": listed}, ensure_ascii=False, indent=2)
        self._write(SUMMARY, content.encode() + b"\n")

    def remove_new(self) -> None:
        """Remove what was written now and was not there before, so that no half-made batch lies in the outbox."""
        for path in self.new:
            path.unlink(missing_ok=True)
        for folder in (*sorted({path.parent for path in self.new}, reverse=True), self.folder):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

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
        if not self.writes:
            return
        path = self.folder / name
        self.written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return
        if not path.exists():
            self.new.append(path)
        aside = path.with_name(f".{path.name}.tmp")
        with naming(path), aside.open("wb") as file:
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
