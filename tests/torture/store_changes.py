"""Logical changes of a table of the store, made by SQL: a field, a row less, a row more, rows in another order."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tasks.workspace import Workspace

Connection = duckdb.DuckDBPyConnection
Change = Callable[[Connection, str, random.Random], str]


@contextmanager
def undone(path: Path) -> Iterator[None]:
    """Put a file back as it was when the block ends."""
    aside = path.with_name(f".{path.name}.tmp")
    shutil.copyfile(path, aside)
    try:
        yield
    finally:
        aside.replace(path)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def tables_of(workspace: Workspace) -> list[str]:
    """Return the tables of the store."""
    with duckdb.connect(str(workspace.store_path), read_only=True) as connection:
        rows = connection.execute("select table_name from duckdb_tables() order by table_name").fetchall()
    return [name for (name,) in rows]


def _columns(connection: Connection, table: str) -> list[tuple[str, str]]:
    query = (
        "select column_name, data_type from duckdb_columns() where table_name = $table order by column_index"
    )
    return [(name, data_type) for name, data_type in connection.execute(query, {"table": table}).fetchall()]


def _any_row(connection: Connection, table: str, chance: random.Random) -> int | None:
    rows = connection.execute(f"select rowid from {table}").fetchall()
    return chance.choice(rows)[0] if rows else None


def other_field(connection: Connection, table: str, chance: random.Random) -> str:
    """Give one field of one row another value."""
    row = _any_row(connection, table, chance)
    if row is None:
        return ""
    name, data_type = chance.choice(_columns(connection, table))
    value = connection.execute(f"select {name} from {table} where rowid = {row}").fetchall()[0][0]
    connection.execute(f"update {table} set {name} = {_other(name, data_type, value)} where rowid = {row}")
    return f"{name} of row {row}"


def _other(name: str, data_type: str, value: Any) -> str:
    """Return the SQL for another value of the same type."""
    match data_type:
        case "VARCHAR":
            return f"coalesce({name}, '') || 'x'"
        case "BOOLEAN":
            return f"not coalesce({name}, false)"
        case "DATE":
            return f"coalesce({name}, date '2026-01-01') + 1"
        case "TIMESTAMP WITH TIME ZONE":
            return f"coalesce({name}, timestamptz '2026-01-01 00:00:00+00') + interval 1 microsecond"
        case _ if data_type.startswith("DECIMAL"):
            return f"coalesce({name}, 0) + 0.001"
        case _:
            return f"coalesce({name}, 0) + 1"


def row_removed(connection: Connection, table: str, chance: random.Random) -> str:
    """Remove one row."""
    row = _any_row(connection, table, chance)
    if row is None:
        return ""
    connection.execute(f"delete from {table} where rowid = {row}")
    return f"row {row}"


def row_added(connection: Connection, table: str, chance: random.Random) -> str:
    """Add a copy of one row."""
    row = _any_row(connection, table, chance)
    if row is None:
        return ""
    connection.execute(f"insert into {table} select * from {table} where rowid = {row}")
    return f"a copy of row {row}"


def row_invented(connection: Connection, table: str, chance: random.Random) -> str:
    """Add a row of a group that nobody knows, with a copy of the rest."""
    row = _any_row(connection, table, chance)
    key = next(
        (one for one, _ in _columns(connection, table) if one.endswith("_id") or one == "sequence"), None
    )
    if row is None or key is None:
        return ""
    other = f"cast(cast({key} as varchar) || '9' as {dict(_columns(connection, table))[key]})"
    connection.execute(
        f"insert into {table} select * replace ({other} as {key}) from {table} where rowid = {row}"
    )
    return f"row {row} under another {key}"


def order(connection: Connection, table: str, chance: random.Random) -> str:
    """Let two rows change what says their order."""
    names = [name for name, _ in _columns(connection, table)]
    place = next((name for name in ("line_number", "sequence") if name in names), None)
    if place is None:
        return ""
    numbers = connection.execute(f"select distinct {place} from {table} where {place} is not null").fetchall()
    if len(numbers) < 2:
        return ""
    one, other = (number for (number,) in chance.sample(numbers, 2))
    connection.execute(
        f"update {table} set {place} = case {place} when {one} then {other} else {one} end "
        f"where {place} in ({one}, {other})"
    )
    return f"{place} {one} and {other}"


STORE_CHANGES: dict[str, Change] = {
    "field": other_field,
    "row removed": row_removed,
    "row added": row_added,
    "row invented": row_invented,
    "order": order,
}
