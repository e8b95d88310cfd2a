"""What of a policy its cases show: steps, segments, risk classes, rules of acceleration, reasons to hold.

Only what a case expects counts, not what happens to the items beside it. A reason that the policy can't give,
because the key behind it is absent, is not asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from policies.conditions import compile_condition
from policies.facts import Scope
from policies.model import Channel, HoldReason
from policies.policy import Accelerate, Policy

_REACHING = frozenset(Channel) - {Channel.AGENCY, Channel.COURT}


@dataclass(frozen=True)
class Covered:
    """One kind of thing a policy has: all there are, and those that no case shows."""

    kind: str
    names: tuple[str, ...]
    missing: tuple[str, ...]


def cover(policy: Policy, decided: Iterable[pl.DataFrame]) -> list[Covered]:
    """Return what the cases show of the policy.

    Args:
        policy: what there is to show.
        decided: of each case that passed the decisions it expects (rows of `policies.escalation.decide`).
    """
    shown = _shown(policy, decided)
    return [
        Covered(kind, tuple(names), tuple(name for name in names if name not in shown))
        for kind, names in _to_show(policy).items()
    ]


def possible_reasons(policy: Policy) -> list[HoldReason]:
    """Return the reasons not to act that items can have under the policy."""
    steps = [step for ladder in policy.ladders.values() for step in ladder]
    calendar = policy.calendar
    is_possible = {
        HoldReason.NO_SEGMENT: all(segment.when is not None for segment in policy.segments),
        HoldReason.SMALL_BALANCE: bool(policy.small_balance),
        HoldReason.MISSING_CONTACT: any(step.channel in _REACHING for step in steps),
        HoldReason.SOURCE_STALE: policy.guards.maximum_source_age_business_days is not None,
        HoldReason.CONTACT_GAP: bool(policy.contact.minimum_gap_days),
        HoldReason.CONTACT_CAP: policy.contact.maximum is not None,
        HoldReason.NOT_A_CONTACT_DAY: calendar is not None
        and (calendar.contact_on == "business_days" or bool(calendar.blackouts)),
    }
    return [reason for reason in HoldReason if is_possible.get(reason, True)]


def _to_show(policy: Policy) -> dict[str, list[str]]:
    return {
        "steps": [f"{ladder}.{step.step}" for ladder, steps in policy.ladders.items() for step in steps],
        "segments": [f"segment {segment.segment}" for segment in policy.segments],
        "risk classes": [f"risk {rule.class_}" for rule in policy.risk],
        "accelerations": [_rule_name(number, rule.to) for number, rule in enumerate(policy.accelerate)],
        "holds": [reason.value for reason in possible_reasons(policy)],
    }


def _shown(policy: Policy, decided: Iterable[pl.DataFrame]) -> set[str]:
    shown: set[str] = set()
    for rows in decided:
        acting = rows.filter("act")
        shown.update(f"{row['ladder']}.{row['step']}" for row in acting.iter_rows(named=True))
        shown.update(f"segment {name}" for name in rows["segment"].drop_nulls())
        shown.update(f"risk {name}" for name in rows["risk"].drop_nulls())
        shown.update(name for name in rows["reason"] if name)
        shown.update(_leaps(policy, acting))
    return shown


def _leaps(policy: Policy, acting: pl.DataFrame) -> Iterable[str]:
    """Yield the rules that brought an item to a step ahead of its time: the first that holds and leads there."""
    for row in acting.filter("is_brought_forward").iter_slices(1):
        yield next(
            _rule_name(number, rule.to)
            for number, rule in enumerate(policy.accelerate)
            if rule.to == row["step"].item() and _holds(rule, number, row)
        )


def _holds(rule: Accelerate, number: int, row: pl.DataFrame) -> bool:
    condition = compile_condition(rule.when, Scope.ITEM, "policy", f"accelerate[{number}].when")
    return not row.filter(condition).is_empty()


def _rule_name(number: int, step: str) -> str:
    return f"accelerate[{number}] to {step}"
