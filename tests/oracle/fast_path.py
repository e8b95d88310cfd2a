"""The two ways to decide behind one shape, so that cases and properties can hold them side by side."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from policies.escalation import decide as decide_set_based
from policies.history import History
from policies.policy import Policy
from tests.oracle.decisions import decide

Row = dict[str, Any]

COMPARED = (
    "customer_id",
    "invoice_number",
    "installment",
    "currency",
    "due_date",
    "days_past_due",
    "amount",
    "amount_open",
    "aging_bucket",
    "ladder",
    "step",
    "channel",
    "message_channel",
    "act",
    "reason",
)
"""What both must say alike, in the words of the file `decisions`."""

MILLS = Decimal("0.001")

ONLY_OF_ACTIONS = ("step", "channel", "message_channel")


def _plain(name: str, row: Row) -> object:
    value = row[name]
    if name == "reason":
        return value or None
    if name in ONLY_OF_ACTIONS and not row["act"]:
        return None  # what an item would do but for a hold is explanation, not decision
    return value.quantize(MILLS) if isinstance(value, Decimal) else value


def _rows(rows: list[Row]) -> list[Row]:
    plain = [{name: _plain(name, row) for name in COMPARED} for row in rows]
    return sorted(plain, key=lambda row: (row["customer_id"], row["invoice_number"], row["installment"]))


def decide_slowly(history: History, policy: Policy, as_of: date) -> list[Row]:
    """Return the decisions of the oracle."""
    return _rows([asdict(decision) for decision in decide(history, policy, as_of)])


def decide_fast(history: History, policy: Policy, as_of: date) -> list[Row]:
    """Return the decisions of the set-based rules."""
    return _rows(decide_set_based(history, policy, as_of).to_dicts())
