"""Which acting items travel together: one message per customer and currency, in the tone of its highest step.

Agency and court carry only their own items; pre-due steps travel with pre-due steps; items whose step needs
approval wait in a message of their own, so that the rest of the day goes on.
"""

import hashlib
import json

import polars as pl

from policies.model import THIRD_PARTY_CHANNELS

MESSAGE_KEY = ("customer_id", "currency", "carrier", "is_pre_due", "needs_approval")


def with_message_channel(decisions: pl.DataFrame) -> pl.DataFrame:
    """Add the message each acting item travels in.

    Adds `carrier` (the third party's channel, else `creditor`), `message_step`, `message_channel` and
    `message_step_index`: those of the highest step among the items of the message; null for held items.
    """
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    carried = decisions.with_columns(
        carrier=pl.when(pl.col("channel").is_in(third_parties)).then("channel").otherwise(pl.lit("creditor"))
    )
    highest = (
        carried.filter("act")
        .sort("item")
        .group_by(MESSAGE_KEY, maintain_order=True)
        .agg(
            pl.col("step", "channel", "template", "by", "agency", "step_index")
            .sort_by("step_index", maintain_order=True)
            .last()
            .name.prefix("message_")
        )
        .with_columns(act=pl.lit(True))
    )
    return carried.join(highest, on=[*MESSAGE_KEY, "act"], how="left", nulls_equal=True)


def action_id(customer_id: str, invoice_number: str, installment: str, step: str, attempt: int) -> str:
    """Return the name of an action: the same for the same customer, item, step and attempt, with no date in it."""
    return _digest("action", customer_id, invoice_number, installment, step, str(attempt))


def message_id(action_ids: list[str]) -> str:
    """Return the name of the message that carries these actions."""
    return _digest("message", *sorted(action_ids))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]
