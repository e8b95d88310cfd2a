"""Working days by country, with holidays of the real calendars."""

from datetime import date

import pytest

from policies.business_days import (
    add_business_days,
    business_days_between,
    has_calendar,
    holiday_dates,
    holiday_name,
    is_business_day,
    is_supported,
)


@pytest.mark.parametrize(
    ("day", "country", "expected"),
    [
        (date(2026, 7, 13), "FR", True),
        (date(2026, 7, 14), "FR", False),
        (date(2026, 7, 18), "FR", False),
        (date(2026, 7, 14), "DE", True),
        (date(2026, 6, 24), "CA-QC", False),
        (date(2026, 6, 24), "CA", True),
        (date(2026, 7, 14), "fr", False),
        (date(2026, 7, 14), "ZZ", True),
        (date(2026, 7, 18), "ZZ", False),
        (date(2026, 7, 14), "", True),
    ],
)
def test_a_business_day_is_neither_weekend_nor_holiday(day: date, country: str, expected: bool) -> None:
    assert is_business_day(day, country) is expected


def test_a_weekend_is_that_of_the_country_and_the_time() -> None:
    friday, sunday = date(2020, 1, 3), date(2020, 1, 5)
    assert [is_business_day(day, "AE") for day in (friday, sunday)] == [False, True]


def test_holidays_of_several_years_come_together() -> None:
    days = holiday_dates("FR", (2025, 2026))
    assert {date(2025, 4, 21), date(2026, 4, 6)} <= days
    assert len(days) == 22


def test_an_unknown_country_has_no_holidays() -> None:
    assert holiday_dates("ZZ", (2026,)) == frozenset()


@pytest.mark.parametrize(
    ("country", "expected"),
    [("FR", True), ("fr", True), ("CA-QC", True), ("CA-XX", False), ("ZZ", False), ("", False)],
)
def test_it_is_known_which_countries_are_known(country: str, expected: bool) -> None:
    assert is_supported(country) is expected


def test_a_calendar_can_be_missing_for_a_year() -> None:
    assert has_calendar("FR", 2027)
    assert not has_calendar("FR", 2500)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 7, 10), date(2026, 7, 10), 0),
        (date(2026, 7, 10), date(2026, 7, 12), 0),
        (date(2026, 7, 10), date(2026, 7, 13), 1),
        (date(2026, 7, 10), date(2026, 7, 15), 2),
        (date(2026, 7, 15), date(2026, 7, 10), 0),
    ],
)
def test_days_between_leave_out_the_first_and_count_the_last(start: date, end: date, expected: int) -> None:
    assert business_days_between(start, end, "FR") == expected


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2026, 7, 10), 0, date(2026, 7, 10)),
        (date(2026, 7, 11), 0, date(2026, 7, 13)),
        (date(2026, 7, 11), 1, date(2026, 7, 13)),
        (date(2026, 7, 13), 1, date(2026, 7, 15)),
        (date(2026, 7, 10), 2, date(2026, 7, 15)),
    ],
)
def test_adding_business_days_ends_on_one(day: date, days: int, expected: date) -> None:
    assert add_business_days(day, days, "FR") == expected


def test_a_holiday_is_named_in_the_language_of_its_country() -> None:
    assert holiday_name(date(2026, 5, 1), "fr") == "Fête du Travail"
    assert holiday_name(date(2026, 10, 3), "DE") == "Tag der Deutschen Einheit"
    assert holiday_name(date(2026, 7, 4), "US") == "Independence Day"
    assert holiday_name(date(2026, 6, 24), "CA-QC") != ""
    assert holiday_name(date(2026, 5, 2), "FR") == holiday_name(date(2026, 5, 1), "XX") == ""
