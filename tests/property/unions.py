"""Puts many small pasts together into one in which no customer and no source of two of them is the same.

One call of the fast path then decides all of them.
"""

from collections.abc import Sequence

from tests.property.chance import Row
from tests.property.drawn_pasts import TABLES, Tables

FILES_OF_ONE_PAST = 100


def disjoint(tables: Tables, number: int) -> Tables:
    """Return a past with its customers, payments, sources and files renamed by its number."""
    return {name: [_renamed(row, number) for row in rows] for name, rows in tables.items()}


def _renamed(row: Row, number: int) -> Row:
    renamed = dict(row)
    for name in ("customer_id", "source", "payment_id"):
        if name in row:
            renamed[name] = f"H{number}-{row[name]}"
    for name in ("intake_id", "file"):
        if name in row:
            renamed[name] = number * FILES_OF_ONE_PAST + row[name]
    return renamed


def together(pasts: Sequence[Tables]) -> Tables:
    """Return all rows of pasts that share nothing."""
    return {name: [row for tables in pasts for row in tables[name]] for name in TABLES}


def number_of(customer_id: str) -> int:
    """Return which past a customer came from."""
    return int(customer_id.removeprefix("H").partition("-")[0])
