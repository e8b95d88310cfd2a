"""A person's word on a batch: approved by name, or rejected with a reason and the date until which it holds."""

from datetime import date

import polars as pl

from policies.model import EVENTS, EventKind
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.run import Run
from tasks.store.batch_lists import list_actions
from tasks.store.batches import BatchStatus, approve_batch, reject_batch
from tasks.store.connection import open_to_write


def approve(run: Run, batch_id: str, by: str) -> BatchStatus:
    """Note that `by` approves; the batch stays a draft while its policy asks for more names."""
    with open_to_write(run.workspace) as connection:
        recorded_at = run.clock()
        status = approve_batch(connection, batch_id, by, run.as_of, recorded_at)
        event = NewEvent(
            "batch_approved", {"batch_id": batch_id, "on": run.as_of, "by": by, "status": status.value}
        )
        append_events(connection, [event], recorded_at=recorded_at, actor=by, run_id=run.run_id)
    return status


def reject(run: Run, batch_id: str, by: str, why: str, until: date) -> int:
    """Reject a batch; each of its items is held until the date. Return how many messages were rejected."""
    with open_to_write(run.workspace) as connection:
        recorded_at = run.clock()
        actions = list_actions(connection, batch_id)
        ended = reject_batch(
            connection, batch_id, by=by, on=run.as_of, until=until, why=why, recorded_at=recorded_at
        )
        held = actions.filter(pl.col("message_id").is_in(ended))
        events = pl.concat(
            [
                held.select("customer_id", "invoice_number", "installment")
                .unique(maintain_order=True)
                .with_columns(
                    kind=pl.lit(EventKind.HOLD.value),
                    until=pl.lit(until),
                    reference=pl.lit(batch_id),
                    reason=pl.lit(why),
                    actor=pl.lit(by),
                ),
                EVENTS.to_frame(),
            ],
            how="diagonal",
        ).select(EVENTS.names())
        if events.height:
            add_events(connection, run, events)
        payload = {"batch_id": batch_id, "on": run.as_of, "by": by, "why": why, "until": until}
        logged = [NewEvent("batch_rejected", payload)]
        append_events(connection, logged, recorded_at=recorded_at, actor=by, run_id=run.run_id)
    return len(ended)
