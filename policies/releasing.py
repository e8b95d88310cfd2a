"""Whether a message that waited may still leave: nothing it says, and not where it goes, may have changed meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from policies.holds import is_covered
from policies.mail_addresses import is_same_address
from policies.messages import Message
from policies.model import ITEM_KEY, Channel, HoldReason

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
    )
)
"""These are given although a step waits for approval; unapplied cash, which is not, is asked for by itself."""

TODAY = (*ITEM_KEY, "amount_demanded", "reason", "due_date", "overdue_amount", "unapplied_amount")
"""What is asked of the decisions of the day on which a message would leave."""

_BY_POST = frozenset({Channel.LETTER.value, Channel.REGISTERED_LETTER.value})
_ADDRESS_LINES = tuple(f"address_line_{number}" for number in range(1, 5))


def find_changes(
    messages: Sequence[Message], decisions: pl.DataFrame, customers: pl.DataFrame
) -> dict[str, str]:
    """Return the messages that must not leave any more: message_id -> why, the first reason found.

    Args:
        messages: composed before.
        decisions: of today, one row per open item, with the columns of TODAY.
        customers: as they are known now, with `bounced`.
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
                item.due_date,
            )
            for message in messages
            for item in message.items
        ],
        schema={
            "message_id": pl.String,
            **dict.fromkeys(ITEM_KEY, pl.String),
            "was_demanded": pl.Decimal(38, 3),
            "was_due": pl.Date(),
        },
        orient="row",
    )
    changed = find_changed(demanded, decisions, ["message_id"])
    return dict(_find_moved(messages, customers)) | dict(changed.select("message_id", "why").iter_rows())


def find_changed(demanded: pl.DataFrame, decisions: pl.DataFrame, message: Sequence[str]) -> pl.DataFrame:
    """Return the messages that must not leave any more, each with the first reason found (`why`).

    Args:
        demanded: what they said, one row per item: the columns of `message`, ITEM_KEY, `was_demanded`, `was_due`.
        decisions: of today, one row per open item, with the columns of TODAY.
        message: the columns that tell one message from another.
    """
    today = decisions.select(
        *ITEM_KEY, "amount_demanded", "reason", is_due="due_date", is_covered=is_covered()
    )
    return (
        demanded.join(today, on=list(ITEM_KEY), how="left", maintain_order="left")
        .with_columns(
            why=pl.when(pl.col("amount_demanded").is_null())
            .then(pl.format("invoice {} is no longer open", "invoice_number"))
            .when(pl.col("reason").is_in(list(HOLDS_THAT_WITHDRAW)))
            .then(pl.format("invoice {} is held: {}", "invoice_number", "reason"))
            .when(pl.col("amount_demanded") != pl.col("was_demanded"))
            .then(pl.format("the balance of invoice {} has changed", "invoice_number"))
            .when(pl.col("is_due").ne_missing(pl.col("was_due")))
            .then(pl.format("the due date of invoice {} has changed", "invoice_number"))
            .when("is_covered")
            .then(
                pl.format("unapplied cash covers invoice {} and all else that is overdue", "invoice_number")
            )
        )
        .filter(pl.col("why").is_not_null())
        .unique(message, keep="first", maintain_order=True)
        .select(*message, "why")
    )


def _find_moved(messages: Sequence[Message], customers: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield the messages that would go where their customer is not reached any more, each with why."""
    written_to = pl.Series([message.customer.customer_id for message in messages])
    asked = customers.filter(pl.col("customer_id").is_in(written_to.implode()))
    known = {row["customer_id"]: row for row in asked.iter_rows(named=True)}
    for message in messages:
        number = message.customer.customer_id
        if what := _what_moved(message, known.get(number, {})):
            yield message.message_id, what.format(number)


def _what_moved(message: Message, known: Mapping[str, Any]) -> str:
    to = message.customer
    if message.channel == Channel.EMAIL:
        if not is_same_address(to.email, known.get("email") or ""):
            return "the e-mail address of customer {} has changed"
        return "the e-mail address of customer {} came back as unknown" if known["bounced"] else ""
    if message.channel in _BY_POST:
        lines = tuple(known[name] for name in _ADDRESS_LINES if known.get(name))
        town = tuple(known.get(name) or "" for name in ("postcode", "city", "country"))
        if (to.address_lines, (to.postcode, to.city, to.country)) != (lines, town):
            return "the postal address of customer {} has changed"
    return ""
