"""Takes journals of releases into the store and the log: at the end of a release, and after a cut one.

The journal is the truth of what left; the same journal twice changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

import polars as pl

from policies.model import EVENTS, EventKind
from tasks.dispatch.journal import JOURNAL_NAME, DeliveryStatus, MessageOutcome, read_journal
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.run import Run
from tasks.store.batch_lists import list_actions, list_batches, read_customers_of_actions
from tasks.store.batches import close_batch, withdraw_messages
from tasks.store.connection import Connection, open_to_write
from tasks.store.outcomes import Outcome, OutcomeKind, take_in_outcomes

_KINDS = {
    DeliveryStatus.DISPATCHED: OutcomeKind.DISPATCHED,
    DeliveryStatus.UNCERTAIN: OutcomeKind.UNCERTAIN,
    DeliveryStatus.FAILED: OutcomeKind.FAILED,
}


def take_in_journals(run: Run) -> int:
    """Take in the journals of all batches that are being released; return how many outcomes were new."""
    with open_to_write(run.workspace) as connection:
        released = list_batches(connection, "released").sort("as_of", "batch_id")["batch_id"].to_list()
        return sum(take_in_journal(connection, run, batch_id) for batch_id in released)


def take_in_journal(connection: Connection, run: Run, batch_id: str) -> int:
    """Take one journal in, in the caller's transaction, and close the batch when all its messages have ended."""
    known = read_journal(run.workspace.outbox / batch_id / JOURNAL_NAME)
    refused = [outcome for outcome in known if outcome.status is DeliveryStatus.REFUSED]
    told = [outcome for outcome in known if outcome.status is not DeliveryStatus.REFUSED]
    changed = {
        outcome.message_id
        for outcome in take_in_outcomes(connection, batch_id, [_outcome(one) for one in told])
    }
    ended = _end_refused(connection, run, batch_id, refused)
    new = [outcome for outcome in known if outcome.message_id in changed | ended]
    on = max([run.as_of, *(outcome.on for outcome in known)])
    is_closed = close_batch(connection, batch_id, on)
    _log(connection, run, batch_id, new)
    if is_closed:
        closed = NewEvent("batch_closed", {"batch_id": batch_id, "on": on})
        append_events(connection, [closed], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
    return len(new)


def _end_refused(
    connection: Connection, run: Run, batch_id: str, refused: Sequence[MessageOutcome]
) -> set[str]:
    """End messages that a server refused for good; an address it did not know counts as bounced from then on."""
    ended: set[str] = set()
    for on, of_day in groupby(sorted(refused, key=_day), key=_day):
        outcomes = list(of_day)
        known_at = max(outcome.recorded_at for outcome in outcomes)
        ids = [outcome.message_id for outcome in outcomes]
        ended.update(withdraw_messages(connection, batch_id, ids, on, known_at))
    bounced = [one.message_id for one in refused if one.is_bad_address and one.message_id in ended]
    if bounced:
        _note_bounces(connection, run, batch_id, bounced)
    return ended


def _note_bounces(connection: Connection, run: Run, batch_id: str, message_ids: Sequence[str]) -> None:
    actions = list_actions(connection, batch_id).filter(pl.col("message_id").is_in(list(message_ids)))
    blank = dict.fromkeys(EVENTS.names())
    said = {"kind": EventKind.BOUNCE.value, "reason": "refused by the mail server"}
    rows = [{**blank, **said, "customer_id": customer} for customer in actions["customer_id"].unique().sort()]
    add_events(connection, replace(run, actor="relance"), pl.DataFrame(rows, schema=EVENTS))


def _day(outcome: MessageOutcome) -> date:
    return outcome.on


def _outcome(outcome: MessageOutcome) -> Outcome:
    return Outcome(
        outcome.message_id, _KINDS[outcome.status], outcome.on, outcome.recorded_at, outcome.answer
    )


def _log(connection: Connection, run: Run, batch_id: str, outcomes: Sequence[MessageOutcome]) -> None:
    customers = read_customers_of_actions(connection, batch_id)
    events = [
        NewEvent(f"action_{outcome.status.value}", payload, action_id, customers.get(action_id))
        for outcome in outcomes
        for payload in [_payload(batch_id, outcome)]
        for action_id in outcome.action_ids
    ]
    append_events(connection, events, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)


def _payload(batch_id: str, outcome: MessageOutcome) -> dict[str, object]:
    return {
        "batch_id": batch_id,
        "message_id": outcome.message_id,
        "channel": outcome.channel,
        "on": outcome.on,
        "at": outcome.recorded_at,
        "answer": outcome.answer,
        "document_sha256": outcome.document_sha256,
    }
