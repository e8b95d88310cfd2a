"""A message that is to leave, and what is known of it then."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path


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

    `sender` is the plain address bounces come back to, before the message's own mark is put into it; `copies` are
    addresses of our own that get the same message; `beside` are files that leave with the document, with their hashes.
    """

    message_id: str
    action_ids: tuple[str, ...]
    channel: str
    document: Path
    document_sha256: str
    recipients: tuple[str, ...] = ()
    sender: str = ""
    copies: tuple[str, ...] = ()
    beside: tuple[tuple[Path, str], ...] = ()


@dataclass(frozen=True)
class Resolution:
    """Who settled later what became of a message, on which business date, and what showed it."""

    by: str
    on: date
    evidence: str

    @property
    def answer(self) -> str:
        """What is known of the message from then on, in words."""
        return f"resolved by {self.by}: {self.evidence}"


@dataclass(frozen=True)
class MessageOutcome:
    """The last known state of a message; `on` is the business date of its release.

    `is_bad_address` says of a refused message that its address was refused, and not what it says; `resolution` is
    there when the state was settled later.
    """

    message_id: str
    action_ids: tuple[str, ...]
    channel: str
    document_sha256: str
    status: DeliveryStatus
    on: date
    recorded_at: datetime
    answer: str
    is_bad_address: bool = False
    resolution: Resolution | None = None
