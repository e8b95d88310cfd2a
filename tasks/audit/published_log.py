"""The events of the log as they are published, filtered where they lie: a log of years is not read for one customer."""

import polars as pl

from tasks.published_tables import query_published
from tasks.store.connection import load_query
from tasks.store.published import Limits
from tasks.workspace import Workspace

_EVERYTHING = Limits(seconds=3600, rows=2**62)


def read_events(
    workspace: Workspace,
    *,
    customer: str | None = None,
    kind: str | None = None,
    run: str | None = None,
    newest: int | None = None,
) -> pl.DataFrame:
    """Return the published events that fit all filters given, oldest first.

    Args:
        workspace: the creditor's folder.
        customer: only events about this customer.
        kind: only this kind.
        run: only what this run noted.
        newest: only so many of the newest; None = all.
    """
    wanted = {"customer": customer, "kind": kind, "run": run}
    found = query_published(workspace, load_query("audit/log"), wanted, _EVERYTHING).sort("sequence")
    return found if newest is None else found.tail(newest)
