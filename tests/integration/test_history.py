"""What is known of the past: which of several versions counts."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from policies.history import SCHEMAS, History, empty_history
from policies.model import ACTIONS, CUSTOMERS, EVENTS, INVOICES, PAYMENTS, SourceKind
from policies.sources import ParsedFile
from tasks.store.connection import Connection, open_to_write
from tasks.store.history import read_history
from tasks.store.intakes import record_intake
from tasks.workspace import initialise

START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
ITEM = {"customer_id": "C1", "invoice_number": "F1", "installment": "1"}
INVOICE = ITEM | {
    "document_type": "invoice",
    "invoice_date": date(2026, 9, 1),
    "currency": "EUR",
    "amount": Decimal(100),
    "line_number": 2,
}
PAYMENT = {
    "payment_id": "P1",
    "customer_id": "C1",
    "payment_date": date(2026, 10, 5),
    "currency": "EUR",
    "amount": Decimal(40),
    "line_number": 2,
}
SCHEMA_OF = {
    "invoices": INVOICES,
    "customers": CUSTOMERS,
    "payments": PAYMENTS,
    "events": EVENTS,
    "actions": ACTIONS,
}


class Store:
    """A store that is told of one file after the other, one a minute."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.loaded = 0

    def load(
        self,
        day: int,
        *,
        source: str = "erp",
        kind: SourceKind = SourceKind.INCREMENTAL,
        fiscal_year: str | None = None,
        **records: list[dict[str, object]],
    ) -> int:
        self.loaded += 1
        frames = {name: pl.DataFrame(rows, schema=SCHEMA_OF[name]) for name, rows in records.items()}
        parsed = ParsedFile(
            source=source, kind=kind, file_date=date(2026, 10, day), fiscal_year=fiscal_year, records=frames
        )
        return record_intake(
            self.connection,
            parsed,
            sha256=str(self.loaded),
            file_name="file.csv",
            as_of=date(2026, 11, 2),
            run_id="run-1",
            recorded_at=START + timedelta(minutes=self.loaded),
        )

    def history(self, known_after_files: int | None = None) -> History:
        if known_after_files is None:
            return read_history(self.connection)
        return read_history(self.connection, START + timedelta(minutes=known_after_files))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_to_write(initialise(tmp_path / "company")) as connection:
        yield Store(connection)


def test_an_empty_store_has_an_empty_history_of_the_same_shape(store: Store) -> None:
    found, empty = store.history(), empty_history()
    for name, schema in SCHEMAS.items():
        assert getattr(found, name).schema == schema
        assert getattr(found, name).equals(getattr(empty, name))


def test_of_an_item_the_version_of_the_latest_file_date_counts(store: Store) -> None:
    store.load(10, invoices=[INVOICE | {"due_date": date(2026, 10, 1)}])
    store.load(12, invoices=[INVOICE | {"due_date": date(2026, 10, 15)}])
    store.load(11, invoices=[INVOICE | {"due_date": date(2026, 10, 9)}])
    documents = store.history().documents
    assert documents.schema == SCHEMAS["documents"]
    assert documents["due_date"].to_list() == [date(2026, 10, 15)]


def test_of_two_files_of_one_date_the_one_loaded_last_counts(store: Store) -> None:
    store.load(10, invoices=[INVOICE | {"purchase_order": "first"}])
    store.load(10, invoices=[INVOICE | {"purchase_order": "second"}])
    assert store.history().documents["purchase_order"].to_list() == ["second"]


def test_what_was_recorded_after_an_instant_is_not_known_at_it(store: Store) -> None:
    store.load(10, invoices=[INVOICE], payments=[PAYMENT])
    store.load(12, invoices=[INVOICE | {"amount": Decimal(90)}], payments=[PAYMENT | {"payment_id": "P2"}])
    assert store.history(0).documents.is_empty()
    assert store.history(1).documents["amount"].to_list() == [Decimal("100.000")]
    assert store.history(1).payments["payment_id"].to_list() == ["P1"]
    assert store.history(2).documents["amount"].to_list() == [Decimal("90.000")]
    assert store.history(1).files["file_date"].to_list() == [date(2026, 10, 10)]


def test_a_payment_named_again_is_replaced_whole(store: Store) -> None:
    store.load(10, payments=[PAYMENT | {"invoice_number": "F1"}, PAYMENT | {"invoice_number": "F2"}])
    store.load(11, payments=[PAYMENT | {"invoice_number": "F3", "amount": Decimal(80)}])
    store.load(9, payments=[PAYMENT | {"invoice_number": "F4"}, PAYMENT | {"payment_id": "P2"}])
    payments = store.history().payments
    assert payments.select("payment_id", "invoice_number", "amount").rows() == [
        ("P1", "F3", Decimal("80.000")),
        ("P2", None, Decimal("40.000")),
    ]


def test_a_full_file_lists_every_row_and_others_only_stated_balances(store: Store) -> None:
    full = store.load(
        10, kind=SourceKind.FULL_INVOICES, invoices=[INVOICE, INVOICE | {"invoice_number": "F2"}]
    )
    stated = INVOICE | {"amount_open": Decimal(60), "balance_date": date(2026, 10, 11)}
    some = store.load(11, source="other", invoices=[stated, INVOICE | {"invoice_number": "F3"}])
    listings = store.history().listings.sort("intake_id", "invoice_number")
    assert listings.select("intake_id", "invoice_number", "balance_date", "amount_open").rows() == [
        (full, "F1", None, None),
        (full, "F2", None, None),
        (some, "F1", date(2026, 10, 11), Decimal("60.000")),
    ]


