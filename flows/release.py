"""Approved batches leave, and those whose release was cut."""

from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import storyline
from flows.forms import Text
from flows.start import acting, begin
from flows.summary import RunSummary, end_state
from tasks.run import Run


@storyline("release", "Lets approved batches leave, after taking out what has changed since.")
def release(
    workspace: Path = Path("workspace"), as_of: date | None = None, batch_id: Text = ""
) -> RunSummary:
    """Release one batch, or all that may leave.

    Args:
        workspace: The creditor's folder.
        as_of: The date of the dispatch; empty = today.
        batch_id: One batch; empty = all that are approved or need no approval.
    """
    run = begin(workspace, as_of)
    with acting(run, "release"):
        summary = let_batches_leave(run, batch_id or "")
    return end_state(run, summary)


def let_batches_leave(run: Run, batch_id: str) -> RunSummary:
    """Tell the release of one batch, or of all that may leave."""
    steps.refuse_wrong_release(run, batch_id)
    ran_out = steps.let_run_out(run, batch_id)
    chosen = steps.find_releasable(run, approved=True, only=batch_id)
    for name in chosen:
        steps.compose(run, name)
    released = [steps.release_batch(run, name) for name in chosen]
    waiting = steps.publish_and_ask(run)
    return RunSummary(
        run_id=run.run_id,
        as_of=run.as_of,
        released=tuple(released),
        waiting=() if batch_id else waiting.batches,
        doubts=waiting.doubts,
        ran_out=tuple(ran_out),
        stopped=waiting.stopped,
    )
