"""How late each open item is, and the buckets the policy asks for.

Per currency the columns of the aging table sum exactly to the open items plus unapplied cash, which is the
ledger balance. Overdue starts the day after the due date.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import polars as pl

from policies.balances import VANISHED
from policies.model import TOTAL

NOT_DUE = "not_due"
NO_DUE_DATE = "no_due_date"
UNAPPLIED = "unapplied"


def bucket_names(edges_days: Sequence[int]) -> list[str]:
    """Return the buckets between the edges: `[0, 30, 60]` gives not_due, days_1_30, days_31_60, days_61_plus."""
    closed = [f"days_{low + 1}_{high}" for low, high in pairwise(edges_days)]
    return [NOT_DUE, *closed, f"days_{edges_days[-1] + 1}_plus"]


def age_items(items: pl.DataFrame, as_of: date, edges_days: Sequence[int]) -> pl.DataFrame:
    """Add days_past_due, days_since_invoice and aging_bucket (none for vanished ones) to open items."""
    names = bucket_names(edges_days)
    days = pl.col("days_past_due")
    bucket = (
        pl.when((pl.col("absence") == VANISHED).fill_null(False))
        .then(None)
        .when(pl.col("amount_open") < 0)
        .then(pl.lit(UNAPPLIED))
        .when(days.is_null())
        .then(pl.lit(NO_DUE_DATE))
    )
    for upper, name in zip(edges_days, names, strict=False):
        bucket = bucket.when(days <= upper).then(pl.lit(name))
    return items.with_columns(
        days_past_due=(pl.lit(as_of) - pl.col("due_date")).dt.total_days(),
        days_since_invoice=(pl.lit(as_of) - pl.col("invoice_date")).dt.total_days(),
    ).with_columns(aging_bucket=bucket.otherwise(pl.lit(names[-1])))


def aging_table(
    open_items: pl.DataFrame, unapplied_cash: pl.DataFrame, edges_days: Sequence[int]
) -> pl.DataFrame:
    """Return one row per customer and currency with its buckets; `total` is the sum of all columns before it.

    Args:
        open_items: aged items (`age_items`) with amount_open not zero; vanished ones are left out.
        unapplied_cash: customer_id, currency, amount (0 or negative).
        edges_days: the policy's bucket edges.
    """
    columns = [*bucket_names(edges_days), NO_DUE_DATE, UNAPPLIED]
    listed = open_items.filter(pl.col("aging_bucket").is_not_null())
    amounts = pl.concat(
        [
            listed.select("customer_id", "currency", "aging_bucket", amount="amount_open"),
            unapplied_cash.select(
                "customer_id", "currency", pl.lit(UNAPPLIED).alias("aging_bucket"), "amount"
            ),
        ]
    )
    return (
        amounts.group_by("customer_id", "currency")
        .agg(
            pl.col("amount").filter(pl.col("aging_bucket") == name).sum().cast(TOTAL).alias(name)
            for name in columns
        )
        .with_columns(total=pl.sum_horizontal(columns).cast(TOTAL))
        .sort("customer_id", "currency")
    )
