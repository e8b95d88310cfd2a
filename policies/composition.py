"""Puts acting items into messages: what each customer is told, demanded and informed of.

One message per customer and currency (`policies.batches` says what travels together). Python loops here,
but only over the messages that leave. Wording and layout come later.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import polars as pl

from policies.batches import MESSAGE_KEY, action_id, message_id
from policies.claims import Claims, add_up, claims_of_messages
from policies.escalation import Facts
from policies.history import History
from policies.messages import InformationItem, ItemCharges, Message, MessageItem, PastStep, Recipient
from policies.model import ITEM_KEY, HoldReason
from policies.money import round_money
from policies.policy import Policy
from policies.statutes import Law

Row = dict[str, Any]

NOT_LISTED = frozenset(
    reason.value
    for reason in (
        HoldReason.INSOLVENT,
        HoldReason.WRITTEN_OFF,
        HoldReason.PLACED,
        HoldReason.DISPUTED,
        HoldReason.PROMISE_RUNNING,
        HoldReason.PLAN_RUNNING,
        HoldReason.VANISHED,
    )
)
"""Overdue items held for these reasons are not even mentioned in a message about others."""

_ORDER = (*MESSAGE_KEY, "due_date", "item")


@dataclass(frozen=True)
class Composing:
    """What composing needs beside the decisions.

    Attributes:
        facts: at the date of the decisions.
        history: what is known of customers and of earlier dispatches.
        policy: whose ladders decided.
        policy_hash: SHA-256 of the policy's text.
        law: statutes and rates for charges.
        default_language: of customers who state none.
        name_batch: (needs approval, message step) -> batch_id.
    """

    facts: Facts
    history: History
    policy: Policy
    policy_hash: str
    law: Law
    default_language: str
    name_batch: Callable[[bool, str], str]


def compose_messages(decisions: pl.DataFrame, composing: Composing) -> list[Message]:
    """Return the messages of the items that act, in the order of customer, currency and step.

    Args:
        decisions: of `policies.escalation.decide`, with the rows that must not leave today already set
            to `act` = false.
        composing: everything else.
    """
    acting = decisions.filter("act").sort(_ORDER)
    if acting.is_empty():
        return []
    books = _Books(
        customers=_rows_by(
            composing.history.customers.join(acting.select("customer_id").unique(), on="customer_id"),
            "customer_id",
        ),
        others=_information_items(decisions, acting),
        past=_past_steps(composing, acting),
        claims=claims_of_messages(acting, composing.facts, composing.policy, composing.law),
    )
    return [
        _message(list(rows), composing, books)
        for _, rows in groupby(
            acting.iter_rows(named=True), key=lambda row: tuple(row[name] for name in MESSAGE_KEY)
        )
    ]


@dataclass(frozen=True)
class _Books:
    """Look-ups by customer and item for the messages of one day."""

    customers: Mapping[str, list[Row]]
    others: Mapping[tuple[str, str], list[InformationItem]]
    past: Mapping[int, list[PastStep]]
    claims: Claims


def _message(rows: Sequence[Row], composing: Composing, books: _Books) -> Message:
    first, policy, as_of = rows[0], composing.policy, composing.facts.as_of
    claimed = [books.claims.of_item(row) for row in rows]
    items = tuple(_item(row, one.charges) for row, one in zip(rows, claimed, strict=True))
    principal = sum((item.amount_demanded for item in items), Decimal(0))
    charges = add_up(item.charges for item in items)
    days_to_answer = first["message_answer_within_days"]
    customer = _recipient(first, books)
    return Message(
        message_id=message_id([item.action_id for item in items]),
        batch_id=composing.name_batch(first["needs_approval"], first["message_step"]),
        as_of=as_of,
        customer=customer,
        currency=first["currency"],
        language=first["language"] or composing.default_language,
        step=first["message_step"],
        template=first["message_template"],
        channel=first["message_channel"],
        by=first["message_by"],
        agency=first["message_agency"],
        approval_required=first["needs_approval"],
        answer_by=as_of + timedelta(days=days_to_answer) if days_to_answer else None,
        items=items,
        information_items=_mentioned(first, items, books),
        past_steps=tuple(step for row in rows for step in books.past.get(row["item"], [])),
        unapplied_amount=first["unapplied_amount"],
        total_principal=principal,
        total_late_interest=charges.late_interest,
        total_recovery_charge=charges.recovery_charge,
        total_fees=charges.fees,
        total_waived=charges.waived,
        total=principal + charges.total,
        charges_note="; ".join(dict.fromkeys(one.note for one in claimed if one.note)),
        policy=policy.policy,
        policy_hash=composing.policy_hash,
    )


def _mentioned(first: Row, items: Sequence[MessageItem], books: _Books) -> tuple[InformationItem, ...]:
    """Return the other overdue items that a message of ours, about overdue items, mentions."""
    if first["carrier"] != "creditor" or first["is_pre_due"]:
        return ()
    demanded = {(item.invoice_number, item.installment) for item in items}
    others = books.others.get((first["customer_id"], first["currency"]), [])
    return tuple(other for other in others if (other.invoice_number, other.installment) not in demanded)


def _item(row: Row, charges: ItemCharges) -> MessageItem:
    currency = row["currency"]
    return MessageItem(
        **{
            name: row[name]
            for name in ("invoice_number", "installment", "invoice_date", "due_date", "days_past_due")
        },
        amount=round_money(row["amount"], currency),
        amount_paid=round_money(row["amount"] - row["amount_open"], currency),
        amount_open=round_money(row["amount_open"], currency),
        amount_disputed=round_money(row["amount_disputed"], currency),
        amount_demanded=round_money(row["amount_demanded"], currency),
        step=row["step"],
        attempt=row["attempt"],
        action_id=action_id(
            row["customer_id"], row["invoice_number"], row["installment"], row["step"], row["attempt"]
        ),
        description=row["description"] or "",
        purchase_order=row["purchase_order"] or "",
        delivery_date=row["delivery_date"],
        delivery_place=row["delivery_place"] or "",
        delivery_reference=row["delivery_reference"] or "",
        charges=charges,
    )


def _recipient(row: Row, books: _Books) -> Recipient:
    known = books.customers.get(row["customer_id"], [{}])[0]
    text = {
        name: known.get(name) or ""
        for name in Recipient.model_fields
        if name not in {"customer_id", "customer_name", "address_lines", "customer_type"}
    }
    lines = tuple(known[f"address_line_{n}"] for n in range(1, 5) if known.get(f"address_line_{n}"))
    return Recipient(
        **text,
        customer_id=row["customer_id"],
        customer_name=known.get("customer_name") or row["customer_id"],
        customer_type=row["customer_type"] or "business",
        address_lines=lines,
    )


def _information_items(
    decisions: pl.DataFrame, acting: pl.DataFrame
) -> dict[tuple[str, str], list[InformationItem]]:
    """Return the other overdue items of each account, acting or not, as they may be mentioned."""
    overdue = (
        decisions.join(acting.select("account").unique(), on="account", how="semi")
        .filter(
            (pl.col("days_past_due") >= 1)
            & (pl.col("amount_open") > 0)
            & ~pl.col("reason").is_in(list(NOT_LISTED))
        )
        .sort("account", "due_date", "item")
    )
    listed: dict[tuple[str, str], list[InformationItem]] = {}
    for row in overdue.iter_rows(named=True):
        item = InformationItem(
            **{
                name: row[name]
                for name in ("invoice_number", "installment", "invoice_date", "due_date", "reason")
            },
            amount_open=round_money(row["amount_open"], row["currency"]),
        )
        listed.setdefault((row["customer_id"], row["currency"]), []).append(item)
    return listed


def _past_steps(composing: Composing, acting: pl.DataFrame) -> dict[int, list[PastStep]]:
    """Return what was dispatched before for each acting item, oldest first."""
    past = (
        composing.history.dispatches.filter(pl.col("dispatch_date") < composing.facts.as_of)
        .join(acting.select("item", *ITEM_KEY), on=list(ITEM_KEY))
        .sort("item", "dispatch_date", "step", "attempt")
    )
    steps: dict[int, list[PastStep]] = {}
    for row in past.iter_rows(named=True):
        steps.setdefault(row["item"], []).append(
            PastStep(
                invoice_number=row["invoice_number"],
                step=row["step"],
                channel=row["channel"] or "",
                dispatch_date=row["dispatch_date"],
                outcome=row["outcome"] or "",
            )
        )
    return steps


def _rows_by(frame: pl.DataFrame, key: str) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault(row[key], []).append(row)
    return rows
