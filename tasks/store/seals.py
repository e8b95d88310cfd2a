"""Digests of what the store holds, by group: an intake with its lines, a batch with its messages, a mail from outside.

`tasks.ledger` writes them into the events that tell of a change; `tasks.audit.state` compares them again. What is
hashed is the rows as CSV (`tasks.store.canonical_rows`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from tasks.store.canonical_rows import digest_groups
from tasks.store.connection import Connection, fetch, load_query

GROUPS: Mapping[str, tuple[str, ...]] = {
    "intake_id": (
        "intakes",
        "invoice_lines",
        "customer_lines",
        "payment_lines",
        "event_lines",
        "action_lines",
    ),
    "batch_id": ("batches", "approvals", "messages", "actions"),
    "standing_id": ("standings", "account_standings"),
    "return_id": ("returns",),
    "mailbox": ("mailboxes",),
}
"""The tables of each kind of group, by the column that names it; the first has one row for the group itself."""

_NUMBERED = ("intake_id", "standing_id")
_MOST_ROWS_AT_ONCE = 20_000

Seal = dict[str, dict[str, object]]
"""Of one group: table -> {"rows": how many, "sha256": their digest}; a table without rows is left out."""


def read_seals(
    connection: Connection, key: str, group_ids: Iterable[object] | None = None
) -> dict[str, Seal]:
    """Return the seals of groups as the store holds them now, in the caller's transaction.

    Args:
        connection: an open store.
        key: which kind of group: a key of GROUPS.
        group_ids: which groups; None = all.
    """
    asked = None if group_ids is None else sorted(_as_named(key, group_ids))
    seals: dict[str, Seal] = {}
    if asked == []:
        return seals
    for table, groups in _portions(_count_rows(connection, key, asked)):
        names = groups["group_id"]
        digests = digest_groups(_read_rows(connection, key, table, names, asked), key, names)
        for group, count, digest in zip(names, groups["rows"], digests, strict=True):
            seals.setdefault(str(group), {})[table] = {"rows": count, "sha256": digest}
    return seals


def read_runs(connection: Connection, key: str) -> dict[str, str]:
    """Return of each group of a kind the run that made it; how far a mailbox is read says no run."""
    if key == "mailbox":
        return {}
    query = f"select cast({key} as varchar) as group_id, run_id from {GROUPS[key][0]}"
    return dict(fetch(connection, query).iter_rows())


def _as_named(key: str, group_ids: Iterable[object]) -> set[Any]:
    return {int(str(one)) if key in _NUMBERED else str(one) for one in group_ids}


def _count_rows(connection: Connection, key: str, asked: list[Any] | None) -> pl.DataFrame:
    """Return how many rows there are of each table and group, in one query: most groups have none in most tables."""
    query = load_query("rows_of_groups")
    parts = [query.format(key=key, table=table) for table in GROUPS[key]]
    counted = "\nunion all\n".join(parts) + "\norder by table_name, group_id"
    least, most = (asked[0], asked[-1]) if asked else (None, None)
    return fetch(connection, counted, asked=asked, least=least, most=most)


def _portions(counts: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the groups of a table in order, as many together as may be in memory at once; a large one by itself."""
    rows = pl.col("rows")
    place = rows.cum_sum().over("table_name") // _MOST_ROWS_AT_ONCE
    portioned = counts.with_columns(portion=pl.struct(place, large=rows > _MOST_ROWS_AT_ONCE).rle_id())
    for (table, _), groups in portioned.group_by("table_name", "portion", maintain_order=True):
        yield str(table), groups


def _read_rows(
    connection: Connection, key: str, table: str, names: pl.Series, asked: list[Any] | None
) -> pl.DataFrame:
    query = load_query("sealed_rows").format(key=key, table=table)
    return fetch(connection, query, least=names[0], most=names[-1], asked=asked)
