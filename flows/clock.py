"""The only place that reads a clock: today in the creditor's time zone, and the instant now.

Everything below `flows/` takes dates and instants as arguments.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def today(time_zone: str) -> date:
    """Return the date it is now in a time zone such as `Europe/Paris`."""
    return datetime.now(ZoneInfo(time_zone)).date()


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)
