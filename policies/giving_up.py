"""Which overdue items are proposed for a write-off: by condition, by cost, or because the law cuts them off.

Proposals only: a person decides, and records `write_off`. What can still be expected of a debt of some age is dated
data, read from `recovery_odds/*.yaml`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies import strict_yaml
from policies.conditions import compile_condition, facts_used
from policies.dated_series import DatedTable, Found, in_force
from policies.explanations import amounts_told, facts_told
from policies.facts import Scope
from policies.model import ITEM_KEY, TOTAL, HoldReason
from policies.money import round_amounts
from policies.policy import GiveUp
from policies.policy_keys import Name, Percent, Positive
from policies.statutes import Statute, covering_statute

_FILE = "policy"
_PERCENT = pl.Decimal(6, 3)
_DECIDED = (HoldReason.INSOLVENT, HoldReason.WRITTEN_OFF)
"""Of these nothing is proposed: the loss is claimed in the insolvency, or recorded."""

_IN_OTHER_HANDS = (
    HoldReason.PLACED,
    HoldReason.DELIVERY_UNCERTAIN,
    HoldReason.DISPUTED,
    HoldReason.PROMISE_RUNNING,
    HoldReason.PLAN_RUNNING,
    HoldReason.MANUAL_HOLD,
)
"""Of these only the limitation period is told: somebody still works on them, and time runs all the same."""

PROPOSALS = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "currency": pl.String(),
        "amount_open": TOTAL,
        "days_past_due": pl.Int64(),
        "reasons": pl.String(),
        "expected_recovery_percent": _PERCENT,
        "expected_recovery_amount": TOTAL,
        "limitation_date": pl.Date(),
        "odds_source": pl.String(),
        "why": pl.String(),
    }
)
"""One item proposed for a write-off; `reasons` are of `condition`, `cost_limit`, `limitation`."""


class OddsPoint(BaseModel):
    """What share of a debt is still collected once it is so many days past due."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_past_due: Positive
    percent: Percent


