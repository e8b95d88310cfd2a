"""How interest on a late item runs: from which day, at which rate on which base, stretch by stretch.

The day a debt falls due bears no interest, the day it is paid does. Which law or contract counts is decided in
`charges.py`; the series are in `rates.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from policies.messages import InterestPeriod
from policies.money import round_money
from policies.rates import RateTable, half_year, next_half_year_start
from policies.statutes import AcrossHalfYears, Begins, Compounds, ContractFloor, LateInterest, add_months

CONTRACT = "contract"
USUAL_DAY_COUNT = 365

_ONE_DAY = timedelta(days=1)
_ZERO = Decimal(0)


@dataclass(frozen=True)
class LateItem:
    """What charges depend on; `amount` is what is still claimed at the end of `as_of`.

    `payments` are those after the due date, as (date, amount), reversals negative: until then they were owed too.
    `demanded_on` is the day a demand in writing reached the customer, where the law asks for one.
    """

    amount: Decimal
    currency: str
    due_date: date
    as_of: date
    customer_type: str = "business"
    payments: Sequence[tuple[date, Decimal]] = ()
    recovery_charge_already: bool = False
    demanded_on: date | None = None

    @property
    def first_interest_day(self) -> date:
        """Return the first day that the item is late: the day after the due date."""
        return self.due_date + _ONE_DAY

    def owed_on(self, day: date) -> Decimal:
        """Return the amount that bears interest on a day; a payment counts from the day after it."""
        if not self.payments:
            return self.amount
        return self.amount + sum(
            (paid for paid_on, paid in self.payments if day <= paid_on <= self.as_of), _ZERO
        )


@dataclass(frozen=True)
class Terms:
    """The rate of one day, in percent, and where it comes from."""

    annual_percent: Decimal
    source: str


@dataclass(frozen=True)
class Running:
    """Under which rules interest runs.

    Attributes:
        terms_on: the rate of a day.
        day_count: days of a year.
        is_by_payment: each payment bears the rate of its own day from the beginning.
        is_compounding: after each full year its interest bears interest.
        from_demand: nothing runs before a demand in writing.
    """

    terms_on: Callable[[date], Terms]
    day_count: int = USUAL_DAY_COUNT
    is_by_payment: bool = False
    is_compounding: bool = False
    from_demand: bool = False


def by_law(interest: LateInterest, began: date, rates: Mapping[str, RateTable]) -> Running:
    """Return how interest runs by law alone, for an item late since the day `began`."""
    is_frozen = interest.across_half_years is AcrossHalfYears.FROZEN
    return Running(
        terms_on=lambda day: legal_terms(interest, began if is_frozen else day, rates),
        day_count=interest.day_count_days,
        is_by_payment=interest.across_half_years is AcrossHalfYears.PER_PAYMENT,
        is_compounding=interest.compounds is Compounds.YEARLY,
        from_demand=interest.begins is Begins.DEMAND,
    )


def by_contract(
    contract_percent: Decimal, interest: LateInterest | None, began: date, rates: Mapping[str, RateTable]
) -> Running:
    """Return how interest runs at a rate agreed by contract: simple, from the due date, never under the floor."""
    return Running(
        terms_on=lambda day: _contract_terms(contract_percent, interest, began, day, rates),
        day_count=interest.day_count_days if interest else USUAL_DAY_COUNT,
    )


def interest_on(base: Decimal, annual_percent: Decimal, days: int, currency: str, day_count: int) -> Decimal:
    """Return simple interest, rounded: amount x rate x days late / 365.

    >>> interest_on(Decimal("15000.00"), Decimal(15), 30, "EUR", 365)
    Decimal('184.93')
    """
    return round_money(base * annual_percent * days / (100 * day_count), currency)


def interest_periods(item: LateItem, running: Running) -> tuple[InterestPeriod, ...]:
    """Return the stretches of one rate and one base; both their dates bear interest.

    What has run so far is rounded at the end of each stretch, so that the stretches add up to the total and the
    total does not depend on where they are cut.
    """
    first = _first_day(item, running)
    if first is None or first > item.as_of:
        return ()
    stretches = _by_payment(item, first) if running.is_by_payment else _by_day(item, first, running)
    periods: list[InterestPeriod] = []
    percent_days = told = capital = _ZERO
    years = 0
    for stretch in stretches:
        if stretch.full_years > years:
            years, capital = stretch.full_years, told
        base = stretch.owed + capital
        if not base:
            continue
        terms = stretch.terms or running.terms_on(stretch.last)
        days = (stretch.last - stretch.first).days + 1
        percent_days += base * terms.annual_percent * days
        so_far = round_money(percent_days / (100 * running.day_count), item.currency)
        periods.append(
            InterestPeriod(
                from_date=stretch.first,
                to_date=stretch.last,
                days=days,
                annual_rate=terms.annual_percent.scaleb(-2),
                base=base,
                amount=so_far - told,
                source=terms.source,
            )
        )
        told = so_far
    return tuple(periods)


def daily_interest(item: LateItem, running: Running, periods: Sequence[InterestPeriod]) -> Decimal:
    """Return what one more day costs: on what is still claimed, and on the interest that has joined it by then."""
    if not periods or not item.amount:
        return _ZERO
    tomorrow = item.as_of + _ONE_DAY
    began = _anniversaries(item.due_date, tomorrow)[-1:] if running.is_compounding else []
    capital = sum((period.amount for period in periods for day in began if period.to_date < day), _ZERO)
    return interest_on(
        item.amount + capital, periods[-1].annual_rate.scaleb(2), 1, item.currency, running.day_count
    )


class _Stretch(NamedTuple):
    """Days of one rate and one amount owed; no terms = those of the last day."""

    first: date
    last: date
    owed: Decimal
    full_years: int = 0
    terms: Terms | None = None


def _first_day(item: LateItem, running: Running) -> date | None:
    if not running.from_demand:
        return item.first_interest_day
    return max(item.first_interest_day, item.demanded_on + _ONE_DAY) if item.demanded_on else None


def _by_payment(item: LateItem, first: date) -> Iterator[_Stretch]:
    """Yield each payment, and what is still open, from the beginning to its own day."""
    for paid_on, paid in sorted(item.payments):
        if first <= paid_on <= item.as_of:
            yield _Stretch(first, paid_on, paid)
    yield _Stretch(first, item.as_of, item.amount)


def _by_day(item: LateItem, first: date, running: Running) -> Iterator[_Stretch]:
    """Yield the days one after the other, cut where the rate, what is owed or the base changes."""
    anniversaries = _anniversaries(item.due_date, item.as_of) if running.is_compounding else []

    def begin(day: date) -> _Stretch:
        full_years = sum(1 for anniversary in anniversaries if anniversary <= day)
        return _Stretch(day, item.as_of, item.owed_on(day), full_years, running.terms_on(day))

    began = begin(first)
    for day in sorted({*_cuts(item, first), *(day for day in anniversaries if first < day)}):
        stretch = begin(day)
        if (began.owed, began.full_years, began.terms) != (stretch.owed, stretch.full_years, stretch.terms):
            yield began._replace(last=day - _ONE_DAY)
            began = stretch
    yield began


def _cuts(item: LateItem, first: date) -> set[date]:
    """Return the days after the first on which a new rate or a new amount may begin."""
    cuts = {paid_on + _ONE_DAY for paid_on, _ in item.payments if first <= paid_on < item.as_of}
    start = next_half_year_start(first)
    while start <= item.as_of:
        cuts.add(start)
        start = next_half_year_start(start)
    return cuts


def _anniversaries(due_date: date, until: date) -> list[date]:
    """Return the days after each full year since the due date, up to a day."""
    years = range(1, until.year - due_date.year + 1)
    found = (add_months(due_date, 12 * year) + _ONE_DAY for year in years)
    return [day for day in found if day <= until]


def legal_terms(interest: LateInterest, decisive: date, rates: Mapping[str, RateTable]) -> Terms:
    """Return the rate of the law in force on a day."""
    if interest.rate is None:
        percent = interest.fixed_percent or _ZERO
        return Terms(percent, f"fixed by law: {percent} %")
    value = rates[interest.rate].rate_on(decisive)
    return _raised(interest.rate, value.annual_percent, interest.margin_points, value.from_date)


@lru_cache(maxsize=1024)
def _raised(rate: str, annual_percent: Decimal, points: Decimal, half_year_began: date) -> Terms:
    """Return a series' rate plus the points of the law; the same few serve all items."""
    source = f"{rate} {half_year(half_year_began)}: {annual_percent} %"
    return Terms(annual_percent + points, f"{source} + {points}" if points else source)


def least_percent(floor: ContractFloor, decisive: date, rates: Mapping[str, RateTable]) -> Decimal:
    """Return the least that a contract may agree on, by the rates of a day."""
    return floor.times * rates[floor.rate].rate_on(decisive).annual_percent


def _contract_terms(
    contract_percent: Decimal,
    interest: LateInterest | None,
    began: date,
    day: date,
    rates: Mapping[str, RateTable],
) -> Terms:
    """Return the rate agreed by contract, raised to the least the statute allows."""
    floor = interest.contract_floor if interest else None
    agreed = Terms(contract_percent, f"{CONTRACT}: {contract_percent} %")
    if floor is None:
        return agreed
    decisive = began if floor.across_half_years is AcrossHalfYears.FROZEN else day
    least = least_percent(floor, decisive, rates)
    if contract_percent >= least:
        return agreed
    return Terms(
        least, f"{CONTRACT}, raised to {floor.times} x {floor.rate} {half_year(decisive)}: {least} %"
    )