def test_a_ledger_replaces_what_the_same_source_said_of_the_same_year(store: Store) -> None:
    ledger = SourceKind.LEDGER
    store.load(10, kind=ledger, fiscal_year="2026", invoices=[INVOICE], payments=[PAYMENT])
    store.load(11, kind=ledger, fiscal_year="2026", invoices=[INVOICE | {"invoice_number": "F2"}])
    store.load(
        10, kind=ledger, source="other", fiscal_year="2026", invoices=[INVOICE | {"invoice_number": "F3"}]
    )
    history = store.history()
    assert sorted(history.documents["invoice_number"]) == ["F2", "F3"]
    assert history.payments.is_empty()
    assert store.history(1).documents["invoice_number"].to_list() == ["F1"]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        ("2025", ["F1"]),
        ("2025-12-31", ["F1"]),
        ("2026-06-30", ["F1"]),
        ("2024", ["F1", "OLD"]),
        (None, ["F1", "OLD"]),
    ],
)
def test_opening_entries_are_ignored_where_the_year_before_is_loaded(
    store: Store, year: str | None, expected: list[str]
) -> None:
    opening = INVOICE | {"invoice_number": "OLD", "is_opening": True, "amount_open": Decimal(5)}
    entered = PAYMENT | {"is_opening": True}
    store.load(
        10, kind=SourceKind.LEDGER, fiscal_year="2026-12-31", invoices=[INVOICE, opening], payments=[entered]
    )
    if year:
        store.load(11, kind=SourceKind.LEDGER, fiscal_year=year, invoices=[])
    history = store.history()
    assert sorted(history.documents["invoice_number"]) == expected
    assert history.listings.height == history.payments.height == len(expected) - 1


def test_an_event_told_again_counts_once_in_its_latest_wording_and_its_first_place(store: Store) -> None:
    event = {"event_date": date(2026, 10, 5), "kind": "hold", "customer_id": "C1"}
    first = [
        event | {"event_id": name, "note": "old", "line_number": line} for line, name in enumerate("AB", 2)
    ]
    store.load(10, events=first)
    store.load(11, events=[event | {"event_id": "A", "note": "new", "line_number": 2}])
    store.load(11, events=[event | {"event_id": "C", "line_number": 2}])
    assert store.history().events.select("sequence", "event_id", "note").rows() == [
        (1, "A", "new"),
        (2, "B", "old"),
        (3, "C", None),
    ]


def test_each_attribute_of_a_customer_is_the_latest_that_was_stated(store: Store) -> None:
    customer = {"customer_id": "C1", "line_number": 2}
    store.load(10, customers=[customer | {"customer_name": "Old", "email": "a@b.example", "city": "Nantes"}])
    store.load(11, customers=[customer | {"customer_name": "New", "email": ""}])
    store.load(9, customers=[customer | {"customer_name": "Older", "phone": "1"}])
    found = store.history().customers.row(0, named=True)
    assert (found["customer_name"], found["city"], found["phone"]) == ("New", "Nantes", "1")
    assert found["email"] is None


def test_an_address_counts_from_the_file_that_first_stated_it_after_any_other(store: Store) -> None:
    customer = {"customer_id": "C1", "line_number": 2}
    store.load(9, customers=[customer | {"email": "new@b.example"}])
    store.load(10, customers=[customer | {"email": "old@b.example"}])
    store.load(11, customers=[customer | {"email": "new@b.example"}])
    store.load(12, customers=[customer | {"email": "new@b.example"}])
    store.load(13, customers=[customer | {"city": "Nantes"}])
    found = store.history().customers.row(0, named=True)
    assert (found["email"], found["email_since"]) == ("new@b.example", date(2026, 10, 11))
    store.load(14, customers=[customer | {"email": ""}])
    found = store.history().customers.row(0, named=True)
    assert (found["email"], found["email_since"]) == (None, date(2026, 10, 14))


def test_the_only_address_ever_stated_has_no_first_day(store: Store) -> None:
    customer = {"customer_id": "C1", "line_number": 2}
    store.load(9, customers=[customer | {"customer_name": "No address yet"}])
    store.load(10, customers=[customer | {"email": "a@b.example"}])
    store.load(11, customers=[customer | {"email": "a@b.example"}])
    found = store.history().customers.row(0, named=True)
    assert (found["email"], found["email_since"]) == ("a@b.example", None)


def test_a_file_of_customers_knows_them_better_than_one_of_invoices_of_its_date(store: Store) -> None:
    customer = {"customer_id": "C1", "line_number": 2}
    store.load(10, source="customers", customers=[customer | {"customer_name": "Master"}])
    store.load(10, invoices=[INVOICE], customers=[customer | {"customer_name": "On the invoice"}])
    assert store.history().customers["customer_name"].to_list() == ["Master"]
    store.load(11, invoices=[INVOICE], customers=[customer | {"customer_name": "On a later invoice"}])
    assert store.history().customers["customer_name"].to_list() == ["On a later invoice"]


def test_what_left_before_is_taken_over_once_and_numbered(store: Store) -> None:
    action = ITEM | {"step": "reminder_1", "channel": "email", "line_number": 2}
    store.load(10, actions=[action | {"dispatch_date": date(2026, 10, 2)}])
    store.load(
        11, actions=[action | {"dispatch_date": date(2026, 10, day), "outcome": "seen"} for day in (2, 9)]
    )
    assert store.history().dispatches.select("dispatch_date", "outcome", "attempt").rows() == [
        (date(2026, 10, 2), "seen", 1),
        (date(2026, 10, 9), "seen", 2),
    ]
