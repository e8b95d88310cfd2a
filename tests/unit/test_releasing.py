"""A message that waited leaves only when nothing it says has changed."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.messages import Message, MessageItem, Recipient
from policies.model import CUSTOMER_COLUMNS
from policies.releasing import find_changes

DUE = date(2026, 3, 2)
HOME = {
    "email": "c@x.example",
    "address_line_1": "1 rue du Port",
    "address_line_3": "BP 7",
    "postcode": "29200",
    "city": "Brest",
    "country": "FR",
}


def message(number: str, *demanded: tuple[str, str], channel: str = "registered_letter") -> Message:
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
        customer=Recipient(
            customer_id="C",
            customer_name="C",
            email="c@x.example",
            address_lines=("1 rue du Port", "BP 7"),
            postcode="29200",
            city="Brest",
            country="FR",
        ),
        currency="EUR",
        language="fr",
        step="formal_notice",
        template="formal_notice",
        channel=channel,
        items=items,
        total_principal=Decimal(0),
        total=Decimal(0),
        policy="p",
        policy_hash="h",
    )


def today(*rows: tuple[str, str, str], due: date = DUE, unapplied: str = "0") -> pl.DataFrame:
    """Return decisions (invoice, amount demanded, reason) on items that were due on a day."""
    overdue = sum((Decimal(amount) for _, amount, _ in rows), Decimal(0))
    account = (due, overdue, Decimal(unapplied))
    return pl.DataFrame(
        [("C", invoice, "1", Decimal(amount), reason, *account) for invoice, amount, reason in rows],
        schema={
            "customer_id": pl.String,
            "invoice_number": pl.String,
            "installment": pl.String,
            "amount_demanded": pl.Decimal(38, 3),
            "reason": pl.String,
            "due_date": pl.Date,
            "overdue_amount": pl.Decimal(38, 3),
            "unapplied_amount": pl.Decimal(38, 3),
        },
        orient="row",
    )


def customers(bounced: bool = False, **changed: str | None) -> pl.DataFrame:
    """Return the customer as known now."""
    row = {"customer_id": "C", **dict.fromkeys(CUSTOMER_COLUMNS), **HOME, **changed, "bounced": bounced}
    return pl.DataFrame([row, row | {"customer_id": "D"}])


def test_a_message_whose_items_stand_as_they_did_may_leave() -> None:
    decisions = today(("A", "100", "awaiting_approval"), ("B", "50", ""))
    assert find_changes([message("M", ("A", "100"), ("B", "50"))], decisions, customers()) == {}


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        (today(("B", "50", "")), "invoice A is no longer open"),
        (today(("A", "80", "awaiting_approval")), "the balance of invoice A has changed"),
        (today(("A", "100", "disputed")), "invoice A is held: disputed"),
        (today(("A", "100", ""), due=date(2026, 6, 2)), "the due date of invoice A has changed"),
        (
            today(("A", "100", "awaiting_approval"), unapplied="-100"),
            "unapplied cash covers invoice A and all else that is overdue",
        ),
    ],
    ids=["paid", "paid in part", "disputed", "due later", "paid on account"],
)
def test_a_message_of_which_one_item_changed_is_withdrawn_whole(decisions: pl.DataFrame, why: str) -> None:
    waiting = [message("M", ("A", "100")), message("N", ("B", "50"))]
    assert find_changes(waiting, decisions, customers())["M"] == why


def test_cash_that_covers_only_a_part_withdraws_nothing() -> None:
    decisions = today(("A", "100", "awaiting_approval"), unapplied="-99.99")
    assert find_changes([message("M", ("A", "100"))], decisions, customers()) == {}


def test_the_first_change_of_a_message_is_the_reason_given() -> None:
    assert find_changes([message("M", ("A", "1"), ("B", "2"))], today(), customers(city="Nice")) == {
        "M": "invoice A is no longer open"
    }


def test_no_messages_have_no_changes() -> None:
    assert find_changes([], today(), customers()) == {}


E_MAIL, POST = "the e-mail address of customer C", "the postal address of customer C"


@pytest.mark.parametrize(
    ("channel", "known", "why"),
    [
        ("email", customers(email="new@x.example"), f"{E_MAIL} has changed"),
        ("email", customers(email=None), f"{E_MAIL} has changed"),
        ("email", customers().clear(), f"{E_MAIL} has changed"),
        ("email", customers(bounced=True), f"{E_MAIL} came back as unknown"),
        ("email", customers(email=" C@X.example"), None),
        ("email", customers(city="Nice"), None),
        ("letter", customers(city="Nice"), f"{POST} has changed"),
        ("registered_letter", customers(address_line_2="2e etage"), f"{POST} has changed"),
        ("registered_letter", customers(country=None), f"{POST} has changed"),
        ("letter", customers(email="new@x.example", bounced=True), None),
        ("call", customers(email="new@x.example", city="Nice"), None),
    ],
)
def test_a_message_goes_only_where_its_customer_is_still_reached(
    channel: str, known: pl.DataFrame, why: str | None
) -> None:
    waiting = [message("M", ("A", "100"), channel=channel)]
    changes = find_changes(waiting, today(("A", "100", "awaiting_approval")), known)
    assert changes == ({"M": why} if why else {})
