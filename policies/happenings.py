"""Which recorded events concern which items, and which of them still run at a date.

An event without invoice concerns all items of its customer; one with an invoice and no installment all
installments. Events of one date count in the order in which they became known.
"""

from datetime import date

import polars as pl

from policies.model import ITEM_NUMBER, EventKind

_SCOPES = (
    (["customer_id"], pl.col("invoice_number").is_null()),
    (
        ["customer_id", "invoice_number"],
        pl.col("invoice_number").is_not_null() & pl.col("installment").is_null(),
    ),
    (
        ["customer_id", "invoice_number", "installment"],
        pl.col("invoice_number").is_not_null() & pl.col("installment").is_not_null(),
    ),
)


def events_until(events: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the events dated up to `as_of`."""
    return events.filter(pl.col("event_date") <= as_of)


def of_kind(events: pl.DataFrame, *kinds: EventKind) -> pl.DataFrame:
    """Return the events of the given kinds."""
    return events.filter(pl.col("kind").is_in([kind.value for kind in kinds]))


def concerning(events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return one row per event and item it concerns: the event's columns with `item` and `item_currency`."""
    if events.is_empty():
        return pl.DataFrame(schema={**events.schema, "item": ITEM_NUMBER, "item_currency": pl.String()})
    keyed = items.select("item", "customer_id", "invoice_number", "installment", item_currency="currency")
    parts = []
    for keys, is_this_scope in _SCOPES:
        found = events.filter(is_this_scope).join(keyed, on=keys, suffix="_of_item")
        parts.append(found.select(*events.columns, "item", "item_currency"))
    return pl.concat(parts)


def of_items(events: pl.DataFrame, items: pl.DataFrame, *kinds: EventKind) -> pl.DataFrame:
    """Return events of the given kinds by item."""
    return concerning(of_kind(events, *kinds), items)


def still_running(events: pl.DataFrame, start: EventKind, end: EventKind) -> pl.DataFrame:
    """Return the starts that no later end has closed.

    An end closes what is about the same or less: of a customer everything, of an invoice its own; one with a
    reference closes only that reference.
    """
    starts = of_kind(events, start)
    if starts.is_empty():
        return starts
    ends = of_kind(events, end).select(
        "customer_id",
        end_date="event_date",
        end_sequence="sequence",
        end_invoice="invoice_number",
        end_installment="installment",
        end_reference="reference",
    )
    is_later = (pl.col("end_date") > pl.col("event_date")) | (
        (pl.col("end_date") == pl.col("event_date")) & (pl.col("end_sequence") > pl.col("sequence"))
    )
    is_meant = pl.all_horizontal(
        pl.col(f"end_{name}").is_null() | pl.col(f"end_{name}").eq_missing(pl.col(column))
        for name, column in (
            ("invoice", "invoice_number"),
            ("installment", "installment"),
            ("reference", "reference"),
        )
    )
    closed = starts.join(ends, on="customer_id").filter(is_later & is_meant)
    return starts.join(closed.select("sequence"), on="sequence", how="anti")
