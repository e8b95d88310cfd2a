"""What the law lets a creditor claim for late payment, read from `statutes/*.yaml`.

A statute names a rate series and what is added to it, whether the rate moves with the half-years or stays as it was
when interest began, the fixed recovery charge, and whom and which currencies it covers. The sums are in `charges.py`.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies import strict_yaml
from policies.errors import Problem
from policies.rates import RateTable


class AcrossHalfYears(StrEnum):
    """What a rate does when interest runs into the next half-year."""

    FLOATS = "floats"
    FROZEN = "frozen"
    PER_PAYMENT = "per_payment"


class Begins(StrEnum):
    """What starts interest where no contract states a rate: the due date alone, or a demand in writing."""

    DUE = "due"
    DEMAND = "demand"


class Compounds(StrEnum):
    """Whether interest bears interest: never, or after each full year."""

    NONE = "none"
    YEARLY = "yearly"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ContractFloor(_Declared):
    """The least a rate agreed by contract may be: so many times a rate series."""

    rate: str
    times: int = Field(ge=1)
    across_half_years: Literal[AcrossHalfYears.FLOATS, AcrossHalfYears.FROZEN] = AcrossHalfYears.FLOATS


class ContractCeiling(_Declared):
    """The yearly rate above which no contract may go."""

    from_date: date = Field(alias="from")
    annual_percent: Decimal
    source: str
    weak_spot: str = ""


class LateInterest(_Declared):
    """Interest on the amount unpaid, VAT included: a rate series plus points, or a fixed rate."""

    from_date: date = Field(alias="from")
    rate: str | None = None
    fixed_percent: Decimal | None = None
    margin_points: Decimal = Decimal(0)
    across_half_years: AcrossHalfYears = AcrossHalfYears.FLOATS
    compounds: Compounds = Compounds.NONE
    begins: Begins = Begins.DUE
    day_count_days: int = Field(gt=0)
    contract_floor: ContractFloor | None = None
    source: str
    weak_spot: str = ""

    @model_validator(mode="after")
    def _has_one_rate(self) -> Self:
        if (self.rate is None) == (self.fixed_percent is None):
            raise ValueError("either a rate series (rate) or a fixed rate (fixed_percent) stands here")
        if self.compounds is not Compounds.NONE and self.across_half_years is AcrossHalfYears.PER_PAYMENT:
            raise ValueError("interest at one rate per payment (per_payment) cannot compound")
        return self


class RecoveryTier(_Declared):
    """The fixed sum for debts below an amount; the last tier of a currency has no bound."""

    debt_below_amount: Decimal | None = None
    amount: Decimal


class RecoveryCharge(_Declared):
    """The fixed sum for the costs of recovery, once per invoice, by currency."""

    from_date: date = Field(alias="from")
    tiers: dict[str, tuple[RecoveryTier, ...]]
    source: str
    weak_spot: str = ""

    @model_validator(mode="after")
    def _tiers_rise_and_end_unbounded(self) -> Self:
        for currency, tiers in self.tiers.items():
            bounds = [tier.debt_below_amount for tier in tiers]
            if not bounds or bounds[-1] is not None or None in bounds[:-1]:
                raise ValueError(f"{currency}: the last tier, and only the last, has no debt_below_amount")
            stated = [bound for bound in bounds if bound is not None]
            if any(lower >= upper for lower, upper in pairwise(stated)):
                raise ValueError(f"{currency}: tiers go from the smallest debt to the largest")
        return self

    def amount_for(self, currency: str, debt: Decimal) -> Decimal:
        """Return the fixed sum for a debt, zero in a currency the statute gives none for."""
        for tier in self.tiers.get(currency, ()):
            if tier.debt_below_amount is None or debt < tier.debt_below_amount:
                return tier.amount
        return Decimal(0)


class LimitationStart(StrEnum):
    """From when the limitation period of a debt runs."""

    DUE_DATE = "due_date"
    YEAR_END = "year_end"


class Limitation(_Declared):
    """After how many years a claim can no longer be enforced; a demand letter does not interrupt it."""

    years: int = Field(ge=1)
    runs_from: LimitationStart = LimitationStart.DUE_DATE
    source: str
    weak_spot: str = ""

    def last_day(self, due_date: date) -> date:
        """Return the last day on which a debt can be sued for."""
        begins = date(due_date.year, 12, 31) if self.runs_from is LimitationStart.YEAR_END else due_date
        return add_months(begins, 12 * self.years)


class InsolvencyClaim(_Declared):
    """Within how many months after publication a claim is declared in the customer's insolvency."""

    months: int = Field(ge=1)
    source: str
    weak_spot: str = ""

    def last_day(self, published: date) -> date:
        """Return the last day to declare the claim."""
        return add_months(published, self.months)


