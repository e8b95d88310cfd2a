"""What is known, unpacked from frames into records; the only place of the oracle that sees a frame.

`unpack` reads a `policies.history.History` once; every rule after it works on these records.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl

from policies.history import History

ItemKey = tuple[str, str, str]
"""customer_id, invoice_number, installment."""

AccountKey = tuple[str, str]
"""customer_id, currency."""


@dataclass(frozen=True)
class File:
    """One loaded file of one source."""

    intake_id: int
    source: str
    kind: str
    file_date: date
    carries_payments: bool
    carries_balances: bool


@dataclass(frozen=True)
class Document:
    """One invoice or credit note, or one installment of it."""

    customer_id: str
    invoice_number: str
    installment: str
    document_type: str
    invoice_date: date
    due_date: date | None
    currency: str
    amount: Decimal
    credited_invoice_number: str | None
    purchase_order: str | None
    payment_method: str | None

    @property
    def key(self) -> ItemKey:
        """Return what identifies the item."""
        return (self.customer_id, self.invoice_number, self.installment)

    @property
    def is_credit(self) -> bool:
        """Return whether it is in the customer's favour."""
        return self.document_type == "credit_note" or self.amount < 0

    @property
    def account(self) -> AccountKey:
        """Return whose ladder the item climbs."""
        return (self.customer_id, self.currency)


@dataclass(frozen=True)
class Listing:
    """A row of a file about an item, with or without a statement of balance."""

    customer_id: str
    invoice_number: str
    installment: str
    intake_id: int
    balance_date: date | None
    amount_open: Decimal | None


@dataclass(frozen=True)
class Payment:
    """Money that came in."""

    payment_id: str
    customer_id: str
    payment_date: date
    currency: str
    amount: Decimal
    invoice_number: str | None
    installment: str | None


@dataclass(frozen=True)
class Event:
    """What finance recorded."""

    event_date: date
    sequence: int
    kind: str
    customer_id: str
    invoice_number: str | None
    installment: str | None
    amount: Decimal | None
    until: date | None
    reference: str | None


@dataclass(frozen=True)
class Customer:
    """What is known of a customer, null or text."""

    customer_id: str
    email: str | None
    country: str | None
    language: str | None
    address_line_1: str | None
    city: str | None
    phone: str | None
    customer_type: str | None
    credit_rating: str | None
    credit_limit: str | None
    payment_method: str | None
    preferred_channel: str | None
    tags: str | None
    email_since: date | None


@dataclass(frozen=True)
class Dispatch:
    """A step of an item that left."""

    customer_id: str
    invoice_number: str
    installment: str
    step: str
    dispatch_date: date
    channel: str | None
    outcome: str | None


@dataclass(frozen=True)
class Proposal:
    """An item in a batch."""

    customer_id: str
    invoice_number: str
    installment: str
    step: str
    proposed_date: date
    ended_date: date | None
    uncertain_date: date | None


@dataclass(frozen=True)
class Past:
    """All that is known, as records."""

    files: list[File] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    def events_until(self, day: date, *kinds: str) -> list[Event]:
        """Return the events of these kinds dated up to `day`, in the order in which they count."""
        chosen = [event for event in self.events if event.event_date <= day and event.kind in kinds]
        return sorted(chosen, key=when_known)

    def documents_at(self, day: date) -> list[Document]:
        """Return what exists on `day`: an item issued later does not."""
        return [document for document in self.documents if document.invoice_date <= day]

    def customer(self, customer_id: str) -> Customer | None:
        """Return the attributes of a customer, or None where no file ever named it."""
        return next((known for known in self.customers if known.customer_id == customer_id), None)

    def of_each_customer(self) -> list["Past"]:
        """Return what is known customer by customer, each with the files of the sources that listed its items."""
        sources = {file.intake_id: file.source for file in self.files}
        grouped: dict[str, Past] = defaultdict(Past)
        listed: dict[str, set[str]] = defaultdict(set)
        for document in self.documents:
            grouped[document.customer_id].documents.append(document)
        for listing in self.listings:
            grouped[listing.customer_id].listings.append(listing)
            listed[listing.customer_id].add(sources[listing.intake_id])
        for payment in self.payments:
            grouped[payment.customer_id].payments.append(payment)
        for event in self.events:
            grouped[event.customer_id].events.append(event)
        for customer in self.customers:
            grouped[customer.customer_id].customers.append(customer)
        for dispatch in self.dispatches:
            grouped[dispatch.customer_id].dispatches.append(dispatch)
        for proposal in self.proposals:
            grouped[proposal.customer_id].proposals.append(proposal)
        for customer_id, past in grouped.items():
            past.files.extend(file for file in self.files if file.source in listed[customer_id])
        return list(grouped.values())


def when_known(event: Event) -> tuple[date, int]:
    """Return the place of an event among the others."""
    return (event.event_date, event.sequence)


Record = TypeVar("Record")


def _records(frame: pl.DataFrame, record: type[Record]) -> Iterator[Record]:
    names = [column.name for column in fields(record)]  # type: ignore[arg-type]  # all are dataclasses
    for row in frame.iter_rows(named=True):
        values: dict[str, Any] = {name: row[name] for name in names}
        yield record(**values)


def unpack(history: History) -> Past:
    """Return the frames as records."""
    return Past(
        files=list(_records(history.files, File)),
        documents=list(_records(history.documents, Document)),
        listings=list(_records(history.listings, Listing)),
        payments=list(_records(history.payments, Payment)),
        events=list(_records(history.events, Event)),
        customers=list(_records(history.customers, Customer)),
        dispatches=list(_records(history.dispatches, Dispatch)),
        proposals=list(_records(history.proposals, Proposal)),
    )
