"""How long personal data is kept, and what of it is personal."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from pydantic import ValidationError

from policies.messages import Message, MessageItem, Recipient
from policies.model import CUSTOMERS, EVENTS, INVOICES, PAYMENTS
from policies.retention import (
    PERSONAL_COLUMNS,
    Retention,
    customers_past,
    months_before,
    owing_customers,
    without_person,
)

DAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (1, date(2026, 2, 28)),
        (3, date(2025, 12, 31)),
        (12, date(2025, 3, 31)),
        (25, date(2024, 2, 29)),
        (60, date(2021, 3, 31)),
    ],
)
def test_months_are_counted_back_to_the_same_day_or_the_last_one(months: int, expected: date) -> None:
    assert months_before(DAY, months) == expected


def test_customers_are_past_on_the_very_day_and_never_while_they_owe() -> None:
    happened = pl.DataFrame(
        {
            "customer_id": ["B", "A", "C", "D"],
            "last_on": [date(2021, 3, 31), date(2020, 1, 1), date(2021, 4, 1), date(2019, 1, 1)],
        }
    )
    assert customers_past(happened, {"D"}, date(2021, 3, 31)) == ["A", "B"]


def test_open_items_cash_that_lies_unapplied_and_later_documents_are_claims() -> None:
    decisions = pl.DataFrame({"customer_id": ["A", "A", "B"]})
    aging = pl.DataFrame(
        {"customer_id": ["A", "C", "E"], "unapplied": [Decimal(0), Decimal("-5.00"), Decimal(0)]}
    )
    documents = pl.DataFrame({"customer_id": ["D", "E"], "invoice_date": [date(2026, 4, 1), DAY]})
    assert owing_customers(decisions, aging, documents, DAY) == {
        "D": "customer D has a document dated after 2026-03-31.",
        "C": "customer C has money that lies unapplied.",
        "A": "customer A has open items.",
        "B": "customer B has open items.",
    }


def test_a_message_keeps_number_amounts_and_country_and_nothing_that_names_a_person() -> None:
    item = MessageItem(
        invoice_number="F1",
        invoice_date=DAY,
        due_date=DAY,
        days_past_due=3,
        amount=Decimal(5),
        amount_paid=Decimal(0),
        amount_open=Decimal(5),
        amount_demanded=Decimal(5),
        step="reminder_1",
        action_id="a",
        description="Wedding of Zoe",
        delivery_place="1 rue Basse",
    )
    customer = Recipient(
        customer_id="C1",
        customer_name="Zoe",
        email="zoe@example.com",
        phone="1",
        address_lines=("1 rue Basse",),
        postcode="44000",
        city="Nantes",
        country="FR",
        contact_name="Zoe",
        customer_type="consumer",
    )
    message = Message(
        message_id="m", batch_id="b", as_of=DAY, customer=customer, currency="EUR", language="fr", step="reminder_1",
        template="reminder_1", channel="email", items=(item,), total_principal=Decimal(5), total=Decimal(5), policy="p",
        policy_hash="h",
    )  # fmt: skip
    erased = without_person(message, "erased-1")
    assert erased.customer == Recipient(
        customer_id="C1", customer_name="erased-1", country="FR", customer_type="consumer"
    )
    text = erased.model_dump_json()
    assert not [word for word in ("Zoe", "zoe", "Basse", "44000", "Nantes") if word in text]
    assert (erased.total, erased.items[0].invoice_number) == (Decimal(5), "F1")


def test_what_is_personal_are_columns_that_there_are_and_no_key() -> None:
    schemas = {
        "customer_lines": CUSTOMERS,
        "invoice_lines": INVOICES,
        "payment_lines": PAYMENTS,
        "event_lines": EVENTS,
    }
    assert {
        table: [name for name in columns if name not in schemas[table]]
        for table, columns in PERSONAL_COLUMNS.items()
    } == {table: [] for table in schemas}
    assert not {"customer_id", "country", "language"} & {
        name for columns in PERSONAL_COLUMNS.values() for name in columns
    }


def test_periods_are_whole_months_and_misspelt_keys_are_refused() -> None:
    assert Retention().personal_fields_months is None
    with pytest.raises(ValidationError):
        Retention(documents_months=0)
    with pytest.raises(ValidationError):
        Retention.model_validate({"document_months": 12})