class OddsSeries(Found):
    """The odds of one source, youngest debts first."""

    points: Annotated[tuple[OddsPoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _odds_fall_with_age(self) -> Self:
        for younger, older in pairwise(self.points):
            if older.days_past_due <= younger.days_past_due or older.percent > younger.percent:
                raise ValueError(f"{older.days_past_due} days: days rise and the odds don't")
        return self


class RecoveryOdds(DatedTable[OddsSeries]):
    """A file of recovery odds."""

    recovery_odds: Name


@lru_cache(maxsize=32)
def load_recovery_odds(text: str, file: str) -> RecoveryOdds:
    """Return the odds that a YAML file states.

    Raises:
        PolicyInvalidError: everything that is wrong in the file.
    """
    return strict_yaml.validate(RecoveryOdds, strict_yaml.load(text, file), file)


@dataclass(frozen=True)
class Grounds:
    """What proposals rest on beside the policy: the odds it names, its statute, and those that one names in turn."""

    odds: RecoveryOdds | None = None
    statute: str | None = None
    statutes: Mapping[str, Statute] = field(default_factory=dict)


def propose_write_offs(
    decisions: pl.DataFrame,
    give_up: GiveUp | None,
    grounds: Grounds,
    as_of: date,
    tell: Callable[[str], str] = str,
) -> pl.DataFrame:
    """Return the items to propose (PROPOSALS), by key; none without the policy's `give_up`.

    Args:
        decisions: the day's decisions, with the facts of each item (`policies.escalation.decide`).
        give_up: the policy's key.
        grounds: odds and statutes.
        as_of: the day.
        tell: puts the condition into words.
    """
    if give_up is None:
        return PROPOSALS.to_frame()
    series = in_force(grounds.odds.series, as_of) if grounds.odds else None
    debts = decisions.filter(
        (pl.col("days_past_due") >= 1)
        & (pl.col("amount_open") > 0)
        & pl.col("aging_bucket").is_not_null()
        & ~pl.col("reason").is_in([reason.value for reason in _DECIDED])
    )
    items = _with_expectation(_with_limitation(debts, grounds), series)
    grounds_found = {
        "condition": _meets(give_up),
        "cost_limit": _costs_more(give_up, series),
        "limitation": _is_cut_off(give_up, as_of),
    }
    proposed = items.with_columns(**grounds_found).filter(pl.any_horizontal(*grounds_found))
    return (
        proposed.with_columns(
            reasons=pl.concat_str(
                [pl.when(name).then(pl.lit(name)) for name in grounds_found],
                separator=", ",
                ignore_nulls=True,
            ),
            odds_source=pl.lit(series.source if series else None, pl.String),
            why=_why(give_up, tell),
        )
        .select(PROPOSALS.names())
        .cast(PROPOSALS)
        .sort(ITEM_KEY)
    )


def _with_expectation(items: pl.DataFrame, series: OddsSeries | None) -> pl.DataFrame:
    """Add what share is expected at each age, and how much that is; null where no odds are in force.

    The odds are those of the last age reached, 100 before the first. Nothing is drawn between two ages, so that no debt
    is given up on odds that it has not reached yet.
    """
    if series is None:
        return items.with_columns(
            expected_recovery_percent=pl.lit(None, _PERCENT), expected_recovery_amount=pl.lit(None, TOTAL)
        )
    percent: pl.Expr = pl.lit(100, _PERCENT)
    for point in series.points:
        is_reached = pl.col("days_past_due") >= point.days_past_due
        percent = pl.when(is_reached).then(pl.lit(point.percent, _PERCENT)).otherwise(percent)
    share = pl.col("amount_open") * pl.col("expected_recovery_percent") / pl.lit(Decimal(100))
    return items.with_columns(expected_recovery_percent=percent).with_columns(
        expected_recovery_amount=round_amounts(share, pl.col("currency"))
    )


def _with_limitation(items: pl.DataFrame, grounds: Grounds) -> pl.DataFrame:
    """Add the last day to sue for each debt, by the statute of its type of customer; null where none is known."""
    asked = items.select("customer_type", "due_date").unique()
    days = [_last_day(row["customer_type"], row["due_date"], grounds) for row in asked.iter_rows(named=True)]
    known = asked.with_columns(limitation_date=pl.Series(days, dtype=pl.Date))
    return items.join(known, on=["customer_type", "due_date"], how="left", nulls_equal=True)


def _last_day(customer_type: str | None, due_date: date, grounds: Grounds) -> date | None:
    statute = covering_statute(grounds.statute, customer_type, grounds.statutes)
    return statute.limitation.last_day(due_date) if statute and statute.limitation else None


def _is_free() -> pl.Expr:
    return ~pl.col("reason").is_in([reason.value for reason in _IN_OTHER_HANDS])


def _meets(give_up: GiveUp) -> pl.Expr:
    if give_up.when is None:
        return pl.lit(value=False)
    return _is_free() & compile_condition(give_up.when, Scope.ITEM, _FILE, "give_up.when")


def _costs_more(give_up: GiveUp, series: OddsSeries | None) -> pl.Expr:
    """Whether less can be expected than it costs to go on; without odds the whole amount is expected.

    Debts younger than the first age of the odds are collected, however small they are.
    """
    expected = pl.coalesce("expected_recovery_amount", "amount_open")
    under = [
        (pl.col("currency") == currency) & (expected < pl.lit(limit, TOTAL))
        for currency, limit in give_up.cost_limit.items()
    ]
    is_old_enough = pl.col("days_past_due") >= (series.points[0].days_past_due if series else 1)
    return _is_free() & is_old_enough & pl.any_horizontal(pl.lit(value=False), *under)


def _is_cut_off(give_up: GiveUp, as_of: date) -> pl.Expr:
    if give_up.limitation_within_days is None:
        return pl.lit(value=False)
    last = pl.lit(as_of) + pl.duration(days=give_up.limitation_within_days)
    return (pl.col("limitation_date") <= last).fill_null(value=False)


def _why(give_up: GiveUp, tell: Callable[[str], str]) -> pl.Expr:
    named = sorted(facts_used(give_up.when) - set(ITEM_KEY)) if give_up.when else []
    rule = pl.lit(tell(give_up.when) if give_up.when else "")
    limits = ", ".join(f"{limit} {currency}" for currency, limit in sorted(give_up.cost_limit.items()))
    sentences = [
        pl.when("condition").then(pl.format("It meets the rule {}: {}.", rule, facts_told(named))),
        pl.when("cost_limit").then(
            pl.format(
                "Of {} at {} days past due {} can be expected, less than going on costs ({}).",
                amounts_told("amount_open"),
                "days_past_due",
                pl.coalesce(amounts_told("expected_recovery_amount"), amounts_told("amount_open")),
                pl.lit(limits),
            )
        ),
        pl.when("limitation").then(pl.format("The last day to sue is {}.", "limitation_date")),
    ]
    return pl.concat_str(sentences, separator=" ", ignore_nulls=True)
