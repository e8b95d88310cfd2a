"""Batches and messages as read again: for people, for composing, for release."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.explanations import whom
from policies.messages import Message
from tasks.store.batches import MessageStatus
from tasks.store.connection import Connection, fetch, lend_frames, load_query


@dataclass(frozen=True)
class StoredMessage:
    """A message with what became of it."""

    message: Message
    status: MessageStatus
    document_path: str | None
    document_sha256: str | None
    template_sha256: str | None
    dispatched_on: date | None
    provider_answer: str | None


def list_batches(connection: Connection, status: str | None = None) -> pl.DataFrame:
    """Return one row per batch, newest first, with counts of messages, actions and customers."""
    return fetch(connection, load_query("list_batches"), status=status)


def list_actions(connection: Connection, batch_id: str | None = None) -> pl.DataFrame:
    """Return one row per action, with its message's channel and document."""
    return fetch(connection, load_query("list_actions"), batch_id=batch_id)


def read_customers_of_actions(connection: Connection, batch_id: str) -> dict[str, str]:
    """Return whom each action of a batch is about: action_id -> customer_id."""
    rows = connection.execute(
        "select action_id, customer_id from actions where batch_id = $id", {"id": batch_id}
    )
    return dict(rows.fetchall())


def list_actions_of(connection: Connection, message_ids: Collection[str]) -> pl.DataFrame:
    """Return the actions that messages of these numbers carry: message_id, action_id."""
    asked = pl.DataFrame({"message_id": sorted(message_ids)}, schema={"message_id": pl.String})
    with lend_frames(connection, asked_messages=asked):
        return fetch(
            connection,
            "select distinct message_id, action_id from actions join asked_messages using (message_id) order by all",
        )


def name_messages(connection: Connection, message_ids: Collection[str]) -> dict[str, str]:
    """Return whom each of these messages is for and which invoices it is about: `customer C4, invoice F-1`."""
    asked = pl.DataFrame({"message_id": sorted(message_ids)}, schema={"message_id": pl.String})
    with lend_frames(connection, asked_messages=asked):
        named = fetch(connection, load_query("messages_in_words"))
    return {
        row["message_id"]: whom(row["customer_id"], row["invoices"]) for row in named.iter_rows(named=True)
    }


def read_addresses(connection: Connection, batch_id: str) -> dict[str, str]:
    """Return the e-mail address each message of a batch was written to: message_id -> address, empty without one."""
    rows = connection.execute(
        "select message_id, coalesce(json_extract_string(payload, '$.customer.email'), '') from messages "
        "where batch_id = $id",
        {"id": batch_id},
    )
    return dict(rows.fetchall())


def list_messages(connection: Connection, batch_id: str | None = None) -> pl.DataFrame:
    """Return one row per message, without what it says."""
    return fetch(connection, load_query("list_messages"), batch_id=batch_id)


def read_messages(
    connection: Connection, batch_id: str, status: MessageStatus | None = None
) -> list[StoredMessage]:
    """Return the messages of a batch as they were composed, in the order of their numbers."""
    rows = fetch(connection, load_query("read_messages"), batch_id=batch_id, status=status)
    return [
        StoredMessage(
            message=Message.model_validate_json(row["payload"]),
            status=MessageStatus(row["status"]),
            document_path=row["document_path"],
            document_sha256=row["document_sha256"],
            template_sha256=row["template_sha256"],
            dispatched_on=row["dispatched_on"],
            provider_answer=row["provider_answer"],
        )
        for row in rows.iter_rows(named=True)
    ]


def read_leaving(connection: Connection, batch_id: str) -> pl.DataFrame:
    """Return what a release needs of the messages of a batch that have not left: a fraction of what they say."""
    return fetch(connection, load_query("leaving_messages"), batch_id=batch_id)


def has_begun_to_leave(messages: Sequence[StoredMessage]) -> bool:
    """Return whether some of a batch's messages have left, or may have."""
    return any(one.status in (MessageStatus.DISPATCHED, MessageStatus.UNCERTAIN) for one in messages)


def read_open_calls(connection: Connection, as_of: date) -> list[Message]:
    """Return the calls of days before `as_of` whose outcome is not known, oldest first."""
    rows = fetch(connection, load_query("open_calls"), as_of=as_of)
    return [Message.model_validate_json(payload) for payload in rows["payload"]]


def find_last_dispatch_date(connection: Connection) -> date | None:
    """Return the day something last left: nothing may be done on an earlier one."""
    last: date | None = connection.execute("select max(dispatch_date) from actions").fetchall()[0][0]
    return last
