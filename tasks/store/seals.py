"""Digests of what the store holds, by group: an intake with its lines, a batch with its messages, a mail from outside.

`tasks.ledger` writes them into the events that tell of a change; `tasks.audit.state` compares them again. A column
that is null counts as not there, so that a later version may add columns without touching a digest.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import polars as pl

from tasks.store.connection import Connection, fetch, lend_frames, load_query

GROUPS: Mapping[str, tuple[str, ...]] = {
    "intake_id": (
        "intakes",
        "invoice_lines",
        "customer_lines",
        "payment_lines",
        "event_lines",
        "action_lines",
    ),
    "batch_id": ("batches", "approvals", "messages", "actions"),
    "standing_id": ("standings", "account_standings"),
    "return_id": ("returns",),
    "mailbox": ("mailboxes",),
}
"""The tables of each kind of group, by the column that names it; the first has one row for the group itself."""

Seal = dict[str, dict[str, object]]
"""Of one group: table -> {"rows": how many, "sha256": their digest}; a table without rows is left out."""


def read_seals(
    connection: Connection, key: str, group_ids: Iterable[object] | None = None
) -> dict[str, Seal]:
    """Return the seals of groups as the store holds them now, in the caller's transaction.

    Args:
        connection: an open store.
        key: which kind of group: a key of GROUPS.
        group_ids: which groups; None = all.
    """
    asked = None if group_ids is None else sorted({str(one) for one in group_ids})
    seals: dict[str, Seal] = {}
    for row in _digests(connection, key, asked).iter_rows(named=True):
        seal = seals.setdefault(row["group_id"], {})
        seal[row["table_name"]] = {"rows": row["rows"], "sha256": row["sha256"]}
    return seals


def read_runs(connection: Connection, key: str) -> dict[str, str]:
    """Return of each group of a kind the run that made it; how far a mailbox is read says no run."""
    if key == "mailbox":
        return {}
    query = f"select cast({key} as varchar) as group_id, run_id from {GROUPS[key][0]}"
    return dict(fetch(connection, query).iter_rows())


def _digests(connection: Connection, key: str, group_ids: list[str] | None) -> pl.DataFrame:
    """Return one digest for each table and group, all in one query: a seal is made at every step of a day."""
    found = connection.execute(load_query("columns_of_tables")).fetchall()
    columns = {
        table: tuple((name, data_type) for owner, name, data_type in found if owner == table)
        for table in GROUPS[key]
    }
    frame = pl.DataFrame({"group_id": group_ids or []}, {"group_id": pl.String()})
    with lend_frames(connection, sealed_groups=frame):
        return fetch(connection, _digest_query(key, tuple(columns.items()), is_whole=group_ids is None))


@cache
def _digest_query(
    key: str, columns: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], *, is_whole: bool
) -> str:
    parts = []
    for table, of_table in columns:
        only = (
            ""
            if is_whole
            else f"semi join sealed_groups on sealed_groups.group_id = cast({table}.{key} as varchar)"
        )
        query = load_query("digest_rows").format(
            key=key, table=table, row_text=_row_text(of_table), only=only
        )
        parts.append(f"select '{table}' as table_name, * from (\n{query})")
    return "\nunion all\n".join(parts) + "\norder by group_id, table_name"


def _row_text(columns: tuple[tuple[str, str], ...]) -> str:
    """Return the SQL for the text of a row: `name=length:value;` for each column that is not null, by name.

    With the length before it, no value can pass for the end of one column and the beginning of the next.
    """
    return "concat(" + ", ".join(_column_text(name, data_type) for name, data_type in columns) + ")"


def _column_text(name: str, data_type: str) -> str:
    # As a number, so that no time zone setting changes it.
    is_instant = data_type == "TIMESTAMP WITH TIME ZONE"
    text = f"cast(epoch_us({name}) as varchar)" if is_instant else f"cast({name} as varchar)"
    return f"'{name}=' || length({text}) || ':' || {text} || ';'"
