"""The journal of a release: one line on disk before a message leaves (intent) and one after it (outcome).

`outbox/<batch>/journal.jsonl`. Each line is flushed to the disk before anything else happens, so that after a cut an
intent without outcome says exactly which message may or may not have left. Holds no address and no name.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from policies.errors import AuditBrokenError

JOURNAL_NAME = "journal.jsonl"

UNANSWERED = "handed to the mail server, and cut before its answer was written down"
CUT = "this line was cut while it was written; an intent cut so had not begun, an outcome cut so is uncertain"


class DeliveryStatus(StrEnum):
    """What is known of a message that was to leave."""

    DISPATCHED = "dispatched"
    # Surely did not leave, and may be tried again: the server was away, or asked to come back later.
    FAILED = "failed"
    # Surely did not leave, and never will: the server refused the address or the message for good.
    REFUSED = "refused"
    # An intent without outcome: nobody can say from here whether it left. Never sent again by itself.
    UNCERTAIN = "uncertain"


SETTLED = frozenset({DeliveryStatus.DISPATCHED, DeliveryStatus.REFUSED, DeliveryStatus.UNCERTAIN})
"""What a rerun leaves alone."""


@dataclass(frozen=True)
class PlannedMessage:
    """A message ready to leave: its document in the outbox and, for e-mail, whom it goes to.

    `sender` is the plain address bounces come back to, before the message's own mark is put into it.
    """

    message_id: str
    action_ids: tuple[str, ...]
    channel: str
    document: Path
    document_sha256: str
    recipients: tuple[str, ...] = ()
    sender: str = ""


@dataclass(frozen=True)
class MessageOutcome:
    """The last known state of a message; `on` is the business date of its release."""

    message_id: str
    action_ids: tuple[str, ...]
    channel: str
    document_sha256: str
    status: DeliveryStatus
    on: date
    recorded_at: datetime
    answer: str


class Journal:
    """Appends to the journal of one batch; each line is on disk when the call returns."""

    def __init__(self, path: Path, on: date) -> None:
        """Open or begin the journal at `path` for a release on the business date `on`."""
        self.path = path
        self.on = on
        self.outcomes = {outcome.message_id: outcome for outcome in read_journal(path)}
        cut = _take_off_cut_line(path)
        self._file: FileIO = path.open("ab", buffering=0)
        _flush_folder(path.parent)
        if cut:
            self._append({"kind": "cut", "on": on.isoformat(), "text": cut, "why": CUT})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended is on disk already."""
        self._file.close()

    def is_settled(self, message_id: str) -> bool:
        """Return whether a rerun must leave the message alone."""
        outcome = self.outcomes.get(message_id)
        return outcome is not None and outcome.status in SETTLED

    def intend(self, message: PlannedMessage, at: datetime, *, repeatable: bool = False) -> None:
        """Note that the message is about to leave.

        Args:
            message: what is about to leave.
            at: this instant.
            repeatable: doing it again changes nothing (a file by its name), so a cut leaves no doubt.
        """
        self._append(
            {
                "kind": "intent",
                "repeatable": repeatable,
                "message_id": message.message_id,
                "action_ids": list(message.action_ids),
                "channel": message.channel,
                "document_sha256": message.document_sha256,
                "on": self.on.isoformat(),
                "at": at.isoformat(),
            }
        )

    def settle(self, message: PlannedMessage, status: DeliveryStatus, answer: str, at: datetime) -> None:
        """Note what became of the message and what the server answered."""
        outcome = MessageOutcome(
            message_id=message.message_id,
            action_ids=message.action_ids,
            channel=message.channel,
            document_sha256=message.document_sha256,
            status=status,
            on=self.on,
            recorded_at=at,
            answer=answer,
        )
        self._note(outcome)

    def resolve(self, known: MessageOutcome, status: DeliveryStatus, answer: str, at: datetime) -> None:
        """Note what is known later of a message: as of the day on which it was handed over."""
        self._note(replace(known, status=status, answer=answer, recorded_at=at))

    def _note(self, outcome: MessageOutcome) -> None:
        self._append(
            {
                "kind": "outcome",
                "status": outcome.status.value,
                "answer": outcome.answer,
                "message_id": outcome.message_id,
                "action_ids": list(outcome.action_ids),
                "channel": outcome.channel,
                "document_sha256": outcome.document_sha256,
                "on": outcome.on.isoformat(),
                "at": outcome.recorded_at.isoformat(),
            }
        )
        self.outcomes[outcome.message_id] = outcome

    def _append(self, line: Mapping[str, object]) -> None:
        _write_all(self._file, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> list[MessageOutcome]:
    """Return the last known state of every message in a journal, in the order in which they first appear.

    An intent without outcome is uncertain, unless repeating it changes nothing: then it is left out, to be done
    again. A last line that was cut while it was written counts as not written: an intent is on disk before its
    message leaves, so nothing had begun; for an outcome the message is uncertain.

    Raises:
        AuditBrokenError: another line is damaged.
    """
    latest: dict[str, MessageOutcome | None] = {}
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            if line["kind"] != "cut":
                latest[line["message_id"]] = None if line.get("repeatable") else _outcome(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AuditBrokenError(
                f"{path}: line {number} is damaged. Nothing of this batch leaves until it is mended: put back a "
                "copy of the file, or compare its messages with the log of the mail server."
            ) from error
    return [outcome for outcome in latest.values() if outcome]


def _outcome(line: Mapping[str, Any]) -> MessageOutcome:
    is_intent = line["kind"] == "intent"
    return MessageOutcome(
        message_id=line["message_id"],
        action_ids=tuple(line["action_ids"]),
        channel=line["channel"],
        document_sha256=line["document_sha256"],
        status=DeliveryStatus.UNCERTAIN if is_intent else DeliveryStatus(line["status"]),
        on=date.fromisoformat(line["on"]),
        recorded_at=datetime.fromisoformat(line["at"]),
        answer=UNANSWERED if is_intent else line["answer"],
    )


def _take_off_cut_line(path: Path) -> str:
    """Take what stands after the last whole line off the file and return it."""
    if not path.exists():
        return ""
    with path.open("r+b") as file:
        whole, newline, cut = file.read().rpartition(b"\n")
        if cut:
            file.truncate(len(whole) + len(newline))
            os.fsync(file.fileno())
    return cut.decode(errors="replace")


def _write_all(file: FileIO, text: bytes) -> None:
    """Write all of the text; a raw file may take less than it was given."""
    rest = memoryview(text)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _flush_folder(folder: Path) -> None:
    """Make the name of a new file as lasting as its lines."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
