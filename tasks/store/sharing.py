"""Lets many quick runs share an opening of a store that nobody else reads: opening costs more than most of them do.

Only the demo and bulk replays do so. Elsewhere the store is opened late and briefly, so that others can read it.
What is shared closes by itself a moment after its last use.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tasks.workspace import Workspace

IDLE_SECONDS = 0.15

_shared: dict[Path, "Shared"] = {}


class Shared:
    """One connection that its users take in turn; between them it is kept for a moment."""

    def __init__(self) -> None:
        """Begin with nothing open."""
        self._has_ended = False
        self._guard = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._timer: threading.Timer | None = None

    def take(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
        """Return the connection that is kept, else a new one; it is the caller's until given back."""
        with self._guard:
            if self._timer:
                self._timer.cancel()
            kept, self._connection = self._connection, None
        return kept or connect()

    def give_back(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the connection for the next user, for a moment."""
        with self._guard:
            if self._has_ended:
                connection.close()
                return
            self._connection = connection
            self._timer = threading.Timer(IDLE_SECONDS, self.close)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """Close what is kept, now and whenever something is given back later."""
        self._has_ended = True
        self.close()

    def close(self) -> None:
        """Close what is kept."""
        with self._guard:
            if self._timer:
                self._timer.cancel()
            kept, self._connection = self._connection, None
            if kept:
                kept.close()


@contextmanager
def share_openings(workspace: Workspace) -> Iterator[None]:
    """Share openings of the store within the block; only for a workspace that no other process reads."""
    path = workspace.store_path.resolve()
    if path in _shared:
        yield
        return
    _shared[path] = Shared()
    try:
        yield
    finally:
        _shared.pop(path).end()


def shared(workspace: Workspace) -> Shared | None:
    """Return the sharing that is on for a workspace, if it is."""
    return _shared.get(workspace.store_path.resolve())
