"""Opening the store, to write or to read, with patience for whoever holds it.

One opening to write is one transaction: it is kept whole when the block ends, and gone when the block fails.
"""

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from policies.errors import WaitingError
from tasks.locking import describe_holder
from tasks.store.faults import telling_faults
from tasks.store.schema import NEWEST_VERSION, check_version, migrate, read_version
from tasks.store.sharing import Shared, shared
from tasks.workspace import Workspace

Connection = duckdb.DuckDBPyConnection
UNREADABLE = (duckdb.Error, pl.exceptions.PolarsError, UnicodeError)
"""What reading a damaged store may raise."""

_QUERIES = Path(__file__).parent / "queries"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False}
_writers: dict[Path, threading.Lock] = {}
_writers_guard = threading.Lock()


class StoreBusyError(WaitingError):
    """Another process holds the store."""


class StoreUnreadableError(StoreBusyError):
    """Who asks may not read the store, only what is published: an auditor, as docs/auditors.md has it."""


@contextmanager
def open_to_write(workspace: Workspace, patience_seconds: float = 30) -> Iterator[Connection]:
    """Open the store for one transaction: committed when the block ends, rolled back when it fails."""
    turn = _writer_of(workspace.store_path)
    if not turn.acquire(timeout=patience_seconds):
        raise _busy(workspace, patience_seconds, "")
    sharing = shared(workspace)
    try:
        with _taken(workspace, sharing, patience_seconds) as connection:
            connection.execute("begin transaction")
            yield connection
            connection.execute("commit")
    finally:
        turn.release()


@contextmanager
def open_to_read(workspace: Workspace, patience_seconds: float = 2) -> Iterator[Connection]:
    """Open the store for reading; a workspace that has none yet reads as an empty one."""
    sharing, turn = shared(workspace), _writer_of(workspace.store_path)
    if sharing is None or not turn.acquire(blocking=False):
        with telling_faults(workspace.store_path):
            connection = _connect_to_read(workspace, patience_seconds)
            try:
                yield connection
            finally:
                connection.close()
        return
    try:
        with _taken(workspace, sharing, patience_seconds) as connection:
            yield connection
    finally:
        turn.release()


@cache
def load_query(name: str) -> str:
    """Return the text of a query of `queries/`."""
    return (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def fetch(
    connection: Connection, query: str, schema: pl.Schema | None = None, **parameters: object
) -> pl.DataFrame:
    """Return what a query selects, with exactly the columns and types of the schema when one is given."""
    # Not `connection.sql`: with parameters it makes a Python value of every field on the way.
    frame = connection.execute(query, parameters or None).pl()
    return frame if schema is None else conform(frame, schema)


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return the frame with exactly the columns and types of the schema."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


@contextmanager
def lend_frames(connection: Connection, **frames: pl.DataFrame) -> Iterator[None]:
    """Let queries name these frames as tables for as long as the block lasts."""
    for name, frame in frames.items():
        connection.register(name, frame)
    try:
        yield
    finally:
        for name in frames:
            connection.unregister(name)


def insert_frame(connection: Connection, table: str, frame: pl.DataFrame, **constants: object) -> None:
    """Add the rows of a frame to a table by column name, with the same constants beside each row."""
    if frame.is_empty():
        return
    extra = "".join(f"${key} as {key}, " for key in constants)
    with lend_frames(connection, rows_to_insert=frame):
        connection.execute(
            f"insert into {table} by name select {extra}* from rows_to_insert", constants or None
        )


def insert_row(connection: Connection, table: str, row: Mapping[str, object]) -> None:
    """Add one row to a table."""
    places = ", ".join(f"${name}" for name in row)
    connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", dict(row))


def _connect_to_write(workspace: Workspace, patience_seconds: float) -> Connection:
    _sweep(workspace)
    if not workspace.store_path.exists():
        _make_store(workspace)
    connection = _connect(workspace, patience_seconds, read_only=False)
    try:
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_store(workspace: Workspace) -> None:
    """Make an empty store aside and give it its name: a disk that is full leaves no half-made file there."""
    aside = workspace.root / f".{workspace.store_path.name}.{os.getpid()}.tmp"
    try:
        with duckdb.connect(str(aside), config=SETTINGS) as connection:
            migrate(connection)
            connection.execute("checkpoint")
        # Unlike a rename this never takes the place of a store that another process made meanwhile.
        with suppress(FileExistsError, FileNotFoundError):
            workspace.store_path.hardlink_to(aside)
    except PermissionError:
        aside.rename(workspace.store_path)  # a disk that knows no second names
    finally:
        _sweep(workspace)


def _sweep(workspace: Workspace) -> None:
    """Take away what a process that was killed while it made a store has left."""
    for path in workspace.root.glob(f".{workspace.store_path.name}.*.tmp*"):
        path.unlink(missing_ok=True)


@contextmanager
def _taken(workspace: Workspace, sharing: Shared | None, patience_seconds: float) -> Iterator[Connection]:
    """Lend a connection: the shared one, which goes back when all went well, or one for this time alone."""

    def connect() -> Connection:
        return _connect_to_write(workspace, patience_seconds)

    with telling_faults(workspace.store_path):
        connection = sharing.take(connect) if sharing else connect()
        is_good = False
        try:
            yield connection
            is_good = True
        finally:
            if sharing and is_good:
                sharing.give_back(connection)
            else:
                # What is closed without a commit is rolled back, also when the disk is at fault.
                connection.close()


def _connect_to_read(workspace: Workspace, patience_seconds: float) -> Connection:
    if not workspace.store_path.exists():
        empty = duckdb.connect(":memory:", config=SETTINGS)
        empty.execute("set TimeZone = 'UTC'")
        migrate(empty)
        return empty
    connection = _connect(workspace, patience_seconds, read_only=True)
    if read_version(connection) < NEWEST_VERSION:
        connection.close()
        with open_to_write(workspace, patience_seconds):
            pass
        connection = _connect(workspace, patience_seconds, read_only=True)
    check_version(connection)
    return connection


def patiently(workspace: Workspace, connect: Callable[[], Connection], patience_seconds: float) -> Connection:
    """Return what `connect` opens of a store, after waiting for whoever holds it."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return connect()
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if "Permission denied" in str(error) and not os.access(workspace.store_path, os.R_OK):
                raise StoreUnreadableError(
                    f"{workspace.store_path} may not be read by you; what is in published/ can be read at any time."
                ) from error
            if not _is_held(error):
                raise
            if time.monotonic() >= deadline:
                raise _busy(workspace, patience_seconds, str(error)) from error
            time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - spreads the waiting processes, keeps no secret


def _connect(workspace: Workspace, patience_seconds: float, *, read_only: bool) -> Connection:
    def connect() -> Connection:
        return duckdb.connect(str(workspace.store_path), read_only=read_only, config=SETTINGS)

    connection = patiently(workspace, connect, patience_seconds)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _is_held(error: duckdb.Error) -> bool:
    text = str(error)
    return "Could not set lock" in text or "different configuration" in text


def _busy(workspace: Workspace, patience_seconds: float, text: str) -> StoreBusyError:
    process = re.search(r"PID (\d+)", text)
    holder = describe_holder(workspace) or (f"process {process[1]}" if process else "another process")
    return StoreBusyError(
        f"{workspace.store_path} is held by {holder}, and still was after {patience_seconds:g} seconds. "
        "Try again when it has finished; what is in published/ can be read at any time."
    )


def _writer_of(path: Path) -> threading.Lock:
    with _writers_guard:
        return _writers.setdefault(path.resolve(), threading.Lock())
