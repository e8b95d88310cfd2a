"""Days on which the policy forbids contact, and which of three reasons it has: blackout, public holiday, weekend."""

from collections.abc import Iterable
from datetime import date

from policies.business_days import holiday_name, is_business_day, is_supported
from policies.policy import Policy

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def why_closed_in(policy: Policy, countries: Iterable[str], day: date) -> dict[str, str]:
    """Return, for those of the countries where nobody may be contacted on a day, why not."""
    reasons = {country: why_closed(policy, country, day) for country in countries}
    return {country: reason for country, reason in reasons.items() if reason is not None}


def why_closed_for(policy: Policy, countries: Iterable[str], day: date) -> dict[str, str]:
    """Return as `why_closed_in` does; the policy's country stands in for one that is empty or not known."""
    own = policy.calendar.country if policy.calendar else None
    reasons = {one: why_closed(policy, one if one and is_supported(one) else own, day) for one in countries}
    return {country: reason for country, reason in reasons.items() if reason is not None}


def why_closed(policy: Policy, country: str | None, day: date) -> str | None:
    """Return why nobody may be contacted on a day in a country, without a full stop; nothing where one may."""
    if policy.calendar is None:
        return None
    for blackout in policy.calendar.blackouts:
        if blackout.from_ <= day <= blackout.to:
            return f"{day} is in the blackout '{blackout.why}' ({blackout.from_} to {blackout.to})"
    if policy.calendar.contact_on != "business_days" or is_business_day(day, country or ""):
        return None
    if name := holiday_name(day, country or ""):
        return f"{day} is a public holiday in {country} ({name})"
    where = f" in {country}" if country else ""
    return f"{day} is a {_WEEKDAYS[day.weekday()]}, in the weekend{where}"
