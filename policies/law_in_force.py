"""The law a policy claims from, as it stands on one date: each statute with its rates looked up, for telling.

A half-year without a value stays without one here. What is charged for an item is calculated in `policies.charges`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from policies.interest import least_percent, legal_terms
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
    series = interest.rate if interest else None
    return LawInForce(
        statute,
        customer_types,
        half_year(as_of),
        _known(lambda: rates[series].rate_on(as_of).annual_percent) if series else None,
        _known(lambda: legal_terms(interest, as_of, rates).annual_percent) if interest else None,
        _known(lambda: least_percent(floor, as_of, rates)) if floor else None,
    )


def _known(look_up: Callable[[], Decimal]) -> Decimal | None:
    """Return a rate, or nothing where its series has no value for the half-year."""
    try:
        return look_up()
    except MissingRateError:
        return None
