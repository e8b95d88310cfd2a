"""Where the lists of a day stand for people: `published/reports/<as_of>/<name>.parquet`, its CSV beside it."""

from datetime import date
from pathlib import Path

import polars as pl

from tasks.workspace import Workspace


def report_path(workspace: Workspace, name: str, as_of: date) -> Path:
    """Return the Parquet file of a list of a day."""
    return workspace.published / "reports" / as_of.isoformat() / f"{name}.parquet"


def read_report(workspace: Workspace, name: str, as_of: date) -> pl.DataFrame | None:
    """Return a published list of a day, or nothing."""
    path = report_path(workspace, name, as_of)
    return pl.read_parquet(path, hive_partitioning=False).drop("as_of") if path.exists() else None
