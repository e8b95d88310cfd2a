"""What a person's word is worth: whose it is, how many are asked, how long it counts."""

from datetime import date
from decimal import Decimal

import pytest

from policies.approvals import (
    Answer,
    Verdict,
    has_expired,
    names_asked,
    what_is_missing,
    why_too_early,
    why_too_late,
)
from policies.policy import Policy
from tests.builders import policy

DAY = date(2026, 3, 10)
STEPS = (
    {"step": "reminder", "after_due_days": 1, "channel": "email"},
    {"step": "notice", "after_due_days": 30, "channel": "letter", "approval": "required", "approvers": 3},
)


def asking(**approvals: object) -> Policy:
    return policy(*STEPS, approvals=approvals)


@pytest.mark.parametrize(
    ("steps", "demanded", "names"),
    [
        ({"reminder"}, {"EUR": Decimal("10000.00")}, 1),
        ({"reminder"}, {"EUR": Decimal("10000.01")}, 2),
        ({"reminder"}, {"USD": Decimal(999999)}, 1),
        ({"notice"}, {"EUR": Decimal("10000.01")}, 3),
        (set(), {}, 1),
    ],
)
def test_as_many_names_are_asked_as_a_step_or_an_amount_asks_most(
    steps: set[str], demanded: dict[str, Decimal], names: int
) -> None:
    assert names_asked(asking(two_names_above={"EUR": "10000.00"}), steps, demanded) == names


def test_a_word_counts_on_its_last_day_and_not_after() -> None:
    ten = asking(expire_after_days=10)
    assert not has_expired(DAY, date(2026, 3, 20), ten)
    assert has_expired(DAY, date(2026, 3, 21), ten)
    assert not has_expired(DAY, date(2030, 1, 1), asking())


def test_a_day_before_a_batch_was_drafted_or_approved_is_too_early_for_it() -> None:
    before, after = date(2026, 3, 9), date(2026, 3, 12)
    assert not why_too_early("B", DAY, DAY)
    assert not why_too_early("B", after, DAY, after)
    assert why_too_early("B", before, DAY, after).startswith(
        "it was drafted on 2026-03-10, and 2026-03-09 lies before that. Act on 2026-03-12 or later;"
    )
    told = why_too_early("B", DAY, DAY, after)
    assert told.startswith("it was approved on 2026-03-12, and 2026-03-10 lies before that.")
    assert "--until 2026-03-10 --as-of 2026-03-10" in told


def test_a_draft_past_its_time_says_until_when_it_could_be_decided_on() -> None:
    ten = asking(expire_after_days=10)
    assert not why_too_late("B", DAY, date(2026, 3, 20), ten)
    told = why_too_late("B", DAY, date(2030, 1, 1), ten)
    assert told.startswith("batch B could be decided on until 2026-03-20, and not on 2030-01-01")
    assert not why_too_late("B", DAY, date(2030, 1, 1), asking())


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (Answer("Claire", Verdict.APPROVE), ""),
        (Answer("Claire", Verdict.APPROVE, ("C1",), "in talks"), ""),
        (Answer("Claire", Verdict.REJECT, (), "too early", DAY), ""),
        (Answer("  ", Verdict.APPROVE), "Say who decides: a name has at least one letter."),
        (Answer("Claire", Verdict.APPROVE, ("C1",)), "Give the reason: it stands in the log."),
        (Answer("Claire", Verdict.REJECT, (), " ", DAY), "Give the reason: it stands in the log."),
        (
            Answer("Claire", Verdict.REJECT, ("C1",), "no", DAY),
            "Leaving customers out belongs to an approval; a batch is rejected whole.",
        ),
        (
            Answer("Claire", Verdict.REJECT, (), "no"),
            "Give the last day on which the rejected items are held.",
        ),
        (
            Answer("Claire", Verdict.REJECT, (), "no", date(2026, 3, 9)),
            "The day until which items are held, 2026-03-09, lies before 2026-03-10.",
        ),
    ],
)
def test_an_answer_that_lacks_something_is_told_what(answer: Answer, missing: str) -> None:
    assert what_is_missing(answer, DAY) == missing
