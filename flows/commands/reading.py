"""How commands that only read find their answer: in the store, or in `published/` while a flow holds it."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    import polars as pl

    from tasks.findings.look import Look
    from tasks.store.connection import StoreBusyError

KnownAt = Annotated[
    datetime | None, Parameter(name="--known-at", help="As it was known at this instant; now if left out.")
]


PATIENCE_SECONDS = 0.3
"""How long a person waits for a flow that holds the store, before the answer is what was published."""


def resolve_day(workspace: Path, as_of: date | None) -> date:
    """Return the date asked for, else today in the creditor's time zone."""
    from flows import clock
    from tasks.workspace import open_workspace, read_creditor

    opened = open_workspace(workspace)
    return as_of or clock.today(read_creditor(opened).time_zone)


def decide_or_published(
    workspace: Path, as_of: date | None, known_at: datetime | None, name: str
) -> tuple["pl.DataFrame", date]:
    """Return the aging or the decisions of a day, and the day.

    While another process holds the store the answer is what was published, and says as of which run.
    """
    from policies.errors import WaitingError
    from tasks.decide import decide_day, decisions_as_published
    from tasks.rules import read_rules
    from tasks.store.connection import StoreBusyError
    from tasks.workspace import open_workspace

    day, opened = resolve_day(workspace, as_of), open_workspace(workspace)
    take_in_what_was_cut(workspace)
    try:
        decided = decide_day(opened, read_rules(opened), day, known_at, PATIENCE_SECONDS)
    except StoreBusyError as busy:
        from tasks.published_tables import read_latest, read_published

        published, latest = read_published(opened, name, day), read_latest(opened)
        if published is None or latest is None or known_at:
            raise WaitingError(f"{busy} Nothing was published for {day} yet.") from busy
        _say_published(latest.run_id, busy)
        return published.drop("as_of", strict=False), day
    return (decided.aging if name == "aging" else decisions_as_published(decided.decisions)), day


def look_or_published(
    workspace: Path, as_of: date | None, name: str | None, make: Callable[["Look"], "pl.DataFrame"]
) -> tuple["pl.DataFrame", date]:
    """Return a list of findings of a day, and the day.

    Args:
        workspace: the creditor's folder.
        as_of: the day; None is today.
        name: under which runs publish the list, for the time that another process holds the store; None = never.
        make: makes the list.
    """
    from policies.errors import WaitingError
    from tasks.decide import decide_day
    from tasks.findings.files import read_report
    from tasks.findings.look import Look
    from tasks.rules import read_rules
    from tasks.store.connection import StoreBusyError, open_to_read
    from tasks.store.standings import read_standings
    from tasks.workspace import open_workspace

    day, opened = resolve_day(workspace, as_of), open_workspace(workspace)
    take_in_what_was_cut(workspace)
    try:
        decided = decide_day(opened, read_rules(opened), day, patience_seconds=PATIENCE_SECONDS)
        with open_to_read(opened, PATIENCE_SECONDS) as connection:
            recorded = read_standings(connection, day)
    except StoreBusyError as busy:
        from tasks.published_tables import read_latest

        published, latest = read_report(opened, name, day) if name else None, read_latest(opened)
        if published is None or latest is None:
            raise WaitingError(f"{busy} Nothing was published for {day} yet.") from busy
        _say_published(latest.run_id, busy)
        return published, day
    look = Look(opened, decided.rules, decided.history, decided.facts, decided.decisions, recorded)
    return make(look), day


def batches_or_published(workspace: Path) -> tuple["pl.DataFrame", "pl.DataFrame"]:
    """Return all batches, newest first, and their actions; as published while another process holds the store."""
    from tasks.store.batch_lists import list_actions, list_batches
    from tasks.store.connection import StoreBusyError, open_to_read
    from tasks.workspace import open_workspace

    opened = open_workspace(workspace)
    take_in_what_was_cut(workspace)
    try:
        with open_to_read(opened, PATIENCE_SECONDS) as connection:
            return list_batches(connection), list_actions(connection)
    except StoreBusyError as busy:
        from tasks.published_tables import read_latest, read_table

        latest = read_latest(opened)
        if latest is None:
            raise
        _say_published(latest.run_id, busy)
        return read_table(opened, "batches"), read_table(opened, "actions")


def _say_published(run_id: str, busy: "StoreBusyError") -> None:
    from tasks.store.connection import StoreUnreadableError

    is_barred = isinstance(busy, StoreUnreadableError)
    why = "You may not read the store" if is_barred else "A flow holds the store"
    print(f"{why}: this is what was published last, by run {run_id}.", file=sys.stderr)


def take_in_what_was_cut(workspace: Path) -> None:
    """Take in the journal of a release that was cut, unless another process is at work and will do it."""
    from policies.errors import WaitingError
    from tasks.dispatch.open_journals import has_open_journals
    from tasks.locking import hold_workspace
    from tasks.store.connection import StoreBusyError
    from tasks.workspace import open_workspace

    opened = open_workspace(workspace)
    try:
        if not has_open_journals(opened, PATIENCE_SECONDS):
            return
        from flows.start import begin
        from tasks.dispatch.recovery import take_in_journals

        run = begin(workspace, None)
        with hold_workspace(opened, "reading", run.clock(), 0):
            take_in_journals(run)
    except (StoreBusyError, WaitingError):
        return
