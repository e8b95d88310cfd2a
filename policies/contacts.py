"""What has been done so far: steps dispatched for each item, contacts with each customer.

Facts at a date see dispatches dated before it. A registered letter that came back undelivered does not
count as a step, though it was a contact. Agencies and courts are no contact.
"""

from datetime import date

import polars as pl

from policies.happenings import of_items, of_kind
from policies.model import THIRD_PARTY_CHANNELS, Channel, EventKind

UNDELIVERED_OUTCOMES = ("undelivered", "returned", "bounced", "failed")
DELIVERED_OUTCOMES = ("delivered", "received")
_LEGAL_CHANNELS = (Channel.REGISTERED_LETTER.value,)
_ANSWERS = (EventKind.ANSWER, EventKind.PROMISE, EventKind.PAYMENT_PLAN, EventKind.DISPUTE)


def dispatched_steps(
    dispatches: pl.DataFrame, items: pl.DataFrame, events: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return the dispatches before `as_of` by item.

    Columns: item, step, channel, dispatch_date, attempt, is_done (false: a legal step not delivered), is_proved.
    """
    keyed = items.select("item", "customer_id", "invoice_number", "installment")
    sent = (
        dispatches.filter(pl.col("dispatch_date") < as_of)
        .join(keyed, on=["customer_id", "invoice_number", "installment"])
        .with_row_index("dispatch")
    )
    is_legal = pl.col("channel").is_in(_LEGAL_CHANNELS)
    came_back = _dispatches_met_by(sent.filter(is_legal), of_items(events, items, EventKind.LETTER_RETURNED))
    proved = _dispatches_met_by(sent, of_items(events, items, EventKind.LETTER_RECEIVED))
    is_returned = pl.col("dispatch").is_in(came_back.implode()) | pl.col("outcome").is_in(
        UNDELIVERED_OUTCOMES
    )
    return sent.select(
        "item",
        "step",
        "channel",
        "dispatch_date",
        "attempt",
        is_done=~(is_legal & is_returned.fill_null(False)),
        is_proved=pl.col("dispatch").is_in(proved.implode())
        | pl.col("outcome").is_in(DELIVERED_OUTCOMES).fill_null(False),
    ).sort("item", "dispatch_date", "step")


def _dispatches_met_by(sent: pl.DataFrame, met: pl.DataFrame) -> pl.Series:
    """Return the dispatch numbers whose item has such an event on or after the dispatch, and before the next one."""
    following = pl.col("dispatch_date").shift(-1).over("item", "step")
    return (
        sent.sort("item", "step", "dispatch_date")
        .with_columns(next_date=following)
        .join(met.select("item", "event_date"), on="item")
        .filter(
            (pl.col("event_date") >= pl.col("dispatch_date"))
            & (pl.col("next_date").is_null() | (pl.col("event_date") < pl.col("next_date")))
        )
        .get_column("dispatch")
        .unique()
    )


def contact_days(dispatches: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the days on which each customer was contacted before `as_of`: customer_id, contact_date."""
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    return (
        dispatches.filter((pl.col("dispatch_date") < as_of) & ~pl.col("channel").is_in(third_parties))
        .select("customer_id", contact_date="dispatch_date")
        .unique()
        .sort("customer_id", "contact_date")
    )


def contact_facts(
    contacts: pl.DataFrame, events: pl.DataFrame, payments: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return facts on contacts: customer_id, last_contact, days_since_last_contact, contacts_without_answer.

    An answer, promise, plan, dispute or payment ends a row of contacts without answer.
    """
    answers = (
        pl.concat(
            [
                of_kind(events, *_ANSWERS).select("customer_id", answered="event_date"),
                payments.select("customer_id", answered="payment_date"),
            ]
        )
        .group_by("customer_id")
        .agg(pl.col("answered").max())
    )
    is_unanswered = pl.col("answered").is_null() | (pl.col("contact_date") > pl.col("answered"))
    is_recent = pl.col("contact_date") > pl.lit(as_of) - pl.duration(days=365)
    return (
        contacts.join(answers, on="customer_id", how="left")
        .group_by("customer_id")
        .agg(
            last_contact=pl.col("contact_date").max(),
            contacts_without_answer=pl.col("contact_date")
            .filter(is_unanswered & is_recent)
            .len()
            .cast(pl.Int64),
        )
        .with_columns(days_since_last_contact=(pl.lit(as_of) - pl.col("last_contact")).dt.total_days())
    )
