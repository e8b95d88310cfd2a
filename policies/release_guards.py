"""Guards that look once more before a batch leaves: at the log, the clock, the policy and the age of the sources.

A declared list, as in `policies.guards`. A sentence that was shown to whoever approved does not keep the batch again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from policies.explanations import counted
from policies.guards import Tripped

CLOCKS_MAY_DIFFER = timedelta(minutes=5)
"""Machines that take turns in a workspace need not agree to the second."""


@dataclass(frozen=True)
class AtRelease:
    """What is known when a batch is about to leave.

    Attributes:
        now: this instant.
        newest_event_at: when the last event of the log was recorded.
        log_problem: what is wrong with the log, or nothing.
        drafted_under: hash of the policy the batch was drafted under.
        policy_hash: hash of the policy in force.
        newest_source: date of the newest file of payments or balances; None = there is none.
        source_age_days: its age in business days.
        maximum_source_age_days: the policy's limit; None = no limit.
    """

    now: datetime
    newest_event_at: datetime | None
    log_problem: str
    drafted_under: str
    policy_hash: str
    newest_source: date | None
    source_age_days: int | None
    maximum_source_age_days: int | None


@dataclass(frozen=True)
class ReleaseGuard:
    """One guard: its code, and what it finds."""

    code: str
    find: Callable[[AtRelease], Iterator[str]]


def find_tripped_at_release(known: AtRelease, shown: Sequence[str]) -> list[Tripped]:
    """Return the guards that ask for a person, or nothing when every sentence was shown to who approved.

    Args:
        known: what is known now.
        shown: the sentences that the approval has in it.
    """
    tripped = [Tripped(guard.code, sentence) for guard in RELEASE_GUARDS for sentence in guard.find(known)]
    return tripped if any(one.sentence not in shown for one in tripped) else []


def _log(known: AtRelease) -> Iterator[str]:
    if known.log_problem:
        yield f"The audit log does not hold: {known.log_problem}."


def _clock(known: AtRelease) -> Iterator[str]:
    newest = known.newest_event_at
    if newest and known.now < newest - CLOCKS_MAY_DIFFER:
        yield f"The clock went back: the log holds an event of {newest:%Y-%m-%d %H:%M} UTC, which is not yet now."


def _policy(known: AtRelease) -> Iterator[str]:
    if known.drafted_under != known.policy_hash:
        yield (
            f"The policy was changed since the batch was drafted: {known.drafted_under[:12]} then, "
            f"{known.policy_hash[:12]} now."
        )


def _source(known: AtRelease) -> Iterator[str]:
    age, limit = known.source_age_days, known.maximum_source_age_days
    if age is not None and limit is not None and age > limit:
        yield (
            f"The newest payments or balances are of {known.newest_source}, "
            f"more than {counted(limit, 'business day')} old."
        )


RELEASE_GUARDS = (
    ReleaseGuard("log_broken", _log),
    ReleaseGuard("clock_went_back", _clock),
    ReleaseGuard("policy_changed", _policy),
    ReleaseGuard("source_stale", _source),
)
"""Every guard on what is about to leave. All that trip are told."""
