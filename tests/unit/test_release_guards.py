"""What is looked at once more before a batch leaves."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from policies.release_guards import RELEASE_GUARDS, AtRelease, find_tripped_at_release

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
IN_ORDER = AtRelease(
    now=NOW,
    newest_event_at=NOW - timedelta(minutes=1),
    log_problem="",
    drafted_under="a" * 64,
    policy_hash="a" * 64,
    newest_source=date(2026, 3, 9),
    source_age_days=1,
    maximum_source_age_days=2,
)
ODD = replace(
    IN_ORDER,
    newest_event_at=NOW + timedelta(hours=1),
    log_problem="event 7 was changed",
    policy_hash="b" * 64,
    source_age_days=3,
)


def test_a_batch_in_order_may_leave() -> None:
    assert find_tripped_at_release(IN_ORDER, []) == []


def test_every_guard_that_trips_is_told() -> None:
    tripped = find_tripped_at_release(ODD, [])
    assert [one.code for one in tripped] == [guard.code for guard in RELEASE_GUARDS]
    assert [one.sentence for one in tripped] == [
        "The audit log does not hold: event 7 was changed.",
        "The clock went back: the log holds an event of 2026-03-10 07:00 UTC, which is not yet now.",
        "The policy was changed since the batch was drafted: aaaaaaaaaaaa then, bbbbbbbbbbbb now.",
        "The newest payments or balances are of 2026-03-09, more than 2 business days old.",
    ]


def test_what_was_shown_to_who_approved_does_not_keep_the_batch_again_and_anything_new_does() -> None:
    shown = [one.sentence for one in find_tripped_at_release(ODD, [])]
    assert find_tripped_at_release(ODD, shown) == []
    worse = replace(ODD, log_problem="event 8 was changed")
    assert len(find_tripped_at_release(worse, shown)) == 4


@pytest.mark.parametrize(
    "known",
    [
        replace(IN_ORDER, newest_event_at=None),
        replace(IN_ORDER, newest_event_at=NOW + timedelta(minutes=5)),
        replace(IN_ORDER, source_age_days=9, maximum_source_age_days=None),
        replace(IN_ORDER, newest_source=None, source_age_days=None),
        replace(IN_ORDER, source_age_days=2),
    ],
)
def test_what_is_unknown_or_within_its_bounds_keeps_nothing(known: AtRelease) -> None:
    assert find_tripped_at_release(known, []) == []
