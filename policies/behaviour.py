"""How each customer has paid: lateness, trend, last payment, over the last 365 days.

An invoice counts as paid on the day of the cash that closed it. Averages are kept as decimals, so that
conditions compare exactly.
"""

from datetime import date

import polars as pl

from policies.allocation import Allocation
from policies.balances import VANISHED
from policies.facts import RATIO
from policies.history import Settled
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


def payment_behaviour(
    allocation: Allocation, cash: pl.DataFrame, settled: Settled | None = None
) -> pl.DataFrame:
    """Return payment habits by customer and currency, also from the invoices that were left out as settled.

    Columns: paid_invoices, average_days_late, median_days_late, late_share, late_trend_days (average of the
    last 90 days minus the average before; positive = getting worse), last_payment, days_since_last_payment.
    """
    as_of: date = allocation.as_of
    is_recent = pl.col("paid_date") > pl.lit(as_of) - pl.duration(days=TREND_DAYS)
    days = pl.col("days_late")
    paid = paid_invoices(allocation, cash)
    if settled is not None:
        paid = pl.concat([paid, _left_out(allocation, settled).select(paid.columns)])
    habits = (
        paid.with_columns(
            recent=pl.when(is_recent).then(days), before=pl.when(~is_recent).then(days), is_late=days > 0
        )
        .group_by("account")
        .agg(
            pl.col(ACCOUNT_KEY).first(),
            paid_invoices=pl.len().cast(pl.Int64),
            average_days_late=_figure(days.mean()),
            median_days_late=_figure(days.median()),
            late_share=_figure(pl.col("is_late").mean()),
            late_trend_days=_figure(pl.col("recent").mean() - pl.col("before").mean()),
        )
        .drop("account")
    )
    cash_in = allocation.payments.select(*ACCOUNT_KEY, "amount", date="payment_date")
    shown = cash.filter("is_shown").join(allocation.items.select("item", *ACCOUNT_KEY), on="item")
    received = pl.concat([cash_in, shown.select(cash_in.columns)]).filter(pl.col("amount") > 0)
    dates = received.select(*ACCOUNT_KEY, "date")
    last = (
        (dates if settled is None else pl.concat([dates, settled.payments]))
        .group_by(ACCOUNT_KEY)
        .agg(last_payment=pl.col("date").max())
        .with_columns(days_since_last_payment=(pl.lit(as_of) - pl.col("last_payment")).dt.total_days())
    )
    return habits.join(last, on=ACCOUNT_KEY, how="full", coalesce=True)


def _left_out(allocation: Allocation, settled: Settled) -> pl.DataFrame:
    """Return the settled invoices of the look-back, with the account they belong to where it is still known."""
    since = pl.lit(allocation.as_of) - pl.duration(days=LOOK_BACK_DAYS)
    accounts = allocation.items.select("account", *ACCOUNT_KEY).unique("account")
    return settled.invoices.filter(pl.col("paid_date") > since).join(accounts, on=ACCOUNT_KEY)


def _has_vanished() -> pl.Expr:
    return (pl.col("absence") == VANISHED).fill_null(False)


def _figure(expression: pl.Expr) -> pl.Expr:
    """Return a mean as a decimal, rounded half away from zero."""
    return expression.round(6, mode="half_away_from_zero").cast(RATIO)
