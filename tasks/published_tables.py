"""The published tables, for whoever asks: whole, by day, or in SQL over the views that are made of them here.

Nothing of it opens the store, so it can be asked while a flow holds it. The files are written by `tasks.publish`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from tasks.manifest import note_published, put_published
from tasks.store.batch_lists import list_actions, list_batches, list_messages
from tasks.store.intakes import list_customers, list_intakes
from tasks.store.published import DEFAULT_LIMITS, Limits, ask_views, build_views, read_view
from tasks.workspace import Workspace

CURRENT_TABLES = {
    "batches": list_batches,
    "messages": list_messages,
    "actions": list_actions,
    "intakes": list_intakes,
    "customers": list_customers,
}
"""Published as they are now, by name, with what the store is asked for."""

REPORTS = ("credit_hold", "habits", "write_offs", "insolvencies", "provisions")
"""The lists that each day has under `reports/<as_of>/`, for people as CSV and for queries as Parquet."""

_PATTERNS = {
    "events": "audit/events-*.parquet",
    "decisions": "decisions/as_of=*.parquet",
    "aging": "aging/as_of=*.parquet",
    **{name: f"reports/*/{name}.parquet" for name in REPORTS},
}
VIEWS = ("audit.duckdb", ".views.json")
"""Ready views over all other tables, and for which kinds of table they were made."""


@dataclass(frozen=True)
class Segment:
    """One file of events; the hash is of its bytes."""

    file: str
    first: int
    last: int
    sha256: str


@dataclass(frozen=True)
class Latest:
    """The run whose results are published."""

    run_id: str
    as_of: date


def read_latest(workspace: Workspace) -> Latest | None:
    """Return the run whose results are published, or nothing."""
    path = workspace.published / "latest.json"
    if not path.exists():
        return None
    latest = read_json(path)
    return Latest(latest["run_id"], date.fromisoformat(latest["as_of"]))


def read_published(workspace: Workspace, name: str, as_of: date) -> pl.DataFrame | None:
    """Return the published `aging` or `decisions` of a day, or nothing."""
    path = workspace.published / name / f"as_of={as_of}.parquet"
    return pl.read_parquet(path, hive_partitioning=False) if path.exists() else None


def query_published(
    workspace: Workspace,
    sql: str,
    parameters: Mapping[str, object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> pl.DataFrame:
    """Return what a query selects from the published tables, also while a run holds the store."""
    return ask_views(workspace.published.resolve(), _some_views(workspace), sql, parameters, limits)


def read_table(workspace: Workspace, name: str) -> pl.DataFrame:
    """Return a published table whole: events, batches, messages, actions or intakes."""
    return read_view(workspace.published.resolve(), _some_views(workspace), name)


def rebuild_views(workspace: Workspace) -> bool:
    """Make `audit.duckdb` anew when there is a new kind of table; its views take in new files by themselves."""
    published, (path, known) = workspace.published.resolve(), (workspace.published / name for name in VIEWS)
    kinds = sorted(_views(workspace))
    stated = json.dumps([str(published), kinds])
    if path.exists() and known.exists() and known.read_text(encoding="utf-8") == stated:
        return False
    aside = path.with_name(f".{path.name}.tmp")
    aside.unlink(missing_ok=True)
    build_views(aside, {kind: [published / _PATTERNS.get(kind, f"{kind}.parquet")] for kind in kinds})
    note_published(workspace.published, path, aside)
    aside.replace(path)
    put_published(workspace.published, known, stated.encode())
    return True


def read_segments(audit: Path) -> list[Segment]:
    """Return the files of events that are listed, oldest first; none before anything was published."""
    path = audit / "manifest.json"
    return [Segment(**entry) for entry in read_json(path)] if path.exists() else []


def read_json(path: Path) -> Any:
    """Return what a small published file holds.

    Raises:
        AuditBrokenError: it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise AuditBrokenError(
            f"{path} is damaged: {error}. `relance audit verify` tells more; take the file from a backup."
        ) from error


def _views(workspace: Workspace) -> dict[str, list[Path]]:
    published = workspace.published.resolve()
    audit = published / "audit"
    files = {
        "events": [audit / segment.file for segment in read_segments(audit)],
        "decisions": sorted((published / "decisions").glob("as_of=*.parquet")),
        "aging": sorted((published / "aging").glob("as_of=*.parquet")),
        **{name: sorted(published.glob(_PATTERNS[name])) for name in REPORTS},
        **{name: [path] for name in CURRENT_TABLES if (path := published / f"{name}.parquet").exists()},
    }
    return {name: paths for name, paths in files.items() if paths}


def _some_views(workspace: Workspace) -> dict[str, list[Path]]:
    views = _views(workspace)
    if not views:
        raise WrongUseError(f"{workspace.published} holds nothing yet: `relance run` publishes.")
    return views
