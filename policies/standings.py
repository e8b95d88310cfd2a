"""How each account stands on a day: risk class, credit hold, watched changes; and what differs from before.

The daily run records what has changed (`tasks.findings`). What is told of it is in `policies.credit_hold` and
`policies.watching`. Nobody acts on a standing: the ladder has its own rules.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.accounts import classify
from policies.conditions import compile_condition
from policies.facts import Scope
from policies.model import ACCOUNT_KEY
from policies.policy import Policy

STANDINGS = pl.Schema(
    {
        "customer_id": pl.String(),
        "currency": pl.String(),
        "risk": pl.String(),
        # The day since which the account is on credit hold; null = it is not.
        "blocked_since": pl.Date(),
        # Names of the watched conditions that are true, in the policy's order, joined by commas.
        "watches": pl.String(),
    }
)
"""One account as it stood; one with nothing open any more keeps its last risk class."""

_FILE = "policy"


@dataclass(frozen=True)
class Looked:
    """How accounts stood once a run had looked at them.

    Attributes:
        standings: the last standing of each account up to then.
        as_of: the day of the run; None while no run has looked.
        habit_rules: by which rules it judged risk and watched changes (`habit_rules`).
    """

    standings: pl.DataFrame
    as_of: date | None = None
    habit_rules: str | None = None


@dataclass(frozen=True)
class Recorded:
    """What runs have recorded, as seen from a day: the last look before it, and those of the day in their order."""

    before: Looked
    today: tuple[Looked, ...] = ()

    @property
    def latest(self) -> Looked:
        """The newest look up to the day."""
        return self.today[-1] if self.today else self.before


def judge_accounts(accounts: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Return the accounts with risk, segment, ladder, `is_blocked` and `watches`.

    Args:
        accounts: the facts of each account (`policies.accounts.account_facts`).
        policy: whose conditions are asked.
    """
    hold = policy.credit_hold
    is_blocked = (
        pl.lit(value=False)
        if hold is None
        else compile_condition(hold.when, Scope.ACCOUNT, _FILE, "credit_hold.when")
    )
    watched = [
        pl.when(compile_condition(rule.when, Scope.ACCOUNT, _FILE, f"watch[{index}].when")).then(
            pl.lit(rule.watch)
        )
        for index, rule in enumerate(policy.watch)
    ]
    return classify(accounts, policy.risk, policy.segments, _FILE).with_columns(
        is_blocked=is_blocked,
        watches=pl.concat_str([pl.lit(None, pl.String), *watched], separator=",", ignore_nulls=True),
    )


def stand(judged: pl.DataFrame, before: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return how every account stands that has something open, or had (columns STANDINGS).

    Args:
        judged: the accounts of the day (`judge_accounts`).
        before: their standings before.
        as_of: the day; a hold that begins, begins on it.
    """
    now = judged.select(*ACCOUNT_KEY, "is_blocked", now_risk="risk", now_watches="watches")
    is_here = pl.col("is_blocked").is_not_null()
    return (
        before.join(now, on=ACCOUNT_KEY, how="full", coalesce=True)
        .select(
            *ACCOUNT_KEY,
            risk=pl.when(is_here).then("now_risk").otherwise("risk"),
            blocked_since=pl.when("is_blocked").then(pl.coalesce("blocked_since", pl.lit(as_of))),
            watches=pl.col("now_watches").fill_null(""),
        )
        .cast(STANDINGS)
        .sort(ACCOUNT_KEY)
    )


def differing(standing: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return the standings that are new or not what they were."""
    return standing.join(before, on=list(STANDINGS.names()), how="anti", nulls_equal=True)


def overlaid(before: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """Return the last standing of each account: what has changed in place of what it was."""
    return pl.concat([before.join(changed, on=ACCOUNT_KEY, how="anti"), changed]).sort(ACCOUNT_KEY)


def habit_rules(policy: Policy) -> str:
    """Return the fingerprint of what risk and watched changes follow from: with another, standings don't compare."""
    rules = [rule.model_dump(mode="json") for rule in (*policy.risk, *policy.watch)]
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
