"""Builds the frames of a `History`, and policies, from short rows with sensible values for what is left out.

Rows of `invoices` are rows of files: their documents (the latest row of each item) and listings follow.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import yaml

from policies.history import SCHEMAS, History
from policies.policy import Policy, load_policy

Row = Mapping[str, Any]

CUSTOMER = {
    "customer_id": "C1",
    "customer_name": "Cooperative of the Hills",
    "email": "ledger@customer.example",
    "language": "fr",
    "country": "FR",
    "address_line_1": "1 rue du Port",
    "postcode": "29200",
    "city": "Brest",
    "phone": "+33 2 98 00 00 00",
    "customer_type": "business",
}


def _amount(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _frame(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    schema = SCHEMAS[name]
    amounts = {column for column, dtype in schema.items() if isinstance(dtype, pl.Decimal)}
    complete = [
        {column: _amount(row.get(column)) if column in amounts else row.get(column) for column in schema}
        for row in rows
    ]
    return pl.DataFrame(complete, schema=schema, orient="row")


def _files(rows: Sequence[Row], invoices: Sequence[Row]) -> list[Row]:
    if not rows:
        days = [row["invoice_date"] for row in invoices]
        rows = [{"intake_id": 1, "kind": "incremental", "file_date": min(days, default=date(2026, 1, 1))}]
    return [
        {"source": "erp", "kind": "incremental", "carries_payments": False, "carries_balances": False, **row}
        for row in rows
    ]


def _invoice(row: Row) -> Row:
    return {
        "customer_id": "C1",
        "installment": "1",
        "document_type": "invoice",
        "currency": "EUR",
        "due_date_assumed": False,
        "file": 1,
        **row,
    }


def _listing(row: Row, files: Mapping[int, Row]) -> Row | None:
    file = files[row["file"]]
    if row.get("amount_open") is None and not str(file["kind"]).startswith("full_"):
        return None
    dated = row.get("as_of") or file["file_date"]
    return {
        **row,
        "intake_id": row["file"],
        "balance_date": dated if row.get("amount_open") is not None else None,
    }


def history(**tables: Sequence[Row]) -> History:
    """Return what is known from short rows of files, invoices, payments, events, customers, actions, proposals."""
    invoices = [_invoice(row) for row in tables.get("invoices", ())]
    files = _files(tables.get("files", ()), invoices)
    by_id = {file["intake_id"]: file for file in files}
    invoices.sort(key=lambda row: (by_id[row["file"]]["file_date"], row["file"]))
    latest = {(row["customer_id"], row["invoice_number"], row["installment"]): row for row in invoices}
    listings = [listing for row in invoices if (listing := _listing(row, by_id)) is not None]
    payments = [
        {"payment_id": f"P{n}", "customer_id": "C1", "currency": "EUR", **row}
        for n, row in enumerate(tables.get("payments", ()), 1)
    ]
    events = [
        {"event_id": f"E{n}", "sequence": n, "customer_id": "C1", **row}
        for n, row in enumerate(tables.get("events", ()), 1)
    ]
    actions = [
        {"customer_id": "C1", "installment": "1", "channel": "email", "attempt": 1, **row}
        for row in tables.get("actions", ())
    ]
    proposals = [{"customer_id": "C1", "installment": "1", **row} for row in tables.get("proposals", ())]
    stated = {row.get("customer_id", "C1"): row for row in tables.get("customers", ())}
    named = sorted({row["customer_id"] for row in [*invoices, *payments]} | set(stated))
    customers = [{**CUSTOMER, "customer_id": name, **stated.get(name, {})} for name in named]
    return History(
        files=_frame("files", files),
        documents=_frame("documents", list(latest.values())),
        listings=_frame("listings", listings),
        payments=_frame("payments", payments),
        events=_frame("events", events),
        customers=_frame("customers", customers),
        dispatches=_frame("dispatches", actions),
        proposals=_frame("proposals", proposals),
    )


LADDER: list[Row] = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
    {"step": "reminder_2", "after_previous_days": 7, "channel": "email"},
    {"step": "formal_notice", "after_due_days": 30, "channel": "registered_letter"},
]


def policy(*steps: Row, **keys: object) -> Policy:
    """Return a policy with one ladder of these steps (else two reminders and a notice), and these keys."""
    plain: dict[str, object] = {
        "description": "The policy of a test.",
        "policy": "of_a_test",
        "segments": [{"segment": "everyone", "ladder": "standard"}],
        "ladders": {"standard": [dict(step) for step in steps or LADDER]},
    }
    return load_policy(yaml.safe_dump(plain | keys, sort_keys=False), "test.yaml")
