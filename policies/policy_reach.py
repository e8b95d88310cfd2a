"""What of a policy is never reached: rules hidden by those above them, steps that no item comes to or leaves.

Only what is proved is told (`policies.condition_ranges`).
"""

from collections.abc import Iterator
from itertools import combinations

from policies.condition_ranges import exclude_each_other, implies
from policies.explanations import counted
from policies.model import Channel
from policies.policy_check import Error, conditions_of, first_match_rules, steps_of
from policies.policy_keys import Anchor, Entry, LadderMode, Policy, RiskClass, Segment, Step

NEVER = "a condition that can be true, or leave it out"


def find_unreached(policy: Policy) -> Iterator[Error]:
    """Yield the key path of what is never reached, why, and what to do."""
    yield from _impossible_conditions(policy)
    yield from _hidden_rules(policy)
    yield from _hidden_accelerations(policy)
    used = {segment.ladder for segment in policy.segments}
    for name in policy.ladders:
        if name in used:
            yield from _impossible_steps(policy, name)
        else:
            yield f"ladders.{name}", "no segment climbs this ladder", "a segment with it, or no such ladder"
    for name, steps in policy.ladders.items():
        for index, step in enumerate(steps):
            yield from _overtaken(policy, f"ladders.{name}[{index}]", step, steps[:index])
            yield from _leaps(policy, f"ladders.{name}[{index}]", step, steps[:index])
    yield from _steps_without_end(policy)


def _impossible_conditions(policy: Policy) -> Iterator[Error]:
    for path, text, *_ in conditions_of(policy):
        if exclude_each_other(text):
            yield path, "this is never true: its parts exclude each other", NEVER


def _hidden_rules(policy: Policy) -> Iterator[Error]:
    for key, rules in first_match_rules(policy):
        for index, rule in enumerate(rules):
            above = [one for one in rules[:index] if one.when is not None]
            if rule.when is None or exclude_each_other(rule.when):
                continue
            hiding = [one for one in above if implies(rule.when, one.when or "")]
            every = " or ".join(f"({one.when})" for one in above)
            if hiding or (above and implies(rule.when, every)):
                names = ", ".join(f"'{_name(one)}'" for one in hiding[:1] or above)
                what = f"whoever meets this already meets {names} above, so it is never reached"
                yield f"{key}[{index}].when", what, "the narrower condition first"


def _name(rule: RiskClass | Segment) -> str:
    return rule.class_ if isinstance(rule, RiskClass) else rule.segment


def _hidden_accelerations(policy: Policy) -> Iterator[Error]:
    for (_, first), (index, second) in combinations(enumerate(policy.accelerate), 2):
        if first.to == second.to and implies(second.when, first.when):
            yield (
                f"accelerate[{index}]",
                f"an earlier rule already leaps to '{first.to}' wherever this is true",
                "",
            )


def _impossible_steps(policy: Policy, ladder: str) -> Iterator[Error]:
    """Yield the steps of a ladder whose condition none of its segments, or not even its timing, leaves open."""
    climbers = [segment for segment in policy.segments if segment.ladder == ladder]
    leapt_to = {rule.to for rule in policy.accelerate}
    for index, step in enumerate(policy.ladders[ladder]):
        if step.when is None or exclude_each_other(step.when):
            continue
        path = f"ladders.{ladder}[{index}].when"
        if all(
            exclude_each_other(step.when, f"segment = '{one.segment}'", *([one.when] if one.when else []))
            for one in climbers
        ):
            names = ", ".join(f"'{one.segment}'" for one in climbers)
            yield path, f"no account of {names}, which climb this ladder, ever meets this", NEVER
        elif step.step not in leapt_to and exclude_each_other(step.when, timing := _timing(policy, step)):
            yield path, f"this is never true once the step is due ({timing})", NEVER


def _timing(policy: Policy, step: Step) -> str:
    """Return what the step's own days say of the item's age, as a condition."""
    if policy.anchor is not Anchor.ITEM:
        return "true"
    if step.is_pre_due:
        return "days_past_due <= 0"
    said = {"days_past_due": step.after_due_days, "days_since_invoice": step.after_invoice_days}
    return " and ".join(f"{fact} >= {days}" for fact, days in said.items() if days is not None) or "true"


def _overtaken(policy: Policy, path: str, step: Step, above: tuple[Step, ...]) -> Iterator[Error]:
    before = [other for other in above if _is_due_no_earlier(other, step)]
    if not before:
        return
    better = "days that rise from step to step"
    if policy.ladder_mode is LadderMode.ONE_STEP_AT_A_TIME:
        what = f"'{step.step}' is due on the days of '{before[-1].step}' or before, but comes after it"
        yield path, what, better
    elif not (step.minimum_amount or step.requires_outcome):
        taken = [other for other in before if step.when is None or implies(other.when or "true", step.when)]
        if taken:
            yield path, f"'{step.step}' is always taken instead of '{taken[-1].step}'", better


def _leaps(policy: Policy, path: str, step: Step, above: tuple[Step, ...]) -> Iterator[Error]:
    """Yield a step that an item without any may take first, before the days of one above it."""
    days = step.after_previous_days
    is_by_age = Entry.START_BY_AGE is policy.entry or LadderMode.MOST_SEVERE is policy.ladder_mode
    if (
        not is_by_age
        or days is None
        or step.after_due_days is not None
        or step.after_invoice_days is not None
    ):
        return
    later = [other for other in above if other.after_due_days is not None and other.after_due_days > days]
    if later:
        last = max(later, key=lambda other: other.after_due_days or 0)
        why = "entry: start_by_age" if Entry.START_BY_AGE is policy.entry else "ladder_mode: most_severe"
        what = f"'{step.step}' may be the first step of an item ({why}): after {counted(days, 'day')} past due, before "
        what += f"'{last.step}' ({last.after_due_days})"
        yield f"{path}.after_previous_days", what, "with after_due_days too"


def _is_due_no_earlier(first: Step, second: Step) -> bool:
    """Whether `first` is never due before `second`, as far as days from the due date tell."""
    days, later_days = first.after_due_days, second.after_due_days
    if days is None or later_days is None or second.model_copy(update={"after_due_days": None}).has_timing:
        return False
    return later_days <= days and first.end_of_month >= second.end_of_month


def _steps_without_end(policy: Policy) -> Iterator[Error]:
    for ladder, index, step in steps_of(policy):
        steps = policy.ladders[ladder]
        if step.needs_delivery_proof and step.channel is Channel.CALL and index + 1 < len(steps):
            what = f"a call has no delivery to prove, so no item ever goes on to '{steps[index + 1].step}'"
            yield f"ladders.{ladder}[{index}].needs_delivery_proof", what, "requires_outcome"
        if step.requires_outcome and not any(one.channel is Channel.CALL for one in steps[: index + 1]):
            what = "there is no call up to here whose outcome could be waited for"
            yield f"ladders.{ladder}[{index}].requires_outcome", what, "on a call, or on a step after one"
