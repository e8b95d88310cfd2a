"""Delivers e-mail into a Maildir, for a mail server of the house to send, or for people to look at.

A message is made ready beside the Maildir's own folders, its intent noted, and then renamed into place. After a cut
it either still lies where it was made ready, or it was delivered, even if somebody has fetched it since: nothing is
delivered twice, and nothing stays uncertain as long as the Maildir is there to be looked at.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.departure import Clock, Departure, DocumentChangedError, read_unchanged
from tasks.dispatch.journal import Journal, read_cut_placings
from tasks.dispatch.lasting_lines import flush_folder, make_folder
from tasks.documents.whole_files import put_bytes

DELIVERED = "delivered to the maildir"
NOT_DELIVERED = "cut before it was delivered to the maildir"
_READY = ".relance"


class MaildirTransport:
    """Puts messages into one Maildir."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first message is put there."""
        self.folder = folder

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Deliver the messages; return what went wrong, in sentences."""
        for name in ("tmp", "new", "cur", _READY):
            make_folder(self.folder / name)
        problems = []
        for message in messages:
            if not departure.may_go_on():
                break
            try:
                self._deliver(message, read_unchanged(message), departure)
            except DocumentChangedError as error:
                problems.append(str(error))
                continue
            departure.done()
        return problems

    def _deliver(self, message: PlannedMessage, content: bytes, departure: Departure) -> None:
        prepared = self.folder / _READY / f"{message.message_id}.relance"
        put_bytes(prepared, content)
        departure.journal.intend_placing(message, prepared, departure.clock())
        prepared.replace(self.folder / "new" / prepared.name)
        flush_folder(self.folder / "new")
        departure.journal.settle(message, DeliveryStatus.DISPATCHED, DELIVERED, departure.clock())


def settle_cut_deliveries(journal_path: Path, on: date, clock: Clock) -> None:
    """Note in a journal whether the messages whose delivery was cut were delivered, where the Maildir can be seen.

    Args:
        journal_path: of the batch.
        on: the business date; what was delivered counts on the day of its intent.
        clock: gives this instant, aware, in UTC.
    """
    visible = [one for one in read_cut_placings(journal_path) if one.can_be_seen]
    if not visible:
        return
    with Journal(journal_path, on) as journal:
        for placing in visible:
            if placing.prepared.exists():
                journal.resolve(placing.known, DeliveryStatus.FAILED, NOT_DELIVERED, clock())
                journal.flush()
                # Only now: without its file the message would count as delivered.
                placing.prepared.unlink()
            else:
                journal.resolve(placing.known, DeliveryStatus.DISPATCHED, DELIVERED, clock())
