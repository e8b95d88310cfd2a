"""Delivers e-mail into a Maildir, for a mail server of the house to send, or for people to look at.

A message has a name of its own there, so delivering it again changes nothing, and nothing is ever uncertain.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from tasks.dispatch.departure import Departure, DocumentChangedError, read_unchanged
from tasks.dispatch.journal import DeliveryStatus, PlannedMessage
from tasks.dispatch.lasting_lines import flush_folder

DELIVERED = "delivered to the maildir"


class MaildirTransport:
    """Puts messages into one Maildir."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first message is put there."""
        self.folder = folder

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Deliver the messages; return what went wrong, in sentences."""
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        problems = []
        for message in messages:
            if not departure.may_go_on():
                break
            try:
                content = read_unchanged(message)
            except DocumentChangedError as error:
                problems.append(str(error))
                continue
            departure.journal.intend_repeatable(message, departure.clock())
            self._deliver(f"{message.message_id}.relance", content)
            departure.journal.settle(message, DeliveryStatus.DISPATCHED, DELIVERED, departure.clock())
            departure.done()
        return problems

    def _deliver(self, name: str, content: bytes) -> None:
        """Write a message aside and rename it into place, on disk before it is noted as delivered."""
        if (self.folder / "new" / name).exists() or self._was_seen(name):
            return
        aside = self.folder / "tmp" / name
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.folder / "new" / name)
        flush_folder(self.folder / "new")

    def _was_seen(self, name: str) -> bool:
        """Return whether a mail program has taken the message over; it adds flags to the name."""
        seen = self.folder / "cur"
        return (seen / name).exists() or any(seen.glob(f"{name}:*"))
