"""Business days, counted one by one."""

from datetime import date, timedelta

import holidays


def is_known(country: str) -> bool:
    """Return whether the public holidays of a country are known."""
    return country.partition("-")[0] in holidays.list_supported_countries()


def is_business_day(day: date, country: str | None) -> bool:
    """Return whether a day is one; without a known country only Saturdays and Sundays are free."""
    if country is None or not is_known(country):
        return day.weekday() < 5
    code, _, subdivision = country.partition("-")
    calendar = holidays.country_holidays(code, subdiv=subdivision or None, years=day.year)
    return not calendar.is_weekend(day) and day not in calendar


def business_days_between(start: date, end: date, country: str | None) -> int:
    """Return how many business days d there are with start < d <= end."""
    return sum(is_business_day(start + timedelta(days=n), country) for n in range(1, (end - start).days + 1))
