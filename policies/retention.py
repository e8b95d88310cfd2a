"""How long personal data is kept, and what of it is personal: the rules of erasure, without touching anything.

The log itself is never erased: its events hold salted hashes of personal fields, never the fields (SEMANTICS.md 7.4).
"""

from calendar import monthrange
from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from policies.messages import Message, Recipient

PERSONAL_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customer_lines": (
            "customer_name", "email", "address_line_1", "address_line_2", "address_line_3", "address_line_4",
            "postcode", "city", "phone", "registration_id", "vat_id", "contact_name", "account_manager",
        ),
        "invoice_lines": ("description", "delivery_place"),
        "payment_lines": ("reference",),
        "event_lines": ("note",),
    }
)  # fmt: skip
"""What is erased of a customer's rows. What decides (country, language, rating, tags) stays, under its number alone."""

Months = Annotated[int, Field(ge=1, le=1200)]


class Retention(BaseModel):
    """For how many months personal data is kept, counted back from the day of the run; a key left out keeps it.

    Attributes:
        personal_fields_months: of customers who owe nothing, since anything was last known to happen with them.
        documents_months: of documents in the outbox, since their batch was closed or rejected; those of customers who
            owe something stay.
        exports_months: of accepted and refused files, since they were taken in.
        returns_months: of returned mails and lists, and of sender and subject of mail about no known customer, since
            they were taken in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    personal_fields_months: Months | None = None
    documents_months: Months | None = None
    exports_months: Months | None = None
    returns_months: Months | None = None


def months_before(day: date, months: int) -> date:
    """Return the same day of a month that many months before, or the last day of that month.

    >>> months_before(date(2026, 3, 31), 1), months_before(date(2026, 1, 15), 13)
    (datetime.date(2026, 2, 28), datetime.date(2024, 12, 15))
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def customers_past(last_happened: pl.DataFrame, owing: Collection[str], cutoff: date) -> list[str]:
    """Return the customers whose personal data is past its period.

    Args:
        last_happened: `customer_id, last_on`: the last day on which anything is known to have happened.
        owing: customers whose data a claim still needs.
        cutoff: the last day that is past.
    """
    past = last_happened.filter((pl.col("last_on") <= cutoff) & ~pl.col("customer_id").is_in(list(owing)))
    return past["customer_id"].unique().sort().to_list()


def owing_customers(
    decisions: pl.DataFrame, aging: pl.DataFrame, documents: pl.DataFrame, as_of: date
) -> dict[str, str]:
    """Return the customers whose personal data a claim still needs, each with a sentence that says so.

    Args:
        decisions: of the day, one row per open item.
        aging: of the day, by customer and currency.
        documents: every invoice and credit note that is known.
        as_of: the day.
    """
    later = documents.filter(pl.col("invoice_date") > as_of)
    sentences = (
        (later, "a document dated after {day}"),
        (aging.filter(pl.col("unapplied") != 0), "money that lies unapplied"),
        (decisions, "open items"),
    )
    return {
        customer_id: f"customer {customer_id} has {what.format(day=as_of)}."
        for frame, what in sentences
        for customer_id in frame["customer_id"].unique().sort()
    }


def without_person(message: Message, pseudonym: str) -> Message:
    """Return a message without what identifies its customer but the number."""
    customer = message.customer
    return message.model_copy(
        update={
            "customer": Recipient(
                customer_id=customer.customer_id,
                customer_name=pseudonym,
                country=customer.country,
                customer_type=customer.customer_type,
            ),
            "items": tuple(
                item.model_copy(update={"description": "", "delivery_place": ""}) for item in message.items
            ),
        }
    )
