"""Series of values that someone found and dated: the one that counts on a day is the last that had begun.

The form that `recovery_odds/*.yaml` and `loss_rates/*.yaml` share. Before the first series nothing is known, and
nothing is assumed.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.policy_keys import Day, Text


class Found(BaseModel):
    """Values found somewhere, used from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_date: Day = Field(alias="from")
    source: Text
    weak_spot: str = ""


F = TypeVar("F", bound=Found)


class DatedTable(BaseModel, Generic[F]):
    """A file of series: what all such files state beside their own name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: Text
    checked: Day
    series: Annotated[tuple[F, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _series_follow_each_other(self) -> Self:
        for earlier, later in pairwise(self.series):
            if later.from_date <= earlier.from_date:
                raise ValueError(f"{later.from_date}: series stand from the oldest to the newest")
        return self


def in_force(series: Sequence[F], as_of: date) -> F | None:
    """Return the series that counts on a day; None before the first."""
    begun = [one for one in series if one.from_date <= as_of]
    return begun[-1] if begun else None
