"""Takes journals of releases into the store and the log: at the end of a release, and after a cut one.

The journal is the truth of what left; the same journal twice changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from policies.mail_addresses import is_same_address
from policies.model import EVENTS, ITEM_KEY, Channel, EventKind
from tasks.dispatch.deliveries import DeliveryStatus, MessageOutcome, PlannedMessage
from tasks.dispatch.journal import JOURNAL_NAME, Journal, read_journal
from tasks.dispatch.lasting_lines import make_folder
from tasks.dispatch.maildir import settle_cut_deliveries
from tasks.ledger import NewEvent, append_events
from tasks.manifest import hash_file
from tasks.record import add_events
from tasks.run import Run
from tasks.store.batch_lists import (
    list_actions,
    list_actions_of,
    list_batches,
    list_messages,
    read_addresses,
    read_customers_of_actions,
)
from tasks.store.batches import close_batch, withdraw_messages
from tasks.store.connection import Connection, open_to_write
from tasks.store.history import read_customers
from tasks.store.outcomes import Outcome, OutcomeKind, note_left_before, take_in_outcomes

HELD_DAYS = 7
"""How long the items of a message that a server refused for what it is wait for a person, in calendar days."""

LOST = "the journal of its release was lost: it may have left, or not"

_KINDS = {
    DeliveryStatus.DISPATCHED: OutcomeKind.DISPATCHED,
    DeliveryStatus.UNCERTAIN: OutcomeKind.UNCERTAIN,
    DeliveryStatus.FAILED: OutcomeKind.FAILED,
}


def take_in_journals(run: Run) -> int:
    """Take in the journals of all batches that are being released; return how many outcomes were new."""
    with open_to_write(run.workspace) as connection:
        listed = list_batches(connection, "released").sort("as_of", "batch_id")
        released = dict(listed.select("batch_id", "released_on").iter_rows())
        for batch_id, on in released.items():
            path = run.workspace.outbox / batch_id / JOURNAL_NAME
            if path.exists():
                settle_cut_deliveries(path, run.as_of, run.clock)
            else:
                _replace_lost(connection, replace(run, as_of=on), batch_id, path)
        # The days are those of the releases: a command that only reads takes in too, on whatever day.
        return sum(
            take_in_journal(connection, replace(run, as_of=on), batch_id) for batch_id, on in released.items()
        )


def take_in_journal(connection: Connection, run: Run, batch_id: str) -> int:
    """Take one journal in, in the caller's transaction, and close the batch when all its messages have ended."""
    known = read_journal(run.workspace.outbox / batch_id / JOURNAL_NAME)
    refused = [outcome for outcome in known if outcome.status is DeliveryStatus.REFUSED]
    told = [outcome for outcome in known if outcome.status is not DeliveryStatus.REFUSED]
    changed = {
        outcome.message_id
        for outcome in take_in_outcomes(connection, batch_id, [_outcome(one) for one in told])
    }
    changed |= _end_refused(connection, run, batch_id, refused)
    new = [outcome for outcome in known if outcome.message_id in changed]
    on = max([run.as_of, *(outcome.on for outcome in known)])
    events = _events_of(connection, batch_id, new)
    if close_batch(connection, batch_id, on):
        events.append(NewEvent("batch_closed", {"batch_id": batch_id, "on": on, **_hash_of(run, batch_id)}))
    _log_resolutions(connection, run, batch_id, new)
    append_events(connection, events, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
    return len(new)


def note_begun(connection: Connection, run: Run, batch_id: str, on: date, messages: int, by: str) -> None:
    """Note that a batch began to leave before this store could know, as its journal or a mail tells."""
    if note_left_before(connection, batch_id, on):
        payload = {"batch_id": batch_id, "on": on, "messages": messages, "told_by": by}
        append_events(
            connection,
            [NewEvent("batch_released", payload)],
            recorded_at=run.clock(),
            actor=run.actor,
            run_id=run.run_id,
        )


def _hash_of(run: Run, batch_id: str) -> dict[str, object]:
    """Return the hash of a journal that is over: it stays part of the log."""
    path = run.workspace.outbox / batch_id / JOURNAL_NAME
    return {"journal_sha256": hash_file(path)} if path.is_file() else {}


def _replace_lost(connection: Connection, run: Run, batch_id: str, path: Path) -> None:
    """Begin the journal of a batch anew that is gone: of its mail nobody can tell any more whether it left."""
    messages = list_messages(connection, batch_id).filter(
        pl.col("status").is_in(["planned", "composed"]), channel=Channel.EMAIL.value
    )
    lost = NewEvent("journal_lost", {"batch_id": batch_id, "on": run.as_of, "messages": messages.height})
    append_events(connection, [lost], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
    of_message = (
        list_actions_of(connection, messages["message_id"].to_list()).group_by("message_id").agg("action_id")
    )
    actions = dict(of_message.iter_rows())
    make_folder(path.parent)
    with Journal(path, run.as_of) as journal:
        for row in messages.iter_rows(named=True):
            number, document = row["message_id"], row["document_sha256"] or ""
            message = PlannedMessage(number, tuple(actions[number]), row["channel"], path, document)
            journal.settle(message, DeliveryStatus.UNCERTAIN, LOST, run.clock())


def _end_refused(
    connection: Connection, run: Run, batch_id: str, refused: Sequence[MessageOutcome]
) -> set[str]:
    """End messages that a server refused for good.

    An address it did not know counts as bounced from then on, unless the customer has another one by now. What it
    refused for another reason is held, so that a person can look into it: the same message would be refused again.
    """
    ended: set[str] = set()
    for on, of_day in groupby(sorted(refused, key=_day), key=_day):
        outcomes = list(of_day)
        known_at = max(outcome.recorded_at for outcome in outcomes)
        ids = [outcome.message_id for outcome in outcomes]
        now = set(withdraw_messages(connection, batch_id, ids, on, known_at))
        # Whoever takes the journal in, and whenever: what was refused on a day is known from that day on.
        of_that_day = replace(run, actor="relance", as_of=on)
        _record(connection, of_that_day, batch_id, [one for one in outcomes if one.message_id in now])
        ended |= now
    return ended


def _record(connection: Connection, run: Run, batch_id: str, refused: Sequence[MessageOutcome]) -> None:
    """Record what follows from the refusals of a day."""
    for is_bad_address, record in ((True, _note_bounces), (False, _hold_items)):
        ids = [one.message_id for one in refused if one.is_bad_address is is_bad_address]
        if not ids:
            continue
        actions = list_actions(connection, batch_id).filter(pl.col("message_id").is_in(ids))
        if is_bad_address:
            actions = _to_this_address(connection, batch_id, actions)
        if actions.height:
            add_events(connection, run, record(run, actions))


def _to_this_address(connection: Connection, batch_id: str, actions: pl.DataFrame) -> pl.DataFrame:
    """Return the actions whose message went to the address that its customer still has: only that one is bad."""
    written_to = read_addresses(connection, batch_id)
    known = dict(read_customers(connection).select("customer_id", pl.col("email").fill_null("")).iter_rows())
    is_same = [
        is_same_address(written_to[message_id], known.get(customer_id, ""))
        for message_id, customer_id in actions.select("message_id", "customer_id").iter_rows()
    ]
    return actions.filter(pl.Series(is_same, dtype=pl.Boolean))


def _note_bounces(_run: Run, actions: pl.DataFrame) -> pl.DataFrame:
    customers = actions.select("customer_id").unique().sort("customer_id")
    return _events(customers, kind=EventKind.BOUNCE, reason="refused by the mail server")


def _hold_items(run: Run, actions: pl.DataFrame) -> pl.DataFrame:
    items = actions.select(ITEM_KEY).unique().sort(ITEM_KEY)
    until = run.as_of + timedelta(days=HELD_DAYS)
    return _events(
        items, kind=EventKind.HOLD, until=until, reason="the mail server refused the message for what it is"
    )


def _events(rows: pl.DataFrame, *, kind: EventKind, **said: object) -> pl.DataFrame:
    named = rows.with_columns(pl.lit(kind.value).alias("kind"), **{k: pl.lit(v) for k, v in said.items()})
    return pl.concat([EVENTS.to_frame(), named], how="diagonal").select(EVENTS.names())


def _day(outcome: MessageOutcome) -> date:
    return outcome.on


def _outcome(outcome: MessageOutcome) -> Outcome:
    return Outcome(
        outcome.message_id, _KINDS[outcome.status], outcome.on, outcome.recorded_at, outcome.answer
    )


def _log_resolutions(
    connection: Connection, run: Run, batch_id: str, outcomes: Sequence[MessageOutcome]
) -> None:
    """Log who settled what and why, in the name of whoever did: the run may be a later one, after a cut."""
    by_actor: dict[str, list[NewEvent]] = {}
    for outcome in outcomes:
        if said := outcome.resolution:
            payload = {
                "batch_id": batch_id,
                "message_id": outcome.message_id,
                "on": said.on,
                "at": outcome.recorded_at,
                "left": "yes" if outcome.status is DeliveryStatus.DISPATCHED else "no",
                "evidence": said.evidence,
            }
            by_actor.setdefault(said.by, []).append(NewEvent("delivery_resolved", payload))
    for actor, events in by_actor.items():
        append_events(connection, events, recorded_at=run.clock(), actor=actor, run_id=run.run_id)


def _events_of(connection: Connection, batch_id: str, outcomes: Sequence[MessageOutcome]) -> list[NewEvent]:
    customers = read_customers_of_actions(connection, batch_id)
    return [
        NewEvent(f"action_{outcome.status.value}", payload, action_id, customers.get(action_id))
        for outcome in outcomes
        for payload in [_payload(batch_id, outcome)]
        for action_id in outcome.action_ids
    ]


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
