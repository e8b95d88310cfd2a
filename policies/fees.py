"""Fees of steps: which item of an earlier message a fee stands with, so that it is stated again and not added up."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from policies.model import ACCOUNT_KEY
from policies.policy import Policy

_ZERO = Decimal(0)


def fees_before(
    dispatched: pl.DataFrame, all_items: pl.DataFrame, items: pl.DataFrame, policy: Policy
) -> dict[int, Decimal]:
    """Return the fees that stand with each item from earlier messages.

    The fee of a message is that of its furthest step, and stands with the item due first of those that took it.
    """
    fees = fees_by_step(policy)
    if not fees:
        return {}
    order = {
        step.step: place for ladder in reversed(policy.ladders.values()) for place, step in enumerate(ladder)
    }
    accounts = items.select(ACCOUNT_KEY).unique()
    bearers = (
        dispatched.filter("is_done")
        .join(all_items.select("item", *ACCOUNT_KEY, "due_date"), on="item")
        .join(accounts, on=list(ACCOUNT_KEY), how="semi")
        .filter(pl.col("dispatch_date") > pl.col("due_date"))
        .with_columns(place=pl.col("step").replace_strict(order, default=None, return_dtype=pl.Int64))
        .sort("place", "due_date", "item", descending=[True, False, False], nulls_last=True)
        .unique([*ACCOUNT_KEY, "dispatch_date", "channel"], keep="first", maintain_order=True)
    )
    found: dict[int, Decimal] = {}
    for item, step, currency in bearers.select("item", "step", "currency").iter_rows():
        found[item] = found.get(item, _ZERO) + fees.get(step, {}).get(currency, _ZERO)
    return found


def fees_by_step(policy: Policy) -> dict[str, Mapping[str, Decimal]]:
    """Return the fee of each step name that has one, as the first ladder with it says."""
    return {
        step.step: step.fee for ladder in reversed(policy.ladders.values()) for step in ladder if step.fee
    }
