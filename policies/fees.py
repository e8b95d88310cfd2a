"""Fees of steps: what was really claimed before, so that it is stated again and not added up."""

from decimal import Decimal

import polars as pl

from policies.batches import MESSAGE_KEY
from policies.policy import Policy


def fees_claimed(dispatched: pl.DataFrame, items: pl.DataFrame) -> dict[int, Decimal]:
    """Return the fees that stood with each item when something was last claimed of it.

    Each message states those of the messages before it again, so the highest is that of all of them.
    """
    claimed = (
        dispatched.filter(pl.col("is_done") & (pl.col("fee") > 0))
        .join(items.select("item").unique(), on="item", how="semi")
        .group_by("item")
        .agg(pl.col("fee").max())
    )
    return dict(claimed.select("item", "fee").iter_rows())


def new_fees(acting: pl.DataFrame, policy: Policy) -> dict[int, Decimal]:
    """Return the fees of the messages that leave now, each by the item that bears it; none before the due date."""
    fees = {
        (ladder, step.step, currency): amount
        for ladder, steps in policy.ladders.items()
        for step in steps
        for currency, amount in step.fee.items()
    }
    if not fees:
        return {}
    # The message's own fee stands with the item due first of those that take its step.
    asked = (
        acting.filter(pl.col("step") == pl.col("message_step"))
        .sort(*MESSAGE_KEY, "due_date", "item")
        .unique(MESSAGE_KEY, keep="first", maintain_order=True)
        .filter(pl.col("days_past_due") > 0)
    )
    return {
        item: fees[tuple(key)]
        for item, *key in asked.select("item", "ladder", "step", "currency").iter_rows()
        if tuple(key) in fees
    }
