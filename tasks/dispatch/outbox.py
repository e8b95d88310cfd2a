"""Lets files leave: they were written to the outbox when they were composed, and noting that again changes nothing."""

from collections.abc import Sequence
from pathlib import Path

from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.departure import Departure, DocumentChangedError, check_unchanged

WRITTEN = "written to the outbox"


def note_files(messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
    """Note each message as written; return what went wrong, in sentences.

    The lines are on disk together, when the journal is flushed: a cut before that leaves no doubt, only work.
    """
    known: dict[Path, str | None] = {}
    problems: dict[str, None] = {}  # a file that many share is told once
    for message in messages:
        if not departure.may_go_on():
            break
        try:
            check_unchanged(message, known)
        except DocumentChangedError as error:
            problems[str(error)] = None
            continue
        departure.journal.intend_repeatable(message, departure.clock())
        departure.journal.settle(message, DeliveryStatus.DISPATCHED, WRITTEN, departure.clock())
        departure.done()
    return list(problems)
