"""Lets planned messages leave: files first, then e-mail, each at most once whatever is cut, and counts them.

Doing it again after a cut does only what is left (`journal.py`). The mail server is spoken to in `smtp.py`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from policies.hosts import is_local_host
from policies.model import Channel
from tasks.dispatch.journal import DeliveryStatus, Journal, PlannedMessage

WRITTEN = "written to the outbox"

Progress = Callable[[int, int], None]
Clock = Callable[[], datetime]


class Transport(Protocol):
    """How e-mail leaves."""

    def dispatch(
        self, messages: Sequence[PlannedMessage], journal: Journal, clock: Clock, done: Callable[[], None]
    ) -> list[str]:
        """Let the messages leave, journalled one by one; call `done` after each; return what went wrong."""


@dataclass(frozen=True)
class ReleaseCounts:
    """How many messages of a release ended how; `problems` are sentences for people, without addresses.

    `waiting` stay ready and leave with the next release; `uncertain` are for a person to look into.
    """

    planned: int
    already_settled: int
    dispatched: int
    refused: int
    uncertain: int
    waiting: int
    problems: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Return whether every message has left or ended."""
        return self.waiting == 0 and self.uncertain == 0


class OutboxTransport:
    """Leaves e-mail where it was composed: the default, as long as no mail server is configured."""

    def dispatch(
        self, messages: Sequence[PlannedMessage], journal: Journal, clock: Clock, done: Callable[[], None]
    ) -> list[str]:
        """Note each message as written; doing so again changes nothing."""
        for message in messages:
            _note_file(message, journal, clock)
            done()
        return []


def release_messages(
    planned: Sequence[PlannedMessage],
    journal: Journal,
    transport: Transport,
    clock: Clock,
    progress: Progress | None = None,
) -> ReleaseCounts:
    """Let the planned messages leave that have not left yet, and return what became of all of them.

    Args:
        planned: committed to the store before this is called.
        journal: of the batch; taken into the store afterwards.
        transport: for e-mail; other channels leave as files in the outbox.
        clock: gives this instant, aware, in UTC.
        progress: is told how many of how many are done.
    """
    open_messages = [message for message in planned if not journal.is_settled(message.message_id)]
    ready: list[PlannedMessage] = []
    problems: list[str] = []
    for message in open_messages:
        problem = _find_change(message)
        problems.append(problem) if problem else ready.append(message)
    done_count = 0

    def tell_progress() -> None:
        nonlocal done_count
        done_count += 1
        if progress:
            progress(done_count, len(ready))

    for message in ready:
        if message.channel != Channel.EMAIL:
            _note_file(message, journal, clock)
            tell_progress()
    emails = [message for message in ready if message.channel == Channel.EMAIL]
    if emails:
        problems += transport.dispatch(emails, journal, clock, tell_progress)
    return _count(planned, open_messages, journal, problems)


def may_leave(as_of: date, today: date, host: str) -> bool:
    """Return whether a release on `as_of` may use this mail server.

    A day that is not today is a rehearsal or a repair: it never reaches a server outside this machine.
    """
    return as_of == today or is_local_host(host)


def _note_file(message: PlannedMessage, journal: Journal, clock: Clock) -> None:
    journal.intend(message, clock(), repeatable=True)
    journal.settle(message, DeliveryStatus.DISPATCHED, WRITTEN, clock())


def _find_change(message: PlannedMessage) -> str:
    """Return what is wrong with a document that is no longer the one composed and approved, else nothing."""
    if not message.document.is_file():
        what = "is missing"
    else:
        with message.document.open("rb") as document:
            if hashlib.file_digest(document, "sha256").hexdigest() == message.document_sha256:
                return ""
        what = "was changed since it was composed"
    return (
        f"{message.document.name} {what}: message {message.message_id} stays here. Reject it and run again."
    )


def _count(
    planned: Sequence[PlannedMessage],
    open_messages: Sequence[PlannedMessage],
    journal: Journal,
    problems: Sequence[str],
) -> ReleaseCounts:
    found = Counter(
        journal.outcomes[message.message_id].status
        for message in planned
        if journal.is_settled(message.message_id)
    )
    return ReleaseCounts(
        planned=len(planned),
        already_settled=len(planned) - len(open_messages),
        dispatched=found[DeliveryStatus.DISPATCHED],
        refused=found[DeliveryStatus.REFUSED],
        uncertain=found[DeliveryStatus.UNCERTAIN],
        waiting=len(planned) - found.total(),
        problems=tuple(problems),
    )
