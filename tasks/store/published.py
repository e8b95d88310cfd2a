"""SQL over the published files: never over the store, so it can be asked at any moment.

Which files there are is decided in `tasks.published_tables`. People's SQL may only read, and only the published folder.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from policies.errors import WrongUseError
from tasks.store.faults import telling_faults

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_ROWS_AT_ONCE = 100_000
_READING = ("SELECT",)
"""`explain` is left out: with `analyze` it carries out what it explains, a `copy` that writes among it."""


@dataclass(frozen=True)
class Limits:
    """What one query of a person may take; beyond it the query is stopped, and nothing else is.

    Attributes:
        seconds: how long it may run.
        memory: how much DuckDB may hold at once, such as `2GB`; nothing is put aside on the disk.
        rows: how many rows an answer may have.
    """

    seconds: float = 60
    memory: str = "2GB"
    rows: int = 2_000_000


DEFAULT_LIMITS = Limits()


def build_views(path: Path, views: Mapping[str, Sequence[Path]]) -> None:
    """Make a DuckDB file that holds nothing but views over Parquet files."""
    with telling_faults(path), duckdb.connect(":memory:", config=_SETTINGS) as connection:
        # A file that DuckDB 1.5 opens too, whichever version writes it.
        connection.execute(f"attach '{_quoted(path)}' as made (storage_version 'v1.5.0')")
        connection.execute("use made")
        _create_views(connection, views)


def ask_views(
    folder: Path,
    views: Mapping[str, Sequence[Path]],
    sql: str,
    parameters: Mapping[str, object] | None = None,
    limits: Limits | None = DEFAULT_LIMITS,
) -> pl.DataFrame:
    """Return what a query selects from the views; refuse what does more than read the folder.

    Args:
        folder: the only one that may be read.
        views: the files of each view.
        sql: one select.
        parameters: the values of its `$names`.
        limits: what it may take; None for our own reading of whole tables.
    """
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _create_views(connection, views)
        try:
            _shut_in(connection, folder, limits)
            _check_reads_only(connection, sql)
            if limits is None:
                return connection.sql(sql, params=dict(parameters or {}) or None).pl()
            with _stopped_after(connection, limits.seconds):
                return _few(connection, sql, parameters or {}, limits)
        except duckdb.InterruptException as error:
            raise WrongUseError(
                _too_much(f"took longer than {limits.seconds:g} seconds" if limits else "")
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise WrongUseError(
                _too_much(f"wanted more than {limits.memory} of memory" if limits else "")
            ) from error
        except (duckdb.Error, pl.exceptions.PolarsError) as error:
            raise WrongUseError(
                f"The query cannot be answered: {error}\nThere are: {', '.join(views)} "
                "(`describe events` shows the columns of one)."
            ) from error


def read_view(folder: Path, views: Mapping[str, Sequence[Path]], name: str) -> pl.DataFrame:
    """Return all rows of one view, in the order in which they were written."""
    return ask_views(folder, views, f"select * from {name}", limits=None)


def _create_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, Sequence[Path]]) -> None:
    for name, files in views.items():
        paths = ", ".join(f"'{_quoted(file)}'" for file in files)
        connection.execute(
            f"create view {name} as select * from read_parquet([{paths}], union_by_name = true)"
        )


def _shut_in(connection: duckdb.DuckDBPyConnection, folder: Path, limits: Limits | None) -> None:
    """Shut a connection into the folder. The order matters: each setting shuts the door through which it came."""
    if limits:
        connection.execute(f"set memory_limit = '{limits.memory.replace(chr(39), '')}'")
        connection.execute("set temp_directory = ''")
    connection.execute(f"set allowed_directories = ['{_quoted(folder)}/']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


@contextmanager
def _stopped_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _few(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object], limits: Limits
) -> pl.DataFrame:
    # Not `connection.sql(...).limit(...)`: with parameters it makes a Python value of every field on the way.
    reader = connection.execute(sql, dict(parameters) or None).to_arrow_reader(_ROWS_AT_ONCE)
    batches = []
    rows = 0
    for batch in reader:
        rows += batch.num_rows
        if rows > limits.rows:
            raise WrongUseError(_too_much(f"has more than {limits.rows:,} rows"))
        batches.append(batch)
    return pl.DataFrame(pl.from_arrow(batches or reader.schema.empty_table()))


def _too_much(what: str) -> str:
    return (
        f"The query was stopped: it {what}. Ask for less at once (a day, a customer, a count), or open "
        "published/audit.duckdb with a DuckDB of your own."
    )


def _check_reads_only(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in _READING:
        raise WrongUseError(
            "Only one query that reads is answered here, such as: select * from events limit 10"
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
