"""The two ways to decide behind one shape, so that cases and properties can hold them side by side."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from policies.escalation import decide as decide_set_based
from policies.facts import FACTS
from policies.history import History
from policies.policy import Policy
from tests.oracle.decisions import Decision, decide

Row = dict[str, Any]

DECIDED = (
    "customer_id",
    "invoice_number",
    "installment",
    "currency",
    "due_date",
    "days_past_due",
    "amount",
    "amount_open",
    "amount_demanded",
    "aging_bucket",
    "ladder",
    "step",
    "attempt",
    "channel",
    "message_step",
    "message_channel",
    "act",
    "reason",
)
"""What both must say alike, in the words of the file `decisions`."""

COMPARED = tuple(dict.fromkeys((*DECIDED, *FACTS)))
"""These, and every fact that a condition may name."""

ONLY_OF_ACTIONS = ("step", "attempt", "channel", "message_step", "message_channel")


def _plain(name: str, row: Mapping[str, Any]) -> object:
    if name in ONLY_OF_ACTIONS and not row["act"]:
        return None  # what an item would do but for a hold is explanation, not decision
    return row[name] or None if name == "reason" else row[name]


def _rows(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    plain = [{name: _plain(name, row) for name in COMPARED} for row in rows]
    return sorted(plain, key=lambda row: (row["customer_id"], row["invoice_number"], row["installment"]))


def _with_facts(decision: Decision) -> Row:
    return {**decision.facts, **vars(decision)}


def decide_slowly(history: History, policy: Policy, as_of: date) -> list[Row]:
    """Return the decisions of the oracle."""
    return _rows(map(_with_facts, decide(history, policy, as_of)))


def decide_fast(history: History, policy: Policy, as_of: date) -> list[Row]:
    """Return the decisions of the set-based rules."""
    return _rows(decide_set_based(history, policy, as_of).to_dicts())
