"""Leaves out invoices about which nothing more will happen, so that many days can be decided on fewer rows.

What remains decides exactly as the whole history does, on every day from the one given: an invoice is kept
whenever anything dated from that day on, or anything about its customer, might still ask for it.
"""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from policies.allocation import INVOICE_KEY, Allocation, allocate
from policies.balances import CLEARED, VANISHED, statements
from policies.behaviour import LOOK_BACK_DAYS, paid_invoices
from policies.happenings import of_kind
from policies.history import History, Settled
from policies.model import ACCOUNT_KEY, EventKind
from policies.receipts import receipts

_INVOICE = ("customer_id", "invoice_number")


def leave_out_settled(history: History, by: date, until: date, *, keep_dispatched: bool = False) -> History:
    """Return the history without the invoices that are over before `by`, their habits noted in `settled`.

    Args:
        history: what is known; it may have been through here for an earlier day.
        by: the first day that will be asked about.
        until: the last such day.
        keep_dispatched: keep every invoice of which a step was dispatched (amounts waived are laid over them).
    """
    eve = allocate(history, by - timedelta(days=1))
    over = _over(history, eve, by, until)
    if keep_dispatched:
        over = over.join(history.dispatches.select(_INVOICE).unique(), on=_INVOICE, how="anti")
    if over.is_empty():
        return history
    return replace(
        history,
        documents=history.documents.join(over, on=_INVOICE, how="anti"),
        listings=history.listings.join(over, on=_INVOICE, how="anti"),
        payments=history.payments.join(over, on=_INVOICE, how="anti"),
        settled=_settled(history.settled, eve, over, by),
    )


def _over(history: History, eve: Allocation, by: date, until: date) -> pl.DataFrame:
    """Return the invoices (customer_id, invoice_number) that are paid and will not be heard of again."""
    items, payments = eve.items, eve.payments
    is_gone = (pl.col("absence") == VANISHED).fill_null(False)
    files = history.files.select("intake_id", "file_date")
    said_later = history.listings.join(files, on="intake_id", how="left").filter(
        (pl.col("file_date") >= by) | (pl.col("balance_date") >= by)
    )
    said = statements(history, items, until).filter(pl.col("date") >= by).select("item", said="absence")
    is_repeated = ((pl.col("absence") == CLEARED) & (pl.col("said") == CLEARED)).fill_null(False)
    notes = history.documents.filter(pl.col("credited_invoice_number").is_not_null())
    kept = [
        items.filter((pl.col("amount_open") != 0) | pl.col("is_credit") | is_gone),
        history.documents.filter(~(pl.col("invoice_date") < by).fill_null(False)),
        notes.select("customer_id", invoice_number="credited_invoice_number"),
        history.payments.filter((pl.col("payment_date") >= by) & pl.col("invoice_number").is_not_null()),
        payments.filter((pl.col("reach") == "nothing") & pl.col("invoice_number").is_not_null()),
        said_later,
        items.join(said, on="item").filter(~is_repeated),
        _unbalanced(eve),
    ]
    keys = pl.concat([frame.select(_INVOICE) for frame in kept]).unique()
    promised = of_kind(history.events, EventKind.PROMISE, EventKind.PAYMENT_PLAN).select("customer_id")
    return (
        items.select(_INVOICE)
        .unique()
        .join(keys, on=_INVOICE, how="anti")
        .join(promised.unique(), on="customer_id", how="anti")
    )


def _unbalanced(eve: Allocation) -> pl.DataFrame:
    """Return the invoices whose cash is not exactly what they owed, or came after their source cleared them."""
    is_counted = pl.col("stated_on").is_null() | (pl.col("payment_date") > pl.col("stated_on"))
    counted = eve.payments.filter((pl.col("reach") != "nothing") & is_counted)
    cash = counted.group_by(INVOICE_KEY).agg(cash=pl.col("amount").sum())
    owed = eve.items.group_by(INVOICE_KEY).agg(
        owed=pl.col("base").sum(), is_cleared=(pl.col("absence") == CLEARED).any()
    )
    is_exact = (pl.col("cash") == pl.col("owed")) & ~pl.col("is_cleared").fill_null(False)
    return cash.join(owed, on=INVOICE_KEY).filter(~is_exact)


def _settled(before: Settled | None, eve: Allocation, over: pl.DataFrame, by: date) -> Settled:
    """Return how the invoices now left out were paid, beside those left out before."""
    cash = receipts(eve)
    items = eve.items.join(over, on=_INVOICE, how="semi")
    invoices = paid_invoices(replace(eve, items=items), cash).drop("account")
    shown = cash.filter("is_shown").join(items.select("item", *ACCOUNT_KEY), on="item")
    paid = eve.payments.filter(pl.col("amount") > 0).join(over, on=_INVOICE, how="semi")
    payments = [
        shown.filter(pl.col("amount") > 0).select(*ACCOUNT_KEY, "date"),
        paid.select(*ACCOUNT_KEY, date="payment_date"),
    ]
    if before is not None:
        still_counts = pl.col("paid_date") > by - timedelta(days=LOOK_BACK_DAYS)
        invoices = pl.concat([before.invoices.filter(still_counts), invoices])
        payments.append(before.payments)
    return Settled(invoices, pl.concat(payments).group_by(ACCOUNT_KEY).agg(pl.col("date").max()))
