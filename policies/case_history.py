"""Makes a history of short rows: those of worked cases, with sensible values for what is left out.

A row of `invoices` is a row of a file: its document (the latest row of each item) and its listing follow.
Customer C1, in euros, a French company that can be reached by e-mail, post and telephone.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from policies.history import SCHEMAS, History
from policies.model import Channel
from policies.policy import Policy

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
_AMOUNT = Decimal(1000)
_FIRST_DAY = date(2026, 1, 1)


def build_history(tables: Mapping[str, Sequence[Row]], policy: Policy | None = None) -> History:
    """Return what is known from short rows.

    Args:
        tables: rows of files, invoices, payments, events, customers, actions, proposals.
        policy: tells the channel of an action's step; without it, and for steps it doesn't know, by e-mail.
    """
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
    proposals = [{"customer_id": "C1", "installment": "1", **row} for row in tables.get("proposals", ())]
    return History(
        files=_frame("files", files),
        documents=_frame("documents", list(latest.values())),
        listings=_frame("listings", listings),
        payments=_frame("payments", payments),
        events=_frame("events", events),
        customers=_frame("customers", _customers(tables.get("customers", ()), [*invoices, *payments])),
        dispatches=_frame("dispatches", _dispatches(tables.get("actions", ()), policy)),
        proposals=_frame("proposals", proposals),
    )


def _frame(name: str, rows: Sequence[Row]) -> pl.DataFrame:
    schema = SCHEMAS[name]
    amounts = {column for column, dtype in schema.items() if isinstance(dtype, pl.Decimal)}
    texts = {column for column, dtype in schema.items() if dtype == pl.String}
    complete = [{column: row.get(column) for column in schema} for row in rows]
    for row in complete:
        row.update({column: Decimal(str(row[column])) for column in amounts if row[column] is not None})
        row.update({column: str(row[column]) for column in texts if row[column] is not None})
    return pl.DataFrame(complete, schema=schema, orient="row")


def _files(rows: Sequence[Row], invoices: Sequence[Row]) -> list[Row]:
    if not rows:
        days = [row["invoice_date"] for row in invoices]
        rows = [{"intake_id": 1, "kind": "incremental", "file_date": min(days, default=_FIRST_DAY)}]
    return [
        {"source": "erp", "kind": "incremental", "carries_payments": False, "carries_balances": False, **row}
        for row in rows
    ]


def _invoice(row: Row) -> dict[str, Any]:
    whole = {
        "customer_id": "C1",
        "installment": "1",
        "document_type": "invoice",
        "currency": "EUR",
        "amount": _AMOUNT,
        "due_date_assumed": False,
        "file": 1,
        **row,
    }
    if whole["document_type"] == "credit_note":  # either sign in a file is a reduction
        whole["amount"] = -abs(Decimal(str(whole["amount"])))
    return whole


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


def _customers(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """Return the customers that rows state, and those that other rows only name."""
    stated = {row.get("customer_id", "C1"): row for row in rows}
    named = sorted({row["customer_id"] for row in others} | set(stated))
    return [{**CUSTOMER, "customer_id": name, **stated.get(name, {})} for name in named]


def _dispatches(rows: Sequence[Row], policy: Policy | None) -> list[Row]:
    """Return the actions as dispatches; a step done again on an item is its next attempt."""
    channels = (
        {step.step: step.channel for ladder in policy.ladders.values() for step in ladder} if policy else {}
    )
    done: dict[tuple[str, ...], int] = {}
    dispatches: list[Row] = []
    for row in sorted(rows, key=lambda row: row["dispatch_date"]):
        whole = {
            "customer_id": "C1",
            "installment": "1",
            "channel": channels.get(row["step"], Channel.EMAIL),
            **row,
        }
        key = tuple(str(whole[name]) for name in ("customer_id", "invoice_number", "installment", "step"))
        done[key] = done.get(key, 0) + 1
        dispatches.append({"attempt": done[key], **whole})
    return dispatches
