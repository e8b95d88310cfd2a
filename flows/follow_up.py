"""What comes back: bounces, replies, receipts of letters, reports of agencies; and doubts that evidence settles."""

from datetime import date
from pathlib import Path

from flows import return_steps, steps
from flows.engine import storyline
from flows.start import acting, begin
from flows.summary import RunSummary, end_state
from tasks.formats.canonical import is_return_name
from tasks.returns.outcome import add_up


@storyline("follow-up", "Takes in what comes back: bounces, replies, returned letters, reports of agencies.")
def follow_up(workspace: Path = Path("workspace"), as_of: date | None = None) -> RunSummary:
    """Follow up what has left.

    Args:
        workspace: The creditor's folder.
        as_of: The day on which what comes back counts; empty = today.
    """
    run = begin(workspace, as_of)
    with acting(run, "follow-up"):
        names, _ = steps.look_into_inbox(run)
        files = [steps.take_in_file(run, name) for name in names if is_return_name(name)]
        dropped, moving = return_steps.take_in_files(run)
        returned = add_up(
            [
                dropped,
                return_steps.take_in_maildir(run),
                return_steps.take_in_mailbox(run),
                return_steps.settle_by_copies(run),
            ]
        )
        steps.publish_log(run)
        waiting = steps.find_waiting(run)
    summary = RunSummary(
        run_id=run.run_id,
        as_of=run.as_of,
        files=(*files, *moving),
        returned=returned,
        doubts=waiting.doubts,
    )
    return end_state(run, summary)
