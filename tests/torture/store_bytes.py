"""Single bits of the store's file: each change is found, or all tables read exactly as before.

Each is looked at in a process of its own, because a damaged file may take DuckDB down with it.
"""

import hashlib
import multiprocessing
import random
import sys
from collections import Counter
from pathlib import Path

import duckdb

from policies.errors import AuditBrokenError, RelanceError
from tasks.audit.verify import verify_log
from tasks.workspace import Workspace

_PATIENCE_SECONDS = 60
MEANS_NOTHING = "all tables read as before: the byte means nothing"
FOUND = "found, exit code 6"
CRASHED = "DuckDB DIED"
MISSED = "MISSED"
TRACEBACK = "TRACEBACK"


def count_store_bytes(workspace: Workspace, times: int, seed: int) -> dict[str, int]:
    """Flip bits one after the other and count what became of each."""
    # Forked from a server without threads: DuckDB and Polars have some here.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    before, counts = _content(workspace.store_path), Counter[str]()
    chance, good = random.Random(seed), workspace.store_path.read_bytes()
    for _ in range(times):
        content = bytearray(good)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        workspace.store_path.write_bytes(content)
        answers = context.SimpleQueue()
        process = context.Process(target=_look, args=(workspace, before, answers))
        process.start()
        process.join(_PATIENCE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        counts[answers.get() if not answers.empty() else CRASHED] += 1
        workspace.store_path.with_name(f"{workspace.store_path.name}.wal").unlink(missing_ok=True)
    workspace.store_path.write_bytes(good)
    return dict(counts)


def _look(workspace: Workspace, before: str, answers: "multiprocessing.SimpleQueue[str]") -> None:
    try:
        verify_log(workspace)
    except AuditBrokenError:
        answers.put(FOUND)
    except RelanceError as error:
        answers.put(f"told otherwise, exit code {error.exit_code.value}")
    except BaseException as error:  # noqa: BLE001 - whatever a damaged file raises is what is counted
        print(f"{type(error).__name__}: {error}"[:300], file=sys.stderr)
        answers.put(TRACEBACK)
    else:
        answers.put(MEANS_NOTHING if _content(workspace.store_path) == before else MISSED)


def _content(path: Path) -> str:
    """Return a hash of all that the tables of a store say."""
    digest = hashlib.sha256()
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by table_name").fetchall()
        for (table,) in tables:
            rows = connection.execute(f"select * from {table} order by all").fetchall()
            digest.update(repr((table, rows)).encode())
    return digest.hexdigest()
