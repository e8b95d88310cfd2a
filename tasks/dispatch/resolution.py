"""Settles a message of which nobody could tell whether it left: by a person's word, or by evidence that came back.

The word goes into the journal first, as every outcome does, and from there into store and log: after a cut too.
"""

import polars as pl

from policies.errors import WrongUseError
from tasks.dispatch.journal import JOURNAL_NAME, DeliveryStatus, Journal, MessageOutcome, Resolution
from tasks.dispatch.recovery import take_in_journal
from tasks.run import Run
from tasks.store.batch_lists import list_actions_of, list_messages
from tasks.store.connection import open_to_read, open_to_write

HELD = ("planned", "composed")
"""Of these the store says that they have not left."""


def resolve_delivery(run: Run, message_id: str, *, left: bool, evidence: str, by: str) -> str:
    """Note that an uncertain message left, or did not; return the name of its batch.

    One that left counts as dispatched on the day it was handed over; one that did not leaves with the next release,
    if it is still right then.

    Args:
        run: the run.
        message_id: of an uncertain message.
        left: whether it left.
        evidence: what shows it, for the log: no address and no name of a person.
        by: who says so, or `relance` when evidence decided.

    Raises:
        WrongUseError: no message of that number is uncertain.
    """
    batch_id = _batch_of(run, message_id)
    path = run.workspace.outbox / batch_id / JOURNAL_NAME
    status = DeliveryStatus.DISPATCHED if left else DeliveryStatus.FAILED
    with Journal(path, run.as_of) as journal:
        known = journal.outcomes.get(message_id)
        if known is None:
            raise WrongUseError(f"the journal {path} knows nothing of message {message_id}.")
        said = Resolution(by, run.as_of, evidence)
        journal.resolve(known, status, said.answer, run.clock(), said)
    with open_to_write(run.workspace) as connection:
        take_in_journal(connection, run, batch_id)
    return batch_id


def settle_as_left(run: Run, message_id: str, evidence: str) -> None:
    """Note that a message left, as a mail that came back proves, also where the store holds it ready to leave.

    A server may take a message and answer that it did not, and a store may be older than what has left: such a
    message is never sent again. A doubtful one is settled as a person would.
    """
    with open_to_read(run.workspace) as connection:
        held = list_messages(connection).filter(pl.col("message_id") == message_id)
        held = held.filter(pl.col("status").is_in(["uncertain", *HELD]))
        actions = list_actions_of(connection, [message_id])["action_id"].to_list()
    if held.is_empty() or "uncertain" in held["status"].to_list():
        resolve_delivery(run, message_id, left=True, evidence=evidence, by="relance")
        return
    row = held.row(0, named=True)
    batch_id = str(row["batch_id"])
    path = run.workspace.outbox / batch_id / JOURNAL_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    said = Resolution("relance", run.as_of, evidence)
    outcome = MessageOutcome(
        message_id=message_id,
        action_ids=tuple(actions),
        channel=str(row["channel"]),
        document_sha256=str(row["document_sha256"] or ""),
        status=DeliveryStatus.DISPATCHED,
        on=run.as_of,
        recorded_at=run.clock(),
        answer=said.answer,
    )
    with Journal(path, run.as_of) as journal:
        journal.resolve(outcome, outcome.status, outcome.answer, outcome.recorded_at, said)
    with open_to_write(run.workspace) as connection:
        take_in_journal(connection, run, batch_id)


def _batch_of(run: Run, message_id: str) -> str:
    with open_to_read(run.workspace) as connection:
        found = list_messages(connection).filter(message_id=message_id, status="uncertain")
    if found.is_empty():
        raise WrongUseError(
            f"no uncertain message has the number {message_id}; `relance run` and `relance release` list them."
        )
    return str(found["batch_id"][0])
