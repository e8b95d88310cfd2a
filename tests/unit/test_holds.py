"""What is said of every item: why a step is taken, or the first reason why not."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from policies.escalation import decide
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)
CALL = {"step": "call", "after_due_days": 1, "channel": "call"}
LETTER = {"step": "letter", "after_due_days": 1, "channel": "letter"}


def invoice(number: str = "A", due: date = date(2026, 2, 1), **row: object) -> Row:
    return {"invoice_number": number, "invoice_date": date(2026, 1, 1), "due_date": due, "amount": 100, **row}


def decided(*steps: Row, keys: Mapping[str, object] | None = None, **tables: Sequence[Row]) -> Sequence[Row]:
    return decide(history(**tables), policy(*steps, **(keys or {})), AS_OF).to_dicts()


@pytest.mark.parametrize(
    ("due", "sentence"),
    [
        (date(2026, 3, 8), "Step step is due: 2 days past due, no step before."),
        (date(2026, 3, 9), "Step step is due: 1 day past due, no step before."),
        (date(2026, 3, 10), "Step step is due: due today, no step before."),
        (date(2026, 3, 11), "Step step is due: due tomorrow, no step before."),
        (date(2026, 3, 12), "Step step is due: due on 2026-03-12, no step before."),
    ],
)
def test_the_sentence_of_a_step_says_how_late_the_item_is(due: date, sentence: str) -> None:
    step = {"step": "step", "after_due_days": -5, "channel": "email"}
    late = {"step": "step", "after_due_days": 1, "channel": "email"}
    (row,) = decided(late if due < AS_OF else step, invoices=[invoice(due=due)])
    assert (row["sentence"], row["act"]) == (sentence, True)


def test_the_sentence_of_a_step_says_what_was_done_before() -> None:
    (row,) = decided(
        invoices=[invoice()],
        actions=[{"invoice_number": "A", "step": "reminder_1", "dispatch_date": date(2026, 3, 2)}],
    )
    assert row["sentence"] == "Step reminder_2 is due: 37 days past due, last step reminder_1 on 2026-03-02."


def test_the_sentence_of_a_step_says_that_it_was_brought_forward() -> None:
    keys = {"accelerate": [{"when": "amount >= 100", "to": "formal_notice"}]}
    (row,) = decided(keys=keys, invoices=[invoice()])
    assert row["sentence"] == "Step formal_notice is due ahead of its time: 37 days past due, no step before."
    (small,) = decided(keys=keys, invoices=[invoice(amount=99)])
    assert small["sentence"] == "Step reminder_1 is due: 37 days past due, no step before."


DUE_SOON = invoice(due=date(2026, 3, 10))
WAITS = {"requires_outcome": True}


@pytest.mark.parametrize(
    ("steps", "tables", "reason", "sentence"),
    [
        (
            [],
            {"events": [{"kind": "insolvency", "event_date": date(2026, 3, 2)}]},
            "insolvent",
            "Customer insolvent since 2026-03-02.",
        ),
        (
            [],
            {"events": [{"kind": "write_off", "event_date": date(2026, 3, 2), "invoice_number": "A"}]},
            "written_off",
            "Written off on 2026-03-02.",
        ),
        (
            [],
            {
                "events": [
                    {
                        "kind": "reduction",
                        "event_date": date(2026, 3, 2),
                        "invoice_number": "A",
                        "amount": 100,
                    }
                ]
            },
            "written_off",
            "Reductions and write-offs leave nothing to demand.",
        ),
        (
            [],
            {
                "actions": [
                    {
                        "invoice_number": "A",
                        "step": "x",
                        "channel": "agency",
                        "dispatch_date": date(2026, 3, 2),
                    }
                ]
            },
            "placed",
            "With the agency since 2026-03-02.",
        ),
        (
            [],
            {
                "proposals": [
                    {
                        "invoice_number": "A",
                        "step": "reminder_1",
                        "proposed_date": date(2026, 3, 2),
                        "uncertain_date": date(2026, 3, 3),
                    }
                ]
            },
            "delivery_uncertain",
            "A release of 2026-03-03 cannot say whether the message left; a person must look.",
        ),
        (
            [],
            {"events": [{"kind": "dispute", "event_date": date(2026, 3, 2), "until": date(2026, 4, 1)}]},
            "disputed",
            "Disputed since 2026-03-02: 100.00 EUR, to be reviewed on 2026-04-01.",
        ),
        (
            [],
            {"events": [{"kind": "dispute", "event_date": date(2026, 3, 2)}]},
            "disputed",
            "Disputed since 2026-03-02: 100.00 EUR.",
        ),
        (
            [],
            {"events": [{"kind": "promise", "event_date": date(2026, 3, 2), "until": date(2026, 3, 10)}]},
            "promise_running",
            "Promised on 2026-03-02 to be paid by 2026-03-10.",
        ),
        (
            [],
            {
                "events": [
                    {
                        "kind": "payment_plan",
                        "event_date": date(2026, 3, 2),
                        "until": date(2026, 3, 20),
                        "amount": 100,
                        "invoice_number": "A",
                    }
                ]
            },
            "plan_running",
            "Payment plan since 2026-03-02, next instalment due 2026-03-20.",
        ),
        (
            [],
            {"events": [{"kind": "hold", "event_date": date(2026, 3, 2)}]},
            "manual_hold",
            "Held by a person since 2026-03-02.",
        ),
        (
            [],
            {
                "events": [
                    {
                        "kind": "hold",
                        "event_date": date(2026, 3, 2),
                        "until": date(2026, 3, 10),
                        "reason": "new owner",
                    }
                ]
            },
            "manual_hold",
            "Held by a person since 2026-03-02 until 2026-03-10: new owner.",
        ),
        (
            [],
            {"invoices": [invoice(amount=-5)]},
            "credit_item",
            "A credit of the customer: nothing to collect.",
        ),
        ([], {"invoices": [invoice(due_date=None)]}, "no_due_date", "The item has no due date."),
        (
            [],
            {"proposals": [{"invoice_number": "A", "step": "reminder_1", "proposed_date": date(2026, 3, 2)}]},
            "awaiting_approval",
            "Step reminder_1 has waited for approval or release since 2026-03-02.",
        ),
        ([], {"invoices": [DUE_SOON]}, "no_step_due", "Next step reminder_1 on 2026-03-11."),
        (
            [{**CALL, **WAITS}, LETTER],
            {
                "actions": [
                    {
                        "invoice_number": "A",
                        "step": "call",
                        "channel": "call",
                        "dispatch_date": date(2026, 3, 2),
                    }
                ]
            },
            "no_step_due",
            "Waits for the outcome of call.",
        ),
        (
            [CALL, {**LETTER, **WAITS}],
            {
                "actions": [
                    {
                        "invoice_number": "A",
                        "step": "call",
                        "channel": "call",
                        "dispatch_date": date(2026, 3, 2),
                    }
                ]
            },
            "no_step_due",
            "Waits for the outcome of the call before.",
        ),
        (
            [{**LETTER, "needs_delivery_proof": True}, CALL],
            {"actions": [{"invoice_number": "A", "step": "letter", "dispatch_date": date(2026, 3, 2)}]},
            "no_step_due",
            "Waits for the proof that letter was delivered.",
        ),
        (
            [CALL],
            {"actions": [{"invoice_number": "A", "step": "call", "dispatch_date": date(2026, 3, 2)}]},
            "ladder_finished",
            "Every step of the ladder has been taken or left out.",
        ),
        (
            [],
            {"payments": [{"amount": 120, "payment_date": date(2026, 3, 2)}]},
            "unapplied_cash",
            "Unapplied cash of 120.00 EUR covers what is overdue.",
        ),
        ([], {"customers": [{"email": None}]}, "missing_contact", "The customer has no e-mail address."),
        (
            [],
            {"events": [{"kind": "bounce", "event_date": date(2026, 3, 2)}]},
            "missing_contact",
            "The customer has an e-mail address that came back as undeliverable.",
        ),
        (
            [],
            {"customers": [{"email": "not an\nemail"}]},
            "missing_contact",
            "The customer has no usable e-mail address ('not an email').",
        ),
        (
            [],
            {"customers": [{"email": "x" * 10_000}]},
            "missing_contact",
            f"The customer has no usable e-mail address ('{'x' * 60}...').",
        ),
        ([CALL], {"customers": [{"phone": " "}]}, "missing_contact", "The customer has no telephone number."),
        (
            [LETTER],
            {"customers": [{"address_line_1": None}]},
            "missing_contact",
            "The customer has a postal address without a street.",
        ),
        (
            [LETTER],
            {"customers": [{"city": ""}]},
            "missing_contact",
            "The customer has a postal address without a city.",
        ),
    ],
)
def test_every_reason_comes_with_its_sentence(
    steps: list[Row], tables: dict[str, Any], reason: str, sentence: str
) -> None:
    (row,) = decided(*steps, **({"invoices": [invoice()]} | tables))
    assert (row["reason"], row["sentence"], row["act"]) == (reason, sentence, False)


@pytest.mark.parametrize(
    ("keys", "tables", "reason", "sentence"),
    [
        (
            {"small_balance": {"EUR": "100.01"}},
            {},
            "small_balance",
            "Only 100.00 EUR overdue, under the threshold of the policy.",
        ),
        (
            {"guards": {"maximum_source_age_business_days": 2}, "calendar": {"country": "FR"}},
            {"files": [{"intake_id": 1, "file_date": date(2026, 3, 5), "carries_payments": True}]},
            "source_stale",
            "The newest payments or balances are 3 business days old.",
        ),
        (
            {"contact": {"minimum_gap_days": 7}},
            {"actions": [{"invoice_number": "B", "step": "x", "dispatch_date": date(2026, 3, 4)}]},
            "contact_gap",
            "Last contacted on 2026-03-04, less than 7 days ago.",
        ),
        (
            {"contact": {"maximum": {"contacts": 1, "days": 7}}},
            {"actions": [{"invoice_number": "B", "step": "x", "dispatch_date": date(2026, 3, 4)}]},
            "contact_cap",
            "Contacted on 1 of the last 7 days.",
        ),
        (
            {
                "calendar": {
                    "blackouts": [{"from": date(2026, 3, 10), "to": date(2026, 3, 10), "why": "Move"}]
                }
            },
            {},
            "not_a_contact_day",
            "2026-03-10 is in the blackout 'Move' (2026-03-10 to 2026-03-10).",
        ),
        (
            {"segments": [{"segment": "large", "when": "open_amount > 100", "ladder": "standard"}]},
            {},
            "no_segment",
            "No segment of the policy takes this customer.",
        ),
    ],
)
def test_every_rule_of_the_policy_says_how_it_held_an_item(
    keys: dict[str, object], tables: dict[str, Any], reason: str, sentence: str
) -> None:
    (row,) = decided(keys=keys, **({"invoices": [invoice()]} | tables))
    assert (row["reason"], row["sentence"], row["act"]) == (reason, sentence, False)


@pytest.mark.parametrize(
    ("day", "country", "sentence"),
    [
        (date(2026, 5, 1), "FR", "2026-05-01 is a public holiday in FR (Fête du Travail)."),
        (date(2026, 7, 4), "FR", "2026-07-04 is a Saturday, in the weekend in FR."),
        (date(2026, 7, 3), "SA", "2026-07-03 is a Friday, in the weekend in SA."),
        (date(2026, 7, 4), "XX", "2026-07-04 is a Saturday, in the weekend."),
    ],
)
def test_a_day_without_contact_says_which_day_it_is(day: date, country: str, sentence: str) -> None:
    past = history(invoices=[invoice()], customers=[{"customer_id": "C1", "country": country}])
    (row,) = decide(past, policy(calendar={"contact_on": "business_days"}), day).to_dicts()
    assert (row["reason"], row["sentence"]) == ("not_a_contact_day", sentence)


def test_a_blackout_ends_with_its_last_day() -> None:
    keys = {"calendar": {"blackouts": [{"from": date(2026, 3, 2), "to": date(2026, 3, 9), "why": "Move"}]}}
    (row,) = decided(keys=keys, invoices=[invoice()])
    assert (row["reason"], row["act"]) == ("", True)
