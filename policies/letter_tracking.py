"""What became of letters, as events of the items they were about.

A letter that was handed in says nothing yet. One that came back counts as not delivered whatever the reason, and the
reason stays with it: whether a refusal is as good as a delivery is a matter of law that a person judges.
"""

from enum import StrEnum

import polars as pl

from policies.model import EVENTS, EventKind


class LetterStatus(StrEnum):
    """What a printer or a post office says of a letter."""

    DEPOSITED = "deposited"
    DELIVERED = "delivered"
    RETURNED = "returned"
    UNCLAIMED = "unclaimed"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"


EVENT_OF = {
    LetterStatus.DELIVERED: EventKind.LETTER_RECEIVED,
    **dict.fromkeys(
        (LetterStatus.RETURNED, LetterStatus.UNCLAIMED, LetterStatus.REFUSED, LetterStatus.WRONG_ADDRESS),
        EventKind.LETTER_RETURNED,
    ),
}


def letter_events(letters: pl.DataFrame) -> pl.DataFrame:
    """Return the events that statuses of letters mean (columns EVENTS).

    Args:
        letters: one row for each status and item: the columns TRACKING with event_id, customer_id, invoice_number
            and installment.
    """
    kinds = {status.value: kind.value for status, kind in EVENT_OF.items()}
    blank = [pl.lit(None, EVENTS[name]).alias(name) for name in ("amount", "until", "note")]
    return (
        letters.with_columns(
            *blank,
            kind=pl.col("status").replace_strict(kinds, default=None, return_dtype=pl.String),
            event_date=pl.col("status_date"),
            reference=pl.col("tracking_number"),
            reason=pl.col("status"),
            actor=pl.lit("post"),
        )
        .filter(pl.col("kind").is_not_null())
        .select(EVENTS.names())
    )
