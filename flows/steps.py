"""The steps that flows are told in: each is a row in the Prefect UI, coarse, and safe to do again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from flows import engine
from flows.engine import note, step
from flows.mail_login import read_login
from flows.totals import aging_totals
from policies.explanations import counted
from policies.releasing import TODAY
from tasks.approval import expire
from tasks.compose import calls_listed_again, compose_again, compose_batch, list_calls_again
from tasks.decide import Day, decide_day, decisions_as_published
from tasks.dispatch.batches import (
    BatchRelease,
    batches_to_release,
    check_may_be_released,
    let_leave,
    refuse_if_none_can_leave,
    refuse_wrong_batch,
    why_it_stays,
    withdraw_changed,
)
from tasks.dispatch.mending import mend_documents
from tasks.findings.report import Findings, report_findings
from tasks.head_keeping import keep_heads
from tasks.intake import IntakeResult, find_files, take_in
from tasks.plan import PlannedBatch, plan_day
from tasks.policy_review.review import require_sound
from tasks.publish import publish
from tasks.release_guards import send_back_if_odd
from tasks.review import Review, look_at
from tasks.rules import Rules, read_law, read_rules
from tasks.run import Run
from tasks.stopping import read_stop
from tasks.store.approvals import is_taken
from tasks.store.batch_lists import list_batches, list_messages, name_messages
from tasks.store.batches import read_batch
from tasks.store.connection import open_to_read


@dataclass(frozen=True)
class DecidedDay:
    """What was decided, in counts, and the batches drafted from it."""

    reasons: dict[str, int]
    steps: dict[str, int]
    aging: list[dict[str, str]]
    drafted: tuple[PlannedBatch, ...]
    findings: Findings


@dataclass(frozen=True)
class Waiting:
    """Batches that wait for approval, messages that may or may not have left, and who has stopped all release.

    `doubts` says of each message whom it is for and what it is about.
    """

    batches: tuple[str, ...]
    doubts: Mapping[str, str]
    stopped: str = ""


@step("look into the inbox")
def look_into_inbox(run: Run) -> tuple[list[str], list[IntakeResult]]:
    """Return the names of the complete files, and what is to be said of the others."""
    complete, moving = find_files(run)
    return [path.name for path in complete], moving


@step("take in a file", each="name")
def take_in_file(run: Run, name: str, accept_cleared: bool = False) -> IntakeResult:
    """Load or refuse one file of the inbox."""
    result = take_in(run, run.workspace.inbox / Path(name).name, accept_cleared)
    note(f"{result.file}: {result.status}{f' - {result.message}' if result.message else ''}")
    return result


@step("decide and draft batches")
def decide_and_draft(run: Run) -> DecidedDay:
    """Decide for every open item, draft what is to leave, report what the day shows, publish."""
    day = _decide(run)
    require_sound(run.workspace, day.rules, _languages(day))
    drafted = plan_day(run, day.history, day.facts, day.decisions, day.rules, read_law(run.workspace))
    findings = report_findings(run, day.history, day.facts, day.decisions, day.rules)
    _publish(run, day)
    return DecidedDay(
        reasons=_counts(day.decisions.filter(~pl.col("act")), "reason"),
        steps=_counts(day.decisions.filter("act"), "step"),
        aging=aging_totals(day.aging),
        drafted=tuple(drafted),
        findings=findings,
    )


@step("make the documents of a batch", each="batch_id", retries=1)
def compose(run: Run, batch_id: str) -> int:
    """Write e-mails, letters, call sheet and placement files to the outbox."""
    count = compose_batch(run, batch_id)
    run.say(f"{batch_id}: {counted(count, 'message')} composed")
    return count


@step("release a batch", each="batch_id")
def release_batch(run: Run, batch_id: str) -> BatchRelease:
    """Look once more, take out what has changed since, then let the batch leave; or say why it stays."""
    rules = read_rules(run.workspace)
    if halted := read_stop(run.workspace):
        return BatchRelease(batch_id, kept=halted.sentence)
    if too_early := why_it_stays(run, batch_id):
        run.say(f"{batch_id}: {too_early}")
        return BatchRelease(batch_id, kept=too_early)
    if odd := send_back_if_odd(run, batch_id, rules):
        run.say(f"{batch_id} waits for a person: {' '.join(odd)}")
        return BatchRelease(batch_id, kept=f"sent back to wait for a person. {' '.join(odd)}")
    withdrawn, waits = _withdraw(run, batch_id)
    if not waits:
        unmended, waits = _mend(run, batch_id, rules)
        withdrawn |= unmended
    if waits:
        run.say(f"{batch_id} waits for a person: {waits}")
        return BatchRelease(batch_id, tuple(withdrawn.values()), kept=f"waits for a person. {waits}")
    released = let_leave(run, batch_id, rules, read_login(rules.creditor))
    for why in (*withdrawn.values(), *([released.kept] if released.kept else [])):
        run.say(f"{batch_id}: {why}")
    return replace(released, withdrawn=tuple(withdrawn.values()))


@step("publish", retries=2)
def publish_log(run: Run) -> int:
    """Publish new audit events and the current tables, and keep the head of the log elsewhere where asked."""
    count = publish(run)
    for trouble in keep_heads(run):
        note(trouble)
    return count


@step("find batches to compose")
def find_unfinished(run: Run) -> list[str]:
    """Return the batches with messages whose documents are not made yet."""
    with open_to_read(run.workspace) as connection:
        planned = list_messages(connection).filter(pl.col("status") == "planned")
    return planned["batch_id"].unique().sort().to_list()


@step("find batches to release")
def find_releasable(run: Run, approved: bool, only: str = "") -> list[str]:
    """Return the batches that may leave now, or the one that was asked for; none while release is stopped."""
    if only:
        check_may_be_released(run, only)
    if read_stop(run.workspace):
        return []
    return [only] if only else batches_to_release(run, approved=approved)


def refuse_wrong_release(run: Run, only: str) -> None:
    """Refuse to release what cannot be, before anything changes: a mistyped command costs nothing."""
    if only:
        refuse_wrong_batch(run, only, read_rules(run.workspace).policy)
    else:
        refuse_if_none_can_leave(run)


@step("let run out what waited too long")
def let_run_out(run: Run, only: str = "") -> list[str]:
    """Let approvals and drafts run out that the policy gives no more time; return a sentence on each."""
    told = expire(run, read_rules(run.workspace).policy, only)
    for batch_id in told:
        compose_again(run, batch_id)
    return [f"{batch_id}: {what}" for batch_id, what in told.items()]


@step("find what waits for a person")
def find_waiting(run: Run) -> Waiting:
    """Return what a person must look at: batches to approve, and messages nobody knows to have left."""
    with open_to_read(run.workspace) as connection:
        drafts = list_batches(connection, "draft").filter("approval_required").sort("as_of", "batch_id")
        doubts = list_messages(connection).filter(pl.col("status") == "uncertain").sort("message_id")
        named = name_messages(connection, doubts["message_id"].to_list())
    halted = read_stop(run.workspace)
    return Waiting(tuple(drafts["batch_id"]), named, halted.sentence if halted else "")


@step("look at a batch", each="batch_id", retries=2)
def look_at_batch(run: Run, batch_id: str) -> Review:
    """Return what a person is shown of a batch before deciding."""
    return look_at(run, batch_id)


def was_taken(run: Run, reference: str) -> bool:
    """Return whether the answer of a form has been taken."""
    with open_to_read(run.workspace) as connection:
        return is_taken(connection, reference)


@step("ask for reviews", retries=2)
def ask_for_reviews(run: Run, waiting: Sequence[str]) -> int:
    """Start a review in the UI of each batch that waits, where the workspace has that deployment."""
    with open_to_read(run.workspace) as connection:
        drafts = list_batches(connection, "draft").filter(pl.col("batch_id").is_in(list(waiting)))
    batches = dict(drafts.select("batch_id", pl.col("sent_back").fill_null(0)).iter_rows())
    return engine.start_reviews(
        str(run.workspace.root), batches, None if run.as_of == run.today else run.as_of
    )


def publish_and_ask(run: Run) -> Waiting:
    """Publish what was done, find what waits for a person, and ask for the reviews: how a day and a release end."""
    publish_log(run)
    waiting = find_waiting(run)
    ask_for_reviews(run, waiting.batches)
    return waiting


@step("list open calls")
def list_open_calls(run: Run) -> int:
    """List calls again whose outcome nobody has told."""
    return list_calls_again(run)


def _decide(run: Run) -> Day:
    return decide_day(run.workspace, read_rules(run.workspace), run.as_of)


def _languages(day: Day) -> set[str]:
    return set(day.decisions.filter("act")["language"].drop_nulls().unique())


def _publish(run: Run, day: Day) -> None:
    publish(run, aging=day.aging, decisions=decisions_as_published(day.decisions))


def _withdraw(run: Run, batch_id: str) -> tuple[dict[str, str], str]:
    """Withdraw what has changed since the batch was drafted, be it on the same day.

    Returns:
        Why each message was withdrawn, and why the batch now waits for a person, or nothing.
    """
    with open_to_read(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
    if batch is None or _is_fresh(batch, run):
        return {}, ""
    withdrawn = withdraw_changed(run, batch_id, _what_still_holds(run))
    return withdrawn, compose_again(run, batch_id)


def _mend(run: Run, batch_id: str, rules: Rules) -> tuple[dict[str, str], str]:
    """Make documents again that were lost or changed; return as `_withdraw` does."""
    mended = mend_documents(run, batch_id, rules, lambda: calls_listed_again(run, batch_id))
    if mended.made_again:
        run.say(f"{batch_id}: {mended.made_again}")
    waits = compose_again(run, batch_id) if mended.withdrawn else mended.kept
    return dict(mended.withdrawn), waits


_held: dict[str, pl.DataFrame] = {}


def _what_still_holds(run: Run) -> pl.DataFrame:
    """Return what is demanded of each open item today; a release changes none of it, so once per run is enough."""
    if run.run_id not in _held:
        _held.clear()
        _held[run.run_id] = _decide(run).decisions.select(TODAY)
    return _held[run.run_id]


def _is_fresh(batch: dict[str, object], run: Run) -> bool:
    """Return whether this very run drafted the batch: it has held the workspace since, so nobody recorded anything."""
    return batch["run_id"] == run.run_id and not batch["approval_required"]


def _counts(decisions: pl.DataFrame, column: str) -> dict[str, int]:
    counted = decisions.group_by(column).len().sort("len", column, descending=[True, False])
    return dict(counted.iter_rows())
