"""What auditors ask of the log: what was done by one action, and is the document the one that left."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from policies.errors import WrongUseError
from tasks.publish import read_table
from tasks.workspace import Workspace


@dataclass(frozen=True)
class ActionStory:
    """One action in sentences, and its events as they were logged."""

    lines: list[str]
    events: list[dict[str, Any]]


def explain_action(workspace: Workspace, action: str) -> ActionStory:
    """Return what is known of an action, by its number or the beginning of it."""
    found = _find(workspace, action)
    action_id = found["action_id"]
    events = read_table(workspace, "events").sort("sequence")
    own = [
        {**row, "payload": json.loads(row["payload"])}
        for row in events.filter(pl.col("action_id") == action_id).iter_rows(named=True)
    ]
    invoice = f"invoice {found['invoice_number']} of customer {found['customer_id']}"
    lines = [
        f"Action {action_id}: {found['step']} (attempt {found['attempt']}) for {invoice}.",
        f"Demanded {found['amount_demanded']} {found['currency']} by {found['channel']}; it is {found['status']}"
        + (f" since {found['dispatch_date']}." if found["dispatch_date"] else "."),
        _proof(workspace, found, own),
    ]
    return ActionStory(lines, own)


def read_document(workspace: Workspace, action: str) -> bytes:
    """Return the bytes of the document that an action left with."""
    path = workspace.root / str(_find(workspace, action)["document_path"])
    if not path.is_file():
        raise WrongUseError(f"the document {path} is no longer there.")
    return path.read_bytes()


def _find(workspace: Workspace, action: str) -> dict[str, Any]:
    found = read_table(workspace, "actions").filter(pl.col("action_id").str.starts_with(action))
    if found["action_id"].n_unique() != 1:
        many = "no action" if found.is_empty() else "more than one action"
        raise WrongUseError(f"{many} has a number that begins with {action}; `relance audit log` shows them.")
    return found.row(-1, named=True)


def _proof(workspace: Workspace, found: dict[str, Any], events: list[dict[str, Any]]) -> str:
    """Say whether the document in the outbox has the hash that the log holds."""
    logged = [
        event["payload"]["document_sha256"] for event in events if event["payload"].get("document_sha256")
    ]
    path = workspace.root / (found["document_path"] or "")
    if not logged or not path.is_file():
        return "No document of it is here."
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest == logged[-1]:
        return f"Document {found['document_path']}: its hash {digest[:16]}… is the one in the log."
    return f"Document {found['document_path']} is NOT the one in the log: {digest[:16]}… instead of {logged[-1][:16]}…."
