"""Rows as bytes that are the same wherever and whenever they are read, and the SHA-256 of these.

The rows of a group are written as CSV. The first line names the columns that hold anything in this group, by name;
so a later version may add columns without touching a digest. Numbers stand bare, all else in double quotes, a null
is empty, an instant is microseconds since 1970, a line ends with a line feed. The rows stand in the order of
`line_number`, where there is one, and then of all their columns by name: no order on disk changes a digest.
`docs/audit-log.md` says the same.
"""

import hashlib
from io import BytesIO

import polars as pl

_PLACE = "line_number"
_ROWS_AT_ONCE = 50_000


def digest_groups(rows: pl.DataFrame, key: str, groups: pl.Series) -> list[str]:
    """Return the digest of each group.

    Args:
        rows: all rows of these groups, in any order.
        key: the column that names the group; never null.
        groups: the names of the groups that have rows.
    """
    ordered = _in_order(_plain(rows), key)
    if len(groups) == 1:
        return [_digest_one(ordered[[one.name for one in ordered if one.null_count() < one.len()]])]
    digests: dict[object, str] = {}
    held = ordered.group_by(key).agg(pl.exclude(key).count() > 0)
    others = [name for name in held.columns if name != key]
    for holds, alike in held.group_by(others):
        names = sorted([key, *(name for name, is_held in zip(others, holds, strict=True) if is_held)])
        digests |= _digest_alike(ordered.filter(pl.col(key).is_in(alike[key].implode())).select(names), key)
    # Rows that a damaged store counts and does not give have no digest: what is compared with it differs.
    return [digests.get(group, "") for group in groups]


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    # As a number, so that no time zone setting changes it.
    return rows[sorted(rows.columns)].with_columns(
        pl.col(name).dt.epoch("us") for name, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime)
    )


def _in_order(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    if rows.height == 1 or _is_in_order(rows, key):
        return rows
    order = [key, *([_PLACE] if _PLACE in rows.columns else []), *rows.columns]
    return rows.sort(list(dict.fromkeys(order)))


def _is_in_order(rows: pl.DataFrame, key: str) -> bool:
    """Return whether the rows stand in order by their place alone: so they mostly do, and to sort them takes long."""
    if _PLACE not in rows.columns:
        return False
    group, place = pl.col(key), pl.col(_PLACE)
    follows = (group > group.shift()) | ((group == group.shift()) & (place > place.shift()))
    return bool(rows.select(follows.slice(1).fill_null(value=False).all()).item())


def _digest_one(rows: pl.DataFrame) -> str:
    digest = hashlib.sha256(_csv(rows[:0], has_names=True))
    for some in rows.iter_slices(_ROWS_AT_ONCE):
        digest.update(_csv(some))
    return digest.hexdigest()


def _digest_alike(rows: pl.DataFrame, key: str) -> dict[object, str]:
    """Return the digests of groups that hold something in the same columns, their rows written all together."""
    names = _csv(rows[:0], has_names=True)
    line_feeds = [
        pl.col(one.name).str.count_matches("\n", literal=True).sum()
        for one in rows
        if one.dtype == pl.String and one.name != key
    ]
    sizes = rows.group_by(key, maintain_order=True).agg(pl.len().alias("rows of group"), *line_feeds)
    lines = bytes(_csv(rows)).split(b"\n")
    digests: dict[object, str] = {}
    begin = 0
    for group, count, *feeds in sizes.iter_rows():
        end = begin + count * (1 + str(group).count("\n")) + sum(feeds)
        digests[group] = hashlib.sha256(b"".join((names, b"\n".join(lines[begin:end]), b"\n"))).hexdigest()
        begin = end
    return digests


def _csv(rows: pl.DataFrame, *, has_names: bool = False) -> memoryview:
    text = BytesIO()
    rows.write_csv(text, include_header=has_names, quote_style="non_numeric")
    return text.getbuffer()
