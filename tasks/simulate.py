"""Reads what a simulation needs, replays one policy or two, and writes nothing.

Two policies run in a process each: they share nothing but the past they start from.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty, Queue

from policies.books import Books
from policies.errors import WrongUseError
from policies.explanations import counted
from policies.history import History
from policies.policy import Policy, load_policy
from policies.simulation import MapDays, Period, Simulation, simulate
from policies.statutes import Law
from tasks.rules import read_law
from tasks.store.connection import open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace, find_policy_file, read_named_file

Say = Callable[[str], None]
_LISTENING_SECONDS = 0.2
_DAYS_AHEAD = 3


@dataclass(frozen=True)
class Stage:
    """What every simulation of a workspace starts from."""

    history: History
    law: Law


def set_stage(workspace: Workspace) -> Stage:
    """Return all that is known in a workspace, read at once; the store is free again before anything is replayed."""
    with open_to_read(workspace) as connection:
        history = read_history(connection)
    return Stage(history, read_law(workspace))


def read_policy(workspace: Workspace, policy: Path | None) -> Policy:
    """Return a policy that is given as a file, by name, or by creditor.yaml."""
    path = find_policy_file(workspace.root, policy)
    return load_policy(read_named_file(path), path.name)


def check_period(first: date, last: date, approve_after_days: int) -> Period:
    """Return the period to replay, or say why it is none."""
    if last < first:
        raise WrongUseError(f"--to {last} is before --from {first}: turn them round.")
    if approve_after_days < 0:
        raise WrongUseError("--approve-after-days counts days, from 0.")
    return Period(first, last, approve_after_days)


def replay(
    stage: Stage, policy: Policy, period: Period, say: Say, map_days: MapDays | None = None
) -> Simulation:
    """Return what the policy would have done, telling of each month; the books are kept some days ahead."""

    def tell(day: date, count: int) -> None:
        say(f"{policy.policy}: {day:%Y-%m}, {counted(count, 'action')} so far")

    return simulate(stage.history, policy, stage.law, period, tell, map_days or keep_ahead)


def keep_ahead(keep: Callable[[date], Books], days: Sequence[date]) -> Iterator[Books]:
    """Keep the books of the next days in a second thread, most of which runs outside of Python."""
    coming: deque[Future[Books]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for day in days:
            coming.append(pool.submit(keep, day))
            if len(coming) > _DAYS_AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def replay_both(
    stage: Stage, a: Policy, b: Policy, period: Period, say: Say
) -> tuple[Simulation, Simulation]:
    """Return what each of two policies would have done, side by side."""
    context = get_context("spawn")  # a fork would inherit the locks of Polars' threads
    with SyncManager(ctx=context) as manager, ProcessPoolExecutor(2, mp_context=context) as pool:
        lines: Queue[str] = manager.Queue()
        running = [pool.submit(replay, stage, policy, period, lines.put, map) for policy in (a, b)]
        while not all(one.done() for one in running):
            _pass_on(lines, say)
        return running[0].result(), running[1].result()


def _pass_on(lines: "Queue[str]", say: Say) -> None:
    try:
        say(lines.get(timeout=_LISTENING_SECONDS))
    except Empty:
        return
