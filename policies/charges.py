"""What is claimed beside an item that is paid late: interest day by day, and the fixed charge for recovery costs.

Computed only for messages that leave, one item at a time; never part of a balance or of aging. The day a debt falls
due bears no interest, the day it is paid does.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import groupby

from policies.messages import InterestPeriod, ItemCharges
from policies.money import round_money
from policies.rates import MissingRateError, RateTable, half_year, next_half_year_start
from policies.statutes import AcrossHalfYears, LateInterest, Statute

LATE_INTEREST = "late_interest"
RECOVERY_CHARGE = "recovery_charge"

CONTRACT = "contract"
USUAL_DAY_COUNT = 365

NO_CHARGES = ItemCharges()

_ONE_DAY = timedelta(days=1)


class Omission(StrEnum):
    """Why an item that is late carries no charges."""

    NO_STATUTE = "no_statute"
    NOT_COVERED = "not_covered"
    MISSING_RATE = "missing_rate"


@dataclass(frozen=True)
class LateItem:
    """What charges depend on; `amount` is what is still claimed at the end of `as_of`.

    `payments` are those after the due date, as (date, amount): until then they were owed too.
    """

    amount: Decimal
    currency: str
    due_date: date
    as_of: date
    customer_type: str = "business"
    payments: Sequence[tuple[date, Decimal]] = ()
    recovery_charge_already: bool = False

    @property
    def first_interest_day(self) -> date:
        """Return the first day that bears interest: the day after the due date."""
        return self.due_date + _ONE_DAY

    def owed_on(self, day: date) -> Decimal:
        """Return the amount that bears interest on a day; a payment counts from the day after it."""
        return self.amount + sum(
            (paid for paid_on, paid in self.payments if day <= paid_on <= self.as_of), Decimal(0)
        )


@dataclass(frozen=True)
class Terms:
    """The rate of one day, in percent, and where it comes from."""

    annual_percent: Decimal
    source: str

    @property
    def annual_rate(self) -> Decimal:
        """Return the rate as a fraction: 12.15 percent is 0.1215."""
        return self.annual_percent.scaleb(-2)


@dataclass(frozen=True)
class ChargesOutcome:
    """The charges of an item; when they are left out, why, as a code and as a sentence for the run."""

    charges: ItemCharges = NO_CHARGES
    omission: Omission | None = None
    note: str = ""


def charge_item(
    item: LateItem,
    statute: Statute | None,
    rates: Mapping[str, RateTable],
    *,
    claim: Collection[str] = (LATE_INTEREST, RECOVERY_CHARGE),
    contract_percent: Decimal | None = None,
) -> ChargesOutcome:
    """Return what is claimed beside an item.

    Args:
        item: the item and what was paid on it since it fell due.
        statute: the law the policy names, for this type of customer; see `statutes.statute_for`.
        rates: the rate series by name.
        claim: the charges the step claims.
        contract_percent: a yearly rate agreed by contract, which stands before that of the law.
    """
    if item.as_of <= item.due_date or not claim:
        return ChargesOutcome()
    if contract_percent is not None:
        law = statute if _is_covered(item, statute) else None
        terms = partial(
            contract_terms_on,
            contract_percent=contract_percent,
            interest=law.late_interest if law else None,
            rates=rates,
        )
    elif statute and _is_covered(item, statute):
        law = statute
        terms = partial(terms_on, began=item.first_interest_day, interest=law.late_interest, rates=rates)
    else:
        return _nothing_to_claim(item, statute)
    try:
        return ChargesOutcome(_charges(item, law, terms, claim))
    except MissingRateError as error:
        note = f"charges left out: {error.rate} has no value for {error.half_year}"
        return ChargesOutcome(omission=Omission.MISSING_RATE, note=note)


def interest_days(due_date: date, paid_on: date) -> int:
    """Return how many days bear interest: the due day does not, the day of payment does.

    >>> interest_days(date(2026, 4, 30), date(2026, 8, 31))
    123
    """
    return max(0, (paid_on - due_date).days)


def interest_on(base: Decimal, annual_percent: Decimal, days: int, currency: str, day_count: int) -> Decimal:
    """Return simple interest, rounded: amount x rate x days late / 365.

    >>> interest_on(Decimal("15000.00"), Decimal(15), 30, "EUR", 365)
    Decimal('184.93')
    """
    return round_money(base * annual_percent * days / (100 * day_count), currency)


def terms_on(day: date, began: date, interest: LateInterest, rates: Mapping[str, RateTable]) -> Terms:
    """Return the rate of the law on a day for interest that began to run on another."""
    decisive = {AcrossHalfYears.FLOATS: day, AcrossHalfYears.FROZEN: began}[interest.across_half_years]
    value = rates[interest.rate].rate_on(decisive)
    source = f"{interest.rate} {half_year(decisive)}: {value.annual_percent} % + {interest.margin_points}"
    return Terms(value.annual_percent + interest.margin_points, source)


def contract_terms_on(
    day: date, contract_percent: Decimal, interest: LateInterest | None, rates: Mapping[str, RateTable]
) -> Terms:
    """Return the rate agreed by contract, raised to the least the statute allows on that day."""
    floor = interest.contract_floor if interest else None
    if floor is None:
        return Terms(contract_percent, f"{CONTRACT}: {contract_percent} %")
    least = floor.times * rates[floor.rate].rate_on(day).annual_percent
    if contract_percent >= least:
        return Terms(contract_percent, f"{CONTRACT}: {contract_percent} %")
    return Terms(least, f"{CONTRACT}, raised to {floor.times} x {floor.rate} {half_year(day)}: {least} %")


def _is_covered(item: LateItem, statute: Statute | None) -> bool:
    return statute is not None and statute.covers(item.currency, item.customer_type, item.first_interest_day)


def _nothing_to_claim(item: LateItem, statute: Statute | None) -> ChargesOutcome:
    if statute is None:
        return ChargesOutcome(
            omission=Omission.NO_STATUTE, note="charges left out: the policy names no statute"
        )
    what = f"{item.currency} owed by a {item.customer_type} customer and due on {item.due_date}"
    note = f"charges left out: statute {statute.statute} does not cover {what}"
    return ChargesOutcome(omission=Omission.NOT_COVERED, note=note)


def _charges(
    item: LateItem, law: Statute | None, terms: Callable[[date], Terms], claim: Collection[str]
) -> ItemCharges:
    day_count = law.late_interest.day_count_days if law else USUAL_DAY_COUNT
    periods: tuple[InterestPeriod, ...] = ()
    daily = Decimal(0)
    if LATE_INTEREST in claim:
        terms_from = {day: terms(day) for day in _cuts(item)}
        periods = _periods(item, terms_from, day_count)
        latest = terms_from[max(terms_from)]
        daily = interest_on(item.amount, latest.annual_percent, 1, item.currency, day_count)
    return ItemCharges(
        late_interest=sum((period.amount for period in periods), Decimal(0)),
        recovery_charge=_recovery_charge(item, law) if RECOVERY_CHARGE in claim else Decimal(0),
        periods=periods,
        daily_interest=daily,
        statute=law.statute if law else "",
        legal_basis=law.legal_basis if law else "",
    )


def _recovery_charge(item: LateItem, law: Statute | None) -> Decimal:
    if law is None or item.recovery_charge_already or item.first_interest_day < law.recovery_charge.from_date:
        return Decimal(0)
    debt = item.owed_on(item.first_interest_day)
    return round_money(law.recovery_charge.amount_for(item.currency, debt), item.currency)


def _cuts(item: LateItem) -> list[date]:
    """Return the days on which a new rate or a new base may begin, the first interest day first."""
    first = item.first_interest_day
    cuts = {first} | {paid_on + _ONE_DAY for paid_on, _ in item.payments if first <= paid_on < item.as_of}
    start = next_half_year_start(first)
    while start <= item.as_of:
        cuts.add(start)
        start = next_half_year_start(start)
    return sorted(cuts)


def _periods(item: LateItem, terms: Mapping[date, Terms], day_count: int) -> tuple[InterestPeriod, ...]:
    """Return the stretches of one rate and one base; both their dates bear interest.

    What has run so far is rounded at the end of each stretch, so that the stretches add up to the total
    and the total does not depend on where they are cut.
    """
    periods = []
    stretches = [
        list(days) for _, days in groupby(sorted(terms), key=lambda day: (terms[day], item.owed_on(day)))
    ]
    ends = [stretch[0] - _ONE_DAY for stretch in stretches[1:]] + [item.as_of]
    percent_days = told = Decimal(0)
    for stretch, last in zip(stretches, ends, strict=True):
        first = stretch[0]
        days = interest_days(first - _ONE_DAY, last)
        rate, base = terms[first], item.owed_on(first)
        percent_days += base * rate.annual_percent * days
        so_far = round_money(percent_days / (100 * day_count), item.currency)
        periods.append(
            InterestPeriod(
                from_date=first,
                to_date=last,
                days=days,
                annual_rate=rate.annual_rate,
                base=base,
                amount=so_far - told,
                source=rate.source,
            )
        )
        told = so_far
    return tuple(periods)
