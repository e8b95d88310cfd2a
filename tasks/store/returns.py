"""Mail that came back, as taken in by runs: what is known already, what it names, how far a mailbox was read."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import polars as pl

from tasks.store.connection import Connection, fetch, insert_frame, insert_row, lend_frames, load_query


@dataclass(frozen=True)
class StoredReturn:
    """One mail that came back: `return_id` and `headers_hash` are what it is known by again."""

    return_id: str
    headers_hash: str
    source: str
    kind: str
    rule: str
    status: str
    evidence: str
    message_id: str | None
    customer_id: str | None
    outcome: str
    as_of: date


@dataclass(frozen=True)
class Position:
    """How far a mailbox was read."""

    mailbox: str
    validity: int
    last_uid: int


def known_returns(connection: Connection, return_ids: Collection[str], headers: Collection[str]) -> set[str]:
    """Return which of these hashes, of bytes or of headers, were taken in before."""
    asked = pl.DataFrame({"hash": sorted({*return_ids, *headers})}, schema={"hash": pl.String})
    with lend_frames(connection, asked_hashes=asked):
        found = connection.execute(load_query("known_returns")).fetchall()
    return {name for (name,) in found}


def add_returns(
    connection: Connection, returns: Sequence[StoredReturn], run_id: str, recorded_at: datetime
) -> None:
    """Add mails that came back, in the caller's transaction."""
    if returns:
        newest = connection.execute("select coalesce(max(sequence), 0) from returns").fetchall()[0][0]
        frame = pl.DataFrame([asdict(one) for one in returns], infer_schema_length=None).with_row_index(
            "sequence", offset=int(newest) + 1
        )
        insert_frame(connection, "returns", frame, run_id=run_id, recorded_at=recorded_at)


def find_messages(connection: Connection, message_ids: Collection[str]) -> pl.DataFrame:
    """Return the messages of these numbers: message_id, batch_id, customer_id, channel, status, written_to.

    Of a message that was withdrawn and proposed again it is the one that left, or may have.
    """
    asked = pl.DataFrame({"message_id": sorted(message_ids)}, schema={"message_id": pl.String})
    with lend_frames(connection, asked_messages=asked):
        return fetch(connection, load_query("named_messages"))


def list_past_returns(connection: Connection, customer_ids: Collection[str]) -> pl.DataFrame:
    """Return what came back of messages to these customers, oldest first.

    Columns: customer_id, message_id, kind, outcome, written_to.
    """
    asked = pl.DataFrame({"customer_id": sorted(customer_ids)}, schema={"customer_id": pl.String})
    with lend_frames(connection, asked_customers=asked):
        return fetch(connection, load_query("past_returns"))


def list_returns(connection: Connection) -> pl.DataFrame:
    """Return every mail that came back, in the order in which it was taken in."""
    return fetch(connection, "select * from returns order by sequence")


def read_position(connection: Connection, mailbox: str) -> Position:
    """Return how far a mailbox was read; a new one from its beginning."""
    found = connection.execute(
        "select validity, last_uid from mailboxes where mailbox = $mailbox order by recorded_at desc limit 1",
        {"mailbox": mailbox},
    ).fetchall()
    return Position(mailbox, *found[0]) if found else Position(mailbox, 0, 0)


def save_position(connection: Connection, position: Position, recorded_at: datetime) -> None:
    """Note how far a mailbox was read, in the transaction that takes its mail in."""
    connection.execute("delete from mailboxes where mailbox = $mailbox", {"mailbox": position.mailbox})
    insert_row(connection, "mailboxes", {**asdict(position), "recorded_at": recorded_at})
