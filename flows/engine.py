"""One storyline, two ways to run it: as Prefect flows and tasks, or plainly in this process.

Only `python -m flows` without PREFECT_API_URL chooses the plain way, before it imports a flow. Every other
importer (a worker, `prefect deploy`) gets real flows and tasks.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

_choice = {"plain": False}


def choose_way() -> None:
    """Run plainly from now on, unless a Prefect server is named in PREFECT_API_URL."""
    _choice["plain"] = not os.environ.get("PREFECT_API_URL")


def is_plain() -> bool:
    """Return whether flows are imported as plain functions."""
    return _choice["plain"]


def storyline(name: str, description: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function the flow of a deployment; its parameters become the form in the UI."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if is_plain():
            return function
        from prefect import flow

        made: Any = flow(name=name, description=description, validate_parameters=True)(function)
        return made  # type: ignore[no-any-return]  # a Flow is called like the function it wraps

    return decorate


def step(name: str, retries: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a task: a row in the UI with its own logs; retried only where it is idempotent."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if is_plain():
            return function
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        made: Any = task(name=name, retries=retries, retry_delay_seconds=5, cache_policy=NO_CACHE)(function)
        return made  # type: ignore[no-any-return]  # a Task is called like the function it wraps

    return decorate


def show_table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    """Keep a table as a Prefect artifact; nothing to do when run plainly."""
    if not is_plain():
        from prefect.artifacts import create_table_artifact

        create_table_artifact(table=rows, key=key, description=description)


def show_text(key: str, markdown: str, description: str) -> None:
    """Keep a text as a Prefect artifact; nothing to do when run plainly."""
    if not is_plain():
        from prefect.artifacts import create_markdown_artifact

        create_markdown_artifact(markdown=markdown, key=key, description=description)


@contextmanager
def one_writer(workspace: str) -> Iterator[None]:
    """Let only one flow at a time act in a workspace, visibly in the UI; the workspace's own lock stands behind it."""
    if is_plain():
        yield
        return
    from prefect.client.orchestration import get_client
    from prefect.concurrency.sync import concurrency

    limit = f"relance-writer-{hashlib.sha256(workspace.encode()).hexdigest()[:8]}"
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit, 1)
    with concurrency(limit, occupy=1, strict=True):
        yield


def needs_person(message: str) -> Any:
    """Return a state that is no failure and shows in the UI that a person is needed."""
    from prefect.states import Completed

    return Completed(name="NeedsPerson", message=message)


def done(message: str) -> Any:
    """Return the state of a flow that needs nobody."""
    from prefect.states import Completed

    return Completed(message=message)


def say(line: str) -> None:
    """Tell whoever watches: the run's log under Prefect, else the terminal's error stream."""
    if is_plain():
        print(line, file=sys.stderr)
        return
    from prefect.logging import get_run_logger

    get_run_logger().info(line)
