"""What a person should look at in a policy that is valid: listed by `relance policy check`, never in the way.

What surrounds the policy (date, currencies, countries) is handed in, so nothing is read here. What is never reached
is found by `policies.policy_reach`.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from policies.aging import NO_DUE_DATE, UNAPPLIED, bucket_names
from policies.business_days import has_calendar, is_supported
from policies.condition_ranges import compared
from policies.conditions import facts_used
from policies.errors import Problem
from policies.explanations import counted
from policies.facts import FACTS
from policies.model import Channel
from policies.policy_check import Error, conditions_of, stand_ins_of, steps_of
from policies.policy_keys import ContactOn, Policy, Step
from policies.policy_reach import find_unreached
from policies.rates import next_half_year_start
from policies.yaml_wording import did_you_mean

DEFAULT_AGENCY = "default"
_OWN_FILES = (Channel.AGENCY, Channel.COURT)
_NOTICES = ("formal_notice", "final_demand")
SUPERVISOR = "supervisor"
"""The only word of `by` that the wording of calls knows."""

_SHAPES = {
    "currency": (r"[A-Z]{3}", "three capital letters, such as 'EUR'"),
    "country": (r"[A-Z]{2}", "two capital letters, such as 'FR'"),
    "language": (r"[a-z]{2}([-_][A-Za-z]+)?", "two small letters, such as 'fr'"),
}
_CUSTOMER_TYPES = ("business", "public", "consumer")


@dataclass(frozen=True)
class Surroundings:
    """What stands around a policy when it is checked: the day, the currencies of items, customers' countries."""

    as_of: date
    currencies: Collection[str] = ()
    countries: Collection[str] = ()


def find_warnings(policy: Policy, file: str, around: Surroundings) -> list[Problem]:
    """Return what a person should look at; nothing of it stops a run."""
    found = [
        *_name_warnings(policy, file),
        *_age_warnings(policy, around),
        *_calendar_warnings(policy, around),
        *_segment_warnings(policy),
        *find_unreached(policy),
        *_ladder_warnings(policy),
        *_word_warnings(policy),
        *_currency_warnings(policy, around),
        *_charge_warnings(policy),
        *_step_warnings(policy),
        *_notice_warnings(policy),
        *_cap_warnings(policy),
        *_fallback_warnings(policy),
    ]
    return [Problem(file, *warning) for warning in found]


def _name_warnings(policy: Policy, file: str) -> Iterator[Error]:
    stem = file.removesuffix(".yaml")
    if stem != policy.policy:
        yield "policy", f"the file is called {file}, and creditor.yaml names a policy by its file", stem


def _age_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    if policy.review_by is not None and around.as_of > policy.review_by:
        yield (
            "review_by",
            f"the policy was to be reviewed by {policy.review_by}",
            "review it, then set the next date",
        )
    blackouts = policy.calendar.blackouts if policy.calendar else ()
    if blackouts and all(blackout.to < around.as_of for blackout in blackouts):
        yield "calendar.blackouts", "all of them have passed", "the days of the year to come, or none"


def _calendar_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    if policy.calendar is None:
        return
    year = next_half_year_start(around.as_of).year
    is_asked = policy.calendar.contact_on is ContactOn.BUSINESS_DAYS
    places = {policy.calendar.country: "calendar.country"} if policy.calendar.country else {}
    others = dict.fromkeys(sorted(around.countries), "calendar.contact_on") if is_asked else {}
    for country, path in {**others, **places}.items():
        if not is_supported(country):
            hint = "GB, the United Kingdom" if country == "UK" else ""
            yield path, f"the holidays of {country} are not known: only weekends count", hint
        elif not has_calendar(country, year):
            yield path, f"no holiday of {country} is known for {year}", ""


def _segment_warnings(policy: Policy) -> Iterator[Error]:
    last = len(policy.segments) - 1
    if policy.segments[last].when is not None:
        yield (
            f"segments[{last}].when",
            "accounts of no segment are held (no_segment)",
            "a last segment without when",
        )


def _ladder_warnings(policy: Policy) -> Iterator[Error]:
    """Yield the ladders without a common step: those apart from all others in one sentence."""
    names = {ladder: {step.step for step in steps} for ladder, steps in policy.ladders.items()}
    strange = {
        ladder: [other for other in names if other != ladder and not own & names[other]]
        for ladder, own in names.items()
    }
    alone = [ladder for ladder, others in strange.items() if others and len(others) == len(names) - 1]
    allowed = "at least one common step name"
    starts = "a customer who changes between them starts again"
    if alone:
        verb = "share" if len(alone) > 1 else "shares"
        what = f"{_quoted(alone)} {verb} no step with any other ladder: {starts}"
        yield "ladders" if len(alone) > 1 else f"ladders.{alone[0]}", what, allowed
    told = list(alone)
    for ladder, others in strange.items():
        told.append(ladder)
        if apart := [other for other in others if other not in told]:
            yield f"ladders.{ladder}", f"it shares no step with {_quoted(apart)}: {starts}", allowed


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _word_warnings(policy: Policy) -> Iterator[Error]:
    """Yield the words that facts are compared with and that they never are."""
    known: dict[str, Collection[str]] = {
        "risk": [rule.class_ for rule in policy.risk],
        "segment": [segment.segment for segment in policy.segments],
        "customer_type": _CUSTOMER_TYPES,
        "aging_bucket": [*bucket_names(policy.aging_buckets_days), NO_DUE_DATE, UNAPPLIED],
    }
    for path, text, *_ in conditions_of(policy):
        for fact, value in dict.fromkeys(compared(text)):
            if not isinstance(value, str):
                continue
            if fact == "tags" and value:
                yield (
                    path,
                    f"tags is one text of all tags: only who has no other is '{value}'",
                    (f"tags like '%{value}%'"),
                )
            elif fact in known and value not in known[fact]:
                what = f"{fact} is never '{value}'{did_you_mean(value, known[fact])}"
                yield path, what, ", ".join(known[fact]) or f"a policy with the key {fact}"
            elif fact in _SHAPES and not re.fullmatch(_SHAPES[fact][0], value):
                yield path, f"{fact} is never '{value}'", _SHAPES[fact][1]


