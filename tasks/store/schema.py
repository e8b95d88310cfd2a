"""The version of a store and the steps from one version to the next; never backwards.

Each file of `migrations/` is one step in one transaction. No keys: the writers look before they insert.
"""

from functools import cache
from pathlib import Path

import duckdb

from policies.errors import AuditBrokenError, WrongUseError

STEPS = sorted((Path(__file__).parent / "migrations").glob("[0-9][0-9][0-9]_*.sql"))
NEWEST_VERSION = len(STEPS)


def read_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the schema version of a store, 0 for a new one."""
    try:
        version = connection.execute("select max(schema_version) from meta").fetchall()[0][0]
    except duckdb.CatalogException:
        return 0
    if version is None:
        raise AuditBrokenError("table meta of relance.duckdb has no row: the head of the log was removed")
    return int(version)


def check_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the version of a store that this program can use; a newer one is refused."""
    version = read_version(connection)
    if version > NEWEST_VERSION:
        raise WrongUseError(
            f"relance.duckdb has schema version {version}, this program knows {NEWEST_VERSION}: "
            "a newer Relance has written it. Use that version of Relance; nothing was changed."
        )
    return version


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring a store to the newest version."""
    for number, step in enumerate(STEPS[check_version(connection) :], start=check_version(connection) + 1):
        connection.execute("begin transaction")
        try:
            connection.execute(step.read_text(encoding="utf-8"))
            connection.execute("update meta set schema_version = $number", {"number": number})
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")


def differences_from_schema(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what tables and columns a store has too many or too few, against one made anew."""
    expected = _newest_columns()
    found = _columns(connection)
    return [
        *(f"column {name} is missing or was changed" for name in sorted(expected - found)),
        *(f"column {name} was added or changed" for name in sorted(found - expected)),
    ]


@cache
def _newest_columns() -> frozenset[str]:
    with duckdb.connect(":memory:") as fresh:
        migrate(fresh)
        return frozenset(_columns(fresh))


def _columns(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select table_name || '.' || column_name || ' (' || data_type || ')' from duckdb_columns() "
        "where not internal and database_name = current_database()"
    ).fetchall()
    return {name for (name,) in rows}
