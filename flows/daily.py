"""The working day: take in what finance dropped, decide, make documents, release what needs no approval, publish."""

from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import storyline
from flows.intake import take_in_inbox
from flows.start import acting, begin
from flows.summary import RunSummary, end_state
from tasks.run import Run


@storyline("daily", "Takes in the inbox, decides for every open item, and releases what needs no approval.")
def daily(workspace: Path = Path("workspace"), as_of: date | None = None) -> RunSummary:
    """Run one working day.

    Args:
        workspace: The creditor's folder.
        as_of: The business date; empty = today.
    """
    run = begin(workspace, as_of)
    with acting(run, "run"):
        summary = run_day(run)
    return end_state(run, summary)


def run_day(run: Run) -> RunSummary:
    """Tell the day, step by step."""
    files = take_in_inbox(run)
    ran_out = steps.let_run_out(run)
    decided = steps.decide_and_draft(run)
    for batch_id in steps.find_unfinished(run):
        steps.compose(run, batch_id)
    steps.list_open_calls(run)
    released = [steps.release_batch(run, batch_id) for batch_id in steps.find_releasable(run, approved=False)]
    waiting = steps.publish_and_ask(run)
    return RunSummary(
        run_id=run.run_id,
        as_of=run.as_of,
        files=tuple(files),
        decided=decided,
        released=tuple(released),
        waiting=waiting.batches,
        doubts=waiting.doubts,
        ran_out=tuple(ran_out),
        stopped=waiting.stopped,
    )
