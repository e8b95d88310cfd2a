"""What a collection agency reports of its cases, as events of the customer.

Money that an agency reports is no cash of the ledger: the ledger says so itself when it comes in. So a reported
payment is an answer of the customer, with the amount as it was told. What the agency gives up comes back and waits
for a person.
"""

from enum import StrEnum

import polars as pl

from policies.model import EVENTS, EventKind


class AgencyStatus(StrEnum):
    """What an agency says of a case."""

    IN_PROGRESS = "in_progress"
    PAYMENT_REPORTED = "payment_reported"
    PROMISE = "promise"
    DISPUTE = "dispute"
    INSOLVENCY = "insolvency"
    UNCOLLECTIBLE = "uncollectible"
    CLOSED = "closed"


REPORTED: dict[AgencyStatus, tuple[EventKind, ...]] = {
    AgencyStatus.IN_PROGRESS: (),
    AgencyStatus.PAYMENT_REPORTED: (EventKind.ANSWER,),
    AgencyStatus.PROMISE: (EventKind.PROMISE,),
    AgencyStatus.DISPUTE: (EventKind.DISPUTE,),
    AgencyStatus.INSOLVENCY: (EventKind.INSOLVENCY,),
    # It would climb the ladder again: a person decides, mostly on a write-off.
    AgencyStatus.UNCOLLECTIBLE: (EventKind.RECALL, EventKind.HOLD),
    AgencyStatus.CLOSED: (EventKind.RECALL,),
}

_WITH_AMOUNT = (EventKind.ANSWER, EventKind.PROMISE, EventKind.DISPUTE)
_ACTOR = "agency"


def reported_events(reports: pl.DataFrame) -> pl.DataFrame:
    """Return the events that rows of a report mean (columns EVENTS, `event_id` blank), in the order of the rows."""
    meanings = pl.DataFrame(
        [{"status": status.value, "kind": kind.value} for status, kinds in REPORTED.items() for kind in kinds]
    )
    has_amount = pl.col("kind").is_in([kind.value for kind in _WITH_AMOUNT])
    return (
        reports.join(meanings, on="status", maintain_order="left")
        .with_columns(
            event_id=pl.lit(None, pl.String),
            event_date=pl.col("status_date"),
            amount=pl.when(has_amount).then("amount"),
            until=pl.when(pl.col("kind") == EventKind.PROMISE.value).then("until"),
            reference=pl.coalesce("reference", "case_id"),
            reason=pl.col("status"),
            actor=pl.lit(_ACTOR),
        )
        .select(EVENTS.names())
    )
