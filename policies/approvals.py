"""What a person's word on a batch is worth: how many names it takes, how long it counts, what an answer must say.

Whose a name is: `policies.person_names`. Where words are kept is decided in `tasks.approval`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from policies.person_names import what_is_wrong
from policies.policy import Policy


class Verdict(StrEnum):
    """What a person decides about a batch."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True)
class Answer:
    """What a person answers when asked about a batch: `until` ends the hold of what is rejected or left out."""

    who: str
    verdict: Verdict
    without: tuple[str, ...] = ()
    why: str = ""
    until: date | None = None


def names_asked(policy: Policy, steps: set[str], demanded: Mapping[str, Decimal]) -> int:
    """Return how many different persons must approve: the most that a step or an amount asks for.

    Args:
        policy: whose steps and `approvals.two_names_above` ask.
        steps: those of the batch's messages.
        demanded: what the batch demands, by currency.
    """
    by_step = [step.approvers for ladder in policy.ladders.values() for step in ladder if step.step in steps]
    limits = policy.approvals.two_names_above
    is_large = any(amount > limits[currency] for currency, amount in demanded.items() if currency in limits)
    return max([1, *by_step, 2 if is_large else 1])


def last_day(since: date, policy: Policy) -> date | None:
    """Return the last day on which what began to wait, or to count, on `since` does so; None = for ever."""
    days = policy.approvals.expire_after_days
    return None if days is None else since + timedelta(days=days)


def has_expired(since: date, as_of: date, policy: Policy) -> bool:
    """Return whether what began to wait, or to count, on `since` has run out by `as_of`."""
    last = last_day(since, policy)
    return last is not None and as_of > last


def why_too_early(batch_id: str, as_of: date, drafted_on: date, approved_on: date | None = None) -> str:
    """Return why nothing can be done with a batch on a day before it was there, as a sentence, or nothing.

    Args:
        batch_id: the batch.
        as_of: the day on which somebody wants to decide on it, or to let it leave.
        drafted_on: its own date.
        approved_on: the day of the last name that counts; None where that doesn't matter.
    """
    known_on = max(drafted_on, approved_on or drafted_on)
    if as_of >= known_on:
        return ""
    # Who rejects on the batch's own day, or later, frees what it holds from that day on.
    rejecting = max(as_of, drafted_on)
    happened = f"approved on {known_on}" if as_of >= drafted_on else f"drafted on {drafted_on}"
    return (
        f"it was {happened}, and {as_of} lies before that. Act on {known_on} or later; if that date was mistyped, "
        f"`relance batches reject {batch_id} --by NAME --why TEXT --until {rejecting} --as-of {rejecting}`: "
        "what it holds is decided anew."
    )


def why_too_late(batch_id: str, waits_since: date, as_of: date, policy: Policy) -> str:
    """Return why a draft can no longer be decided on, as a sentence for who wants to, or nothing."""
    if not has_expired(waits_since, as_of, policy):
        return ""
    return (
        f"batch {batch_id} could be decided on until {last_day(waits_since, policy)}, and not on {as_of}: the next "
        "run, or release of all that may leave, on such a day closes it, and what is still open is decided anew. "
        "Nothing was changed; if the date is mistyped, give the right one."
    )


def what_is_missing(answer: Answer, as_of: date) -> str:
    """Return what an answer lacks, as a sentence for who gave it, or nothing."""
    if wrong := what_is_wrong(answer.who):
        return f"Say who decides: {wrong}."
    if (answer.verdict is Verdict.REJECT or answer.without) and not answer.why.strip():
        return "Give the reason: it stands in the log."
    if answer.verdict is Verdict.REJECT and answer.without:
        return "Leaving customers out belongs to an approval; a batch is rejected whole."
    if answer.verdict is Verdict.REJECT and answer.until is None:
        return "Give the last day on which the rejected items are held."
    if answer.until is not None and answer.until < as_of:
        return f"The day until which items are held, {answer.until}, lies before {as_of}."
    return ""


def customers_named(text: str) -> tuple[str, ...]:
    r"""Return the customer numbers that somebody typed, one a line or with commas between.

    >>> customers_named("C1, C2\n C3 ,")
    ('C1', 'C2', 'C3')
    """
    return tuple(dict.fromkeys(part for part in re.split(r"\s*[,;\n]\s*", text.strip()) if part))
