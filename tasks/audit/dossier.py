"""All that is known of one customer on one page, for whoever must judge it without us: an expert, a court.

What was decided and done comes from `published/`, proved by hashes. Who the customer is, its invoices and payments and
what people recorded stand in the store alone, where they can be erased; while a flow holds it the page says so.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import WrongUseError
from tasks.audit.answers import Table, as_table, fill, plain_text, read_seal
from tasks.audit.proof import actions_of, prove_document, read_erasures
from tasks.audit.published_log import read_events
from tasks.audit.questions import ask
from tasks.published_tables import read_table
from tasks.store.connection import StoreBusyError, open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace

_INVOICES = {
    "invoice_number": "number", "installment": "part", "document_type": "kind", "invoice_date": "issued",
    "due_date": "due", "amount": "amount", "amount_open": "stated open", "currency": "currency",
    "purchase_order": "order", "delivery_date": "delivered",
}  # fmt: skip
_PAYMENTS = {
    "payment_id": "payment", "payment_date": "date", "amount": "amount", "currency": "currency",
    "invoice_number": "invoice", "reference": "reference",
}  # fmt: skip
_RECORDED = {
    "event_date": "date", "kind": "kind", "invoice_number": "invoice", "amount": "amount", "until": "until",
    "reason": "reason", "note": "note", "actor": "said by",
}  # fmt: skip
_MESSAGES = {
    "dispatch_date": "left on", "step": "step", "channel": "channel", "invoice_number": "invoice",
    "amount_demanded": "demanded", "currency": "currency", "status": "status", "batch_id": "batch",
    "approved_by": "approved by", "provider_answer": "answer", "proof": "document, and its proof",
}  # fmt: skip
_DECISIONS = {
    "day": "day", "invoice_number": "invoice", "amount_open": "open", "currency": "currency",
    "days_past_due": "days late", "reason": "outcome", "sentence": "why",
}  # fmt: skip
_LOG = {
    "sequence": "event", "recorded_at": "recorded", "kind": "kind", "actor": "actor", "what": "what it holds",
    "hash": "hash",
}  # fmt: skip


def write_dossier(workspace: Workspace, customer: str) -> str:
    """Return the page of a customer.

    Raises:
        WrongUseError: nobody knows the customer.
    """
    found = ask(workspace, ["customer", customer])
    known, note = _facts(workspace, customer)
    if found.frame.is_empty() and not known:
        raise WrongUseError(
            f"nothing is known of a customer {customer!r}; identifiers are text, with their zeros."
        )
    batches = read_table(workspace, "messages").filter(pl.col("customer_id") == customer)["batch_id"].unique()
    approvals = ask(workspace, ["approvals"])
    decisions = ask(workspace, ["why-not", customer])
    values = {
        "title": f"Customer {customer}: what was known, decided and done",
        "seal": read_seal(workspace),
        "note": note,
        **{name: known.get(name) for name in ("facts", "invoices", "payments", "recorded")},
        "messages": _messages(workspace, customer),
        "approvals": as_table(
            approvals.frame.filter(pl.col("batch_id").is_in(batches.to_list())), approvals.columns
        ),
        "decisions": as_table(decisions.frame.filter(pl.col("reason") != "no_run"), _DECISIONS),
        "events": _events(workspace, customer),
    }
    return fill(workspace, "audit/dossier.html", values)


def _facts(workspace: Workspace, customer: str) -> tuple[dict[str, Any], str]:
    """Return what the store alone knows of a customer, and a note when it could not be asked."""
    try:
        with open_to_read(workspace) as connection:
            history = read_history(connection)
    except StoreBusyError as busy:
        return {}, f"Names, addresses, invoices, payments and notes are left out: {busy}"
    own = pl.col("customer_id") == customer
    stated = history.customers.filter(own)
    tables = {
        "invoices": _table(history.documents.filter(own).sort("invoice_date", "invoice_number"), _INVOICES),
        "payments": _table(history.payments.filter(own).sort("payment_date"), _PAYMENTS),
        "recorded": _table(history.events.filter(own).sort("event_date", "sequence"), _RECORDED),
    }
    if stated.is_empty() and not any(table.rows for table in tables.values()):
        return {}, ""
    facts = {
        name.replace("_", " "): plain_text(value)
        for name, value in (stated.row(0, named=True).items() if stated.height else ())
        if value is not None
    }
    return {"facts": facts, **tables}, ""


def _table(frame: pl.DataFrame, columns: dict[str, str]) -> Table:
    return as_table(frame, {name: heading for name, heading in columns.items() if name in frame.columns})


def _messages(workspace: Workspace, customer: str) -> Table:
    """Return one row per action, each with what proves its document."""
    actions, erasures = actions_of(workspace, customer), read_erasures(workspace)
    outbox: dict[str, Path] = {}
    proved = [
        {**action.row, "proof": prove_document(workspace, action, erasures, outbox).sentence}
        for action in actions
    ]
    messages = read_table(workspace, "messages").select("message_id", "batch_id", "provider_answer")
    batches = read_table(workspace, "batches").select("batch_id", "approved_by")
    if not proved:
        return Table([], [])
    rows = (
        pl.DataFrame(proved, infer_schema_length=None)
        .join(messages, on=["message_id", "batch_id"], how="left", maintain_order="left")
        .join(batches, on="batch_id", how="left", maintain_order="left")
    )
    return as_table(rows, _MESSAGES)


def _events(workspace: Workspace, customer: str) -> Table:
    events = read_events(workspace, customer=customer)
    told = [_told(payload) for payload in events["payload"]]
    return as_table(events.with_columns(what=pl.Series(told, dtype=pl.String)), _LOG)


def _told(payload: str) -> str:
    """Return a payload as `name: value` pairs, without what is empty."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in json.loads(payload).items() if value)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
