"""What has been done so far: steps dispatched for each item, contacts with each customer.

Facts at a date see dispatches dated before it. A registered letter that came back undelivered does not
count as a step, though it was a contact. Agencies and courts are no contact.
"""

from datetime import date

import polars as pl

from policies.happenings import of_items, of_kind
from policies.model import ACCOUNT_KEY, THIRD_PARTY_CHANNELS, Channel, EventKind

UNDELIVERED_OUTCOMES = ("undelivered", "returned", "bounced", "failed")
DELIVERED_OUTCOMES = ("delivered", "received")
_NO_CONTACTS = {**dict.fromkeys(ACCOUNT_KEY, pl.String()), "contacts_without_answer": pl.Int64()}
_ANSWERS = (EventKind.ANSWER, EventKind.PROMISE, EventKind.PAYMENT_PLAN, EventKind.DISPUTE)


def dispatched_steps(
    dispatches: pl.DataFrame, items: pl.DataFrame, events: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return the dispatches before `as_of` by item.

    Columns: item, step, channel, dispatch_date, attempt, outcome, fee, is_done (false: a registered letter that was
    not delivered).
    """
    keyed = items.select("item", "customer_id", "invoice_number", "installment")
    sent = (
        dispatches.filter(pl.col("dispatch_date") < as_of)
        .join(keyed, on=["customer_id", "invoice_number", "installment"])
        .select("item", "step", "channel", "dispatch_date", "attempt", "outcome", "fee")
        .sort("item", "dispatch_date", "step", "attempt")
        .with_row_index("dispatch")
    )
    if sent.is_empty():
        return sent.drop("dispatch").with_columns(is_done=pl.lit(True))
    came_back = _returned(
        sent,
        of_items(events, items, EventKind.LETTER_RETURNED),
        of_items(events, items, EventKind.LETTER_RECEIVED),
    )
    is_known_undelivered = pl.col("outcome").is_in(UNDELIVERED_OUTCOMES).fill_null(False)
    is_returned = pl.col("dispatch").is_in(came_back.implode()) | is_known_undelivered
    return sent.with_columns(is_done=~(_is_registered() & is_returned)).drop("dispatch")


def _is_registered() -> pl.Expr:
    return (pl.col("channel") == Channel.REGISTERED_LETTER.value).fill_null(False)


def _returned(sent: pl.DataFrame, returns: pl.DataFrame, receipts: pl.DataFrame) -> pl.Series:
    """Return which registered letters came back: of each return the last letter sent before that day.

    A letter sent on the very day of the return is a new one, unless it is the first. A letter that was received on a
    later day than it came back, and before the next one was sent, was delivered in the end.
    """
    letters = sent.filter(_is_registered())
    days = letters.select("item", "dispatch_date").unique().sort("item", "dispatch_date")
    beside = days.with_columns(
        first_date=pl.col("dispatch_date").min().over("item"),
        next_date=pl.col("dispatch_date").shift(-1).over("item"),
    )
    came_back = (
        letters.join(beside, on=["item", "dispatch_date"])
        .join(returns.select("item", returned_on="event_date"), on="item")
        .filter(
            (pl.col("dispatch_date") < pl.col("returned_on"))
            | (
                (pl.col("dispatch_date") == pl.col("returned_on"))
                & (pl.col("dispatch_date") == pl.col("first_date"))
            )
        )
        .filter(pl.col("dispatch_date") == pl.col("dispatch_date").max().over("item", "returned_on"))
    )
    delivered = came_back.join(receipts.select("item", received_on="event_date"), on="item").filter(
        pl.col("received_on") > pl.col("returned_on"),
        pl.col("next_date").is_null() | (pl.col("received_on") <= pl.col("next_date")),
    )
    return (
        came_back.join(delivered, on=["dispatch", "returned_on"], how="anti").get_column("dispatch").unique()
    )


def contact_days(dispatches: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the days on which each customer was contacted before `as_of`, in any order: customer_id, contact_date."""
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    return (
        dispatches.filter(
            (pl.col("dispatch_date") < as_of) & ~pl.col("channel").is_in(third_parties).fill_null(False)
        )
        .select("customer_id", contact_date="dispatch_date")
        .unique()
    )


def contact_facts(contacts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return when each customer was contacted last: customer_id, last_contact, days_since_last_contact."""
    return (
        contacts.group_by("customer_id")
        .agg(last_contact=pl.col("contact_date").max())
        .with_columns(days_since_last_contact=(pl.lit(as_of) - pl.col("last_contact")).dt.total_days())
    )


def unanswered_contacts(accounts: pl.DataFrame, contacts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return contacts_without_answer by customer and currency.

    Args:
        accounts: customer_id, currency, last_payment: a payment in a currency answers for that currency.
        contacts: days on which each customer was contacted.
        events: an answer, promise, plan or dispute answers for all currencies.
    """
    if contacts.is_empty():
        return pl.DataFrame(schema=_NO_CONTACTS)
    answers = of_kind(events, *_ANSWERS).group_by("customer_id").agg(answered=pl.col("event_date").max())
    answered = pl.max_horizontal("answered", "last_payment")
    return (
        accounts.join(answers, on="customer_id", how="left")
        .join(contacts, on="customer_id")
        .filter(answered.is_null() | (pl.col("contact_date") > answered))
        .group_by(ACCOUNT_KEY)
        .agg(contacts_without_answer=pl.len().cast(pl.Int64))
    )
