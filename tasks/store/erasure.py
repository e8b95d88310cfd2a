"""Erasing personal data from the store, and from the blocks of its file: what was erased stands nowhere in it.

What is personal is said by `policies.retention`; who may be erased, and the event that says so, by `tasks.audit`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from policies.messages import Message
from policies.retention import PERSONAL_COLUMNS, without_person
from tasks.documents.whole_files import flush, keep_access
from tasks.store.audit import erase_personal_fields
from tasks.store.connection import SETTINGS, Connection, fetch, load_query, patiently
from tasks.store.faults import telling_faults
from tasks.workspace import Workspace


@dataclass(frozen=True)
class ErasedRows:
    """What was erased of one table; the intakes and batches are those whose rows no longer say what they said."""

    table: str
    columns: tuple[str, ...]
    rows: int
    intake_ids: tuple[int, ...] = ()
    batch_ids: tuple[str, ...] = ()


def erase_rows(connection: Connection, customer_id: str, pseudonym: str) -> list[ErasedRows]:
    """Erase what identifies a customer in all tables, in the caller's transaction; return what was changed."""
    erased = [_blank(connection, customer_id, table, columns) for table, columns in PERSONAL_COLUMNS.items()]
    erased.append(_pseudonymise_messages(connection, customer_id, pseudonym))
    fields = erase_personal_fields(connection, customer_id)
    erased.append(ErasedRows("personal_fields", ("salt", "value"), fields))
    return [one for one in erased if one.rows]


def erase_unmatched(connection: Connection, cutoff: date) -> list[ErasedRows]:
    """Erase sender and subject of mail that is about no known customer and was taken in by a day."""
    erased = connection.execute(load_query("erase_unmatched"), {"cutoff": cutoff}).fetchall()
    return [ErasedRows("personal_fields", ("salt", "value"), len(erased))] if erased else []


def list_last_happened(connection: Connection) -> pl.DataFrame:
    """Return for each customer the last day on which anything is known to have happened."""
    return fetch(connection, load_query("last_happened"))


def list_taken_in(connection: Connection) -> pl.DataFrame:
    """Return by hash when each file was last taken in: sha256, last_on, is_return."""
    return fetch(connection, load_query("taken_in"))


def list_invoice_numbers(connection: Connection, customer_id: str) -> list[str]:
    """Return the invoice numbers that this customer alone has."""
    return fetch(connection, load_query("invoices_of"), customer_id=customer_id)["invoice_number"].to_list()


def list_messages_of(connection: Connection, customer_id: str) -> pl.DataFrame:
    """Return the messages of a customer: message_id, channel, document_path."""
    return fetch(connection, load_query("messages_of"), customer_id=customer_id)


def list_waiting(connection: Connection, customer_id: str) -> pl.DataFrame:
    """Return the batches in which something of the customer has not ended."""
    return fetch(connection, load_query("waiting_messages"), customer_id=customer_id)


def is_known(connection: Connection, customer_id: str) -> bool:
    """Return whether anything of this customer was ever loaded."""
    tables = ("customer_lines", "invoice_lines", "payment_lines", "event_lines")
    return any(
        connection.execute(
            f"select 1 from {table} where customer_id = $customer_id limit 1", {"customer_id": customer_id}
        ).fetchall()
        for table in tables
    )


@contextmanager
def without_old_blocks(workspace: Workspace, patience_seconds: float = 30) -> Iterator[list[ErasedRows]]:
    """Write the store anew once the block has erased something: a changed row leaves its old bytes in the file.

    The block adds what it erased to the list it gets. A mark on the disk says that this is owed, so that an erasure
    which was cut, or found the store held by a reader for too long, is ended by the next one, whoever is erased then.
    """
    mark = workspace.store_path.with_name(f".{workspace.store_path.name}.erasing")
    is_owed = mark.exists()
    mark.touch()
    flush(mark.parent)
    erased: list[ErasedRows] = []
    yield erased
    if erased or is_owed:
        _rewrite(workspace, patience_seconds)
    mark.unlink()


def _rewrite(workspace: Workspace, patience_seconds: float) -> None:
    """Copy the store and put the copy in its place once nobody has it open. Cut, the old one stays, whole."""
    path = workspace.store_path
    aside = path.with_name(f".{path.name}.anew")
    _remove(aside)

    def connect() -> Connection:
        return duckdb.connect(str(path), config=SETTINGS)

    with telling_faults(path), patiently(workspace, connect, patience_seconds) as connection:
        connection.execute("checkpoint")
        name = connection.execute("select current_database()").fetchall()[0][0]
        connection.execute(f"attach '{str(aside).replace(chr(39), chr(39) * 2)}' as anew")
        keep_access(path, aside)  # before there is anything in it
        connection.execute(f'copy from database "{name}" to anew')
        connection.execute("detach anew")
    flush(aside)
    keep_access(path, aside)
    aside.replace(path)
    _remove(path.with_name(f"{path.name}.wal"))
    flush(path.parent)


def _blank(connection: Connection, customer_id: str, table: str, columns: Sequence[str]) -> ErasedRows:
    changes = ", ".join(f"{column} = null" for column in columns)
    is_stated = " or ".join(f"{column} is not null" for column in columns)
    changed = connection.execute(
        f"update {table} set {changes} where customer_id = $customer_id and ({is_stated}) returning intake_id",
        {"customer_id": customer_id},
    ).fetchall()
    return ErasedRows(table, tuple(columns), len(changed), tuple(sorted({row[0] for row in changed})))


def _pseudonymise_messages(connection: Connection, customer_id: str, pseudonym: str) -> ErasedRows:
    rows = connection.execute(
        "select message_id, batch_id, payload from messages where customer_id = $customer_id",
        {"customer_id": customer_id},
    ).fetchall()
    changed: list[str] = []
    for message_id, batch_id, payload in rows:
        erased = without_person(Message.model_validate_json(payload), pseudonym).model_dump_json()
        if erased == payload:
            continue
        connection.execute(
            "update messages set payload = $payload where message_id = $message_id and batch_id = $batch_id",
            {"payload": erased, "message_id": message_id, "batch_id": batch_id},
        )
        changed.append(batch_id)
    return ErasedRows("messages", ("payload",), len(changed), batch_ids=tuple(sorted(set(changed))))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
