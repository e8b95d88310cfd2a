"""What a flow, a task and their last states are under Prefect; imported only when there is a Prefect to talk to.

The truth stands in the workspace: nothing here caches, keeps results or decides, it only shows and queues.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import State
from prefect.concurrency.sync import concurrency
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runtime import deployment, flow_run
from prefect.states import Completed, Failed

from policies.errors import RelanceError

P = ParamSpec("P")
R = TypeVar("R")

RETRY_AFTER_SECONDS = 5
LEASE_SECONDS = 60
"""After this long the place of a killed run is free again; a run that lives renews it."""


def as_flow(function: Callable[P, R], name: str, description: str) -> Callable[P, R]:
    """Return the function as a flow; its parameters are checked before it starts."""
    made: Any = flow(name=name, description=description, validate_parameters=True, persist_result=False)(
        _mistakes_are_states(function)
    )
    return cast("Callable[P, R]", made)


def as_task(function: Callable[P, R], name: str, each: str, retries: int) -> Callable[P, R]:
    """Return the function as a task that is run whenever it is called, and raises what a person can put right."""

    def deserves_retry(_task: Any, _run: Any, state: State[Any]) -> bool:
        return retries > 0 and not isinstance(state.data, RelanceError)

    made: Any = task(
        name=name,
        task_run_name=f"{name}: {{{each}}}" if each else name,
        # Prefect logs a trace for what has no retry left, and none for what doesn't deserve one.
        retries=max(retries, 1),
        retry_delay_seconds=RETRY_AFTER_SECONDS,
        retry_condition_fn=deserves_retry,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(_mistakes_are_states(function))

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = made(*args, **kwargs)
        return cast("R", given.result() if isinstance(given, State) else given)

    return call


def last_state(value: R, sentence: str, needs_person: bool) -> R:
    """Return the state a flow ends with; whoever called the flow gets the value."""
    name = "NeedsPerson" if needs_person else "Completed"
    return cast("R", Completed(name=name, message=sentence, data=value))


def name_run(name: str) -> None:
    """Name this run after its flow and what it is about."""
    if flow_run.id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, name=f"{flow_run.flow_name} {name}")


def is_deployed() -> bool:
    """Return whether this is the run of a deployment, not of a command that somebody typed."""
    return bool(deployment.id)


def server_answers() -> bool:
    """Return whether the Prefect server can be reached."""
    with get_client(sync_client=True) as client:
        return client.api_healthcheck() is None


@contextmanager
def one_writer(workspace: str, say: Callable[[str], None]) -> Iterator[None]:
    """Wait for the one place in a workspace. A server that goes away meanwhile stops nothing: a lock stands behind."""
    limit = f"relance-writer-{hashlib.sha256(workspace.encode()).hexdigest()[:8]}"
    with get_client(sync_client=True) as client:
        if _is_taken(client, limit):
            say("another run is at work in this workspace; this one waits until it has finished")
    with concurrency(
        limit, occupy=1, strict=True, lease_duration=LEASE_SECONDS, raise_on_lease_renewal_failure=False
    ):
        yield


def question_key(number: int, shown: str) -> str:
    """Return what names a question of this run about what it shows; a run that is tried again asks anew."""
    return f"answer-{flow_run.run_count}-{number}-{shown}"


def reference_of(number: int, shown: str) -> str:
    """Return what names the answer to a question, whatever run asks it."""
    return f"{flow_run.id}/{question_key(number, shown)}"


def newest_question() -> tuple[int, str]:
    """Return the number of the last question that this run asked, and what it showed; 1 and nothing without one."""
    with get_client(sync_client=True) as client:
        asked = client.read_flow_run(flow_run.id).empirical_policy.pause_keys or set()
    beginning = f"answer-{flow_run.run_count}-"
    parts = [key.removeprefix(beginning).partition("-") for key in asked if key.startswith(beginning)]
    # A form of an earlier version says nothing of what it showed: it is asked anew.
    return max([(1, ""), *((int(number), shown) for number, _, shown in parts if shown)])


def start_reviews(workspace: str, batches: Mapping[str, int], as_of: date | None) -> int:
    """Start one run of the workspace's deployment `review` for each batch, once for each time it came to wait."""
    with get_client(sync_client=True) as client:
        deployments = client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=["review"])))
    own = [one for one in deployments if _is_of(workspace, one.parameters)]
    if not own:
        return 0
    for batch_id, sent_back in batches.items():
        run_deployment(
            own[0].id,
            parameters={"batch_id": batch_id, "as_of": as_of.isoformat() if as_of else None},
            timeout=0,
            idempotency_key=f"review {Path(workspace).resolve()} {batch_id} {sent_back}",
            as_subflow=False,
        )
    return len(batches)


def _is_of(workspace: str, parameters: Mapping[str, Any]) -> bool:
    named = parameters.get("workspace")
    return bool(named) and Path(str(named)).resolve() == Path(workspace).resolve()


def _is_taken(client: SyncPrefectClient, limit: str) -> bool:
    """Return whether somebody holds the place; the first run makes it."""
    try:
        return client.read_global_concurrency_limit_by_name(limit).active_slots > 0
    except ObjectNotFound:
        try:
            client.upsert_global_concurrency_limit_by_name(limit, 1)
        except ObjectAlreadyExists:
            return True
    return False


def _mistakes_are_states(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a person can put right into a failed state that says so, without a traceback in the log."""

    @functools.wraps(function)
    def tell(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RelanceError as error:
            return cast("R", Failed(message=str(error), data=error))

    return tell
