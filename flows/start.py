"""Begins a run: who acts, on which date, in which workspace; and lets only one act at a time."""

import getpass
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from flows import clock, engine
from policies.errors import AuditBrokenError, WrongUseError
from policies.explanations import counted
from policies.person_names import what_is_wrong
from tasks.dispatch.recovery import take_in_journals
from tasks.locking import hold_workspace
from tasks.published_tables import read_latest
from tasks.run import Run
from tasks.stopping import log_stop
from tasks.store.batch_lists import find_last_dispatch_date, list_batches
from tasks.store.connection import open_to_read
from tasks.workspace import open_workspace, read_creditor

PATIENCE_SECONDS = 60


def begin(
    workspace: str | Path,
    as_of: date | None,
    actor: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Return a new run in the workspace; without `as_of` it is today in the creditor's time zone."""
    opened = open_workspace(Path(workspace))
    today = clock.today(read_creditor(opened).time_zone)
    engine.name_run(f"{opened.root.name} {as_of or today}")
    return Run(
        workspace=opened,
        as_of=as_of or today,
        today=today,
        run_id=f"{as_of or today}-{secrets.token_hex(4)}",
        actor=actor or login(),
        clock=clock.now,
        say=say or engine.say,
    )


@contextmanager
def acting(run: Run, purpose: str, *, is_dated: bool = True) -> Iterator[None]:
    """Hold the workspace for a run: journals of a cut release come first, and no run goes back in time.

    Args:
        run: the run.
        purpose: told to whoever waits for it.
        is_dated: whether what is done has a business date; stopping all release has none.

    Raises:
        AuditBrokenError: the store is lost; a new one would know nothing of what has left.
        WrongUseError: something has left on a later date already.
        WaitingError: another process is at work in the workspace.
    """
    _refuse_lost_store(run)
    with (
        engine.one_writer(str(run.workspace.root)),
        hold_workspace(run.workspace, purpose, run.clock(), PATIENCE_SECONDS),
    ):
        with open_to_read(run.workspace) as connection:
            is_cut = list_batches(connection, "released").height > 0
            last = find_last_dispatch_date(connection)
        if is_cut and (taken := take_in_journals(run)):
            run.say(f"took in {counted(taken, 'outcome')} of a release that was cut")
            with open_to_read(run.workspace) as connection:
                last = find_last_dispatch_date(connection)
        if log_stop(run):
            run.say("the log now holds that release is stopped")
        if is_dated and last and run.as_of < last:
            raise WrongUseError(
                f"The date {run.as_of} lies before {last}, the day of the last dispatch: what has left stays so. "
                f"Act on {last} or later; to look at an earlier day use `relance decisions --as-of {run.as_of}`."
            )
        yield


def named(name: str, option: str = "--by") -> str:
    """Return the name somebody claims, or refuse what is none; `option` names where it was given."""
    if wrong := what_is_wrong(name):
        raise WrongUseError(f"{option} must name a person: {wrong}.")
    return name.strip()


def _refuse_lost_store(run: Run) -> None:
    workspace = run.workspace
    latest = None if workspace.store_path.exists() else read_latest(workspace)
    if latest is None:
        return
    raise AuditBrokenError(
        f"{workspace.store_path} is missing, and {workspace.published.name}/ tells of run {latest.run_id}: nothing was "
        "done, since a new store would demand again what was demanded. Put the file back, or the last backup into a "
        f"new folder: `relance restore BACKUP NEW --journals {workspace.outbox}`. To begin anew without what was done, "
        "take a new folder: `relance init NEW`."
    )


def login() -> str:
    """Return who runs this, as the operating system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
