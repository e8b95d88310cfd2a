"""Settles a message of which nobody could tell whether it left: by a person's word, or by evidence that came back.

The word goes into the journal first, as every outcome does, and from there into store and log: after a cut too.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from policies.errors import WrongUseError
from tasks.dispatch.deliveries import DeliveryStatus, MessageOutcome, Resolution
from tasks.dispatch.journal import JOURNAL_NAME, Journal
from tasks.dispatch.lasting_lines import make_folder
from tasks.dispatch.recovery import note_begun, take_in_journal
from tasks.run import Run
from tasks.store.batch_lists import list_actions_of, list_messages
from tasks.store.batches import count_waiting
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
    with Journal(run.workspace.outbox / batch_id / JOURNAL_NAME, run.as_of) as journal:
        known = journal.outcomes.get(message_id)
        if known is None:
            raise WrongUseError(f"the journal {journal.path} knows nothing of message {message_id}.")
        said = Resolution(by, run.as_of, evidence)
        status = DeliveryStatus.DISPATCHED if left else DeliveryStatus.FAILED
        journal.resolve(known, status, said.answer, run.clock(), said)
    with open_to_write(run.workspace) as connection:
        take_in_journal(connection, run, batch_id)
    return batch_id


def settle_as_left(run: Run, evidence: Mapping[str, str]) -> None:
    """Note that messages left, as mail that came back proves, also where the store holds them ready to leave.

    A server may take a message and answer that it did not, and a store may be older than what has left: such a
    message is never sent again. The rest of a batch that waits for a person goes on waiting.

    Args:
        run: the run.
        evidence: what shows it, by the number of the message.
    """
    with open_to_read(run.workspace) as connection:
        messages = list_messages(connection).filter(pl.col("status").is_in(["uncertain", *HELD]))
        held = messages.filter(pl.col("message_id").is_in(list(evidence)))
        of_actions = list_actions_of(connection, evidence.keys()).group_by("message_id").agg("action_id")
    actions = {message_id: tuple(ids) for message_id, ids in of_actions.iter_rows()}
    for (batch_id,), rows in held.group_by("batch_id", maintain_order=True):
        outcomes = [
            MessageOutcome(
                message_id=row["message_id"],
                action_ids=actions.get(row["message_id"], ()),
                channel=row["channel"],
                document_sha256=row["document_sha256"] or "",
                status=DeliveryStatus.UNCERTAIN,
                on=run.as_of,
                recorded_at=run.clock(),
                answer="",
            )
            for row in rows.iter_rows(named=True)
        ]
        _settle_batch(run, str(batch_id), outcomes, evidence)


def _settle_batch(
    run: Run, batch_id: str, outcomes: Sequence[MessageOutcome], evidence: Mapping[str, str]
) -> None:
    path = run.workspace.outbox / batch_id / JOURNAL_NAME
    make_folder(path.parent)
    with Journal(path, run.as_of) as journal:
        for outcome in outcomes:
            said = Resolution("relance", run.as_of, evidence[outcome.message_id])
            known = journal.outcomes.get(outcome.message_id, outcome)
            journal.resolve(known, DeliveryStatus.DISPATCHED, said.answer, run.clock(), said)
    with open_to_write(run.workspace) as connection:
        if count_waiting(connection, batch_id) == len(outcomes):
            note_begun(connection, run, batch_id, run.as_of, len(outcomes), "mail")
        take_in_journal(connection, run, batch_id)


def _batch_of(run: Run, message_id: str) -> str:
    with open_to_read(run.workspace) as connection:
        found = list_messages(connection).filter(message_id=message_id, status="uncertain")
    if found.is_empty():
        raise WrongUseError(
            f"no uncertain message has the number {message_id}; `relance run` and `relance release` list them."
        )
    return str(found["batch_id"][0])
