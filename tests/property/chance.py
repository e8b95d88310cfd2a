"""Where everything drawn comes from: a generator of random numbers, Hypothesis's own in a test.

The simplest choice stands first everywhere, so that what Hypothesis shrinks becomes simpler.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

Row = dict[str, Any]
Drawn = TypeVar("Drawn")

LIMITS = (0, 1, 2, 3, 5, 7, 7, 10, 14, 30)
"""Days that policies are full of."""

NEAR_LIMITS = (*LIMITS, 4, 6, 8, 9, 11, 13, 15, 16, 20, 29, 31)
"""Days on, just before and just after them."""

FAR = (*NEAR_LIMITS, 45, 60, 61, 75, 89, 90, 91, 120, 200, 364, 365, 366, 400)
AMOUNTS = tuple(Decimal(text) for text in ("100", "50", "10", "15", "14.99", "100.01", "1200", "20"))

PARTS = tuple(Decimal(text) for text in ("10", "5", "14.99", "15", "50", "100"))
"""Amounts of disputes and the like: often less than an invoice, sometimes all of it."""


@dataclass(frozen=True)
class Chance:
    """Draws; `today` is the day that all drawn dates are counted from."""

    source: Random
    today: date

    def pick(self, choices: Sequence[Drawn]) -> Drawn:
        """Return one of them; one that stands there twice comes twice as often."""
        return self.source.choice(choices)

    def one_in(self, number: int) -> bool:
        """Return true once in so many times."""
        return self.source.choice(range(number)) == number - 1

    def count(self, most: int, least: int = 0) -> int:
        """Return a small number, both ends included."""
        return self.source.choice(range(least, most + 1))

    def before(self, days: Sequence[int] = NEAR_LIMITS) -> date:
        """Return a day some days back; once in a while it is still to come."""
        return self.today + timedelta(days=1) if self.one_in(24) else self.ago(self.pick(days))

    def ago(self, days: int) -> date:
        """Return the day so many days back."""
        return self.today - timedelta(days=days)