def _currency_warnings(policy: Policy, around: Surroundings) -> Iterator[Error]:
    currencies = sorted(set(around.currencies))
    if len(currencies) > 1:
        for path, text, *_ in conditions_of(policy):
            used = facts_used(text)
            amounts = sorted(name for name in used if name in FACTS and FACTS[name].is_money)
            if amounts and "currency" not in used:
                what = f"{', '.join(amounts)} without a currency, while {', '.join(currencies)} are loaded"
                yield path, what, "... and currency = 'EUR'"
    lacking = [currency for currency in currencies if currency not in policy.small_balance]
    if policy.small_balance and lacking:
        yield "small_balance", f"no threshold for {', '.join(lacking)}: every balance is demanded", ""


def _charge_warnings(policy: Policy) -> Iterator[Error]:
    is_claimed = any(step.charges for _, _, step in steps_of(policy))
    if policy.statute is None and policy.charges.rate is None and is_claimed:
        what = "steps claim charges, and nothing says which: they are left out"
        yield "statute", what, "a statute, or charges.rate"


def _step_warnings(policy: Policy) -> Iterator[Error]:
    for ladder, index, step in steps_of(policy):
        path = f"ladders.{ladder}[{index}]"
        if step.fee and step.channel in _OWN_FILES:
            yield (
                f"{path}.fee",
                f"a step by {step.channel} goes to no customer, so nobody is told of its fee",
                "",
            )
        if step.by not in (None, SUPERVISOR):
            what = f"the sheet will say '{step.by}'; the templates know only {SUPERVISOR}"
            yield f"{path}.by", what, f"{SUPERVISOR}, or no by"
        for key in ("fee", "charges"):
            if step.is_pre_due and getattr(step, key):
                yield f"{path}.{key}", "nothing is late before the due date, so nothing is claimed", ""
    gap = policy.contact.minimum_gap_days or 0
    for ladder, steps in policy.ladders.items():
        for index, (before, step) in enumerate(pairwise(steps), start=1):
            yield from _gap_warnings(f"ladders.{ladder}[{index}]", before, step, gap)


def _gap_warnings(path: str, before: Step, step: Step, gap: int) -> Iterator[Error]:
    """Yield the days that a step waits in vain, because the gap between contacts is longer."""
    if step.channel in _OWN_FILES or before.channel in _OWN_FILES:
        return
    days = step.after_previous_days
    if days is not None and days + before.answer_within_days < gap and not step.after_due_days:
        within = f"within {counted(gap, 'day')} (contact.minimum_gap_days)"
        what = f"nobody is contacted again {within}, so the step comes then"
        yield f"{path}.after_previous_days", what, f"{gap} or more"


def _notice_warnings(policy: Policy) -> Iterator[Error]:
    """Yield the formal notices that give no time to answer."""
    for ladder, index, step in steps_of(policy):
        is_sent_so = step.channel is Channel.REGISTERED_LETTER and step.approval is not None
        is_worded_so = step.template in _NOTICES and step.channel not in (*_OWN_FILES, Channel.CALL)
        if (is_sent_so or is_worded_so) and not step.answer_within_days:
            what = f"'{step.step}' is a formal notice and gives no time to answer"
            yield f"ladders.{ladder}[{index}]", what, "with answer_within_days, such as 8"


def _cap_warnings(policy: Policy) -> Iterator[Error]:
    """Yield a cap on contacts that is never reached: a day is one contact, and the gap keeps them apart."""
    cap, gap = policy.contact.maximum, policy.contact.minimum_gap_days or 1
    if cap is not None and (most := (cap.days - 1) // max(gap, 1)) < cap.contacts:
        within = f"within {counted(cap.days, 'day')} before the next contact"
        what = f"nobody is ever contacted {counted(cap.contacts, 'time')} {within}"
        why = f" and minimum_gap_days is {gap}" if gap > 1 else ""
        yield (
            "contact.maximum",
            f"{what} (a day is one contact{why}), so it stops nothing",
            f"contacts: {most} or fewer, or more days" if most else "more days",
        )


def _fallback_warnings(policy: Policy) -> Iterator[Error]:
    fallback = policy.contact.fallback
    used = {step.channel.value for _, _, step in steps_of(policy)}
    reached = used.union(*(stand_ins_of(channel, fallback) for channel in used))
    for channel in fallback:
        if channel not in reached:
            yield (
                f"contact.fallback.{channel}",
                f"no step goes by {channel}",
                f"one of {', '.join(sorted(used))}",
            )
