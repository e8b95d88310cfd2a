"""Claims to declare in insolvencies: of which customer, how much in each currency, by which day.

The delay runs from the day of the event `insolvency`, which is that of its publication. It ends with
`insolvency_closed`, or once an `answer` with the reason `claim_declared` says that the claim was declared.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from policies.balances import VANISHED
from policies.happenings import of_kind, still_running
from policies.model import ACCOUNT_KEY, TOTAL, EventKind
from policies.statutes import Statute, covering_statute

CLAIM_DECLARED = "claim_declared"
"""The reason of an `answer` that says the claim was declared: `relance record answer --reason claim_declared`."""

CLAIMS = pl.Schema(
    {
        "customer_id": pl.String(),
        "currency": pl.String(),
        "open_amount": TOTAL,
        "insolvent_since": pl.Date(),
        "deadline": pl.Date(),
        "days_left": pl.Int64(),
        "state": pl.String(),
        "declared_on": pl.Date(),
    }
)
"""One claim: `to_declare`, `late` (the deadline has passed) or `declared`; without deadline the law states none."""


def list_claims(
    open_items: pl.DataFrame,
    events: pl.DataFrame,
    customer_types: pl.DataFrame,
    statute: str | None,
    statutes: Mapping[str, Statute],
    as_of: date,
) -> pl.DataFrame:
    """Return the claims on insolvent customers (CLAIMS): what presses first.

    Args:
        open_items: with `insolvent_since` (`policies.item_state`).
        events: events up to the day.
        customer_types: customer_id and customer_type.
        statute: the policy's statute.
        statutes: all statutes by name.
        as_of: the day.
    """
    is_debit = (pl.col("amount_open") > 0) & (pl.col("absence") != VANISHED).fill_null(value=True)
    owed = (
        open_items.filter(pl.col("insolvent_since").is_not_null() & is_debit)
        .group_by(ACCOUNT_KEY)
        .agg(pl.col("insolvent_since").first(), open_amount=pl.col("amount_open").sum())
        .join(customer_types.unique("customer_id"), on="customer_id", how="left")
        .join(_stated_deadlines(events), on="customer_id", how="left")
        .join(_declarations(events), on="customer_id", how="left")
    )
    deadlines = [
        row["stated"] or _deadline(row["customer_type"], row["insolvent_since"], statute, statutes)
        for row in owed.select("stated", "customer_type", "insolvent_since").iter_rows(named=True)
    ]
    is_declared = (pl.col("declared_on") >= pl.col("insolvent_since")).fill_null(value=False)
    return (
        owed.with_columns(deadline=pl.Series(deadlines, dtype=pl.Date))
        .with_columns(
            days_left=(pl.col("deadline") - pl.lit(as_of)).dt.total_days(),
            declared_on=pl.when(is_declared).then("declared_on"),
            state=pl.when(is_declared)
            .then(pl.lit("declared"))
            .when(pl.col("deadline") < as_of)
            .then(pl.lit("late"))
            .otherwise(pl.lit("to_declare")),
        )
        .select(CLAIMS.names())
        .cast(CLAIMS)
        .sort(pl.col("state") == "declared", "deadline", *ACCOUNT_KEY, nulls_last=True)
    )


def _stated_deadlines(events: pl.DataFrame) -> pl.DataFrame:
    """Return the deadline that a running insolvency names itself, in `until`: customer_id, stated."""
    running = still_running(events, EventKind.INSOLVENCY, EventKind.INSOLVENCY_CLOSED)
    return running.group_by("customer_id").agg(stated=pl.col("until").min())


def _declarations(events: pl.DataFrame) -> pl.DataFrame:
    """Return when each customer's claim was last said to be declared: customer_id, declared_on."""
    return (
        of_kind(events, EventKind.ANSWER)
        .filter(pl.col("reason") == CLAIM_DECLARED)
        .group_by("customer_id")
        .agg(declared_on=pl.col("event_date").max())
    )


def _deadline(
    customer_type: str | None, since: date, statute: str | None, statutes: Mapping[str, Statute]
) -> date | None:
    law = covering_statute(statute, customer_type, statutes)
    return law.insolvency_claim.last_day(since) if law and law.insolvency_claim else None
