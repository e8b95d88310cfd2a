"""What follows from mail that came back."""

from datetime import date

import pytest

from policies.model import EventKind
from policies.return_effects import Effects, PastReturn, Rules, effects_of
from policies.return_kinds import Verdict
from policies.returned_mail import ReturnKind

DAY = date(2026, 3, 3)
RULES = Rules(reply_hold_days=7, soft_bounces=3)
SOFT, HARD, DELIVERED = ReturnKind.SOFT_BOUNCE, ReturnKind.HARD_BOUNCE, ReturnKind.DELIVERED


def follow(
    kind: ReturnKind,
    *past: PastReturn,
    customer: str = "C1",
    is_current: bool = True,
    rule: str = "no_such_user",
    status: str = "5.1.1",
    spares_address: bool = False,
) -> Effects:
    return effects_of(
        Verdict(kind, rule, status, spares_address),
        message_id="M9",
        customer_id=customer,
        is_current_address=is_current,
        past=past,
        as_of=DAY,
        rules=RULES,
    )


def kinds(effects: Effects) -> list[str]:
    return [event.kind.value for event in effects.events]


def test_a_bounce_for_good_counts_while_the_address_is_the_customers() -> None:
    effects = follow(HARD)
    assert (effects.outcome, kinds(effects)) == ("bounced", ["bounce"])
    assert effects.events[0].reason == "bounced: no such user 5.1.1"
    assert follow(HARD, status="").events[0].reason == "bounced: no such user"
    assert follow(HARD, is_current=False) == Effects("old_address")
    assert follow(SOFT, is_current=False) == Effects("old_address")


def test_soft_bounces_count_once_for_each_message_and_only_in_a_row() -> None:
    one, two = PastReturn("M1", SOFT), PastReturn("M2", SOFT)
    assert follow(SOFT) == Effects("bounced_for_now")
    assert follow(SOFT, one, one, PastReturn("M9", SOFT)) == Effects("bounced_for_now")
    assert kinds(follow(SOFT, one, two)) == ["bounce"]
    assert follow(SOFT, one, PastReturn("M2", DELIVERED), two) == Effects("bounced_for_now")
    assert kinds(follow(SOFT, one, PastReturn("M3", ReturnKind.CHALLENGE), two)) == ["bounce"]


def test_a_refusal_that_spares_the_address_never_counts_against_it_and_is_told() -> None:
    one, two = PastReturn("M1", SOFT, spares_address=True), PastReturn("M2", SOFT)
    refused = follow(SOFT, two, two, spares_address=True)
    assert (refused.outcome, refused.events, bool(refused.person)) == ("refused_by_receiver", (), True)
    assert follow(SOFT, is_current=False, spares_address=True).outcome == "refused_by_receiver"
    assert follow(SOFT, one, two) == Effects("bounced_for_now")
    assert kinds(follow(SOFT, PastReturn("M0", SOFT), one, two)) == ["bounce"]


def test_a_complaint_holds_the_customer_like_a_reply_and_is_no_answer() -> None:
    effects = follow(ReturnKind.COMPLAINT)
    assert (effects.outcome, kinds(effects)) == ("complained", ["hold"])
    assert effects.events[0].until == date(2026, 3, 10)
    assert "relance record hold_released --customer C1" in effects.person
    assert follow(SOFT, PastReturn("M1", SOFT), PastReturn("M2", ReturnKind.COMPLAINT)) == Effects(
        "bounced_for_now"
    )
    assert "complaint" in follow(ReturnKind.COMPLAINT, customer="").person


def test_a_copy_of_our_own_that_did_not_arrive_is_told_as_that_and_one_that_did_is_not_told() -> None:
    lost = follow(ReturnKind.UNRELATED, rule="own_copy")
    assert (lost.outcome, kinds(lost)) == ("own_copy", [])
    assert "the copy to our own address did not arrive" in lost.person
    assert "nothing is said against the address of customer C1" in lost.person
    assert follow(ReturnKind.UNRELATED, rule="own_copy_arrived") == Effects("own_copy_arrived")


def test_a_reply_is_an_answer_and_holds_the_customer_for_a_person() -> None:
    effects = follow(ReturnKind.REPLY)
    assert kinds(effects) == ["answer", "hold"]
    assert [event.until for event in effects.events] == [None, date(2026, 3, 10)]
    assert "relance record hold_released --customer C1" in effects.person


@pytest.mark.parametrize("kind", [DELIVERED, ReturnKind.AUTO_REPLY, ReturnKind.READ_RECEIPT])
def test_what_needs_nobody_is_only_noted(kind: ReturnKind) -> None:
    assert follow(kind) == Effects(kind.value)


def test_a_filter_that_asks_for_a_confirmation_is_shown_to_a_person() -> None:
    effects = follow(ReturnKind.CHALLENGE)
    assert (effects.events, "confirmation" in effects.person) == ((), True)


def test_what_a_mail_system_says_and_no_rule_knows_is_shown_to_a_person() -> None:
    effects = follow(ReturnKind.UNRELATED, rule="unknown_system_mail")
    assert (effects.outcome, effects.events, "read it" in effects.person) == ("not_understood", (), True)


def test_what_concerns_nobody_is_shown_unless_it_went_to_many() -> None:
    assert follow(HARD, customer="").person
    assert follow(ReturnKind.UNRELATED, customer="", rule="no_reference").person
    assert follow(ReturnKind.UNRELATED, customer="", rule="mailing") == Effects("unmatched")


def test_only_known_kinds_of_events_are_made() -> None:
    assert {EventKind.BOUNCE, EventKind.ANSWER, EventKind.HOLD} <= set(EventKind)
