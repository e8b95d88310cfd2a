"""Which customers the ERP is to block, and which to unblock, since last time.

A customer with two currencies takes the worse: one account under the rule `credit_hold` blocks the customer.
Nothing of it stops a reminder; how accounts stand is judged in `policies.standings`.
"""

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from policies.conditions import facts_used
from policies.explanations import amounts_told, facts_told
from policies.model import ACCOUNT_KEY
from policies.policy import Policy

CREDIT_HOLDS = pl.Schema(
    {
        "customer_id": pl.String(),
        "action": pl.String(),
        "since": pl.Date(),
        "overdue": pl.String(),
        "why": pl.String(),
    }
)
"""One customer: `block` or `unblock`, since when, what is overdue in each currency, and why."""

_IS_BLOCKED = pl.col("blocked_since").is_not_null()


def find_credit_holds(
    standing: pl.DataFrame,
    before: pl.DataFrame,
    during: Sequence[pl.DataFrame],
    judged: pl.DataFrame,
    policy: Policy,
    as_of: date,
    tell: Callable[[str], str] = str,
) -> pl.DataFrame:
    """Return the customers to block and to unblock (CREDIT_HOLDS), by number.

    Args:
        standing: how accounts stand now (`policies.standings.stand`).
        before: how they stood before the day.
        during: how they stood at each earlier run of the same day: a customer blocked in the morning and no longer
            in the evening is told to be unblocked, for the ERP may have read the morning's list.
        judged: the facts of the accounts.
        policy: whose rule it is.
        as_of: the day.
        tell: puts the rule into words.
    """
    were_blocked = _blocked(before)
    changed = [
        part
        for look in (*during, standing)
        for part in (
            _blocked(look).join(were_blocked, on="customer_id", how="anti"),
            were_blocked.join(_blocked(look), on="customer_id", how="anti"),
        )
    ]
    return _listed(pl.concat(changed).unique(), standing, judged, policy, as_of, tell)


def list_blocked(
    standing: pl.DataFrame,
    judged: pl.DataFrame,
    policy: Policy,
    as_of: date,
    tell: Callable[[str], str] = str,
) -> pl.DataFrame:
    """Return every customer on credit hold, whenever it began (CREDIT_HOLDS), by number."""
    return _listed(_blocked(standing), standing, judged, policy, as_of, tell)


def _blocked(standings: pl.DataFrame) -> pl.DataFrame:
    """Return the customers with an account on credit hold."""
    return standings.filter(_IS_BLOCKED).select("customer_id").unique()


def _listed(
    customers: pl.DataFrame,
    standing: pl.DataFrame,
    judged: pl.DataFrame,
    policy: Policy,
    as_of: date,
    tell: Callable[[str], str],
) -> pl.DataFrame:
    rule = policy.credit_hold.when if policy.credit_hold else None
    named = sorted(facts_used(rule) - set(ACCOUNT_KEY)) if rule else []
    facts = judged.join(customers, on="customer_id", how="semi").select(
        *ACCOUNT_KEY,
        overdue=amounts_told("overdue_amount"),
        is_overdue=pl.col("overdue_amount") > 0,
        facts=facts_told(named),
    )
    is_hit = pl.col("is_hit").any()
    by_customer = (
        standing.join(customers, on="customer_id", how="semi")
        .join(facts, on=ACCOUNT_KEY, how="left")
        .with_columns(is_hit=_IS_BLOCKED, words=pl.format("{} ({})", "facts", "currency"))
        .sort(ACCOUNT_KEY)
        .group_by("customer_id", maintain_order=True)
        .agg(
            action=pl.when(is_hit).then(pl.lit("block")).otherwise(pl.lit("unblock")),
            since=pl.coalesce(pl.col("blocked_since").min(), pl.lit(as_of)),
            overdue=pl.col("overdue").filter("is_overdue").str.join(", "),
            hits=pl.col("words").filter("is_hit").str.join("; "),
            misses=pl.col("words").str.join("; "),
        )
    )
    return (
        by_customer.with_columns(why=_why(tell(rule) if rule else None))
        .select(CREDIT_HOLDS.names())
        .cast(CREDIT_HOLDS)
        .sort("customer_id")
    )


def _why(rule: str | None) -> pl.Expr:
    if rule is None:
        return pl.lit("The policy has no rule for a credit hold any more.")
    return (
        pl.when(pl.col("action") == "block")
        .then(pl.format("On credit hold by the rule {}: {}.", pl.lit(rule), "hits"))
        .when(pl.col("misses") == "")
        .then(pl.lit("Nothing is open any more."))
        .when(pl.col("overdue") == "")
        .then(pl.lit("Nothing is overdue any more."))
        .otherwise(pl.format("No longer under the rule {}: {}.", pl.lit(rule), "misses"))
    )
