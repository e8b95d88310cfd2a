"""Delivers e-mail into a Maildir, for a mail server of the house to send, or for people to look at.

A message is made ready beside the Maildir's own folders, its intent noted, and then renamed into place. After a cut
it either still lies where it was made ready, or it was delivered, even if somebody has fetched it since: nothing is
ever uncertain, and nothing delivered twice.
"""

from collections.abc import Sequence
from pathlib import Path

from tasks.dispatch.departure import Departure, DocumentChangedError, read_unchanged
from tasks.dispatch.journal import DeliveryStatus, PlannedMessage
from tasks.dispatch.lasting_lines import flush_folder
from tasks.documents.whole_files import put_bytes

DELIVERED = "delivered to the maildir"
_READY = ".relance"


class MaildirTransport:
    """Puts messages into one Maildir."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first message is put there."""
        self.folder = folder

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Deliver the messages; return what went wrong, in sentences."""
        ready = self.folder / _READY
        for folder in (*(self.folder / name for name in ("tmp", "new", "cur")), ready):
            folder.mkdir(parents=True, exist_ok=True)
        problems = []
        for message in messages:
            if not departure.may_go_on():
                break
            try:
                content = read_unchanged(message)
            except DocumentChangedError as error:
                problems.append(str(error))
                continue
            prepared = ready / f"{message.message_id}.relance"
            if message.message_id not in departure.journal.begun:
                put_bytes(prepared, content)
                departure.journal.intend_repeatable(message, departure.clock())
                departure.journal.flush()
            if prepared.exists():
                prepared.replace(self.folder / "new" / prepared.name)
                flush_folder(self.folder / "new")
            departure.journal.settle(message, DeliveryStatus.DISPATCHED, DELIVERED, departure.clock())
            departure.done()
        return problems
