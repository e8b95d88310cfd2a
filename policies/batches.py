"""Which acting items travel together: one message per customer and currency, in the tone of its highest step.

Agency and court carry only their own items; pre-due steps travel with pre-due steps; items whose step needs
approval wait in a message of their own, so that the rest of the day goes on.
"""

import hashlib
import json

import polars as pl

from policies.model import THIRD_PARTY_CHANNELS

MESSAGE_KEY = ("account", "carrier", "is_pre_due", "needs_approval")

TRAVELLING = ("item", "ladder", "step_index", "channel", "account", "is_pre_due", "needs_approval")
"""What decides which message an acting item travels in."""


def join_messages(acting: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Return the message each acting item travels in, one row per item.

    Columns: item, carrier (the third party's channel, else `creditor`), message_step, message_channel and the
    rest of the highest step among the items of the message.

    Args:
        acting: the items that act, with the columns TRAVELLING.
        steps: `policies.ladder.step_table`.
    """
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    is_third_party = pl.col("channel").is_in(third_parties)
    carried = (
        acting.select(
            *TRAVELLING,
            carrier=pl.when(is_third_party).then("channel").otherwise(pl.lit("creditor")),
        )
        .with_columns(pl.col("carrier").cast(pl.Enum(["creditor", *third_parties])))
        .with_columns(
            message_step_index=pl.col("step_index").max().over(MESSAGE_KEY),
            message_channel=pl.col("channel").sort_by("step_index").last().over(MESSAGE_KEY),
        )
        .with_columns(pl.col("carrier").cast(pl.String))
    )
    names = steps.select(
        "ladder",
        message_step_index="step_index",
        message_step="step",
        message_template="template",
        message_by="by",
        message_agency="agency",
        message_answer_within_days="answer_within_days",
    )
    return carried.join(names, on=["ladder", "message_step_index"]).select("item", "carrier", "^message_.*$")


def action_id(customer_id: str, invoice_number: str, installment: str, step: str, attempt: int) -> str:
    """Return the name of an action: the same for the same customer, item, step and attempt, with no date in it."""
    return _digest("action", customer_id, invoice_number, installment, step, str(attempt))


def message_id(action_ids: list[str]) -> str:
    """Return the name of the message that carries these actions."""
    return _digest("message", *sorted(action_ids))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[
        :32
    ]
