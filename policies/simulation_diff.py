"""Compares what two policies did on the same past: who was contacted differently, when, with which step and amounts.

Both sides are matched by item, step and attempt; what only one side has, or has on another day, by another channel or
with other amounts, is a difference.
"""

from collections.abc import Mapping

import polars as pl

from policies.model import ITEM_KEY, THIRD_PARTY_CHANNELS, TOTAL
from policies.simulation import Simulation
from policies.simulation_summary import charges_in_all, with_month

_KEY = (*ITEM_KEY, "currency", "step", "attempt")
_SIDES = ("a", "b")
_COMPARED = ("dispatch_date", "channel", "template", "amount_demanded", "charged")


def differences(a: Simulation, b: Simulation) -> pl.DataFrame:
    """Return every action that differs, in the order of days and customers.

    Columns: difference (`only_a`, `only_b`, `earlier`, `later` - b compared with a - or `other`), the item, its step
    and attempt, and of each side (`_a`, `_b`): dispatch_date, channel, template, amount_demanded, charged.
    """
    left, right = (_side(simulation, side) for simulation, side in zip((a, b), _SIDES, strict=True))
    on_a, on_b = pl.col("dispatch_date_a"), pl.col("dispatch_date_b")
    is_same = pl.all_horizontal(pl.col(f"{name}_a").eq_missing(pl.col(f"{name}_b")) for name in _COMPARED)
    return (
        left.join(right, on=list(_KEY), how="full", coalesce=True)
        .filter(~is_same)
        .with_columns(
            difference=pl.when(on_b.is_null())
            .then(pl.lit("only_a"))
            .when(on_a.is_null())
            .then(pl.lit("only_b"))
            .when(on_b < on_a)
            .then(pl.lit("earlier"))
            .when(on_b > on_a)
            .then(pl.lit("later"))
            .otherwise(pl.lit("other"))
        )
        .sort(pl.min_horizontal(on_a, on_b), *_KEY)
        .select("difference", *_KEY, *(f"{name}_{side}" for side in _SIDES for name in _COMPARED))
    )


def customers_compared(a: Simulation, b: Simulation) -> pl.DataFrame:
    """Return one row per customer that either contacted: contacts and first contact of each side.

    `is_more`, `is_less`: B contacts on more or fewer days; `is_earlier`, `is_later`: B's first contact comes before or
    after A's, or only one of them contacts at all.
    """
    left, right = (_contacts(simulation, side) for simulation, side in zip((a, b), _SIDES, strict=True))
    far = pl.date(9999, 12, 31)
    first_a, first_b = (pl.col(f"first_contact_{side}").fill_null(far) for side in _SIDES)
    return (
        left.join(right, on="customer_id", how="full", coalesce=True)
        .with_columns(pl.col("contacts_a", "contacts_b").fill_null(0))
        .with_columns(
            is_more=pl.col("contacts_b") > pl.col("contacts_a"),
            is_less=pl.col("contacts_b") < pl.col("contacts_a"),
            is_earlier=first_b < first_a,
            is_later=first_b > first_a,
        )
        .sort("customer_id")
    )


def months_compared(a: Simulation, b: Simulation) -> pl.DataFrame:
    """Return contacts (customers and days) per month on each side: month, contacts_a, contacts_b."""
    left, right = (_by_month(simulation, side) for simulation, side in zip((a, b), _SIDES, strict=True))
    return left.join(right, on="month", how="full", coalesce=True).fill_null(0).sort("month")


def steps_compared(a: Simulation, b: Simulation) -> pl.DataFrame:
    """Return how many items took each step on each side: step, items_a, items_b."""
    sides = [
        simulation.actions.group_by("step").agg(pl.len().cast(pl.Int64).alias(f"items_{side}"))
        for simulation, side in zip((a, b), _SIDES, strict=True)
    ]
    return sides[0].join(sides[1], on="step", how="full", coalesce=True).fill_null(0).sort("step")


def charges_compared(a: Simulation, b: Simulation) -> pl.DataFrame:
    """Return what each side claimed last of every item, added up by currency: currency, charged_a, charged_b."""
    sides = [
        charges_in_all(simulation).select("currency", pl.col("charged").alias(f"charged_{side}"))
        for simulation, side in zip((a, b), _SIDES, strict=True)
    ]
    none = pl.lit(0, TOTAL)
    return sides[0].join(sides[1], on="currency", how="full", coalesce=True).fill_null(none).sort("currency")


def count_customers(compared: pl.DataFrame) -> Mapping[str, int]:
    """Return how many customers are contacted more, less, earlier, later, or as before in both."""
    flags = ("is_more", "is_less", "is_earlier", "is_later")
    counts = {name.removeprefix("is_"): int(compared[name].sum()) for name in flags}
    same = compared.filter(~pl.any_horizontal(flags))
    return counts | {"alike": same.height}


def _side(simulation: Simulation, side: str) -> pl.DataFrame:
    is_claimed = pl.col("late_interest").is_not_null()
    parts = pl.col("late_interest") + pl.col("recovery_charge") + pl.col("fees") - pl.col("waived")
    return (
        simulation.actions.with_columns(charged=pl.when(is_claimed).then(parts))
        .select(*_KEY, *_COMPARED)
        .rename({name: f"{name}_{side}" for name in _COMPARED})
    )


def _own(simulation: Simulation) -> pl.DataFrame:
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    return simulation.actions.filter(~pl.col("channel").is_in(third_parties))


def _contacts(simulation: Simulation, side: str) -> pl.DataFrame:
    return (
        _own(simulation)
        .group_by("customer_id")
        .agg(
            pl.col("dispatch_date").n_unique().cast(pl.Int64).alias(f"contacts_{side}"),
            pl.col("dispatch_date").min().alias(f"first_contact_{side}"),
        )
    )


def _by_month(simulation: Simulation, side: str) -> pl.DataFrame:
    days = _own(simulation).unique(["customer_id", "dispatch_date"])
    return with_month(days).group_by("month").agg(pl.len().cast(pl.Int64).alias(f"contacts_{side}"))
