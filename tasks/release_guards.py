"""Looks once more before a batch leaves: at the log, the clock, the policy, the sources; sends it back if one is odd.

The log is followed from its published head on; what stands before was followed when it was published, and
`relance audit verify` follows it all. A batch that has begun to leave is not stopped half-way by these.
"""

from datetime import date

import polars as pl

from policies.business_days import business_days_between
from policies.guards import Tripped
from policies.release_guards import AtRelease, find_tripped_at_release
from tasks.ledger import NewEvent, append_events
from tasks.publish import find_break_since_published
from tasks.rules import Rules
from tasks.run import Run
from tasks.store.approvals import send_back
from tasks.store.audit import find_newest_before
from tasks.store.batches import BatchStatus, read_batch
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.intakes import list_intakes


def send_back_if_odd(run: Run, batch_id: str, rules: Rules) -> list[str]:
    """Let a batch wait for a person when a guard trips; return the sentences, nothing when it may leave.

    What an approval was given with in sight does not keep the batch again.
    """
    with open_to_read(run.workspace) as connection:
        batch = read_batch(connection, batch_id)
        if batch is None or batch["status"] not in (BatchStatus.DRAFT, BatchStatus.APPROVED):
            return []
        known = _look(run, connection, rules, str(batch["policy_hash"]))
    is_approved = batch["status"] == BatchStatus.APPROVED
    shown = str(batch["guard_sentence"] or "").splitlines() if is_approved else []
    tripped = find_tripped_at_release(known, shown)
    if tripped:
        _send_back(run, batch_id, tripped)
    return [one.sentence for one in tripped]


def _look(run: Run, connection: Connection, rules: Rules, drafted_under: str) -> AtRelease:
    newest_source = _newest_source(connection, run.as_of)
    country = (rules.policy.calendar.country if rules.policy.calendar else None) or ""
    return AtRelease(
        now=run.clock(),
        newest_event_at=find_newest_before(connection, run.run_id),
        log_problem=find_break_since_published(connection, run.workspace),
        drafted_under=drafted_under,
        policy_hash=rules.policy_hash,
        newest_source=newest_source,
        source_age_days=business_days_between(newest_source, run.as_of, country) if newest_source else None,
        maximum_source_age_days=rules.policy.guards.maximum_source_age_business_days,
    )


def _newest_source(connection: Connection, as_of: date) -> date | None:
    carrying = list_intakes(connection).filter(
        (pl.col("carries_payments") | pl.col("carries_balances")) & (pl.col("file_date") <= as_of)
    )
    newest = carrying["file_date"].max()
    return newest if isinstance(newest, date) else None


def _send_back(run: Run, batch_id: str, tripped: list[Tripped]) -> None:
    sentences = [one.sentence for one in tripped]
    payload = {
        "batch_id": batch_id,
        "on": run.as_of,
        "guards": [{"code": one.code, "sentence": one.sentence} for one in tripped],
    }
    with open_to_write(run.workspace) as connection:
        send_back(
            connection,
            batch_id,
            on=run.as_of,
            why="a guard asks for another look",
            guard_sentence="\n".join(sentences),
        )
        event = NewEvent("batch_sent_back", payload)
        append_events(connection, [event], recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
