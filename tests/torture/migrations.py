"""Kills the migration of a store at every call that it makes: python -m tests.torture.migrations.

A store of each older version is made from the steps themselves, with a row in each table; whatever the kill, the next
opening brings it to the newest version with the same columns and rows as an undisturbed one.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from tasks.store.connection import open_to_read
from tasks.store.schema import NEWEST_VERSION, STEPS, migrate
from tasks.workspace import Workspace, shipped_root

CALLS_OF_A_STEP = 4
"""Begin, the step, its version, commit."""

_TABLES = "select table_name from duckdb_tables() where table_name != 'meta' order by 1"


def make_store(path: Path, version: int) -> None:
    """Make a store as a program of this schema version left it, with one row in each table."""
    with duckdb.connect(str(path)) as connection:
        for step in STEPS[:version]:
            connection.execute(step.read_text(encoding="utf-8"))
        if not version:
            return
        connection.execute("update meta set schema_version = $version", {"version": version})
        for (table,) in connection.execute(_TABLES).fetchall():
            columns = connection.execute(
                "select column_name, data_type from duckdb_columns() where table_name = $table",
                {"table": table},
            ).fetchall()
            values = ", ".join(f"cast({_value(kind)} as {kind}) as {name}" for name, kind in columns)
            connection.execute(f"insert into {table} by name select {values}")


def contents(path: Path) -> dict[str, Any]:
    """Return the columns and rows of all tables, brought to the newest version by whoever opens first."""
    found: dict[str, Any] = {}
    with open_to_read(Workspace(path.parent)) as connection:
        for (table,) in [*connection.execute(_TABLES).fetchall(), ("meta",)]:
            rows = connection.sql(f"select * from {table} order by all")
            found[table] = (rows.columns, [str(kind) for kind in rows.types], rows.fetchall())
    return found


def kill_migration(store: Path, call: int, when: str) -> None:
    """Migrate in another process that dies before or after its n-th call."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.migrations", str(store), str(call), when],
        cwd=shipped_root(), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def trials() -> Iterator[tuple[int, int, str]]:
    """Yield every version, call and side of it."""
    for version in range(NEWEST_VERSION):
        for call in range(1, CALLS_OF_A_STEP * (NEWEST_VERSION - version) + 1):
            yield version, call, "before"
            yield version, call, "after"


def differs(folder: Path, version: int, call: int, when: str) -> bool:
    """Return whether a store killed there opens otherwise than one that was migrated undisturbed."""
    shutil.rmtree(folder, ignore_errors=True)
    stores = [folder / name / "relance.duckdb" for name in ("killed", "undisturbed")]
    for store in stores:
        store.parent.mkdir(parents=True)
        make_store(store, version)
    kill_migration(stores[0], call, when)
    return contents(stores[0]) != contents(stores[1])


class _Trap:
    """A connection that kills its process before or after the n-th call."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, call: int, when: str) -> None:
        self._connection, self._left, self._when = connection, call, when

    def execute(self, *given: Any) -> Any:
        if given[0].startswith("select"):
            return self._connection.execute(*given)
        self._left -= 1
        if self._left == 0 and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = self._connection.execute(*given)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def _value(kind: str) -> str:
    if "TIMESTAMP" in kind or kind == "DATE":
        return "'2026-03-02'"
    return "'{}'" if kind == "VARCHAR" else "1"


def main() -> int:
    """Kill at every call of every version; the exit code says whether all opened the same."""
    if sys.argv[1:]:
        store, call, when = sys.argv[1:]
        migrate(_Trap(duckdb.connect(store), int(call), when))  # type: ignore[arg-type]  # a connection that dies
        return 1
    count, wrong = 0, []
    with tempfile.TemporaryDirectory(prefix="relance-migrations-") as folder:
        for trial in trials():
            count += 1
            if differs(Path(folder) / "stores", *trial):
                wrong.append(trial)
    print(f"{count} kills of migrations, {count - len(wrong)} the same as undisturbed. {wrong or ''}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
