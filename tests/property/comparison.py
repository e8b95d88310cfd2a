"""Decides many pasts at once in both ways and tells where they differ, and what the pasts made the rules do."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from policies.facts import FACTS
from policies.model import Channel, EventKind, HoldReason
from policies.policy import Policy, load_policy
from tests.builders import history
from tests.oracle.fast_path import decide_fast, decide_slowly
from tests.property.chance import Chance, Row
from tests.property.drawn_pasts import Tables, draw_past
from tests.property.drawn_policies import STEP_CHANNELS, draw_policy, facts_named
from tests.property.readable import as_yaml
from tests.property.unions import disjoint, number_of, together

DAYS = (
    date(2026, 3, 10),
    date(2026, 3, 10),
    date(2026, 3, 31),
    date(2026, 4, 3),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 3, 14),
    date(2026, 1, 1),
    date(2024, 2, 29),
    date(2026, 3, 2),
)
"""Days that all drawn dates are counted from: plain ones, ends of months, week-ends, holidays of one country."""

OFFSETS = (0, 0, 0, 0, -7, 4)
"""Mostly that very day is decided; sometimes one before what the rows say last, or after."""


@dataclass(frozen=True, repr=False)
class Trial:
    """Pasts that share nothing but a policy and a day."""

    keys: Row
    as_of: date
    pasts: Sequence[Tables]

    @property
    def policy(self) -> Policy:
        """Return the policy, checked as a file would be."""
        return load_policy(as_yaml(self.keys), "drawn.yaml")

    def __repr__(self) -> str:
        """Say what it is in a line; all rows would fill pages."""
        return f"<{len(self.pasts)} pasts on {self.as_of}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def alone(self, number: int) -> "Trial":
        """Return one past by itself."""
        return Trial(self.keys, self.as_of, [self.pasts[number]])


@dataclass(frozen=True)
class Difference:
    """An item of which the two ways say different things, and what each says where they differ."""

    past: int
    item: tuple[str, str, str]
    oracle: Row
    fast_path: Row

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{'/'.join(self.item)}: the oracle says {self.oracle}, the fast path {self.fast_path}"


@dataclass
class Outcome:
    """What a trial showed."""

    differences: list[Difference] = field(default_factory=list)
    pasts: int = 0
    items: int = 0
    policies: int = 0
    days: set[date] = field(default_factory=set)
    exercised: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Add what another trial showed."""
        self.differences += other.differences
        self.pasts += other.pasts
        self.items += other.items
        self.policies += other.policies
        self.days |= other.days
        self.exercised += other.exercised


def draw_trial(source: Random, pasts: int) -> Trial:
    """Return so many pasts under one policy."""
    chance = Chance(source, source.choice(DAYS))
    as_of = chance.today + timedelta(days=source.choice(OFFSETS))
    return Trial(draw_policy(chance), as_of, [draw_past(chance) for _ in range(pasts)])


def compare(trial: Trial) -> Outcome:
    """Decide a trial in both ways; all pasts in one call each."""
    union = history(**together([disjoint(past, number) for number, past in enumerate(trial.pasts)]))
    slow = decide_slowly(union, trial.policy, trial.as_of)
    fast = decide_fast(union, trial.policy, trial.as_of)
    return Outcome(
        differences=list(_differences(slow, fast)),
        pasts=len(trial.pasts),
        items=len(slow),
        policies=1,
        days={trial.as_of},
        exercised=Counter(_exercised(trial, slow)),
    )


def _differences(slow: list[Row], fast: list[Row]) -> Iterable[Difference]:
    left, right = ({_key(row): row for row in rows} for rows in (slow, fast))
    for key in sorted({*left, *right}):
        a, b = left.get(key, {}), right.get(key, {})
        unlike = [name for name in {**a, **b} if a.get(name) != b.get(name)]
        if unlike:
            shown = ({name: row.get(name) for name in unlike} for row in (a, b))
            yield Difference(number_of(key[0]), key, *shown)
    if len(slow) != len(left) or len(fast) != len(right):
        raise AssertionError("an item was decided twice")


def _key(row: Row) -> tuple[str, str, str]:
    return (row["customer_id"], row["invoice_number"], row["installment"])


def _exercised(trial: Trial, rows: list[Row]) -> Iterable[str]:
    own = {step["step"]: step["channel"] for ladder in trial.keys["ladders"].values() for step in ladder}
    for row in rows:
        yield f"reason {row['reason']}" if row["reason"] else "reason none: acts"
        yield from (f"fact {name} known" for name in FACTS if row[name] is not None)
        if row["act"]:
            yield f"step {row['step']}"
            yield f"channel {row['channel']}"
            stand_in = row["channel"] != own[row["step"]]
            yield from (
                text
                for text, is_so in (
                    ("act in the place of another channel", stand_in),
                    ("act a repeat", row["attempt"] > 1),
                    ("act in the message of a higher step", row["message_step"] != row["step"]),
                    ("act on a part that is not disputed", row["amount_disputed"] > 0),
                    (
                        "act before the due date",
                        row["days_past_due"] is not None and row["days_past_due"] < 0,
                    ),
                )
                if is_so
            )
    yield from (f"event {event['kind']}" for past in trial.pasts for event in past["events"])
    yield from (f"source {file['kind']}" for past in trial.pasts for file in past["files"])
    yield from (f"condition on {name}" for name in facts_named(trial.keys))
    yield from _keys_used(trial.keys)


def _keys_used(keys: Row) -> Iterable[str]:
    yield from (f"policy {name} {keys[name]}" for name in ("ladder_mode", "entry", "anchor"))
    yield from (f"policy {name}" for name, value in keys.items() if value)
    yield from (f"policy contact.{name}" for name in keys["contact"])
    yield from (f"policy calendar.{name}" for name in keys.get("calendar", {}))
    yield from {f"key {name}" for ladder in keys["ladders"].values() for step in ladder for name in step}


def expected() -> set[str]:
    """Return what enough pasts must have made the rules do."""
    return {
        *(f"reason {reason.value}" for reason in HoldReason),
        *(f"channel {channel.value}" for channel in Channel),
        *(f"event {kind.value}" for kind in EventKind),
        *(f"step {step}" for step in STEP_CHANNELS),
        *(f"fact {name} known" for name in FACTS),
        *(f"condition on {name}" for name in FACTS),
        "act in the place of another channel",
        "act a repeat",
        "act in the message of a higher step",
        "act on a part that is not disputed",
        "act before the due date",
    }
