"""The law a policy claims from, as it stands on one date: each statute with its rates looked up, for telling.

A half-year without a value stays without one here. What is charged for an item is calculated in `policies.charges`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from policies.rates import MissingRateError, RateTable, half_year
from policies.statutes import Statute


@dataclass(frozen=True)
class LawInForce:
    """A statute on one date.

    Attributes:
        statute: the law.
        customer_types: the customers it is asked for.
        half_year: that holds the date, such as 2026-H1.
        series_percent: the value of the rate series it names; nothing where that has no value for the half-year.
        annual_percent: that value and the margin, or the fixed rate; nothing where either is missing.
        floor_percent: the least that a contract may agree on.
    """

    statute: Statute
    customer_types: tuple[str, ...]
    half_year: str
    series_percent: Decimal | None
    annual_percent: Decimal | None
    floor_percent: Decimal | None


def law_in_force(
    name: str | None, statutes: Mapping[str, Statute], rates: Mapping[str, RateTable], as_of: date
) -> list[LawInForce]:
    """Return the statute a policy names, and those it names in turn for other types of customer."""
    if name is None or name not in statutes:
        return []
    named = statutes[name].other_statutes
    own = tuple(kind for kind in statutes[name].customer_types if kind not in named)
    others = [(other, (kind,)) for kind, other in named.items() if other in statutes]
    return [_on(statutes[one], kinds, rates, as_of) for one, kinds in [(name, own), *others]]


def _on(
    statute: Statute, customer_types: tuple[str, ...], rates: Mapping[str, RateTable], as_of: date
) -> LawInForce:
    interest = statute.late_interest
    floor = interest.contract_floor if interest else None
    series = _value(interest.rate, rates, as_of) if interest else None
    least = _value(floor.rate, rates, as_of) if floor else None
    annual = None
    if interest is not None:
        annual = interest.fixed_percent
        if series is not None:
            annual = series + interest.margin_points
    return LawInForce(
        statute,
        customer_types,
        half_year(as_of),
        series,
        annual,
        None if floor is None or least is None else least * floor.times,
    )


def _value(series: str | None, rates: Mapping[str, RateTable], as_of: date) -> Decimal | None:
    table = rates.get(series) if series else None
    try:
        return table.rate_on(as_of).annual_percent if table else None
    except MissingRateError:
        return None
