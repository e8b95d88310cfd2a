"""What every step of a run knows: the workspace, the date, who acts, and where instants come from.

`clock` is handed down from `flows`, so that nothing below it reads one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from tasks.workspace import Workspace


@dataclass(frozen=True)
class Run:
    """One execution of a flow or a command.

    Attributes:
        workspace: the creditor's folder.
        as_of: the business date of all that is done.
        today: the date it really is, in the creditor's time zone.
        run_id: names this execution in the log.
        actor: who asked for it.
        clock: returns the instant it is, in UTC.
        say: shows a line of progress to whoever watches.
    """

    workspace: Workspace
    as_of: date
    today: date
    run_id: str
    actor: str
    clock: Callable[[], datetime]
    say: Callable[[str], None]
