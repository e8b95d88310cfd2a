"""Which batches may leave now, what is taken out of them first, and their release.

An approved message whose items, balances, holds or address have changed since is withdrawn whole. The plan is in the
store before anything leaves, the journal on disk while it leaves, and the store is not held meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from policies.creditor import Creditor
from policies.errors import WaitingError, WrongUseError
from policies.explanations import counted
from policies.mail_addresses import mail_address
from policies.model import Channel
from policies.policy import Policy
from policies.releasing import find_changes
from tasks.dispatch.contact_days import find_closed, tell_closed
from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import JOURNAL_NAME, Journal
from tasks.dispatch.lasting_lines import make_folder
from tasks.dispatch.recovery import take_in_journal
from tasks.dispatch.release import Progress, ReleaseCounts, may_leave, release_messages
from tasks.dispatch.smtp_server import Login
from tasks.dispatch.telling import with_names
from tasks.dispatch.transports import choose_transport
from tasks.dispatch.withdrawing import withdraw
from tasks.documents.batch_folder import LETTERS, PRINTED
from tasks.ledger import NewEvent, append_events
from tasks.rules import Rules
from tasks.run import Run
from tasks.store.approvals import refuse_wrong_day, why_ended, why_not_yet
from tasks.store.audit import read_logged_files
from tasks.store.batch_lists import (
    StoredMessage,
    has_begun_to_leave,
    list_batches,
    name_messages,
    read_leaving,
    read_messages,
)
from tasks.store.batches import BatchStatus, MessageStatus, read_batch, release_batch
from tasks.store.connection import open_to_read, open_to_write
from tasks.store.history import read_reached
from tasks.store.sealing import require_unchanged


@dataclass(frozen=True)
class BatchRelease:
    """What became of a batch that was to leave; `kept` says why it stays, for a person.

    `withdrawn` says of each message that no longer leaves whom it was for, and why; `bounced` whose addresses the mail
    server refused.
    """

    batch_id: str
    withdrawn: tuple[str, ...] = ()
    counts: ReleaseCounts | None = None
    kept: str = ""
    bounced: tuple[str, ...] = ()


def batches_to_release(run: Run, *, approved: bool) -> list[str]:
    """Return the batches that may leave, oldest first: those that need no approval and those cut while leaving.

    Args:
        run: the run.
        approved: also those that a person has approved.
    """
    return _leaving(run, approved=approved)["batch_id"].to_list()


def _leaving(run: Run, *, approved: bool) -> pl.DataFrame:
    with open_to_read(run.workspace) as connection:
        batches = list_batches(connection)
    is_free = (pl.col("status") == "draft") & ~pl.col("approval_required")
    is_approved = (pl.col("status") == "approved") & approved
    chosen = batches.filter(is_free | is_approved | (pl.col("status") == "released"))
    return chosen.sort("as_of", "batch_id")


def refuse_if_none_can_leave(run: Run) -> None:
    """Refuse to release on a day before all batches that may leave were drafted and approved."""
    leaving = _leaving(run, approved=True).iter_rows(named=True)
    why = {batch["batch_id"]: why_not_yet(batch, run.as_of) for batch in leaving}
    if why and all(why.values()):
        raise WrongUseError(" ".join(f"batch {name}: {sentence}" for name, sentence in why.items()))


def why_it_stays(run: Run, batch_id: str) -> str:
    """Return why a batch cannot leave on the day of the run, as it was drafted or approved later; or nothing."""
    with open_to_read(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
    return why_not_yet(batch, run.as_of) if batch else ""


def refuse_wrong_batch(run: Run, batch_id: str, policy: Policy) -> None:
    """Refuse a batch that nobody can release on this day, whoever says what: it is wrong use."""
    with open_to_read(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
    if batch is None:
        raise WrongUseError(f"there is no batch {batch_id}; `relance batches list` shows them.")
    if batch["status"] in ("closed", "rejected"):
        raise WrongUseError(f"batch {batch_id} {_how_it_ended(batch)}")
    refuse_wrong_day(batch, run.as_of, policy)


def check_may_be_released(run: Run, batch_id: str) -> None:
    """Raise that this batch waits for a person first."""
    with open_to_read(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
        ended = why_ended(connection, batch_id)
    if batch and batch["status"] == "draft" and batch["approval_required"]:
        again = f" again: {ended}" if ended else ""
        raise WaitingError(
            f"batch {batch_id} waits for approval{again}. `relance batches show {batch_id}` shows what would leave, "
            f"`relance batches approve {batch_id} --by NAME` approves it."
        )


def _how_it_ended(batch: Mapping[str, object]) -> str:
    if batch["status"] == "rejected":
        return (
            f"was rejected on {batch['rejected_on']} by {batch['rejected_by']}: its items are held until "
            f"{batch['reject_until']}, then they are decided anew."
        )
    if batch["released_on"] is None:
        return (
            f"was given up on {batch['closed_on']}, since nobody decided on it in time: "
            "the next run decides anew on what is still open."
        )
    return f"is closed since {batch['closed_on']}: all of it has left or ended, and nothing more can leave."


def withdraw_changed(run: Run, batch_id: str, decisions: pl.DataFrame) -> dict[str, str]:
    """Withdraw the messages of a batch that no longer hold, and log why; return message_id -> whose it was, and why.

    Args:
        run: the run.
        batch_id: a batch with messages that have not left.
        decisions: of today, one row per open item.
    """
    with open_to_read(run.workspace) as connection:
        stored = read_messages(connection, batch_id)
        customers = read_reached(connection, run.as_of)
    # Once a batch has begun to leave, its print run and sheets may be out of the house: only e-mail can be stopped.
    begun = has_begun_to_leave(stored)
    waiting = [one.message for one in _live(stored) if not begun or one.message.channel == Channel.EMAIL]
    return withdraw(run, batch_id, waiting, find_changes(waiting, decisions, customers))


def let_leave(run: Run, batch_id: str, rules: Rules, login: Login | None = None) -> BatchRelease:
    """Release a batch: commit to it, let its messages leave, take the journal in.

    What may not leave on this day waits; a batch of which nothing may has not begun to leave.

    Args:
        run: the run.
        batch_id: a batch that may leave.
        rules: the creditor says how e-mail leaves, the policy on which days.
        login: to the mail server, where `smtp.login_block` names it; else it comes from the environment.
    """
    creditor = rules.creditor
    transport = choose_transport(run.workspace, creditor, login)
    with open_to_read(run.workspace) as connection:
        leaving = read_leaving(connection, batch_id)
        batch = read_batch(connection, batch_id) or {}
        logged = read_logged_files(connection, batch_id).get(batch_id)
    if kept := _why_kept(run, creditor, leaving):
        return BatchRelease(batch_id, kept=kept)
    has_begun = batch.get("status") == BatchStatus.RELEASED
    closed = find_closed(leaving, rules.policy, run.as_of, has_begun=has_begun)
    leaving = leaving.filter(~pl.col("message_id").is_in(list(closed)))
    if closed and leaving.is_empty():
        return BatchRelease(batch_id, kept=tell_closed(closed))
    folder = run.workspace.outbox / batch_id
    printed = (
        {folder / name: digest for name, digest in logged.files.items() if name in PRINTED} if logged else {}
    )
    planned = [_planned(run, row, creditor, printed) for row in leaving.iter_rows(named=True)]
    make_folder(folder)
    path = folder / JOURNAL_NAME
    # On disk before the store commits to the release: a journal that is missing later was lost, and not yet to come.
    with Journal(path, run.as_of) as journal:
        _commit_to_release(run, batch_id, leaving.height)
        counts = release_messages(
            planned,
            journal,
            transport,
            run.clock,
            _progress(run, batch_id),
            is_stopped=run.workspace.stop_path.exists,
        )
        bounced = [one.message_id for one in journal.outcomes.values() if one.is_bad_address]
    with open_to_write(run.workspace) as connection:
        take_in_journal(connection, run, batch_id)
        names = name_messages(connection, leaving["message_id"].to_list())
    return BatchRelease(
        batch_id,
        counts=replace(counts, problems=tuple(with_names(problem, names) for problem in counts.problems)),
        kept=tell_closed(closed),
        bounced=tuple(names[one] for one in bounced if one in names),
    )


def _commit_to_release(run: Run, batch_id: str, messages: int) -> None:
    with open_to_write(run.workspace) as connection:
        if release_batch(connection, batch_id, run.as_of):
            payload = {"batch_id": batch_id, "on": run.as_of, "messages": messages}
            append_events(
                connection,
                [NewEvent("batch_released", payload)],
                recorded_at=run.clock(),
                actor=run.actor,
                run_id=run.run_id,
            )
        else:
            require_unchanged(connection, "batch_id", batch_id)  # what was cut goes on with the same messages


def _live(stored: Sequence[StoredMessage]) -> list[StoredMessage]:
    return [one for one in stored if one.status in (MessageStatus.PLANNED, MessageStatus.COMPOSED)]


def _why_kept(run: Run, creditor: Creditor, leaving: pl.DataFrame) -> str:
    """Return why e-mails stay: a date that is not today never reaches a mail server outside this machine.

    What lies in a Maildir is fetched by one.
    """
    if Channel.EMAIL not in leaving["channel"].to_list():
        return ""
    if creditor.smtp is not None and may_leave(run.as_of, run.today, creditor.smtp.host):
        return ""
    if creditor.smtp is None and (creditor.maildir is None or run.as_of == run.today):
        return ""
    return (
        f"e-mail stays here: the date is {run.as_of} and today is {run.today}. "
        "`relance release` sends what is still right today."
    )


def _planned(
    run: Run, row: Mapping[str, Any], creditor: Creditor, printed: Mapping[Path, str]
) -> PlannedMessage:
    smtp, is_email = creditor.smtp, row["channel"] == Channel.EMAIL
    return PlannedMessage(
        message_id=row["message_id"],
        action_ids=tuple(row["action_ids"]),
        channel=row["channel"],
        document=run.workspace.root / (row["document_path"] or ""),
        document_sha256=row["document_sha256"] or "",
        recipients=(mail_address(row["email"]),) if is_email else (),
        sender=mail_address((smtp.from_ if smtp else None) or creditor.sender.email),
        copies=(mail_address(smtp.copy_to),) if smtp and smtp.copy_to and is_email else (),
        beside=tuple(printed.items()) if row["channel"] in LETTERS else (),
    )


def _progress(run: Run, batch_id: str) -> Progress:
    def tell(done: int, of: int) -> None:
        if done == of or done % 500 == 0:
            run.say(f"{batch_id}: {done} of {counted(of, 'message')}")

    return tell
