"""What items owed at the end of earlier days, as known now: for promises that named no amount.

Each customer asked about is copied once per day, with nothing but what is dated up to then; one allocation
answers for all copies.
"""

from dataclasses import replace
from datetime import date

import polars as pl

from policies.allocation import allocate
from policies.happenings import of_kind
from policies.history import History, empty_history
from policies.model import ITEM_KEY, EventKind


def earlier_balances(history: History, moments: pl.DataFrame) -> pl.DataFrame:
    """Return what every item of some customers owed on some days.

    Args:
        history: all that is known.
        moments: customer_id, day.

    Returns:
        customer_id, invoice_number, installment, day, amount_open; no row for an item not yet issued.
    """
    if history.remembered is not None:
        return history.remembered.join(moments.unique(), on=["customer_id", "day"], how="semi")
    days = moments.select("day").unique().sort("day").with_row_index("moment")
    copies = moments.unique().join(days, on="day").with_columns(copy=_of_moment("customer_id"))
    latest = max(days.get_column("day"), default=date.min)
    allocation = allocate(_copied(history, copies, days), latest)
    return (
        allocation.items.rename({"customer_id": "copy"})
        .join(copies, on="copy")
        .select(*ITEM_KEY, "day", "amount_open")
    )


def remember(history: History) -> History:
    """Return the history with the balances that its promises without amount will ask for, whatever the day."""
    open_ended = of_kind(history.events, EventKind.PROMISE).filter(pl.col("amount").is_null())
    moments = open_ended.select("customer_id", day="event_date")
    return replace(history, remembered=earlier_balances(history, moments))


def _of_moment(name: str) -> pl.Expr:
    return pl.format("{}@{}", "moment", name)


def _copied(history: History, copies: pl.DataFrame, days: pl.DataFrame) -> History:
    """Return the history of the copies: customers, sources and files renamed by their moment."""
    file_count = pl.lit(history.files.get_column("intake_id").max(), pl.Int64).fill_null(0) + 1
    intake_id = pl.col("intake_id") + pl.col("moment").cast(pl.Int64) * file_count

    def of_copies(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(copies, on="customer_id").with_columns(customer_id="copy")

    listings = of_copies(history.listings).with_columns(
        intake_id=intake_id, amount_open=pl.when(pl.col("balance_date") <= pl.col("day")).then("amount_open")
    )
    files = days.join(history.files, how="cross").with_columns(
        intake_id=intake_id, source=_of_moment("source")
    )
    return replace(
        empty_history(),
        files=files.filter(pl.col("file_date") <= pl.col("day")).select(history.files.columns),
        documents=of_copies(history.documents)
        .filter(pl.col("invoice_date") <= pl.col("day"))
        .select(history.documents.columns),
        listings=listings.select(history.listings.columns),
        payments=of_copies(history.payments)
        .filter(pl.col("payment_date") <= pl.col("day"))
        .select(history.payments.columns),
    )
