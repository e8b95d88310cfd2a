"""The channel a step goes by: the customer's choice, the step's own, else what stands in for it."""

from collections.abc import Mapping
from datetime import date

import pytest

from policies.escalation import decide
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)
CHAIN = {"fallback": {"call": "email", "email": "letter"}}
STEPS: dict[str, Row] = {
    channel: {"step": "asked", "after_due_days": 1, "channel": channel}
    for channel in ("email", "letter", "registered_letter", "call", "agency")
}


def item(number: str = "A", due: date = date(2026, 2, 1)) -> Row:
    return {"invoice_number": number, "invoice_date": date(2026, 1, 1), "due_date": due, "amount": 100}


def outcome(channel: str, customer: Row, contact: Mapping[str, object] | None = None) -> tuple[object, ...]:
    """The reason (or none) and the channel by which one step of a channel reaches one customer."""
    past = history(invoices=[item()], customers=[{"customer_id": "C1", **customer}])
    (row,) = decide(past, policy(STEPS[channel], contact=dict(contact or {})), AS_OF).to_dicts()
    assert row["message_channel"] == (row["channel"] if row["act"] else None)
    return row["reason"], row["channel"]


@pytest.mark.parametrize(
    ("channel", "customer", "used"),
    [
        ("email", {}, "email"),
        ("email", {"email": None}, "letter"),
        ("call", {"phone": " "}, "email"),
        ("call", {"phone": None, "email": None}, "letter"),
        ("registered_letter", {"email": None}, "registered_letter"),
        ("agency", {"email": None, "phone": None, "city": None}, "agency"),
    ],
)
def test_a_channel_stands_in_for_one_that_does_not_reach_the_customer(
    channel: str, customer: Row, used: str
) -> None:
    assert outcome(channel, customer, CHAIN) == ("", used)


@pytest.mark.parametrize(
    ("channel", "customer"),
    [
        ("email", {"email": None, "city": None}),
        ("letter", {"city": None}),
        ("registered_letter", {"city": ""}),
    ],
)
def test_a_customer_whom_no_channel_reaches_is_held_on_the_steps_own(channel: str, customer: Row) -> None:
    assert outcome(channel, customer, CHAIN) == ("missing_contact", channel)


def test_without_a_fall_back_nothing_stands_in() -> None:
    assert outcome("email", {"email": None}) == ("missing_contact", "email")


@pytest.mark.parametrize(
    ("channel", "customer", "used"),
    [
        ("email", {"preferred_channel": "letter"}, "letter"),
        ("letter", {"preferred_channel": "email"}, "email"),
        ("letter", {"preferred_channel": "email", "email": None}, "letter"),
        ("call", {"preferred_channel": "letter"}, "call"),
        ("registered_letter", {"preferred_channel": "email"}, "registered_letter"),
    ],
)
def test_what_is_written_goes_by_the_channel_the_customer_prefers(
    channel: str, customer: Row, used: str
) -> None:
    assert outcome(channel, customer) == ("", used)


def test_an_address_that_came_back_is_as_good_as_none() -> None:
    past = history(invoices=[item()], events=[{"kind": "bounce", "event_date": date(2026, 3, 1)}])
    (row,) = decide(past, policy(STEPS["email"], contact=CHAIN), AS_OF).to_dicts()
    assert (row["act"], row["channel"]) == (True, "letter")


def test_a_message_goes_by_the_used_channel_of_its_highest_step() -> None:
    steps: list[Row] = [
        {"step": "reminder", "after_due_days": 1, "channel": "letter"},
        {"step": "called", "after_previous_days": 7, "channel": "call"},
    ]
    past = history(
        invoices=[item("A"), item("B", date(2026, 3, 1))],
        customers=[{"customer_id": "C1", "phone": None}],
        actions=[{"invoice_number": "A", "step": "reminder", "dispatch_date": date(2026, 2, 10)}],
    )
    rows = decide(past, policy(*steps, contact=CHAIN), AS_OF).to_dicts()
    assert [(row["channel"], row["message_channel"]) for row in rows] == [
        ("email", "email"),
        ("letter", "email"),
    ]


@pytest.mark.parametrize(("went_by", "reason"), [("call", "no_step_due"), ("email", "")])
def test_only_a_call_that_was_made_has_an_outcome_to_wait_for(went_by: str, reason: str) -> None:
    steps: list[Row] = [
        {"step": "called", "after_due_days": 1, "channel": "call", "requires_outcome": True},
        {"step": "notice", "after_previous_days": 7, "channel": "email"},
    ]
    past = history(
        invoices=[item()],
        actions=[
            {"invoice_number": "A", "step": "called", "dispatch_date": date(2026, 2, 10), "channel": went_by}
        ],
    )
    (row,) = decide(past, policy(*steps), AS_OF).to_dicts()
    assert row["reason"] == reason


def test_a_step_that_waits_for_approval_shows_the_channel_it_would_go_by() -> None:
    step = {**STEPS["email"], "approval": "required"}
    past = history(
        invoices=[item()],
        customers=[{"customer_id": "C1", "email": None}],
        proposals=[{"invoice_number": "A", "step": "asked", "proposed_date": date(2026, 3, 2)}],
    )
    (row,) = decide(past, policy(step, contact=CHAIN), AS_OF).to_dicts()
    assert (row["reason"], row["channel"]) == ("awaiting_approval", "letter")


@pytest.mark.parametrize(
    "address", ["not an email", "a@x", "a..b@x.example", ".a@x.example", "a@x.example\nBcc: b@y.example"]
)
def test_an_address_that_cannot_be_used_is_as_good_as_none(address: str) -> None:
    assert outcome("email", {"email": address}) == ("missing_contact", "email")
    assert outcome("email", {"email": address}, CHAIN) == ("", "letter")


@pytest.mark.parametrize(
    ("channel", "customer", "said"),
    [
        ("call", {}, "no telephone number, no e-mail address, no postal address"),
        ("email", {"email": "x"}, "no usable e-mail address ('x'), no postal address"),
        ("registered_letter", {"city": "Lyon"}, "a postal address without a street"),
    ],
)
def test_the_sentence_names_every_channel_that_was_tried(channel: str, customer: Row, said: str) -> None:
    unknown: Row = {"email": None, "phone": None, "address_line_1": None, "city": None}
    past = history(invoices=[item()], customers=[{"customer_id": "C1", **unknown, **customer}])
    (row,) = decide(past, policy(STEPS[channel], contact=CHAIN), AS_OF).to_dicts()
    assert row["sentence"] == f"The customer has {said}."


def test_the_sentence_names_the_channel_the_customer_prefers_too() -> None:
    customer: Row = {"customer_id": "C1", "email": None, "city": " ", "preferred_channel": "letter"}
    past = history(invoices=[item()], customers=[customer])
    (row,) = decide(past, policy(STEPS["email"]), AS_OF).to_dicts()
    assert row["sentence"] == "The customer has a postal address without a city, no e-mail address."
