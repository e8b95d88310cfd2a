"""Guards: checks on a day's batch that ask for a person instead of failing."""

from decimal import Decimal

import polars as pl

from policies.policy import Policy


def too_many_customers(decisions: pl.DataFrame, policy: Policy) -> str | None:
    """Return a sentence when more customers would be contacted than the policy lets leave unseen.

    Args:
        decisions: one row per open item, with `act`.
        policy: whose `guards.maximum_customers_contacted_percent` is the limit; absent = no guard.
    """
    limit = policy.guards.maximum_customers_contacted_percent
    with_open_items = decisions.filter(pl.col("amount_open") > 0)["customer_id"].n_unique()
    contacted = decisions.filter("act")["customer_id"].n_unique()
    if limit is None or contacted * 100 <= Decimal(limit) * with_open_items:
        return None
    return (
        f"{contacted} of {with_open_items} customers with open items would be contacted, "
        f"more than the {limit} percent the policy lets leave without a look."
    )
