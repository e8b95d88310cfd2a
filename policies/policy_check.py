"""What one key of a policy alone cannot tell: whether its keys and conditions fit together.

An error found here refuses the policy when it is loaded; what only needs a person's eye is listed by
`policies.policy_warnings`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from policies.conditions import find_condition_problems
from policies.errors import Problem
from policies.facts import Scope
from policies.model import Channel
from policies.money import CURRENCY_DIGITS, currency_digits, is_currency
from policies.policy_keys import Accelerate, Policy, ReachableChannel, RiskClass, Segment, Step, Watch
from policies.yaml_wording import did_you_mean

BEFORE_RISK = frozenset({"risk", "segment"})
BEFORE_SEGMENTS = frozenset({"segment"})
TIMING = ("after_due_days", "after_invoice_days", "after_previous_days", "before_due")
"""The keys that say when a step is due."""


Error = tuple[str, str, str]
"""Key path, what is wrong, what is allowed."""

NAMELESS = "unnamed"
"""Stands in for a name that could not be read (`policies.policy_reading`)."""

NO_DOUBTS: frozenset[str] = frozenset()


def find_errors(policy: Policy, file: str, doubts: frozenset[str] = NO_DOUBTS) -> list[Problem]:
    """Return everything that makes the policy senseless as a whole.

    Args:
        policy: the policy, or what could be read of it.
        file: for messages.
        doubts: the key paths of what could not be read; nothing that rests on them is told.
    """
    found = [
        *_bucket_errors(policy),
        *_first_match_errors(policy, doubts),
        *_reference_errors(policy, doubts),
        *_amount_errors(policy),
        *_blackout_errors(policy, doubts),
        *_fallback_errors(policy),
        *_give_up_errors(policy, doubts),
        *(
            error
            for name, steps in policy.ladders.items()
            for error in _ladder_errors(f"ladders.{name}", steps, doubts)
        ),
    ]
    return [Problem(file, *error) for error in found] + list(_condition_errors(policy, file))


def is_doubtful(doubts: Collection[str], path: str, *keys: str) -> bool:
    """Whether a block, or one of the keys named in it, could not be read."""
    return path in doubts or any(f"{path}.{key}" in doubts for key in keys)


def _bucket_errors(policy: Policy) -> Iterator[Error]:
    edges = policy.aging_buckets_days
    if edges[0] != 0 or any(first >= second for first, second in pairwise(edges)):
        yield "aging_buckets_days", f"{list(edges)} is not 0 and then rising", "[0, 30, 60, 90]"


def _first_match_errors(policy: Policy, doubts: frozenset[str]) -> Iterator[Error]:
    for key, rules in first_match_rules(policy):
        for index, rule in enumerate(rules[:-1]):
            if rule.when is None and not is_doubtful(doubts, f"{key}[{index}]", "when"):
                yield (
                    f"{key}[{index}]",
                    "it matches everything, so those after it are never reached",
                    "a when, or the last place",
                )
    yield from _twice("risk", "class", [rule.class_ for rule in policy.risk], doubts)
    yield from _twice("segments", "segment", [rule.segment for rule in policy.segments], doubts)
    yield from _twice("watch", "watch", [rule.watch for rule in policy.watch], doubts)


def first_match_rules(policy: Policy) -> tuple[tuple[str, Sequence[RiskClass | Segment]], ...]:
    """Return the lists of which the first match wins, with their keys."""
    return ("risk", policy.risk), ("segments", policy.segments)


def _twice(path: str, key: str, names: list[str], doubts: frozenset[str]) -> Iterator[Error]:
    read = [name for i, name in enumerate(names) if not is_doubtful(doubts, f"{path}[{i}]", key)]
    for index, name in enumerate(names):
        if name in names[:index] and read.count(name) > 1:
            yield f"{path}[{index}].{key}", f"'{name}' stands twice", "each name once"


def _reference_errors(policy: Policy, doubts: frozenset[str]) -> Iterator[Error]:
    if "ladders" in doubts:
        return
    ladders = list(policy.ladders)
    for index, segment in enumerate(policy.segments):
        is_known = segment.ladder in ladders or f"ladders.{segment.ladder}" in doubts
        if not is_known and not is_doubtful(doubts, f"segments[{index}]", "ladder"):
            what = f"there is no ladder '{segment.ladder}'{did_you_mean(segment.ladder, ladders)}"
            yield f"segments[{index}].ladder", what, ", ".join(ladders)
    steps = list(dict.fromkeys(step.step for ladder in policy.ladders.values() for step in ladder))
    # What is meant may be the step whose name, or the ladder that as a whole, could not be read.
    if NAMELESS in steps or any(f"ladders.{name}" in doubts for name in policy.ladders):
        return
    for index, rule in enumerate(policy.accelerate):
        if rule.to not in steps and not is_doubtful(doubts, f"accelerate[{index}]", "to"):
            what = f"no ladder has a step '{rule.to}'{did_you_mean(rule.to, steps)}"
            yield f"accelerate[{index}].to", what, ", ".join(steps)


def _amount_errors(policy: Policy) -> Iterator[Error]:
    """Yield the currencies of amounts that no country uses, and amounts with more digits than theirs has."""
    stated = [
        ("small_balance", policy.small_balance),
        ("guards.maximum_amount", policy.guards.maximum_amount),
        ("approvals.two_names_above", policy.approvals.two_names_above),
    ]
    stated += [("give_up.cost_limit", policy.give_up.cost_limit)] if policy.give_up else []
    for ladder, index, step in steps_of(policy):
        path = f"ladders.{ladder}[{index}]"
        stated += [(f"{path}.minimum_amount", step.minimum_amount), (f"{path}.fee", step.fee)]
    for path, amounts in stated:
        for currency, amount in amounts.items():
            digits = currency_digits(currency)
            if is_currency(currency) and -int(amount.as_tuple().exponent) > digits:
                what = f"{amount} has more digits after the point than {currency} has"
                yield f"{path}.{currency}", what, f"{digits} at most" if digits else "no point"
            if not is_currency(currency):
                what = f"'{currency}' is no currency in use{did_you_mean(currency, CURRENCY_DIGITS)}"
                yield f"{path}.{currency}", what, "a code of ISO 4217, such as EUR"


def _blackout_errors(policy: Policy, doubts: frozenset[str]) -> Iterator[Error]:
    for index, blackout in enumerate(policy.calendar.blackouts if policy.calendar else ()):
        path = f"calendar.blackouts[{index}]"
        if blackout.to < blackout.from_ and not is_doubtful(doubts, path, "from", "to"):
            what = f"a blackout ends ({blackout.to}) before it begins ({blackout.from_})"
            yield path, what, "the first day, then the last"


def _fallback_errors(policy: Policy) -> Iterator[Error]:
    following = {str(channel): str(stand_in) for channel, stand_in in policy.contact.fallback.items()}
    told: set[str] = set()
    for channel in following:
        way = [channel, *stand_ins_of(channel, policy.contact.fallback)]
        if following.get(way[-1]) == channel and channel not in told:
            told.update(way)
            yield (
                f"contact.fallback.{channel}",
                f"it leads back to where it began: {' to '.join([*way, channel])}",
                "a way that ends, such as email to letter alone",
            )


def stand_ins_of(channel: str, fallback: Mapping[ReachableChannel, ReachableChannel]) -> list[str]:
    """Return the channels that stand in for one, in the order they are tried."""
    following = {str(name): str(stand_in) for name, stand_in in fallback.items()}
    way = [channel]
    while way[-1] in following and following[way[-1]] not in way:
        way.append(following[way[-1]])
    return way[1:]


def _give_up_errors(policy: Policy, doubts: frozenset[str]) -> Iterator[Error]:
    rule = policy.give_up
    if rule is None:
        return
    limit, odds = "cost_limit", "recovery_odds"
    is_empty = rule.when is None and not rule.cost_limit and rule.limitation_within_days is None
    if is_empty and not is_doubtful(doubts, "give_up", "when", limit, "limitation_within_days"):
        allowed = "at least one of when, cost_limit, limitation_within_days"
        yield "give_up", "nothing says when a write-off is proposed", allowed
    if rule.cost_limit and rule.recovery_odds is None and not is_doubtful(doubts, "give_up", odds):
        what = "nothing says how much can still be expected, so there is nothing to compare it with"
        yield "give_up.cost_limit", what, "with recovery_odds"
    if rule.recovery_odds and not rule.cost_limit and not is_doubtful(doubts, "give_up", limit):
        yield "give_up.recovery_odds", "there is no limit to compare it with", "with cost_limit"


def _ladder_errors(path: str, steps: tuple[Step, ...], doubts: frozenset[str]) -> Iterator[Error]:
    yield from _twice(path, "step", [step.step for step in steps], doubts)
    if steps[0].after_previous_days is not None:
        yield (
            f"{path}[0].after_previous_days",
            "the first step of a ladder has no step before it",
            "after_due_days",
        )
    for index, (before, step) in enumerate(pairwise(steps), start=1):
        is_clear = not any(is_doubtful(doubts, f"{path}[{place}]", *TIMING) for place in (index - 1, index))
        if is_clear and step.is_pre_due and not before.is_pre_due:
            yield (
                f"{path}[{index}]",
                f"'{step.step}' is before the due date, '{before.step}' before it is not",
                "the other order",
            )
    for index, step in enumerate(steps):
        for keys, what, allowed in _step_errors(step):
            if not is_doubtful(doubts, f"{path}[{index}]", *keys):
                key = "" if keys is TIMING else f".{keys[0]}"
                yield f"{path}[{index}]{key}", what, allowed


def _step_errors(step: Step) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield what is wrong with a step: the keys it rests on, what is wrong, what is allowed."""
    if not step.has_timing:
        yield TIMING, f"nothing says when '{step.step}' is due", f"at least one of {', '.join(TIMING)}"
    if step.end_of_month and step.after_due_days is None and step.after_invoice_days is None:
        yield (
            ("end_of_month", "after_due_days", "after_invoice_days"),
            "it has no date to move to the end of a month",
            "with after_due_days or after_invoice_days",
        )
    if step.before_due and step.after_due_days is not None and step.after_due_days >= 0:
        yield (
            ("before_due",),
            "the step is due before and after the due date",
            "after_due_days below 0, or before_due alone",
        )
    if "before_due" in step.model_fields_set and step.is_pre_due and not step.before_due:
        yield (
            ("before_due", "after_due_days"),
            f"after_due_days: {step.after_due_days} is before the due date, and before_due: false denies it",
            "after_due_days of 0 or more, or no before_due",
        )
    if step.agency is not None and step.channel is not Channel.AGENCY:
        yield ("agency", "channel"), f"the channel is {step.channel}", "channel: agency"
    if step.repeat_at_most is not None and step.repeat_every_days is None:
        what = "nothing says after how many days it is repeated"
        yield ("repeat_at_most", "repeat_every_days"), what, "with repeat_every_days"
    if step.approvers > 1 and step.approval is None:
        yield ("approvers", "approval"), "the step needs no approval", "with approval: required"


