"""Decisions as a whole: every open item one row, one reason, one sentence."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from policies.escalation import DECISION_COLUMNS, decide, gather_facts, source_age
from policies.history import empty_history
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)


def invoice(number: str = "A", due: date = date(2026, 2, 1), **row: object) -> Row:
    return {"invoice_number": number, "invoice_date": date(2026, 1, 1), "due_date": due, "amount": 100, **row}


def decided(*steps: Row, keys: Mapping[str, object] | None = None, **tables: Sequence[Row]) -> Sequence[Row]:
    return decide(history(**tables), policy(*steps, **(keys or {})), AS_OF).to_dicts()


def test_nothing_is_decided_where_nothing_is_known() -> None:
    decisions = decide(empty_history(), policy(), AS_OF)
    assert decisions.is_empty()
    assert set(DECISION_COLUMNS) <= set(decisions.columns)


def test_decisions_stand_in_the_order_of_the_keys_and_leave_out_what_is_paid() -> None:
    rows = decided(
        invoices=[invoice("B"), invoice("A"), invoice("A", customer_id="B1"), invoice("C")],
        payments=[{"invoice_number": "C", "amount": 100, "payment_date": AS_OF}],
    )
    keys = [(row["customer_id"], row["invoice_number"]) for row in rows]
    assert keys == [("B1", "A"), ("C1", "A"), ("C1", "B")]
    assert all(row["act"] is (row["reason"] == "") for row in rows)


def test_a_step_that_waits_is_shown_with_its_channel() -> None:
    notice = {"step": "notice", "after_due_days": 1, "channel": "registered_letter", "approval": "required"}
    proposals = [{"invoice_number": "A", "step": "notice", "proposed_date": date(2026, 3, 2)}]
    (row,) = decided(notice, invoices=[invoice()], proposals=proposals)
    assert (row["reason"], row["step"], row["channel"]) == (
        "awaiting_approval",
        "notice",
        "registered_letter",
    )
    assert row["message_channel"] is None


@pytest.mark.parametrize(("dispatches", "attempt"), [([], 1), ([date(2026, 2, 20)], 2)])
def test_an_attempt_counts_the_dispatches_of_its_step(dispatches: list[date], attempt: int) -> None:
    step = {"step": "reminder", "after_due_days": 1, "channel": "email", "repeat_every_days": 7}
    actions = [{"invoice_number": "A", "step": "reminder", "dispatch_date": day} for day in dispatches]
    actions.append({"invoice_number": "A", "step": "older", "dispatch_date": date(2026, 2, 9)})
    (row,) = decided(step, invoices=[invoice()], actions=actions)
    assert (row["act"], row["attempt"]) == (True, attempt)


def test_a_customer_of_a_country_without_calendar_follows_that_of_the_policy() -> None:
    keys = {"calendar": {"country": "FR", "contact_on": "business_days"}}
    bastille_day = date(2026, 7, 14)
    known = history(
        invoices=[invoice(customer_id=name) for name in ("DE", "FR", "XX", "none")],
        customers=[
            {"customer_id": name, "country": None if name == "none" else name}
            for name in ("DE", "FR", "XX", "none")
        ],
    )
    decisions = decide(known, policy(**keys), bastille_day)
    assert dict(decisions.select("customer_id", "reason").rows()) == {
        "DE": "",
        "FR": "not_a_contact_day",
        "XX": "not_a_contact_day",
        "none": "not_a_contact_day",
    }


@pytest.mark.parametrize(
    ("files", "age"),
    [
        ([{"file_date": date(2026, 3, 9), "carries_payments": True}], 1),
        ([{"file_date": date(2026, 3, 6), "carries_balances": True}], 2),
        ([{"file_date": date(2026, 3, 9)}], None),
        ([{"file_date": date(2026, 3, 11), "carries_payments": True}], None),
    ],
)
def test_the_age_of_sources_is_that_of_the_newest_that_carries_money(
    files: list[Row], age: int | None
) -> None:
    known = history(files=[{"intake_id": 1, **file} for file in files])
    assert source_age(known, policy(), AS_OF) == age


def test_later_dispatches_do_not_change_a_day() -> None:
    tables: dict[str, Any] = {"invoices": [invoice()]}
    left = [{"invoice_number": "A", "step": "reminder_1", "dispatch_date": AS_OF}]
    assert decided(**tables) == decided(**tables, actions=left)


def test_the_oldest_overdue_item_sets_the_pace_of_the_account() -> None:
    rows = decided(
        {"step": "notice", "after_due_days": 30, "channel": "email"},
        keys={"anchor": "oldest_item"},
        invoices=[
            invoice("OLD", date(2026, 2, 1)),
            invoice("NEW", date(2026, 3, 9)),
            invoice("NOT_DUE", date(2026, 3, 10)),
        ],
    )
    assert {row["invoice_number"]: row["act"] for row in rows} == {"NEW": True, "NOT_DUE": False, "OLD": True}


def test_facts_are_those_of_the_day() -> None:
    facts = gather_facts(history(invoices=[invoice(), invoice("B", currency="USD")]), policy(), AS_OF)
    assert facts.accounts.select("customer_id", "currency", "overdue_items").rows() == [
        ("C1", "EUR", 1),
        ("C1", "USD", 1),
    ]
