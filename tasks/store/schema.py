"""The version of a store and the steps from one version to the next; never backwards.

Each file of `migrations/` is one step in one transaction. No keys: the writers look before they insert.
"""

from pathlib import Path

import duckdb

from policies.errors import WrongUseError

STEPS = sorted((Path(__file__).parent / "migrations").glob("[0-9][0-9][0-9]_*.sql"))
NEWEST_VERSION = len(STEPS)


def read_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the schema version of a store, 0 for a new one."""
    try:
        return int(connection.execute("select max(schema_version) from meta").fetchall()[0][0])
    except duckdb.CatalogException:
        return 0


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
