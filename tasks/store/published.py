"""SQL over the published files: never over the store, so it can be asked at any moment.

Which files there are is decided in `tasks.publish`. People's SQL may only read, and only the published folder.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from policies.errors import WrongUseError
from tasks.store.faults import telling_faults

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False}
_READING = ("SELECT", "EXPLAIN")


def build_views(path: Path, views: Mapping[str, Sequence[Path]]) -> None:
    """Make a DuckDB file that holds nothing but views over Parquet files."""
    with telling_faults(path), duckdb.connect(":memory:", config=_SETTINGS) as connection:
        # A file that DuckDB 1.5 opens too, whichever version writes it.
        connection.execute(f"attach '{_quoted(path)}' as made (storage_version 'v1.5.0')")
        connection.execute("use made")
        _create_views(connection, views)


def ask_views(folder: Path, views: Mapping[str, Sequence[Path]], sql: str) -> pl.DataFrame:
    """Return what a person's query selects from the views; refuse what does more than read the folder."""
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _create_views(connection, views)
        # In this order: each of these shuts the door through which the one before came.
        connection.execute(f"set allowed_directories = ['{_quoted(folder)}/']")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            _check_reads_only(connection, sql)
            return connection.sql(sql).pl()
        except duckdb.Error as error:
            raise WrongUseError(
                f"The query cannot be answered: {error}\nThere are: {', '.join(views)} "
                "(`describe events` shows the columns of one)."
            ) from error


def read_view(folder: Path, views: Mapping[str, Sequence[Path]], name: str) -> pl.DataFrame:
    """Return all rows of one view, in the order in which they were written."""
    return ask_views(folder, views, f"select * from {name}")


def _create_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, Sequence[Path]]) -> None:
    for name, files in views.items():
        paths = ", ".join(f"'{_quoted(file)}'" for file in files)
        connection.execute(
            f"create view {name} as select * from read_parquet([{paths}], union_by_name = true)"
        )


def _check_reads_only(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in _READING:
        raise WrongUseError(
            "Only one query that reads is answered here, such as: select * from events limit 10"
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
