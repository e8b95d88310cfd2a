"""Days on which nobody is contacted, by the country of each customer."""

from datetime import date

import pytest

from policies.closed_days import why_closed_for
from policies.policy import load_policy

VICTORY_DAY = date(2026, 5, 8)
SUNDAY = date(2026, 5, 3)


def closed(calendar: str, day: date) -> dict[str, str]:
    text = (
        "description: Of a test.\npolicy: of_a_test\n"
        f"{calendar}"
        "segments: [{segment: all, ladder: one}]\n"
        "ladders: {one: [{step: reminder_1, after_due_days: 1, channel: email}]}\n"
    )
    return why_closed_for(load_policy(text, "of_a_test.yaml"), ["FR", "DE", "", "XX"], day)


@pytest.mark.parametrize("calendar", ["", "calendar: {country: FR, contact_on: every_day}\n"])
def test_without_a_calendar_of_contact_every_day_is_open(calendar: str) -> None:
    assert closed(calendar, SUNDAY) == {}


def test_a_customer_whose_country_is_not_known_has_the_holidays_of_the_policy() -> None:
    why = closed("calendar: {country: FR, contact_on: business_days}\n", VICTORY_DAY)
    assert set(why) == {"FR", "", "XX"}
    assert all("is a public holiday in FR" in one for one in why.values())


def test_a_weekend_is_closed_for_everybody() -> None:
    why = closed("calendar: {country: FR, contact_on: business_days}\n", SUNDAY)
    assert set(why) == {"FR", "DE", "", "XX"}
