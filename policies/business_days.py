"""Working days of a country: neither its weekend nor a public holiday.

A country is two letters, or with a region as in `CA-QC`. Of an unknown one only Saturdays and Sundays
are known; `is_supported` tells, and `relance policy check` lists it.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

from holidays import HolidayBase, country_holidays, list_supported_countries

_ONE_DAY = timedelta(days=1)


def is_supported(country: str) -> bool:
    """Return whether the holidays of this country, and region if given, are known."""
    code, _, region = country.upper().partition("-")
    regions = _supported().get(code)
    return regions is not None and (not region or region in regions)


def has_calendar(country: str, year: int) -> bool:
    """Return whether any public holiday of this country is known in a year."""
    return bool(holiday_dates(country, (year,)))


def holiday_dates(country: str, years: Iterable[int]) -> frozenset[date]:
    """Return the public holidays of a country in these years; none for a country that is not known."""
    return frozenset().union(*(_holidays_of_year(country.upper(), year) for year in years))


def holiday_name(day: date, country: str) -> str:
    """Return the name of the public holiday of this day in the country's own language; nothing on other days.

    >>> holiday_name(date(2026, 8, 15), "FR")
    'Assomption'
    """
    calendar = _calendar(country.upper(), day.year)
    return calendar.get(day, "") if calendar is not None else ""


def is_business_day(day: date, country: str) -> bool:
    """Return whether people work on this day.

    >>> is_business_day(date(2026, 7, 14), "FR")
    False
    >>> is_business_day(date(2026, 7, 15), "FR")
    True
    """
    return not _is_weekend(day, country.upper()) and day not in _holidays_of_year(country.upper(), day.year)


def business_days_between(start: date, end: date, country: str) -> int:
    """Return how many working days `d` lie in start < d ≤ end; 0 when `end` is not after `start`.

    >>> business_days_between(date(2026, 7, 10), date(2026, 7, 15), "FR")
    2
    """
    days = (start + timedelta(days=offset) for offset in range(1, (end - start).days + 1))
    return sum(is_business_day(day, country) for day in days)


def add_business_days(day: date, days: int, country: str) -> date:
    """Return the working day that is `days` working days after `day`; with 0, the first from `day` on.

    >>> add_business_days(date(2026, 7, 10), 2, "FR")
    datetime.date(2026, 7, 15)
    """
    left = days
    while left or not is_business_day(day, country):
        day += _ONE_DAY
        left -= bool(left) and is_business_day(day, country)
    return day


def business_day_before(day: date, country: str) -> date:
    """Return the last working day before `day`.

    >>> business_day_before(date(2026, 7, 15), "FR")
    datetime.date(2026, 7, 13)
    """
    day -= _ONE_DAY
    while not is_business_day(day, country):
        day -= _ONE_DAY
    return day


@lru_cache(maxsize=1)
def _supported() -> dict[str, list[str]]:
    return list_supported_countries(include_aliases=False)


@lru_cache(maxsize=4096)
def _holidays_of_year(country: str, year: int) -> frozenset[date]:
    calendar = _calendar(country, year)
    return frozenset(calendar) if calendar is not None else frozenset()


@lru_cache(maxsize=4096)
def _calendar(country: str, year: int) -> HolidayBase | None:
    if not is_supported(country):
        return None
    code, _, region = country.partition("-")
    # Without a language the names would be in that of the machine.
    language = country_holidays(code).default_language
    return country_holidays(code, subdiv=region or None, years=year, expand=False, language=language)


def _is_weekend(day: date, country: str) -> bool:
    calendar = _calendar(country, day.year)
    return day.weekday() >= 5 if calendar is None else calendar.is_weekend(day)
