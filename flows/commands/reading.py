"""How commands that only read find their answer: in the store, or in `published/` while a flow holds it."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    import polars as pl

KnownAt = Annotated[
    datetime | None, Parameter(name="--known-at", help="As it was known at this instant; now if left out.")
]


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
    from tasks.publish import read_latest, read_published
    from tasks.rules import read_rules
    from tasks.store.connection import StoreBusyError
    from tasks.workspace import open_workspace

    day, opened = resolve_day(workspace, as_of), open_workspace(workspace)
    take_in_what_was_cut(workspace)
    try:
        decided = decide_day(opened, read_rules(opened), day, known_at)
    except StoreBusyError as busy:
        published, latest = read_published(opened, name, day), read_latest(opened)
        if published is None or latest is None or known_at:
            raise WaitingError(f"{busy} Nothing was published for {day} yet.") from busy
        print(
            f"A flow holds the store: this is what was published last, by run {latest.run_id}.",
            file=sys.stderr,
        )
        return published.drop("as_of", strict=False), day
    return (decided.aging if name == "aging" else decisions_as_published(decided.decisions)), day


def take_in_what_was_cut(workspace: Path) -> None:
    """Take in the journal of a release that was cut, unless another process is at work and will do it."""
    from policies.errors import WaitingError
    from tasks.dispatch.recovery import has_open_journals, take_in_journals
    from tasks.locking import hold_workspace
    from tasks.store.connection import StoreBusyError
    from tasks.workspace import open_workspace

    opened = open_workspace(workspace)
    try:
        if not has_open_journals(opened):
            return
        from flows.start import begin

        run = begin(workspace, None)
        with hold_workspace(opened, "reading", run.clock(), 0):
            take_in_journals(run)
    except (StoreBusyError, WaitingError):
        return
