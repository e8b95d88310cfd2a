"""From the columns of a file to canonical columns of text, as its declaration says: every column is accounted for.

Pop, then audit: a column that is neither used nor ignored in writing is a problem, and so is a value that a
lookup does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from policies.source_fields import FIELDS, Record
from policies.sources import ColumnSource, Declaration, Sign
from tasks.formats.delimited import Table
from tasks.formats.problems import LINE, Check, Problems
from tasks.formats.values import Notation, plain_number, trimmed, whole_number

PAYMENT_PREFIX = "payment."
"""Columns of a payment stated by an invoice row, kept apart from the invoice's own."""


@dataclass(frozen=True)
class Texts:
    """Canonical columns as text, blank = null; `stated` are those the file has."""

    frame: pl.DataFrame
    stated: frozenset[str]
    notation: Notation


def map_columns(
    table: Table, declaration: Declaration, problems: Problems, *, is_audited: bool = False
) -> Texts | None:
    """Return the canonical texts of a table; None when too little of it is there to judge its rows.

    A column that is missing or unaccounted for refuses the file. The rest is read all the same, so that everything
    wrong is told at once.

    Args:
        table: the rows of the file.
        declaration: how to read them.
        problems: what is wrong is added here.
        is_audited: whether the header was judged before.
    """
    sources = _sources(declaration)
    if not is_audited:
        _audit(table, declaration, sources, problems)
    sources = {name: one for name, one in sources.items() if one.column in table.headers}
    if not sources or any(rule.column not in table.headers for rule in declaration.skip_rows_when):
        return None
    rows = _kept_rows(table.frame, declaration)
    notation = Notation(
        decimal_mark=declaration.decimal_mark,
        thousands_mark=declaration.thousands_mark,
        date_formats=declaration.date_format,
        is_workbook=table.is_workbook,
        column_date_formats={name: one.date_format for name, one in sources.items() if one.date_format},
        headers={name: one.column for name, one in sources.items()},
    )
    originals = rows.select(*(trimmed(header) for header in table.headers), LINE)
    problems.check(originals, _lookup_checks(declaration, sources))
    texts = originals.select(
        *(_mapped(one, declaration).alias(name) for name, one in sources.items()),
        *(pl.lit(value).alias(name) for name, value in declaration.constants.items()),
        LINE,
    )
    if declaration.sign is Sign.DEBIT_CREDIT and {"debit", "credit"} <= set(texts.columns):
        texts = _debit_less_credit(texts, notation, problems)
    stated = frozenset(texts.columns) - {LINE}
    return Texts(_with_all_columns(texts, declaration.record), stated, notation)


def _sources(declaration: Declaration) -> dict[str, ColumnSource]:
    sources = dict(declaration.columns)
    if payments := declaration.payments:
        named = {"date": payments.date, "amount": payments.amount, "id": payments.id}
        sources |= {
            f"{PAYMENT_PREFIX}{name}": ColumnSource(column=column) for name, column in named.items() if column
        }
    return sources


def _audit(
    table: Table, declaration: Declaration, sources: dict[str, ColumnSource], problems: Problems
) -> None:
    wanted = {one.column: name for name, one in sources.items()}
    wanted |= {rule.column: "skip_rows_when" for rule in declaration.skip_rows_when}
    missing = [(column, name) for column, name in wanted.items() if column not in table.headers]
    for column, name in missing:
        problems.add(
            "this column is missing",
            f"Export it too: it gives {name}. Columns found: {_list(table.headers)}.",
            line=table.header_line,
            column=column,
        )
    unused = [one for one in table.headers if one not in wanted and one not in declaration.ignore]
    if not declaration.ignore_other_columns:
        for column in unused:
            problems.add(
                "a column that the source declaration does not mention",
                "Map it under `columns`, or list it under `ignore`.",
                line=table.header_line,
                column=column,
            )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _kept_rows(frame: pl.DataFrame, declaration: Declaration) -> pl.DataFrame:
    for rule in declaration.skip_rows_when:
        value = pl.col(rule.column).str.strip_chars().fill_null("")
        frame = frame.filter(~value.is_in(list(rule.values)))
    return frame


def _lookup_checks(declaration: Declaration, sources: dict[str, ColumnSource]) -> list[Check]:
    return [
        Check(
            pl.col(one.column).is_not_null()
            & ~pl.col(one.column).is_in(list(declaration.lookups[one.lookup])),
            one.column,
            pl.col(one.column),
            f"a value that lookups.{one.lookup} does not know",
            f"Add it to lookups.{one.lookup} in the source declaration.",
        )
        for one in sources.values()
        if one.lookup
    ]


def _mapped(one: ColumnSource, declaration: Declaration) -> pl.Expr:
    text = pl.col(one.column)
    if one.integer_like:
        text = whole_number(text)
    if one.lookup:
        text = text.replace_strict(declaration.lookups[one.lookup], default=None, return_dtype=pl.String)
    return text if one.default is None else text.fill_null(one.default)


def _debit_less_credit(texts: pl.DataFrame, notation: Notation, problems: Problems) -> pl.DataFrame:
    sides = {}
    for side in ("debit", "credit"):
        number = plain_number(side, notation)
        problems.check(
            texts,
            [
                Check(
                    pl.col(side).is_not_null() & number.is_null(),
                    notation.shown(side),
                    pl.col(side),
                    "not an amount in the agreed form",
                    "Correct it, or `decimal_mark` and `thousands_mark` in the source declaration.",
                )
            ],
        )
        sides[side] = number.cast(pl.Decimal(38, 6), strict=False).fill_null(0)
    amount = (sides["debit"] - sides["credit"]).cast(pl.String).str.replace(r"\.?0+$", "")
    blank = pl.col("debit").is_null() & pl.col("credit").is_null()
    written = amount.str.replace(".", notation.decimal_mark, literal=True)
    return texts.with_columns(pl.when(~blank).then(written).alias("amount"))


def _with_all_columns(texts: pl.DataFrame, record: Record) -> pl.DataFrame:
    absent = [field.name for field in FIELDS[record] if field.name not in texts.columns]
    return texts.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
