"""The bytes of which a digest in the log is made are those that docs/audit-log.md says, whoever makes them."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import polars as pl
import pytest

from tasks.store.canonical_rows import digest_groups

SCHEMA = pl.Schema(
    {
        "intake_id": pl.Int64(),
        "line_number": pl.Int64(),
        "amount": pl.Decimal(18, 3),
        "due_date": pl.Date(),
        "is_opening": pl.Boolean(),
        "note": pl.String(),
        "recorded_at": pl.Datetime("us", "Europe/Paris"),
    }
)
EMPTY = dict.fromkeys(SCHEMA)
ROWS = [
    {**EMPTY, "intake_id": 1, "line_number": 1, "note": ""},
    {**EMPTY, "intake_id": 1, "line_number": 2, "note": 'a "b",\n\r\nc', "amount": Decimal("-0.5")},
    {**EMPTY, "intake_id": 1, "line_number": 2, "note": "é", "amount": Decimal(1200)},
    {**EMPTY, "intake_id": 1, "note": "no line"},
    {**EMPTY, "intake_id": 2, "line_number": 7, "due_date": date(2026, 3, 2), "is_opening": False},
    {**EMPTY, "intake_id": 2, "line_number": 6, "recorded_at": datetime(2026, 3, 2, tzinfo=UTC)},
    {**EMPTY, "intake_id": 3, "line_number": 1, "note": "x"},
    {**EMPTY, "intake_id": 4, "line_number": 1, "note": "two\nlines"},
]
GROUPS = pl.Series([1, 2, 3, 4])


def as_documented(group: int) -> str:
    """Return the digest of a group as a reader of the page would make it, without Polars."""
    rows = [row for row in ROWS if row["intake_id"] == group]
    names = sorted(name for name in EMPTY if any(row[name] is not None for row in rows))
    rows.sort(key=lambda row: [before(row[name]) for name in ("line_number", *names)])
    lines = [
        ",".join(f'"{name}"' for name in names),
        *(",".join(field(row[name]) for name in names) for row in rows),
    ]
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def before(value: object) -> tuple[bool, object]:
    return (value is not None, value if value is not None else 0)


def field(value: object) -> str:
    match value:
        case None:
            return ""
        case bool() | date() if not isinstance(value, datetime):
            return f'"{str(value).lower()}"'
        case datetime():
            return str(int(value.timestamp()) * 1_000_000)
        case Decimal():
            return f"{value:.3f}"
        case int():
            return str(value)
        case _:
            return '"' + str(value).replace('"', '""') + '"'


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, SCHEMA, orient="row")


@pytest.mark.parametrize("seed", range(5))
def test_digests_are_as_documented_in_whatever_order_the_rows_stand(seed: int) -> None:
    shuffled = Random(seed).sample(ROWS, len(ROWS))
    assert digest_groups(frame(shuffled), "intake_id", GROUPS) == [as_documented(one) for one in GROUPS]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_the_same_digest_alone(group: int) -> None:
    alone = [row for row in ROWS if row["intake_id"] == group]
    assert digest_groups(frame(alone), "intake_id", pl.Series([group])) == [as_documented(group)]


def test_a_column_that_holds_nothing_changes_no_digest() -> None:
    more = frame(ROWS).with_columns(added_later=pl.lit(None, pl.String))
    assert digest_groups(more, "intake_id", GROUPS) == [as_documented(one) for one in GROUPS]


def test_names_of_groups_may_hold_line_ends() -> None:
    rows = pl.DataFrame({"mailbox": ["a\nb", "c", "a\n", "d\n\n"], "last_uid": [1, 2, 3, 4]})
    alone = [digest_groups(one, "mailbox", one["mailbox"])[0] for one in rows.iter_slices(1)]
    assert digest_groups(rows, "mailbox", rows["mailbox"]) == alone
