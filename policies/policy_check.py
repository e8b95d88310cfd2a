"""What one key of a policy alone cannot tell: whether its keys and conditions fit together.

An error found here refuses the policy when it is loaded; what only needs a person's eye is listed by
`policies.policy_warnings`.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.conditions import find_condition_problems
from policies.errors import Problem
from policies.facts import Scope
from policies.model import Channel
from policies.policy_keys import Accelerate, Policy, RiskClass, Segment, Step

BEFORE_RISK = frozenset({"risk", "segment"})
BEFORE_SEGMENTS = frozenset({"segment"})


def find_errors(policy: Policy, file: str) -> list[Problem]:
    """Return everything that makes the policy senseless as a whole."""
    found = [
        *_bucket_errors(policy),
        *_first_match_errors(policy),
        *_reference_errors(policy),
        *(
            error
            for name, steps in policy.ladders.items()
            for error in _ladder_errors(f"ladders.{name}", steps)
        ),
    ]
    return [Problem(file, *error) for error in found] + list(_condition_errors(policy, file))


Error = tuple[str, str, str]
"""Key path, what is wrong, what is allowed."""


def _bucket_errors(policy: Policy) -> Iterator[Error]:
    edges = policy.aging_buckets_days
    if edges[0] != 0 or any(first >= second for first, second in pairwise(edges)):
        yield "aging_buckets_days", f"{list(edges)} is not 0 and then rising", "[0, 30, 60, 90]"


def _first_match_errors(policy: Policy) -> Iterator[Error]:
    for key, rules in first_match_rules(policy):
        for index, rule in enumerate(rules[:-1]):
            if rule.when is None:
                yield (
                    f"{key}[{index}]",
                    "it matches everything, so those after it are never reached",
                    "when, or last place",
                )
    yield from _twice("risk", "class", [rule.class_ for rule in policy.risk])
    yield from _twice("segments", "segment", [rule.segment for rule in policy.segments])


def first_match_rules(policy: Policy) -> tuple[tuple[str, Sequence[RiskClass | Segment]], ...]:
    """Return the lists of which the first match wins, with their keys."""
    return ("risk", policy.risk), ("segments", policy.segments)


def _twice(path: str, key: str, names: list[str]) -> Iterator[Error]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"{path}[{index}].{key}", f"'{name}' stands twice", "each name once"


def _reference_errors(policy: Policy) -> Iterator[Error]:
    ladders = ", ".join(policy.ladders)
    for index, segment in enumerate(policy.segments):
        if segment.ladder not in policy.ladders:
            yield f"segments[{index}].ladder", f"there is no ladder '{segment.ladder}'", ladders
    steps = dict.fromkeys(step.step for ladder in policy.ladders.values() for step in ladder)
    for index, rule in enumerate(policy.accelerate):
        if rule.to not in steps:
            yield f"accelerate[{index}].to", f"no ladder has a step '{rule.to}'", ", ".join(steps)


def _ladder_errors(path: str, steps: tuple[Step, ...]) -> Iterator[Error]:
    yield from _twice(path, "step", [step.step for step in steps])
    if steps[0].after_previous_days is not None:
        yield (
            f"{path}[0].after_previous_days",
            "the first step of a ladder has no step before it",
            "after_due_days",
        )
    for index, (before, step) in enumerate(pairwise(steps), start=1):
        if step.is_pre_due and not before.is_pre_due:
            yield (
                f"{path}[{index}]",
                f"'{step.step}' is before the due date, '{before.step}' before it is not",
                "the other order",
            )
    for index, step in enumerate(steps):
        for key, what, allowed in _step_errors(step):
            yield f"{path}[{index}]" + (f".{key}" if key else ""), what, allowed


def _step_errors(step: Step) -> Iterator[Error]:
    if not step.has_timing:
        timing = "after_due_days, after_invoice_days, after_previous_days, before_due"
        yield "", f"nothing says when '{step.step}' is due", f"at least one of {timing}"
    if step.end_of_month and step.after_due_days is None and step.after_invoice_days is None:
        yield (
            "end_of_month",
            "it has no date to move to the end of a month",
            "with after_due_days or after_invoice_days",
        )
    if step.before_due and step.after_due_days is not None and step.after_due_days >= 0:
        yield (
            "before_due",
            "the step is due before and after the due date",
            "after_due_days below 0, or before_due alone",
        )
    if step.agency is not None and step.channel is not Channel.AGENCY:
        yield "agency", f"the channel is {step.channel}", "channel: agency"
    if step.repeat_at_most is not None and step.repeat_every_days is None:
        yield "repeat_at_most", "nothing says after how many days it is repeated", "with repeat_every_days"
    if step.approvers > 1 and step.approval is None:
        yield "approvers", "the step needs no approval", "with approval: required"


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
    if policy.give_up is not None:
        yield "give_up.when", policy.give_up.when, Scope.ITEM, frozenset()
    if policy.credit_hold is not None:
        yield "credit_hold.when", policy.credit_hold.when, Scope.ACCOUNT, frozenset()


def _whens(
    path: str,
    rules: Sequence[RiskClass | Segment | Step | Accelerate],
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
