"""A person decides on a batch: approve or reject. The store is the truth, the UI only asks."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from flows import engine, steps
from flows.engine import ended, storyline
from flows.start import acting, begin, login, named
from policies.approvals import Answer, Verdict, what_is_missing
from policies.errors import WrongUseError
from policies.explanations import counted
from tasks.approval import LeftOut
from tasks.approval import approve as approve_batch
from tasks.approval import reject as reject_batch
from tasks.compose import compose_again
from tasks.dispatch.recovery import take_in_journals
from tasks.run import Run
from tasks.store.approvals import Claim
from tasks.store.batches import BatchStatus


@storyline("approve", "Notes that a person approves a batch; `release` then lets it leave.")
def approve(
    batch_id: str,
    by: str,
    without: Sequence[str] = (),
    why: str = "",
    until: date | None = None,
    workspace: Path = Path("workspace"),
    as_of: date | None = None,
) -> str:
    """Approve a batch.

    Args:
        batch_id: Such as 2026-04-07-formal_notice.
        by: The name of who approves; it is written down as claimed.
        without: Numbers of customers whose messages are taken out of it.
        why: The reason why customers are left out, for the log.
        until: The last day on which their items are held; empty = the next run decides on them anew.
        workspace: The creditor's folder.
        as_of: The date of the approval; empty = today.
    """
    run = begin(workspace, as_of, actor=named(by))
    answer = Answer(run.actor, Verdict.APPROVE, tuple(without), why, until)
    return _told(take_answer(run, batch_id, answer, reference=""))


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
        by: The name of who rejects; it is written down as claimed.
        why: The reason, for the log.
        until: The last day on which its items are held.
        workspace: The creditor's folder.
        as_of: The date of the rejection; empty = today.
    """
    run = begin(workspace, as_of, actor=named(by))
    return _told(take_answer(run, batch_id, Answer(run.actor, Verdict.REJECT, (), why, until), reference=""))


def take_answer(
    run: Run, batch_id: str, answer: Answer, reference: str, shown: str = ""
) -> tuple[BatchStatus, str]:
    """Do what a person decided about a batch; return its state then, and a sentence.

    Args:
        run: the run.
        batch_id: the batch.
        answer: what was decided.
        reference: names the answer of a form, so that it counts once; empty for a command.
        shown: digest of what the form showed; empty for a command, which is about the batch as it is now.
    """
    if missing := what_is_missing(answer, run.as_of):
        raise WrongUseError(missing)
    channel = engine.channel()
    claim = Claim(answer.who, channel, login() if channel == engine.COMMAND_LINE else "", reference, shown)
    with acting(run, answer.verdict.value):
        if answer.verdict is Verdict.APPROVE:
            told = _approve(run, batch_id, claim, answer)
        else:
            told = _reject(run, batch_id, claim, answer)
        steps.publish_log(run)
    return told


def _approve(run: Run, batch_id: str, claim: Claim, answer: Answer) -> tuple[BatchStatus, str]:
    left_out = LeftOut(answer.without, answer.why, answer.until) if answer.without else None
    approval = approve_batch(run, batch_id, claim, left_out)
    status, names = approval.status, ", ".join(approval.outdated)
    outdated = f" The approval of {names} no longer counts: it was given on another state." if names else ""
    without = ""
    if left_out:
        if other := compose_again(run, batch_id):
            return BatchStatus.DRAFT, f"{batch_id} waits for another look. {other}"
        without = f" without {', '.join(answer.without)}"
    if status is BatchStatus.DRAFT:
        return status, f"{claim.by} approves {batch_id}{without}; one more person is asked for.{outdated}"
    return (
        status,
        f"{batch_id} is approved by {claim.by}{without}. `relance release {batch_id}` lets it leave.",
    )


def _reject(run: Run, batch_id: str, claim: Claim, answer: Answer) -> tuple[BatchStatus, str]:
    if answer.until is None:
        raise WrongUseError("Give the last day on which the rejected items are held.")
    rejected = reject_batch(run, batch_id, claim, answer.why, answer.until)
    what = f"what has not left of {batch_id}" if rejected.had_begun_to_leave else batch_id
    sentence = (
        f"{what} is rejected by {claim.by}: {counted(rejected.messages, 'message')}; "
        f"the items are held until {answer.until}."
    )
    if rejected.had_begun_to_leave:
        take_in_journals(run)
    return rejected.status, sentence[0].upper() + sentence[1:]


def _told(told: tuple[BatchStatus, str]) -> str:
    status, sentence = told
    return ended(sentence, sentence, needs_person=status is BatchStatus.DRAFT)
