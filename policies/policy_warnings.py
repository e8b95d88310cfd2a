"""What a person should look at in a policy that is valid: listed by `relance policy check`, never in the way.

What surrounds the policy (date, currencies, templates, statutes) is handed in, so nothing is read here.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from policies.business_days import has_calendar, is_supported
from policies.conditions import facts_used
from policies.errors import Problem
from policies.facts import FACTS
from policies.policy_check import Error, conditions_of, first_match_rules, steps_of
from policies.policy_keys import ContactOn, LadderMode, Policy, Step
from policies.rates import next_half_year_start

DEFAULT_AGENCY = "default"


@dataclass(frozen=True)
class Surroundings:
    """What stands around a policy when it is checked: the day, the currencies of items, customers' countries."""

    as_of: date
    currencies: Collection[str] = ()
    countries: Collection[str] = ()


def find_warnings(policy: Policy, file: str, around: Surroundings) -> list[Problem]:
    """Return what a person should look at; nothing of it stops a run."""
    found = [
        *_age_warnings(policy, around),
        *_segment_warnings(policy),
        *_ladder_warnings(policy),
        *_currency_warnings(policy, around),
        *_calendar_warnings(policy, around),
        *_charge_warnings(policy),
    ]
    return [Problem(file, *warning) for warning in found]


def _age_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    if policy.review_by is not None and around.as_of > policy.review_by:
        yield (
            "review_by",
            f"the policy was to be reviewed by {policy.review_by}",
            "review it, then set the next date",
        )


def _segment_warnings(policy: Policy) -> Iterator[Error]:
    last = len(policy.segments) - 1
    if policy.segments[last].when is not None:
        yield (
            f"segments[{last}].when",
            "accounts of no segment are held (no_segment)",
            "a last segment without when",
        )
    for key, rules in first_match_rules(policy):
        texts = [rule.when for rule in rules]
        for index, text in enumerate(texts):
            if text is not None and text in texts[:index]:
                yield f"{key}[{index}].when", "the same condition stands above, so this is never reached", ""
    used = {segment.ladder for segment in policy.segments}
    for name in policy.ladders:
        if name not in used:
            yield f"ladders.{name}", "no segment climbs this ladder", "a segment with it, or no such ladder"


def _ladder_warnings(policy: Policy) -> Iterator[Error]:
    for (one, steps), (other, others) in combinations(policy.ladders.items(), 2):
        if not {step.step for step in steps} & {step.step for step in others}:
            what = f"it shares no step with '{one}': a customer who changes between them starts again"
            yield f"ladders.{other}", what, "at least one common step name"
    for name, steps in policy.ladders.items():
        for index, step in enumerate(steps):
            before = [other for other in steps[:index] if _is_due_no_earlier(other, step)]
            if before and step.when is None and policy.ladder_mode is LadderMode.MOST_SEVERE:
                what = f"'{step.step}' is always taken instead of '{before[-1].step}'"
                yield f"ladders.{name}[{index}]", what, "days that rise from step to step"
            elif before and policy.ladder_mode is LadderMode.ONE_STEP_AT_A_TIME:
                what = (
                    f"'{step.step}' is due on the days of '{before[-1].step}' or before, but comes after it"
                )
                yield f"ladders.{name}[{index}]", what, "days that rise from step to step"


def _is_due_no_earlier(first: Step, second: Step) -> bool:
    """Whether `first` is never due before `second`, as far as days from the due date tell."""
    days, later_days = first.after_due_days, second.after_due_days
    if days is None or later_days is None or second.model_copy(update={"after_due_days": None}).has_timing:
        return False
    return later_days <= days and first.end_of_month >= second.end_of_month


def _currency_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    if len(set(around.currencies)) < 2:
        return
    loaded = ", ".join(sorted(set(around.currencies)))
    for path, text, *_ in conditions_of(policy):
        used = facts_used(text)
        amounts = sorted(name for name in used if FACTS[name].is_money)
        if amounts and "currency" not in used:
            what = f"{', '.join(amounts)} without a currency, while {loaded} are loaded"
            yield path, what, "... and currency = 'EUR'"


def _calendar_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    if policy.calendar is None:
        return
    year = next_half_year_start(around.as_of).year
    is_asked = policy.calendar.contact_on is ContactOn.BUSINESS_DAYS
    places = {policy.calendar.country: "calendar.country"} if policy.calendar.country else {}
    others = dict.fromkeys(sorted(around.countries), "calendar.contact_on") if is_asked else {}
    for country, path in {**others, **places}.items():
        if not is_supported(country):
            yield path, f"the holidays of {country} are not known: only weekends count", ""
        elif not has_calendar(country, year):
            yield path, f"no holiday of {country} is known for {year}", ""


def _charge_warnings(policy: Policy) -> Iterator[Error]:
    is_claimed = any(step.charges for _, _, step in steps_of(policy))
    if policy.statute is None and policy.charges.rate is None and is_claimed:
        what = "steps claim charges, and nothing says which: they are left out"
        yield "statute", what, "a statute, or charges.rate"
