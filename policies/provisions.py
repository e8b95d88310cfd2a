"""The provision matrix of IFRS 9 (5.5.15, B5.5.35): expected losses of trade receivables by aging bucket.

Loss-rate method: of what reached a bucket, the part that was never paid, from the creditor's own history or from dated
data, times a factor for what lies ahead. Debts that are judged one by one are taken out first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

import polars as pl
from pydantic import BeforeValidator

from policies import strict_yaml
from policies.aging import NO_DUE_DATE, bucket_names
from policies.allocation import Allocation
from policies.balances import VANISHED
from policies.dated_series import DatedTable, Found, in_force
from policies.facts import RATIO
from policies.happenings import of_items
from policies.model import TOTAL, EventKind, HoldReason
from policies.money import round_money
from policies.policy import Policy
from policies.policy_keys import Name, Percent, refuse_empty
from policies.statutes import add_months

MATRIX = pl.Schema(
    {
        "currency": pl.String(),
        "segment": pl.String(),
        "bucket": pl.String(),
        "amount": TOTAL,
        "loss_rate": RATIO,
        "forward_looking": RATIO,
        "provision": TOTAL,
        "source": pl.String(),
    }
)
"""One bucket of a segment in a currency. Rows `specific_…` hold what a person judges one by one: without rate."""

SPECIFIC = {
    HoldReason.INSOLVENT: "specific_insolvent",
    HoldReason.WRITTEN_OFF: "specific_written_off",
    HoldReason.DISPUTED: "specific_disputed",
}
"""Debts taken out of the matrix before its rates apply. A proposal to write off is no decision: it stays in."""

_ZERO = pl.lit(0, TOTAL)
Percents = Annotated[dict[str, Percent], BeforeValidator(refuse_empty)]


class LossRateSeries(Found):
    """Percent lost of what stands in each bucket, by the names of the aging columns."""

    percent: Percents


class LossRates(DatedTable[LossRateSeries]):
    """A file of loss rates."""

    loss_rates: Name


@lru_cache(maxsize=32)
def load_loss_rates(text: str, file: str) -> LossRates:
    """Return the loss rates that a YAML file states.

    Raises:
        PolicyInvalidError: everything that is wrong in the file.
    """
    return strict_yaml.validate(LossRates, strict_yaml.load(text, file), file)


@dataclass(frozen=True)
class Cohort:
    """Invoices issued in these days, both included, are those whose fate is looked at."""

    from_date: date
    to_date: date


@dataclass(frozen=True)
class Rates:
    """Loss rates by (currency, bucket), exact, and where they come from; a rate that nobody knows is absent."""

    by_bucket: Mapping[tuple[str, str], Fraction]
    source: str

    def rate_of(self, currency: str, bucket: str) -> Fraction | None:
        """Return the rate of a bucket; rates of dated data are of every currency."""
        return self.by_bucket.get((currency, bucket), self.by_bucket.get(("", bucket)))


def usual_cohort(as_of: date) -> Cohort:
    """Return the invoices of the twelve months that ended a year ago: each has had a year to be paid."""
    return Cohort(add_months(as_of, -24) + timedelta(days=1), add_months(as_of, -12))


def declared_rates(rates: LossRates, as_of: date) -> Rates:
    """Return the rates of dated data that count on a day; none before the first."""
    series = in_force(rates.series, as_of)
    if series is None:
        return Rates({}, f"{rates.loss_rates}: nothing before {rates.series[0].from_date}")
    percents = {("", bucket): Fraction(percent) / 100 for bucket, percent in series.percent.items()}
    return Rates(percents, f"{rates.loss_rates}: {series.source}")


def rates_from_history(
    allocation: Allocation,
    cash: pl.DataFrame,
    events: pl.DataFrame,
    edges_days: tuple[int, ...],
    cohort: Cohort,
) -> Rates:
    """Return what share of the amounts that reached each bucket was never paid (`reached_amounts`)."""
    reached = reached_amounts(allocation, cash, events, edges_days, cohort)
    rates = {
        (row["currency"], row["bucket"]): Fraction(row["lost"]) / Fraction(row["reached"])
        for row in reached.iter_rows(named=True)
        if row["reached"] > 0
    }
    return Rates(
        rates, f"invoices from {cohort.from_date} to {cohort.to_date}, as paid by {allocation.as_of}"
    )


def reached_amounts(
    allocation: Allocation,
    cash: pl.DataFrame,
    events: pl.DataFrame,
    edges_days: tuple[int, ...],
    cohort: Cohort,
) -> pl.DataFrame:
    """Return by currency and bucket what reached it and what of that was lost: currency, bucket, reached, lost.

    Reached = unpaid when the bucket began. Lost = open at the end, and what was written off though a source shows it
    as cleared since. What a credit note took away is neither. Items without due date and vanished ones are left out.

    Args:
        allocation: balances on the last day looked at.
        cash: receipts by item (`policies.receipts`).
        events: events up to that day.
        edges_days: the policy's buckets.
        cohort: which invoices.
    """
    invoices = allocation.items.filter(
        ~pl.col("is_credit")
        & pl.col("due_date").is_not_null()
        & pl.col("invoice_date").is_between(cohort.from_date, cohort.to_date)
        & (pl.col("absence") != VANISHED).fill_null(value=True)
    )
    given_up = (
        of_items(events, invoices, EventKind.WRITE_OFF).group_by("item").agg(since=pl.col("event_date").min())
    )
    receipts = (
        cash.join(invoices.select("item", "due_date"), on="item")
        .join(given_up, on="item", how="left")
        .with_columns(
            is_loss=(pl.col("is_shown") & (pl.col("date") >= pl.col("since"))).fill_null(value=False),
            days_late=(pl.col("date") - pl.col("due_date")).dt.total_days(),
        )
    )
    names = bucket_names(edges_days)
    begins = dict(zip(names[1:], edges_days, strict=True))
    is_paid = ~pl.col("is_loss")
    by_item = receipts.group_by("item").agg(
        pl.col("amount").filter(~is_paid).sum().alias("cleared"),
        pl.col("amount").filter(is_paid).sum().alias(names[0]),
        *(
            pl.col("amount").filter(is_paid & (pl.col("days_late") > begin)).sum().alias(name)
            for name, begin in begins.items()
        ),
    )
    return (
        invoices.select("item", "currency", "amount_open")
        .join(by_item, on="item", how="left")
        .with_columns(
            lost=pl.col("amount_open").clip(lower_bound=_ZERO) + pl.col("cleared").fill_null(_ZERO),
        )
        .group_by("currency")
        .agg(
            pl.col("lost").sum(), *((pl.col(name).fill_null(_ZERO) + pl.col("lost")).sum() for name in names)
        )
        .unpivot(names, index=["currency", "lost"], variable_name="bucket", value_name="reached")
        .select("currency", "bucket", "reached", "lost")
        .sort("currency", pl.col("bucket").replace_strict({name: place for place, name in enumerate(names)}))
    )


def provision_matrix(decisions: pl.DataFrame, policy: Policy, rates: Rates) -> pl.DataFrame:
    """Return the matrix (MATRIX): currencies, segments, and buckets from the youngest.

    Each provision is rounded once. Credits are left out; of a partly disputed item the disputed part is judged apart.

    Args:
        decisions: the day's decisions (`policies.escalation.decide`).
        policy: its buckets, segments and factor for what lies ahead.
        rates: loss rates by bucket.
    """
    order = [*bucket_names(policy.aging_buckets_days), NO_DUE_DATE, *SPECIFIC.values()]
    places = {name: place for place, name in enumerate(order)}
    sums = (
        _parts(decisions)
        .group_by("currency", "segment", "bucket")
        .agg(pl.col("amount").sum())
        .filter(pl.col("amount") > 0)
        .sort("currency", "segment", pl.col("bucket").replace_strict(places), nulls_last=True)
    )
    rows = [_row(row, rates, policy.provisions.forward_looking) for row in sums.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=MATRIX)


def _parts(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return what is open in its bucket, and beside it what is judged one by one."""
    debts = decisions.filter((pl.col("amount_open") > 0) & pl.col("aging_bucket").is_not_null())
    special = pl.col("reason").replace_strict(
        {reason.value: name for reason, name in SPECIFIC.items()}, default=None, return_dtype=pl.String
    )
    whole = debts.with_columns(special=special)
    disputed = pl.when(pl.col("special").is_null()).then("amount_disputed").otherwise(_ZERO)
    columns = ("currency", "segment")
    return pl.concat(
        [
            whole.select(
                *columns,
                bucket=pl.coalesce("special", "aging_bucket"),
                amount=(pl.col("amount_open") - disputed).cast(TOTAL),
            ),
            whole.select(*columns, bucket=pl.lit(SPECIFIC[HoldReason.DISPUTED]), amount=disputed.cast(TOTAL)),
        ]
    )


def _row(row: Mapping[str, object], rates: Rates, forward_looking: Decimal) -> dict[str, object]:
    currency, bucket = str(row["currency"]), str(row["bucket"])
    rate = rates.rate_of(currency, bucket)
    told = {**row, "loss_rate": None, "forward_looking": None, "provision": None}
    if bucket in SPECIFIC.values():
        return {**told, "source": "judged one by one"}
    if rate is None:
        return {**told, "source": f"no rate: {rates.source}"}
    expected = min(rate * Fraction(forward_looking), Fraction(1)) * Fraction(str(row["amount"]))
    return {
        **told,
        "loss_rate": _decimal(rate, 6),
        "forward_looking": forward_looking,
        "provision": round_money(_decimal(expected, 12), currency),
        "source": rates.source,
    }


def _decimal(number: Fraction, digits: int) -> Decimal:
    scaled = number * 10**digits
    return Decimal(round(scaled)).scaleb(-digits)
