"""Adds up what a simulated policy did: contacts, messages, steps and charges, by month and by customer.

Every later message states an item's charges again, so amounts are not added over messages: the charges of a period
are those claimed last for each item in it.
"""

import polars as pl

from policies.model import ITEM_KEY, THIRD_PARTY_CHANNELS, TOTAL
from policies.simulation import ACTIONS, Simulation

CHARGED = ("late_interest", "recovery_charge", "fees", "waived")
_MESSAGE = ("dispatch_date", "customer_id", "currency", "message_step", "channel", "decided_on")


def with_month(actions: pl.DataFrame) -> pl.DataFrame:
    """Add `month`, such as 2026-03."""
    return actions.with_columns(month=pl.col("dispatch_date").dt.strftime("%Y-%m"))


def contacts_by_month(simulation: Simulation) -> pl.DataFrame:
    """Return for every month how many customers were contacted, on how many days, by how many messages: counts."""
    return with_month(simulation.actions).group_by("month").agg(*_counts()).sort("month")


def steps_by_month(simulation: Simulation) -> pl.DataFrame:
    """Return how many items took each step in each month: month, step, channel, messages, items."""
    return (
        with_month(simulation.actions)
        .group_by("month", "step", "channel")
        .agg(messages=_messages(), items=pl.len().cast(pl.Int64))
        .sort("month", "step", "channel")
    )


def charges_by_month(simulation: Simulation) -> pl.DataFrame:
    """Return what was claimed last for each item in each month: month, currency, items and the amounts."""
    months = with_month(simulation.actions).partition_by("month", maintain_order=True)
    last = pl.concat([with_month(ACTIONS.to_frame()), *(last_claims(month) for month in months)])
    return _charged(last, "month", "currency")


def charges_in_all(simulation: Simulation) -> pl.DataFrame:
    """Return what was claimed last for each item in the whole period: currency, items and the amounts."""
    return _charged(last_claims(simulation.actions), "currency")


def last_claims(actions: pl.DataFrame) -> pl.DataFrame:
    """Return of each item the action that claimed charges last, even if nothing was to be had any more."""
    return actions.filter(pl.col("late_interest").is_not_null()).unique(
        ["currency", *ITEM_KEY], keep="last", maintain_order=True
    )


def by_customer(simulation: Simulation) -> pl.DataFrame:
    """Return one row per customer and currency: contacts, messages, items, first and last day, charges claimed last."""
    actions = simulation.actions
    claimed = _charged(last_claims(actions), "customer_id", "currency").drop("items")
    return (
        actions.group_by("customer_id", "currency")
        .agg(
            *_counts()[1:],
            first_contact=pl.col("dispatch_date").min(),
            last_contact=pl.col("dispatch_date").max(),
            last_step=pl.col("step").last(),
        )
        .join(claimed, on=["customer_id", "currency"], how="left")
        .with_columns(pl.col("charged", *CHARGED).fill_null(pl.lit(0, TOTAL)))
        .sort("contacts", "customer_id", "currency", descending=[True, False, False])
    )


def _counts() -> tuple[pl.Expr, ...]:
    is_contact = ~pl.col("channel").is_in([channel.value for channel in THIRD_PARTY_CHANNELS])
    days = pl.struct("customer_id", "dispatch_date").filter(is_contact)
    return (
        pl.col("customer_id").filter(is_contact).n_unique().cast(pl.Int64).alias("customers"),
        days.n_unique().cast(pl.Int64).alias("contacts"),
        _messages().alias("messages"),
        pl.len().cast(pl.Int64).alias("items"),
    )


def _messages() -> pl.Expr:
    return pl.struct(_MESSAGE).n_unique().cast(pl.Int64)


def _charged(claims: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Return the sums of claims: `charged` is what was asked for, the rest its parts."""
    return (
        claims.group_by(by)
        .agg(pl.len().cast(pl.Int64).alias("items"), pl.col(CHARGED).sum())
        .with_columns(
            charged=pl.col("late_interest") + pl.col("recovery_charge") + pl.col("fees") - pl.col("waived")
        )
        .sort(by)
    )
