"""Sums for people over the tables of a day, never across currencies."""

from collections.abc import Iterable

import polars as pl

from policies.money import format_plain


def aging_headings(columns: Iterable[str]) -> dict[str, str]:
    """Return short headings for the columns of an aging table: `days_1_30` is 1-30, `days_91_plus` is 91+."""
    return {name: _heading(name) for name in columns}


def _heading(name: str) -> str:
    if name.startswith("days_") and name != "days_past_due":
        return name.removeprefix("days_").replace("_plus", "+").replace("_", "-")
    return {"customer_id": "customer", "currency": ""}.get(name, name.replace("_", " "))


def aging_totals(aging: pl.DataFrame) -> list[dict[str, str]]:
    """Return the sum of each aging column by currency, as text."""
    columns = [name for name in aging.columns if name not in {"customer_id", "currency"}]
    sums = aging.group_by("currency").agg(pl.col(columns).sum()).sort("currency")
    return [
        {"currency": row["currency"], **{name: format_plain(row[name], row["currency"]) for name in columns}}
        for row in sums.iter_rows(named=True)
    ]
