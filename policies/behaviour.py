"""How each customer has paid: lateness, trend, last payment, over the last 365 days.

An invoice counts as paid on the day of the cash that closed it. Averages are kept as decimals, so that
conditions compare exactly.
"""

from datetime import date

import polars as pl

from policies.allocation import Allocation
from policies.balances import VANISHED
from policies.facts import RATIO
from policies.model import ACCOUNT_KEY

LOOK_BACK_DAYS = 365
TREND_DAYS = 90


def paid_invoices(allocation: Allocation, cash: pl.DataFrame) -> pl.DataFrame:
    """Return the fully paid items of the look-back: its account, paid_date, days_late (negative = early)."""
    paid_on = cash.filter(pl.col("amount") > 0).group_by("item").agg(paid_date=pl.col("date").max())
    since = pl.lit(allocation.as_of) - pl.duration(days=LOOK_BACK_DAYS)
    return (
        allocation.items.filter((pl.col("amount_open") == 0) & (pl.col("amount") > 0) & ~_has_vanished())
        .join(paid_on, on="item")
        .filter(pl.col("paid_date") > since)
        .with_columns(days_late=(pl.col("paid_date") - pl.col("due_date")).dt.total_days())
        .select("account", *ACCOUNT_KEY, "paid_date", "days_late")
    )


def payment_behaviour(allocation: Allocation, cash: pl.DataFrame) -> pl.DataFrame:
    """Return payment habits by customer and currency.

    Columns: paid_invoices, average_days_late, median_days_late, late_share, late_trend_days (average of the
    last 90 days minus the average before; positive = getting worse), last_payment, days_since_last_payment.
    """
    as_of: date = allocation.as_of
    is_recent = pl.col("paid_date") > pl.lit(as_of) - pl.duration(days=TREND_DAYS)
    days = pl.col("days_late")
    habits = (
        paid_invoices(allocation, cash)
        .group_by("account")
        .agg(
            pl.col(ACCOUNT_KEY).first(),
            paid_invoices=pl.len().cast(pl.Int64),
            average_days_late=_figure(days.mean()),
            median_days_late=_figure(days.median()),
            late_share=_figure((days > 0).mean()),
            late_trend_days=_figure(days.filter(is_recent).mean() - days.filter(~is_recent).mean()),
        )
        .drop("account")
    )
    paid = allocation.payments.select(*ACCOUNT_KEY, "amount", date="payment_date")
    shown = cash.filter("is_shown").join(allocation.items.select("item", *ACCOUNT_KEY), on="item")
    last = (
        pl.concat([paid, shown.select(paid.columns)])
        .filter(pl.col("amount") > 0)
        .group_by(ACCOUNT_KEY)
        .agg(last_payment=pl.col("date").max())
        .with_columns(days_since_last_payment=(pl.lit(as_of) - pl.col("last_payment")).dt.total_days())
    )
    return habits.join(last, on=ACCOUNT_KEY, how="full", coalesce=True)


def _has_vanished() -> pl.Expr:
    return (pl.col("absence") == VANISHED).fill_null(False)


def _figure(expression: pl.Expr) -> pl.Expr:
    """Return a mean as a decimal, rounded half away from zero."""
    return expression.round(6, mode="half_away_from_zero").cast(RATIO)
