"""A batch that waits becomes a run that waits: it shows what would leave, asks in a form, and does what is answered.

Prefect plays the run again from the top whenever somebody answers, so all before the question only reads. Each answer
is taken once (`tasks.store.approvals`), and only for what the form showed: the question is named after it. The truth is
the store: a batch decided elsewhere ends the run.
"""

from datetime import date
from itertools import count
from pathlib import Path

from flows import engine, steps
from flows.approval import take_answer
from flows.engine import ended, storyline
from flows.release import let_batches_leave
from flows.review_page import form_text, review_page
from flows.start import acting, begin
from flows.summary import RunSummary, end_state
from policies.approvals import Answer, Verdict, what_is_missing
from policies.errors import WrongUseError
from tasks.review import Review
from tasks.run import Run
from tasks.store.batches import BatchStatus

PATIENCE_DAYS = 30
"""How long a form stays open where the policy sets no time."""


@storyline("review", "Shows a batch that waits, asks a person to approve or reject it, and lets it leave.")
def review(batch_id: str, workspace: Path = Path("workspace"), as_of: date | None = None) -> RunSummary | str:
    """Ask a person about a batch.

    Args:
        batch_id: Such as 2026-04-07-formal_notice.
        workspace: The creditor's folder.
        as_of: The date of the decision and the release; empty = today.
    """
    if engine.is_plain():
        raise WrongUseError(
            "a review is a form in the Prefect UI; here, use `relance batches show` and `approve`."
        )
    run = begin(workspace, as_of)
    engine.name_run(f"{run.workspace.root.name} {batch_id}")
    shown = steps.look_at_batch(run, batch_id)
    engine.show_text(
        engine.key_of(f"{run.workspace.root.name}-{batch_id}-review"),
        review_page(shown),
        f"What would leave - {batch_id}",
    )
    problem, (first, asked) = "", engine.newest_question()
    for number in count(first):
        asked = asked or shown.digest
        reference = engine.reference_of(number, asked)
        if not shown.waits and not steps.was_taken(run, reference):
            sentence = f"Nothing to decide: batch {batch_id} is {shown.status.value}. {shown.told}"
            return ended(sentence, sentence)
        answer = engine.ask_about_batch(number, asked, form_text(shown, problem), _seconds_left(run, shown))
        status, told = _take(run, shown, answer, reference, asked)
        if status is BatchStatus.REJECTED:
            return ended(told, told)
        if status is BatchStatus.APPROVED:
            return _release(run, batch_id)
        shown, problem, asked = steps.look_at_batch(run, batch_id), told, ""
    raise AssertionError  # the numbers never end


def _take(
    run: Run, shown: Review, answer: Answer | None, reference: str, asked: str
) -> tuple[BatchStatus, str]:
    """Do what was answered; return the batch's state, and what whoever is asked next must know."""
    if answer is None:
        return shown.status, "The last answer could not be read: fill in the form again."
    problem = _problem_with(answer, shown, run)
    if problem and not steps.was_taken(run, reference):
        return shown.status, problem
    try:
        return take_answer(run, shown.batch_id, answer, reference, asked)
    except WrongUseError as error:
        return BatchStatus.DRAFT, str(error)


def _release(run: Run, batch_id: str) -> RunSummary:
    with acting(run, "release"):
        summary = let_batches_leave(run, batch_id)
    return end_state(run, summary)


def _problem_with(answer: Answer, shown: Review, run: Run) -> str:
    if missing := what_is_missing(answer, run.as_of):
        return missing
    if answer.verdict is Verdict.APPROVE and shown.has_said(answer.who):
        return f"{answer.who} has approved already: another person is asked for."
    if unknown := sorted(set(answer.without) - shown.customer_ids):
        return f"The batch holds no message for {', '.join(unknown)}."
    return ""


def _seconds_left(run: Run, shown: Review) -> int:
    days = (shown.expires_on - run.as_of).days + 1 if shown.expires_on else PATIENCE_DAYS
    return max(days, 1) * 24 * 60 * 60
