"""Sums for people over the tables of a day, never across currencies."""

import polars as pl

from policies.money import format_plain


def aging_totals(aging: pl.DataFrame) -> list[dict[str, str]]:
    """Return the sum of each aging column by currency, as text."""
    columns = [name for name in aging.columns if name not in {"customer_id", "currency"}]
    sums = aging.group_by("currency").agg(pl.col(columns).sum()).sort("currency")
    return [
        {"currency": row["currency"], **{name: format_plain(row[name], row["currency"]) for name in columns}}
        for row in sums.iter_rows(named=True)
    ]
