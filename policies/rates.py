"""Interest rates set by authorities: dated series by half-year, read from `rates/*.yaml`.

A half-year without a value is an error that names it: a rate is never carried over or extrapolated. Which series
counts, and what is added to it, is said by a statute (`statutes.py`). Percent here; fractions leave in `annual_rate`.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies import strict_yaml
from policies.errors import PolicyInvalidError


class MissingRateError(PolicyInvalidError):
    """A rate series has no value for a half-year."""

    def __init__(self, rate: str, missing_half_year: str, last_known: str) -> None:
        """Name the series and the half-year; say where to add it."""
        self.rate = rate
        self.half_year = missing_half_year
        super().__init__(
            f"rates/{rate}.yaml: no value for {missing_half_year} (the newest is {last_known}). "
            f"Add the published value with its source, from {half_year_start_of(missing_half_year)}."
        )


class RateValue(BaseModel):
    """What the authority set for the half-year that begins on `from_date`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_date: date = Field(alias="from")
    annual_percent: Decimal
    source: str
    weak_spot: str = ""


class RateTable(BaseModel):
    """One series, oldest value first, without gaps; every value names one of its `sources`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(min_length=1)
    rate: str
    checked: date
    sources: dict[str, str]
    values: tuple[RateValue, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _values_follow_each_other(self) -> Self:
        expected = self.values[0].from_date
        for value in self.values:
            if value.from_date != half_year_start(value.from_date):
                raise ValueError(f"{value.from_date}: a half-year begins on 1 January or 1 July")
            if value.from_date != expected:
                raise ValueError(f"{value.from_date}: the value from {expected} should stand here")
            if value.source not in self.sources:
                raise ValueError(
                    f"{value.from_date}: source '{value.source}' is not one of {sorted(self.sources)}"
                )
            expected = next_half_year_start(value.from_date)
        return self

    def rate_on(self, day: date) -> RateValue:
        """Return the value of the half-year that holds the day.

        Raises:
            MissingRateError: the series has no value for that half-year.
        """
        # Values follow each other without gaps, so the place of one is its distance from the first.
        first = self.values[0].from_date
        place = 2 * (day.year - first.year) + (day.month > 6) - (first.month > 6)
        if 0 <= place < len(self.values):
            return self.values[place]
        raise MissingRateError(self.rate, half_year(day), half_year(self.values[-1].from_date))


@lru_cache(maxsize=32)
def load_rates(text: str, file: str) -> RateTable:
    """Return the rate series that a YAML file states.

    Raises:
        PolicyInvalidError: everything that is wrong in the file.
    """
    return strict_yaml.validate(RateTable, strict_yaml.load(text, file), file)


def half_year(day: date) -> str:
    """Return the name of the half-year that holds the day.

    >>> half_year(date(2026, 6, 30)), half_year(date(2026, 7, 1))
    ('2026-H1', '2026-H2')
    """
    return f"{day.year}-H{1 if day.month <= 6 else 2}"


def half_year_start(day: date) -> date:
    """Return the first day of the half-year that holds the day.

    >>> half_year_start(date(2026, 8, 31))
    datetime.date(2026, 7, 1)
    """
    return date(day.year, 1 if day.month <= 6 else 7, 1)


def next_half_year_start(day: date) -> date:
    """Return the first day of the half-year after the one that holds the day.

    >>> next_half_year_start(date(2026, 7, 1))
    datetime.date(2027, 1, 1)
    """
    return date(day.year, 7, 1) if day.month <= 6 else date(day.year + 1, 1, 1)


def half_year_start_of(name: str) -> date:
    """Return the first day of a half-year given by name.

    >>> half_year_start_of("2027-H1")
    datetime.date(2027, 1, 1)
    """
    year, half = name.split("-H")
    return date(int(year), 1 if half == "1" else 7, 1)
