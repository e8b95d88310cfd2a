"""Whose habits turn worse: a risk class that moves towards the first of the policy, a watched change that sets in.

Reported on the day it happens, so compared with how the account stood before (`policies.standings`). A new account
has no class before, so it cannot get worse; a watched change that it shows from the start is one.
"""

from collections.abc import Callable

import polars as pl

from policies.conditions import facts_used
from policies.explanations import facts_told
from policies.facts import Scope, schema
from policies.model import ACCOUNT_KEY
from policies.policy import Policy

RISK = "risk"
FIGURES = (
    "paid_invoices",
    "average_days_late",
    "median_days_late",
    "late_share",
    "late_trend_days",
    "days_since_last_payment",
    "broken_promises",
    "contacts_without_answer",
    "overdue_amount",
    "oldest_days_past_due",
)
"""The figures that stand beside each change."""

_FACTS = schema(Scope.ACCOUNT)
HABITS = pl.Schema(
    {
        "customer_id": pl.String(),
        "currency": pl.String(),
        "what": pl.String(),
        "before": pl.String(),
        "now": pl.String(),
        "why": pl.String(),
        **{name: _FACTS[name] for name in FIGURES},
    }
)
"""One change: `what` is `risk` (with the classes before and now) or the name of a watched change (no, yes)."""


def find_worsened(
    judged: pl.DataFrame, before: pl.DataFrame, policy: Policy, tell: Callable[[str], str] = str
) -> pl.DataFrame:
    """Return what has turned worse (HABITS), by customer, currency and what.

    Args:
        judged: the accounts of the day (`policies.standings.judge_accounts`).
        before: how they stood before, judged by the same rules; risk and watches are used.
        policy: whose order of classes says what is worse.
        tell: puts a condition into words.
    """
    accounts = judged.join(
        before.select(
            *ACCOUNT_KEY, before_risk="risk", before_watches="watches", was_here=pl.lit(value=True)
        ),
        on=ACCOUNT_KEY,
        how="left",
    )
    parts = [
        _risen(accounts, policy),
        *(_set_in(accounts, rule.watch, rule.when, tell) for rule in policy.watch),
    ]
    return pl.concat(parts).select(HABITS.names()).cast(HABITS).sort("customer_id", "currency", "what")


def _risen(accounts: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Return the accounts whose class stands before the one they had; no class is the best."""
    places = {rule.class_: place for place, rule in enumerate(policy.risk)}
    place = {
        name: pl.col(name).replace_strict(places, default=len(places), return_dtype=pl.Int64)
        for name in ("risk", "before_risk")
    }
    return accounts.filter(pl.col("was_here") & (place["risk"] < place["before_risk"])).with_columns(
        what=pl.lit(RISK),
        before=pl.col("before_risk").fill_null("none"),
        now=pl.col("risk"),
        why=pl.format("Risk was {}, now {}.", pl.col("before_risk").fill_null("none"), "risk"),
    )


def _set_in(accounts: pl.DataFrame, watch: str, condition: str, tell: Callable[[str], str]) -> pl.DataFrame:
    named = sorted(facts_used(condition) - set(ACCOUNT_KEY))
    return accounts.filter(_holds("watches", watch) & ~_holds("before_watches", watch)).with_columns(
        what=pl.lit(watch),
        before=pl.lit("no"),
        now=pl.lit("yes"),
        why=pl.format("{} sets in, {}: {}.", pl.lit(watch), pl.lit(tell(condition)), facts_told(named)),
    )


def _holds(column: str, watch: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.split(",").list.contains(watch)
