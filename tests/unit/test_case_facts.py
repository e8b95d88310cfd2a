"""Facts said outright: which may be, of what type, and that they stand before what history gave."""

from datetime import date

import pytest

from policies.case_facts import find_fact_problems, with_facts
from policies.escalation import decide_from_facts, gather_facts
from policies.facts import FACTS
from tests.builders import history, policy

AS_OF = date(2026, 3, 10)
INVOICE = {
    "invoice_number": "A",
    "invoice_date": date(2026, 1, 1),
    "due_date": date(2026, 3, 1),
    "amount": 100,
}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"average_days_late": 50}, None),
        ({"average_days_late": None}, None),
        ({"bounced": True}, None),
        ({"avrage_days_late": 50}, "there is no fact 'avrage_days_late'; did you mean 'average_days_late'?"),
        ({"paid_invoices": "many"}, "the fact paid_invoices is a whole number, not 'many'"),
        ({"paid_invoices": True}, "the fact paid_invoices is a whole number, not True"),
        ({"bounced": 1}, "the fact bounced is true or false, not 1"),
        ({"days_past_due": None}, "the fact days_past_due is a whole number, not None"),
        ({"currency": "EUR"}, "the fact currency is not set here: rows of `invoices` say it"),
        ({"risk": "high"}, "the fact risk is not set here: the policy decides it; expect it in `decisions`"),
    ],
)
def test_a_fact_is_known_has_its_type_and_is_not_for_the_policy_to_decide(
    said: dict[str, object], problem: str | None
) -> None:
    found = find_fact_problems(said)
    assert [text.startswith(problem) for text in found] == [True] if problem else found == []


def test_every_fact_is_either_said_outright_or_told_where() -> None:
    for name in FACTS:
        assert find_fact_problems({name: object()}), name


def decided(said: dict[str, object], **keys: object) -> dict[str, object]:
    known, rules = history(invoices=[INVOICE]), policy(**keys)
    facts = with_facts(gather_facts(known, rules, AS_OF), said)
    return decide_from_facts(facts, known, rules).row(0, named=True)


def test_facts_of_the_account_and_of_the_item_stand_before_what_history_gave() -> None:
    rules = {
        "segments": [{"segment": "slow", "when": "average_days_late > 45", "ladder": "standard"}],
        "accelerate": [{"when": "item_broken_promises >= 1", "to": "formal_notice"}],
    }
    assert decided({}, **rules)["reason"] == "no_segment"
    assert decided({"average_days_late": 50}, **rules)["step"] == "reminder_1"
    assert decided({"average_days_late": 50, "item_broken_promises": 1}, **rules)["step"] == "formal_notice"


def test_days_since_the_last_contact_tell_its_date_too() -> None:
    row = decided({"days_since_last_contact": 3}, contact={"minimum_gap_days": 7})
    assert (row["reason"], row["sentence"]) == (
        "contact_gap",
        "Last contacted on 2026-03-07, less than 7 days ago.",
    )


def test_the_age_of_the_oldest_item_moves_those_that_follow_it() -> None:
    keys = {"anchor": "oldest_item", "ladder_mode": "most_severe"}
    assert decided({"oldest_days_past_due": 30}, **keys)["step"] == "formal_notice"


def test_a_customer_whose_address_is_said_to_have_come_back_is_not_reached_by_email() -> None:
    assert decided({})["reason"] == ""
    assert decided({"bounced": True})["reason"] == "missing_contact"
    by_letter = decided({"bounced": True}, contact={"fallback": {"email": "letter"}})
    assert (by_letter["reason"], by_letter["channel"]) == ("", "letter")


@pytest.mark.parametrize(
    ("disputed", "demanded", "reason"), [(50, 50, ""), (100, 0, "disputed"), (None, 100, "")]
)
def test_what_is_said_to_be_disputed_is_not_demanded(
    disputed: int | None, demanded: int, reason: str
) -> None:
    row = decided({"amount_disputed": disputed})
    assert (row["amount_demanded"], row["reason"]) == (demanded, reason)
    assert row["sentence"] is not None