def _condition_errors(policy: Policy, file: str) -> Iterator[Problem]:
    for path, text, scope, without in conditions_of(policy):
        yield from find_condition_problems(text, scope, file, path, without)


def conditions_of(policy: Policy) -> Iterator[tuple[str, str, Scope, frozenset[str]]]:
    """Yield every condition of a policy: key path, text, scope, and the facts not yet known to it."""
    yield from _whens("risk", policy.risk, Scope.ACCOUNT, BEFORE_RISK)
    yield from _whens("segments", policy.segments, Scope.ACCOUNT, BEFORE_SEGMENTS)
    for name, ladder in policy.ladders.items():
        yield from _whens(f"ladders.{name}", ladder, Scope.ITEM)
    yield from _whens("accelerate", policy.accelerate, Scope.ITEM)
    if policy.give_up is not None and policy.give_up.when is not None:
        yield "give_up.when", policy.give_up.when, Scope.ITEM, frozenset()
    if policy.credit_hold is not None:
        yield "credit_hold.when", policy.credit_hold.when, Scope.ACCOUNT, frozenset()
    yield from _whens("watch", policy.watch, Scope.ACCOUNT)


def _whens(
    path: str,
    rules: Sequence[RiskClass | Segment | Step | Accelerate | Watch],
    scope: Scope,
    without: frozenset[str] = frozenset(),
) -> Iterator[tuple[str, str, Scope, frozenset[str]]]:
    for index, rule in enumerate(rules):
        if rule.when is not None:
            yield f"{path}[{index}].when", rule.when, scope, without


def steps_of(policy: Policy) -> Iterator[tuple[str, int, Step]]:
    """Yield every step with its ladder and its place on it, counted from 0."""
    for name, ladder in policy.ladders.items():
        for index, step in enumerate(ladder):
            yield name, index, step
