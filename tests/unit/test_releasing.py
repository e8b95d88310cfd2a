"""A message that waited leaves only when nothing it says has changed."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.messages import Message, MessageItem, Recipient
from policies.releasing import find_changes


def message(number: str, *demanded: tuple[str, str]) -> Message:
    """Return a message that demands (invoice, amount)."""
    day = date(2026, 3, 2)
    items = tuple(
        MessageItem(
            invoice_number=invoice,
            invoice_date=day,
            due_date=day,
            days_past_due=1,
            amount=Decimal(amount),
            amount_paid=Decimal(0),
            amount_open=Decimal(amount),
            amount_demanded=Decimal(amount),
            step="formal_notice",
            action_id=f"{number}-{invoice}",
        )
        for invoice, amount in demanded
    )
    return Message(
        message_id=number,
        batch_id="2026-03-02-formal_notice",
        as_of=day,
        customer=Recipient(customer_id="C", customer_name="C"),
        currency="EUR",
        language="fr",
        step="formal_notice",
        template="formal_notice",
        channel="registered_letter",
        items=items,
        total_principal=Decimal(0),
        total=Decimal(0),
        policy="p",
        policy_hash="h",
    )


def today(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Return decisions (invoice, amount demanded, reason)."""
    return pl.DataFrame(
        [("C", invoice, "1", Decimal(amount), reason) for invoice, amount, reason in rows],
        schema={
            "customer_id": pl.String,
            "invoice_number": pl.String,
            "installment": pl.String,
            "amount_demanded": pl.Decimal(38, 3),
            "reason": pl.String,
        },
        orient="row",
    )


def test_a_message_whose_items_stand_as_they_did_may_leave() -> None:
    decisions = today(("A", "100", "awaiting_approval"), ("B", "50", ""))
    assert find_changes([message("M", ("A", "100"), ("B", "50"))], decisions) == {}


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        (today(("B", "50", "")), "invoice A is no longer open"),
        (today(("A", "80", "awaiting_approval")), "the balance of invoice A has changed"),
        (today(("A", "100", "disputed")), "invoice A is held: disputed"),
    ],
    ids=["paid", "paid in part", "disputed"],
)
def test_a_message_of_which_one_item_changed_is_withdrawn_whole(decisions: pl.DataFrame, why: str) -> None:
    assert find_changes([message("M", ("A", "100")), message("N", ("B", "50"))], decisions)["M"] == why


def test_the_first_change_of_a_message_is_the_reason_given() -> None:
    assert find_changes([message("M", ("A", "1"), ("B", "2"))], today()) == {
        "M": "invoice A is no longer open"
    }


def test_no_messages_have_no_changes() -> None:
    assert find_changes([], today()) == {}