class Statute(_Declared):
    """The late-payment law of one kind of debt; without `late_interest` only a contract gives any."""

    description: str = Field(min_length=1)
    statute: str
    checked: date
    legal_basis: str
    currencies: tuple[str, ...]
    customer_types: tuple[str, ...]
    other_statutes: dict[str, str] = {}
    late_interest: LateInterest | None = None
    recovery_charge: RecoveryCharge | None = None
    contract_ceiling: ContractCeiling | None = None
    limitation: Limitation | None = None
    insolvency_claim: InsolvencyClaim | None = None

    def covers(self, currency: str, customer_type: str, first_interest_day: date) -> bool:
        """Return whether a debt in the currency, of such a customer, late from that day, is under this statute."""
        since = self.late_interest.from_date if self.late_interest else date.min
        return (
            first_interest_day >= since
            and currency in self.currencies
            and customer_type in self.customer_types
        )


@dataclass(frozen=True)
class Law:
    """Statutes and rate series by name."""

    statutes: Mapping[str, Statute]
    rates: Mapping[str, RateTable]


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of that month where it has no such day.

    >>> add_months(date(2026, 12, 31), 2)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=32)
def load_statute(text: str, file: str) -> Statute:
    """Return the statute that a YAML file states.

    Raises:
        PolicyInvalidError: everything that is wrong in the file.
    """
    return strict_yaml.validate(Statute, strict_yaml.load(text, file), file)


def statute_for(name: str, customer_type: str, statutes: Mapping[str, Statute]) -> Statute:
    """Return the statute a policy names, or the one it names in turn for this type of customer."""
    statute = statutes[name]
    return statutes[statute.other_statutes.get(customer_type, name)]


def covering_statute(
    name: str | None, customer_type: str | None, statutes: Mapping[str, Statute]
) -> Statute | None:
    """Return the statute that a customer of this type (business when unknown) is under, if one of them covers it."""
    if name is None or name not in statutes:
        return None
    statute = statute_for(name, customer_type or "business", statutes)
    return statute if (customer_type or "business") in statute.customer_types else None


def series_of(statute: Statute) -> list[tuple[str, str]]:
    """Return the rate series a statute needs, with their keys in `late_interest`."""
    interest = statute.late_interest
    if interest is None:
        return []
    named = [("rate", interest.rate)] if interest.rate else []
    floor = interest.contract_floor
    return named + ([("contract_floor.rate", floor.rate)] if floor else [])


def find_ceiling_problems(
    statute: Statute, contract_percent: Decimal | None, as_of: date, file: str
) -> list[Problem]:
    """Return what is wrong with a policy's contract rate under the statute it names: it may be too high."""
    ceiling = statute.contract_ceiling
    if ceiling is None or contract_percent is None or as_of < ceiling.from_date:
        return []
    if contract_percent <= ceiling.annual_percent:
        return []
    ceiling_of = f"the ceiling of statute {statute.statute} ({ceiling.source})"
    what = f"{contract_percent.normalize():f} % a year is above {ceiling_of}"
    return [Problem(file, "charges.rate", what, f"up to {ceiling.annual_percent} %, stated as a fraction")]


def find_law_problems(statutes: Sequence[Statute], rates: Mapping[str, RateTable]) -> list[Problem]:
    """Return every name in the statutes that stands for no statute or rate series."""
    known = sorted(statute.statute for statute in statutes)
    series = sorted(rates)
    problems = []
    for statute in statutes:
        file = f"statutes/{statute.statute}.yaml"
        named = [(f"late_interest.{path}", rate) for path, rate in series_of(statute)]
        problems += [
            Problem(file, path, f"unknown rate series '{rate}'", ", ".join(series))
            for path, rate in named
            if rate not in rates
        ]
        problems += [
            Problem(file, f"other_statutes.{customer_type}", f"unknown statute '{name}'", ", ".join(known))
            for customer_type, name in statute.other_statutes.items()
            if name not in known
        ]
    return problems
