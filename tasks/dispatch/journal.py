"""The journal of a release: one line on disk before a message leaves (intent) and one after it (outcome).

`outbox/<batch>/journal.jsonl`. No data leaves before its intent is on disk, and over one connection no intent stands
before the outcome of the message ahead of it. So after a cut an intent without outcome says exactly which message may
or may not have left: one per open connection at most. Holds no address and no name.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from policies.errors import AuditBrokenError
from tasks.dispatch.deliveries import SETTLED, DeliveryStatus, MessageOutcome, PlannedMessage, Resolution
from tasks.dispatch.lasting_lines import LastingLines, flush_folder, take_off_cut_line

JOURNAL_NAME = "journal.jsonl"

UNANSWERED = "handed to the mail server, and cut before its answer was written down"
CUT = "this line was cut while it was written; an intent cut so had not begun, an outcome cut so is uncertain"


_OF_EVERY_LINE = frozenset({"message_id", "action_ids", "channel", "document_sha256", "on", "at"})
_NEEDED = {"intent": _OF_EVERY_LINE, "outcome": _OF_EVERY_LINE | {"status", "answer"}}


class Journal:
    """Appends to the journal of one batch; a line is on disk when the call returns, where nothing else is said."""

    def __init__(self, path: Path, on: date) -> None:
        """Open or begin the journal at `path` for a release on the business date `on`."""
        self.path = path
        self.on = on
        self.outcomes = {outcome.message_id: outcome for outcome in read_journal(path)}
        cut = take_off_cut_line(path)
        self._lines = LastingLines(path)
        # The batch may be new too: a folder lost with the power would take its journal along.
        flush_folder(path.parent.parent)
        if cut:
            self._write({"kind": "cut", "on": on.isoformat(), "text": cut, "why": CUT})
            self._lines.flush()

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
        """Put everything on disk and close the file."""
        self._lines.close()

    def is_settled(self, message_id: str) -> bool:
        """Return whether a rerun must leave the message alone."""
        outcome = self.outcomes.get(message_id)
        return outcome is not None and outcome.status in SETTLED

    def intend(self, message: PlannedMessage, at: datetime) -> None:
        """Note that the message is about to leave."""
        self._write(self._intent(message, at, repeatable=False))
        self._lines.flush()

    async def intend_with_others(self, message: PlannedMessage, at: datetime) -> None:
        """Note that the message is about to leave; messages that are about to at the same time share a flush."""
        self._write(self._intent(message, at, repeatable=False))
        await self._lines.flushed()

    def intend_repeatable(self, message: PlannedMessage, at: datetime) -> None:
        """Note that a file is about to be written by its name: doing it again changes nothing, so no cut leaves doubt.

        The line is on disk after the next flush, or when the journal is closed.
        """
        self._write(self._intent(message, at, repeatable=True))

    def intend_placing(self, message: PlannedMessage, prepared: Path, at: datetime) -> None:
        """Note that the prepared file is about to be renamed into its place, from which others may take it away."""
        # By the way from here to there: a workspace that moved together with its mail still finds it.
        way = os.path.relpath(prepared, self.path.parent)
        folder = prepared.parent.stat().st_ino
        self._write({**self._intent(message, at, repeatable=False), "prepared": way, "folder_number": folder})
        self._lines.flush()

    def settle(
        self,
        message: PlannedMessage,
        status: DeliveryStatus,
        answer: str,
        at: datetime,
        *,
        is_bad_address: bool = False,
    ) -> None:
        """Note what became of the message and what the server answered.

        The line survives the end of this process at once. It is on disk with the next flush, which every intent
        waits for, or when the journal is closed.
        """
        outcome = MessageOutcome(
            message_id=message.message_id,
            action_ids=message.action_ids,
            channel=message.channel,
            document_sha256=message.document_sha256,
            status=status,
            on=self.on,
            recorded_at=at,
            answer=answer,
            is_bad_address=is_bad_address,
        )
        self._note(outcome)

    def flush(self) -> None:
        """Put everything noted on disk."""
        self._lines.flush()

    def resolve(
        self,
        known: MessageOutcome,
        status: DeliveryStatus,
        answer: str,
        at: datetime,
        resolution: Resolution | None = None,
    ) -> None:
        """Note what is known later of a message, and who says so: as of the day on which it was handed over.

        On disk with the next flush.
        """
        self._note(replace(known, status=status, answer=answer, recorded_at=at, resolution=resolution))

    def _note(self, outcome: MessageOutcome) -> None:
        line: dict[str, object] = {
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
        if outcome.status is DeliveryStatus.REFUSED:
            line["is_bad_address"] = outcome.is_bad_address
        if outcome.resolution:
            line["resolution"] = {**vars(outcome.resolution), "on": outcome.resolution.on.isoformat()}
        self._write(line)
        self.outcomes[outcome.message_id] = outcome

    def _intent(self, message: PlannedMessage, at: datetime, *, repeatable: bool) -> dict[str, object]:
        return {
            "kind": "intent",
            "repeatable": repeatable,
            "message_id": message.message_id,
            "action_ids": list(message.action_ids),
            "channel": message.channel,
            "document_sha256": message.document_sha256,
            "on": self.on.isoformat(),
            "at": at.isoformat(),
        }

    def _write(self, line: Mapping[str, object]) -> None:
        self._lines.write(json.dumps(line, ensure_ascii=False).encode())


@dataclass(frozen=True)
class CutPlacing:
    """A message whose prepared file was about to be renamed into its place, or was; uncertain until someone looks.

    `folder_number` is that of the file system for the folder in which it was prepared.
    """

    known: MessageOutcome
    prepared: Path
    folder_number: int

    @property
    def can_be_seen(self) -> bool:
        """Return whether the very folder is there: an empty one in its place, unmounted or new, proves nothing."""
        folder = self.prepared.parent
        return folder.is_dir() and folder.stat().st_ino == self.folder_number


def read_journal(path: Path) -> list[MessageOutcome]:
    """Return the last known state of every message in a journal, in the order in which they first appear.

    An intent without outcome is uncertain, unless repeating it changes nothing: then it is left out, to be done
    again. A last line that was cut while it was written counts as not written: an intent is on disk before its
    message leaves, so nothing had begun; for an outcome the message is uncertain.

    Raises:
        AuditBrokenError: another line is damaged.
    """
    return [_outcome(path, line) for line in _last_lines(path) if not line.get("repeatable")]


def read_cut_placings(path: Path) -> list[CutPlacing]:
    """Return the messages of a journal of which only the file system can say whether they were put into place.

    Raises:
        AuditBrokenError: a line is damaged.
    """
    return [
        CutPlacing(
            _outcome(path, line),
            Path(os.path.normpath(path.parent / line["prepared"])),
            line["folder_number"],
        )
        for line in _last_lines(path)
        if "prepared" in line
    ]


def read_lines(path: Path) -> list[Mapping[str, Any]]:
    """Return the whole lines of a journal, without what only says that a line was cut.

    Raises:
        AuditBrokenError: a line is damaged.
    """
    texts = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    lines: list[Mapping[str, Any]] = []
    for number, text in enumerate(texts, start=1):
        try:
            line = json.loads(text)
            is_whole = line["kind"] == "cut" or _NEEDED[line["kind"]] <= line.keys()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, f"line {number}") from error
        if not is_whole:
            raise _damaged(path, f"line {number}")
        if line["kind"] != "cut":
            lines.append(line)
    return lines


def _last_lines(path: Path) -> list[Mapping[str, Any]]:
    """Return the last line of every message, in the order in which they first appear."""
    return list({line["message_id"]: line for line in read_lines(path)}.values())


def _outcome(path: Path, line: Mapping[str, Any]) -> MessageOutcome:
    is_intent = line["kind"] == "intent"
    try:
        return MessageOutcome(
            message_id=line["message_id"],
            action_ids=tuple(line["action_ids"]),
            channel=line["channel"],
            document_sha256=line["document_sha256"],
            status=DeliveryStatus.UNCERTAIN if is_intent else DeliveryStatus(line["status"]),
            on=date.fromisoformat(line["on"]),
            recorded_at=datetime.fromisoformat(line["at"]),
            answer=UNANSWERED if is_intent else line["answer"],
            # Of a refusal noted before the journal knew the difference the address is to blame, as it was then.
            is_bad_address=not is_intent
            and line["status"] == DeliveryStatus.REFUSED
            and line.get("is_bad_address", True),
            resolution=_resolution(line["resolution"]) if "resolution" in line else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"the last line on message {line['message_id']}") from error


def _damaged(path: Path, which: str) -> AuditBrokenError:
    return AuditBrokenError(
        f"{path}: {which} is damaged. Nothing of this batch leaves until it is mended: put back a "
        "copy of the file, or compare its messages with the log of the mail server."
    )


def _resolution(said: Mapping[str, Any]) -> Resolution:
    return Resolution(said["by"], date.fromisoformat(said["on"]), said["evidence"])
