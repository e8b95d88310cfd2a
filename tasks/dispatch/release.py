"""Lets planned messages leave: files first, then e-mail, each at most once whatever is cut, and counts them.

Doing it again after a cut does only what is left (`journal.py`). How e-mail leaves is said by a transport: it stays in
the outbox (`outbox.py`), goes into a Maildir (`maildir.py`) or to a mail server (`smtp.py`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from policies.explanations import counted
from policies.hosts import is_local_host
from policies.model import Channel
from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.departure import Clock, Departure, never
from tasks.dispatch.journal import Journal
from tasks.dispatch.outbox import note_files

Progress = Callable[[int, int], None]


class Transport(Protocol):
    """How e-mail leaves."""

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Let the messages leave, journalled one by one; return what went wrong, in sentences."""


@dataclass(frozen=True)
class ReleaseCounts:
    """How many messages of a release ended how; `problems` are sentences for people, without addresses.

    `waiting` stay ready and leave with the next release; `uncertain` are for a person to look into. Of the `refused`,
    `bad_addresses` count as bounced; the others were refused for what they are.
    """

    planned: int
    already_settled: int
    dispatched: int
    refused: int
    uncertain: int
    waiting: int
    problems: tuple[str, ...]
    bad_addresses: int = 0

    @property
    def is_complete(self) -> bool:
        """Return whether every message has left or ended."""
        return self.waiting == 0 and self.uncertain == 0


class OutboxTransport:
    """Leaves e-mail where it was composed: the default, as long as no mail server is configured."""

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Note each message as written; doing so again changes nothing."""
        return note_files(messages, departure)


def release_messages(
    planned: Sequence[PlannedMessage],
    journal: Journal,
    transport: Transport,
    clock: Clock,
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = never,
) -> ReleaseCounts:
    """Let the planned messages leave that have not left yet, and return what became of all of them.

    Args:
        planned: committed to the store before this is called.
        journal: of the batch; taken into the store afterwards.
        transport: for e-mail; other channels leave as files in the outbox.
        clock: gives this instant, aware, in UTC.
        progress: is told how many of how many are done.
        is_stopped: is asked before each message whether people have halted all release.
    """
    open_messages = [message for message in planned if not journal.is_settled(message.message_id)]
    done_count = 0

    def tell_progress() -> None:
        nonlocal done_count
        done_count += 1
        if progress:
            progress(done_count, len(open_messages))

    departure = Departure(journal, clock, tell_progress, is_stopped)
    emails = [message for message in open_messages if message.channel == Channel.EMAIL]
    problems = note_files(
        [message for message in open_messages if message.channel != Channel.EMAIL], departure
    )
    if emails and departure.may_go_on():
        problems += transport.dispatch(emails, departure)
    journal.flush()
    counts = _count(planned, open_messages, journal)
    if departure.was_stopped and counts["waiting"]:
        what = counted(counts["waiting"], "message")
        problems.append(
            f"release is stopped: {what} not sent, ready for the next release after `relance start`"
        )
    return ReleaseCounts(**counts, problems=tuple(problems))


def may_leave(as_of: date, today: date, host: str) -> bool:
    """Return whether a release on `as_of` may use this mail server.

    A day that is not today is a rehearsal or a repair: it never reaches a server outside this machine.
    """
    return as_of == today or is_local_host(host)


def _count(
    planned: Sequence[PlannedMessage], open_messages: Sequence[PlannedMessage], journal: Journal
) -> dict[str, int]:
    outcomes = [
        journal.outcomes[message.message_id] for message in planned if journal.is_settled(message.message_id)
    ]
    found = Counter(outcome.status for outcome in outcomes)
    return {
        "planned": len(planned),
        "already_settled": len(planned) - len(open_messages),
        "dispatched": found[DeliveryStatus.DISPATCHED],
        "refused": found[DeliveryStatus.REFUSED],
        "uncertain": found[DeliveryStatus.UNCERTAIN],
        "waiting": len(planned) - len(outcomes),
        "bad_addresses": sum(outcome.is_bad_address for outcome in outcomes),
    }
