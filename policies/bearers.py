"""Which items charges stand with: those that are late, those claimed before, and one installment of each invoice.

An item is late by its own due date: a payment plan says when to collect, not since when it is owed.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from policies.escalation import Facts
from policies.model import ITEM_KEY
from policies.policy import Policy

Row = Mapping[str, Any]

CHARGED = ("item", *ITEM_KEY, "currency", "due_date", "customer_type", "amount_demanded", "until")
"""What charging asks of an item; `until`: the day after which nothing runs any more, null while it does."""

_INVOICE = ("customer_id", "invoice_number")


def overdue_items(facts: Facts, customers: pl.Series) -> pl.DataFrame:
    """Return the overdue open items of some customers, as CHARGED.

    Charges stop with an insolvency that is open, and with a write-off.
    """
    return (
        facts.open_items.filter(
            (pl.col("amount_open") > 0) & pl.col("customer_id").is_in(customers.implode())
        )
        .drop("due_date")
        .join(facts.allocation.items.select("item", "due_date"), on="item")
        .filter(pl.col("due_date") < facts.as_of)
        .join(facts.accounts.select("account", "customer_type"), on="account", how="left")
        .with_columns(until=pl.min_horizontal("insolvent_since", "written_off_on"))
        .select(CHARGED)
    )


def paid_items(facts: Facts, customer_types: pl.DataFrame) -> pl.DataFrame:
    """Return the items of some customers that were paid after their due date, as CHARGED.

    Args:
        facts: at the date.
        customer_types: customer_id and customer_type, one row per customer.
    """
    still_open = facts.open_items.filter(pl.col("amount_open") > 0)
    paid_on = facts.cash.group_by("item").agg(until=pl.col("date").max())
    return (
        facts.allocation.items.filter(~pl.col("is_credit"))
        .join(customer_types, on="customer_id")
        .join(still_open, on="item", how="anti")
        .join(paid_on, on="item")
        .filter(pl.col("until") > pl.col("due_date"))
        .with_columns(amount_demanded=pl.lit(0, facts.open_items.schema["amount_demanded"]))
        .select(CHARGED)
    )


def told_items(dispatched: pl.DataFrame, items: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Return what was claimed of late items: one row per item, kind of charge (or `fee`) and dispatch.

    Columns: item, kind, dispatch_date.
    """
    kinds = sorted(
        {(step.step, kind) for ladder in policy.ladders.values() for step in ladder for kind in step.charges}
    )
    of_steps = pl.DataFrame(kinds, schema={"step": pl.String(), "kind": pl.String()}, orient="row")
    sent = (
        dispatched.filter("is_done")
        .join(items.select("item", "due_date"), on="item")
        .filter(pl.col("dispatch_date") > pl.col("due_date"))
    )
    return pl.concat(
        [
            sent.join(of_steps, on="step").select("item", "kind", "dispatch_date"),
            sent.filter(pl.col("fee") > 0).select("item", pl.lit("fee").alias("kind"), "dispatch_date"),
        ]
    )


def invoice_bearers(overdue: pl.DataFrame, paid: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Return the installment of each invoice that bears its fixed charge.

    That is the overdue open one due first; of an invoice without such, the one due first of those paid.

    Args:
        overdue: overdue open items.
        paid: items paid late after something was claimed of them.
    """
    columns = (*_INVOICE, "item", "due_date")
    first = (
        pl.concat(
            [overdue.select(columns, is_paid=pl.lit(False)), paid.select(columns, is_paid=pl.lit(True))]
        )
        .sort("is_paid", "due_date", "item")
        .unique(_INVOICE, keep="first", maintain_order=True)
    )
    return {(row[0], row[1]): row[2] for row in first.select(*_INVOICE, "item").iter_rows()}
