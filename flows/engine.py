"""One storyline, two ways to run it: as Prefect flows and tasks, or plainly in this process.

Only `python -m flows` without PREFECT_API_URL chooses the plain way, before it imports a flow. Every other
importer (a worker, `prefect deploy`) gets real flows and tasks. What they show stands in `flows.in_prefect`.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from datetime import date

    from policies.approvals import Answer

P = ParamSpec("P")
R = TypeVar("R")

# Before anything imports Prefect.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

COMMAND_LINE, UI = "command line", "ui"
"""How somebody can say something."""

_choice = {"plain": False}


def choose_way() -> None:
    """Run plainly from now on, unless a Prefect server is named in PREFECT_API_URL."""
    _choice["plain"] = not os.environ.get("PREFECT_API_URL")


def is_plain() -> bool:
    """Return whether flows are imported as plain functions."""
    return _choice["plain"]


def channel() -> str:
    """Return how whoever runs this came here: a run of a deployment is started or resumed in the UI."""
    if is_plain():
        return COMMAND_LINE
    from flows import in_prefect

    return UI if in_prefect.is_deployed() else COMMAND_LINE


def server_is_away() -> bool:
    """Return whether a Prefect server is named that does not answer."""
    if is_plain():
        return False
    from flows import in_prefect

    return not in_prefect.server_answers()


def storyline(name: str, description: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function the flow of a deployment; its parameters become the form in the UI."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if is_plain():
            return function
        from flows import in_prefect

        return in_prefect.as_flow(function, name, description)

    return decorate


def step(name: str, each: str = "", retries: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a task: a row in the UI with its own logs; retried only where it is idempotent.

    Args:
        name: what the step does, in business words.
        each: the parameter that tells one such row from the next.
        retries: how often a failure that is nobody's mistake is tried again.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if is_plain():
            return function
        from flows import in_prefect

        return in_prefect.as_task(function, name, each, retries)

    return decorate


def ended(value: R, sentence: str, needs_person: bool = False) -> R:
    """Return what a flow has to give; under Prefect as its last state, which says whether a person is needed."""
    if is_plain():
        return value
    from flows import in_prefect

    return in_prefect.last_state(value, sentence, needs_person)


def name_run(name: str) -> None:
    """Give the run a name that people recognise in the UI; nothing to do when run plainly."""
    if not is_plain():
        from flows import in_prefect

        in_prefect.name_run(name)


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Keep a table as an artifact of the run; nothing to do when run plainly."""
    if not is_plain():
        from prefect.artifacts import create_table_artifact

        create_table_artifact(table=[dict(row) for row in rows], key=key, description=description)


def show_text(key: str, markdown: str, description: str) -> None:
    """Keep a text as an artifact of the run; nothing to do when run plainly."""
    if not is_plain():
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(markdown=markdown, key=key, description=description)


@contextmanager
def one_writer(workspace: str) -> Iterator[None]:
    """Let one flow at a time act in a workspace, visibly in the UI; the workspace's own lock stands behind it."""
    if is_plain():
        yield
        return
    from flows import in_prefect

    with in_prefect.one_writer(workspace, say):
        yield


def note(line: str) -> None:
    """Tell the log of the run under Prefect; a terminal reads it in the summary."""
    if not is_plain():
        say(line)


def say(line: str) -> None:
    """Tell whoever watches: the run's log under Prefect, else the terminal's error stream."""
    if is_plain():
        print(line, file=sys.stderr)
        return
    from prefect.logging import get_run_logger

    get_run_logger().info(line)


def key_of(text: str) -> str:
    """Return text as the key of an artifact: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "workspace"


def newest_question() -> tuple[int, str]:
    """Return the number of the question this run was last resumed from, and what it showed; 1 and nothing before."""
    from flows import in_prefect

    return in_prefect.newest_question()


def reference_of(number: int, shown: str) -> str:
    """Return what names the answer to a question of this run."""
    from flows import in_prefect

    return in_prefect.reference_of(number, shown)


def ask_about_batch(number: int, shown: str, text: str, timeout_seconds: int) -> "Answer | None":
    """Suspend the run until a person has filled in the form; return the answer, nothing if it makes no sense.

    Args:
        number: of the question; one that was answered returns the answer at once.
        shown: digest of what the question is about.
        text: Markdown above the form.
        timeout_seconds: how long the form stays open.
    """
    from flows.batch_form import ask

    return ask(number, shown, text, timeout_seconds)


def start_reviews(workspace: str, batches: Mapping[str, int], as_of: "date | None") -> int:
    """Start a review of each batch in a deployment of this workspace, where there is one; return how many.

    Args:
        workspace: the creditor's folder.
        batches: names of batches, and how often each was sent back to wait: a review is started once for each time.
        as_of: the date of the reviews; nothing = the day on which they are answered.
    """
    if is_plain():
        return 0
    from flows import in_prefect

    return in_prefect.start_reviews(workspace, batches, as_of)
