"""A person decides on a batch: approve or reject. The store is the truth, the UI only asks."""

from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import ended, storyline
from flows.start import acting, begin
from policies.errors import WrongUseError
from policies.explanations import counted
from tasks.approval import approve as approve_batch
from tasks.approval import reject as reject_batch


@storyline("approve", "Notes that a person approves a batch; `release` then lets it leave.")
def approve(batch_id: str, by: str, workspace: Path = Path("workspace"), as_of: date | None = None) -> str:
    """Approve a batch.

    Args:
        batch_id: Such as 2026-04-07-formal_notice.
        by: The name of who approves; it is written down as claimed.
        workspace: The creditor's folder.
        as_of: The date of the approval; empty = today.
    """
    run = begin(workspace, as_of, actor=_named(by))
    with acting(run, "approve"):
        status = approve_batch(run, batch_id, by)
        steps.publish_log(run)
    missing = status.value == "draft"
    sentence = (
        f"{by} approves {batch_id}; the policy asks for one more person."
        if missing
        else f"{batch_id} is approved by {by}. `relance release {batch_id}` lets it leave."
    )
    return ended(sentence, sentence, needs_person=missing)


@storyline("reject", "Rejects a batch; its items are held until the date given.")
def reject(
    batch_id: str,
    by: str,
    why: str,
    until: date,
    workspace: Path = Path("workspace"),
    as_of: date | None = None,
) -> str:
    """Reject a batch.

    Args:
        batch_id: Such as 2026-04-07-formal_notice.
        by: The name of who rejects.
        why: The reason, for the log.
        until: The last day on which its items are held.
        workspace: The creditor's folder.
        as_of: The date of the rejection; empty = today.
    """
    run = begin(workspace, as_of, actor=_named(by))
    if until < run.as_of:
        raise WrongUseError(
            f"--until {until} lies before {run.as_of}: give the last day on which the items are held."
        )
    with acting(run, "reject"):
        count = reject_batch(run, batch_id, by, why, until)
        steps.publish_log(run)
    sentence = (
        f"{batch_id} is rejected by {by}: {counted(count, 'message')}; the items are held until {until}."
    )
    return ended(sentence, sentence)


def _named(by: str) -> str:
    if not by.strip():
        raise WrongUseError("--by must name the person who decides.")
    return by
