"""When cash came in for each item: named payments, and what statements show as paid.

Promises, plans, payment habits and declining interest ask for dates; balances (`policies.allocation`)
don't. What a statement shows as paid and no payment explains is paid on the statement's date.
"""

import polars as pl

from policies.allocation import INSTALLMENT_ORDER, INVOICE_KEY, Allocation
from policies.model import TOTAL

_ZERO = pl.lit(0, TOTAL)


def receipts(allocation: Allocation) -> pl.DataFrame:
    """Return cash by item and day: item, date, amount (reversals negative), sorted by item and date."""
    named = allocation.payments.filter(pl.col("reach") == "item").select(
        "item", "amount", date="payment_date"
    )
    spread = _spread_over_installments(allocation)
    known = pl.concat([named, spread]).group_by("item", "date").agg(pl.col("amount").sum())
    unexplained = _unexplained(allocation, known)
    return (
        pl.concat([known.select("item", "date", "amount"), unexplained])
        .group_by("item", "date")
        .agg(pl.col("amount").sum())
        .sort("item", "date")
    )


def _spread_over_installments(allocation: Allocation) -> pl.DataFrame:
    """Return invoice-level payments laid over the installments, oldest money on the oldest installment.

    Both are laid end to end along one line of money per invoice; each overlap is one receipt.
    """
    paying = allocation.payments.filter(pl.col("reach") == "invoice")
    empty = pl.DataFrame(schema={"item": pl.UInt32, "amount": TOTAL, "date": pl.Date})
    if paying.is_empty():
        return empty
    money = (
        paying.sort(*INVOICE_KEY, "payment_date", "payment_id")
        .with_columns(money_to=pl.col("amount").cum_sum().over(INVOICE_KEY))
        .select(*INVOICE_KEY, "payment_date", "money_to", money_from=pl.col("money_to") - pl.col("amount"))
    )
    room = (
        allocation.items.filter(~pl.col("is_credit"))
        .join(paying.select(INVOICE_KEY).unique(), on=INVOICE_KEY, how="semi")
        .sort(*INVOICE_KEY, *INSTALLMENT_ORDER)
        .with_columns(room_to=pl.col("amount").cum_sum().over(INVOICE_KEY))
        .select(*INVOICE_KEY, "item", "room_to", room_from=pl.col("room_to") - pl.col("amount"))
    )
    overlap = pl.min_horizontal("money_to", "room_to") - pl.max_horizontal("money_from", "room_from")
    return (
        money.join(room, on=INVOICE_KEY)
        .with_columns(overlap=overlap)
        .filter(pl.col("overlap") > 0)
        .select("item", amount="overlap", date="payment_date")
    )


def _unexplained(allocation: Allocation, known: pl.DataFrame) -> pl.DataFrame:
    """Return what each statement shows as paid beyond the known cash and credit notes since the one before."""
    stated = allocation.statements.filter(
        pl.col("amount_open").is_not_null() & (pl.col("date") <= allocation.as_of)
    )
    if stated.is_empty():
        return pl.DataFrame(schema={"item": pl.UInt32, "date": pl.Date, "amount": TOTAL})
    explained = pl.concat([known.select("item", "date", "amount"), _credit_notes(allocation)])
    running = (
        explained.group_by("item", "date")
        .agg(pl.col("amount").sum())
        .sort("item", "date")
        .with_columns(explained=pl.col("amount").cum_sum().over("item"))
        .sort("date")
        .select("item", "date", "explained")
    )
    points = (
        stated.unique(["item", "date"], keep="last", maintain_order=True)
        .sort("date")
        .join_asof(running, on="date", by="item", strategy="backward", check_sortedness=False)
        .join(allocation.items.select("item", "amount"), on="item")
        .with_columns(pl.col("explained").fill_null(_ZERO))
        .sort("item", "date")
    )
    before = pl.col("amount_open").shift(1).over("item").fill_null(pl.col("amount"))
    since = pl.col("explained") - pl.col("explained").shift(1).over("item").fill_null(_ZERO)
    return (
        points.with_columns(missing=before - since - pl.col("amount_open"))
        .filter(pl.col("missing") > 0)
        .select("item", "date", amount="missing")
    )


def _credit_notes(allocation: Allocation) -> pl.DataFrame:
    """Return credit notes as reductions of the invoices they name, on their date (first installment)."""
    notes = allocation.items.filter(pl.col("is_credit") & pl.col("credited_invoice_number").is_not_null())
    first = (
        allocation.items.filter(~pl.col("is_credit"))
        .sort(*INVOICE_KEY, *INSTALLMENT_ORDER)
        .unique(INVOICE_KEY, keep="first", maintain_order=True)
        .select("customer_id", "currency", "item", credited_invoice_number="invoice_number")
    )
    return (
        notes.drop("item")
        .join(first, on=["customer_id", "credited_invoice_number", "currency"])
        .select("item", amount=-pl.col("amount"), date="invoice_date")
        .select("item", "date", "amount")
    )
