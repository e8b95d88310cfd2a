"""What everything that leaves goes through: the journal, the clock, and the question whether it may go on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import Journal
from tasks.manifest import hash_file

Clock = Callable[[], datetime]


def never() -> bool:
    """Return that nobody has halted the release."""
    return False


class DocumentChangedError(Exception):
    """A document is no longer the one that was composed and approved; the text says so to people."""


@dataclass
class Departure:
    """What messages of one release leave by.

    Attributes:
        journal: of the batch.
        clock: gives this instant, aware, in UTC.
        done: is called after each message.
        is_stopped: whether people have halted all release.
        was_stopped: whether that was found before a message.
    """

    journal: Journal
    clock: Clock
    done: Callable[[], None]
    is_stopped: Callable[[], bool] = never
    was_stopped: bool = field(default=False)

    def may_go_on(self) -> bool:
        """Return whether the next message may leave; asked before each."""
        self.was_stopped = self.was_stopped or self.is_stopped()
        return not self.was_stopped


def read_unchanged(message: PlannedMessage) -> bytes:
    """Return the document of a message, read once: what is checked is what leaves.

    Raises:
        DocumentChangedError: it is missing, or not the one that was composed.
    """
    content = _read(message)
    _compare(message, hashlib.sha256(content).hexdigest())
    return content


def check_unchanged(message: PlannedMessage, known: dict[Path, str | None]) -> None:
    """Raise when the document of a message has changed, or a file that leaves with it.

    `known` keeps the hash of a file that many messages share.
    """
    for path, digest in message.beside:
        if (found := _hash_once(path, known)) != digest:
            what = "is missing" if found is None else "was changed since it was composed"
            raise DocumentChangedError(
                f"{path.name} {what}: the letters of {path.parent.name} stay here. Put the file back as it was "
                "composed, then release again."
            )
    _compare(message, _hash_once(message.document, known))


def _hash_once(path: Path, known: dict[Path, str | None]) -> str | None:
    if path not in known:
        known[path] = hash_file(path) if path.is_file() else None
    return known[path]


def _read(message: PlannedMessage) -> bytes:
    try:
        return message.document.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise DocumentChangedError(_sentence(message, "is missing")) from None


def _compare(message: PlannedMessage, found: str | None) -> None:
    if found is None:
        raise DocumentChangedError(_sentence(message, "is missing"))
    if found != message.document_sha256:
        raise DocumentChangedError(_sentence(message, "was changed since it was composed"))


def _sentence(message: PlannedMessage, what: str) -> str:
    return (
        f"{message.document.name} {what}: message {message.message_id} stays here. Run again: it is made again as it "
        "was, or withdrawn and decided anew. `relance batches reject` ends at once what of its batch has not left."
    )
