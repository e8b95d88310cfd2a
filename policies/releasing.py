"""Whether a message that waited may still leave: nothing it says may have changed since it was composed."""

from collections.abc import Sequence

import polars as pl

from policies.messages import Message
from policies.model import ITEM_KEY, HoldReason

HOLDS_THAT_WITHDRAW = frozenset(
    reason.value
    for reason in (
        HoldReason.INSOLVENT,
        HoldReason.WRITTEN_OFF,
        HoldReason.PLACED,
        HoldReason.DELIVERY_UNCERTAIN,
        HoldReason.DISPUTED,
        HoldReason.PROMISE_RUNNING,
        HoldReason.PLAN_RUNNING,
        HoldReason.MANUAL_HOLD,
        HoldReason.VANISHED,
        HoldReason.CREDIT_ITEM,
        HoldReason.UNAPPLIED_CASH,
    )
)


def find_changes(messages: Sequence[Message], decisions: pl.DataFrame) -> dict[str, str]:
    """Return the messages that must not leave any more: message_id -> why, the first reason found.

    Args:
        messages: composed before.
        decisions: of today, one row per open item, with `amount_demanded` and `reason`.
    """
    if not messages:
        return {}
    demanded = pl.DataFrame(
        [
            (
                message.message_id,
                message.customer.customer_id,
                item.invoice_number,
                item.installment,
                item.amount_demanded,
            )
            for message in messages
            for item in message.items
        ],
        schema={
            "message_id": pl.String,
            **dict.fromkeys(ITEM_KEY, pl.String),
            "was_demanded": pl.Decimal(38, 3),
        },
        orient="row",
    )
    changed = find_changed(demanded, decisions, ["message_id"])
    return dict(changed.select("message_id", "why").iter_rows())


def find_changed(demanded: pl.DataFrame, decisions: pl.DataFrame, message: Sequence[str]) -> pl.DataFrame:
    """Return the messages that must not leave any more, each with the first reason found (`why`).

    Args:
        demanded: what they said, one row per item: the columns of `message`, ITEM_KEY and `was_demanded`.
        decisions: of today, one row per open item, with `amount_demanded` and `reason`.
        message: the columns that tell one message from another.
    """
    today = decisions.select(*ITEM_KEY, "amount_demanded", "reason")
    return (
        demanded.join(today, on=list(ITEM_KEY), how="left", maintain_order="left")
        .with_columns(
            why=pl.when(pl.col("amount_demanded").is_null())
            .then(pl.format("invoice {} is no longer open", "invoice_number"))
            .when(pl.col("reason").is_in(list(HOLDS_THAT_WITHDRAW)))
            .then(pl.format("invoice {} is held: {}", "invoice_number", "reason"))
            .when(pl.col("amount_demanded") != pl.col("was_demanded"))
            .then(pl.format("the balance of invoice {} has changed", "invoice_number"))
        )
        .filter(pl.col("why").is_not_null())
        .unique(message, keep="first", maintain_order=True)
        .select(*message, "why")
    )
