"""Prints frames: tables for a terminal 100 columns wide, CSV, JSON and Parquet for machines."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tasks.documents.safe_text import one_line, plain_cell

WIDTH = 100
_FORMULA = r"^\s*[=+\-@＝＋－＠]"
_LONGEST_WORD = 20
_MOST_ROWS_LAID_OUT = 500
_NAMES = ("_id", "_number", "installment", "sequence")
_RIGHT = (pl.Decimal, pl.Int64, pl.Int32, pl.UInt32, pl.Float64)


def print_frame(
    frame: pl.DataFrame, form: str, title: str = "", columns: Mapping[str, str] | None = None
) -> None:
    """Print a frame.

    Args:
        frame: what to print; amounts already as text where they have a currency.
        form: table, csv, json or parquet.
        title: of the table.
        columns: those a table shows, with their headings; machines get all.
    """
    if form == "table":
        print_table(frame, title, columns)
    elif form == "csv":
        sys.stdout.write(to_csv(frame))
    elif form == "json":
        sys.stdout.write(to_json(frame.to_dicts()) + "\n")
    else:
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        sys.stdout.buffer.write(buffer.getvalue())


def print_table(frame: pl.DataFrame, title: str, columns: Mapping[str, str] | None = None) -> None:
    """Print a table no wider than the terminal, or 100 columns where there is none."""
    if frame.is_empty():
        console().print(Text(f"{title}: nothing." if title else "Nothing."))
        return
    headings = columns or {name: name for name in frame.columns}
    if title:
        console().print(Text(title, style="bold"))
    if frame.height > _MOST_ROWS_LAID_OUT:
        sys.stdout.write(_plain_table(frame, headings))
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    numeric = {
        name for name in headings if isinstance(frame.schema[name], _RIGHT) or _looks_numeric(frame[name])
    }
    for name, heading in headings.items():
        right = name in numeric
        whole = right or _is_short_word(frame[name])
        table.add_column(heading, justify="right" if right else "left", no_wrap=whole, overflow="fold")
    for row in frame.select(list(headings)).iter_rows():
        table.add_row(*(Text(one_line(_as_text(value))) for value in row))
    console().print(table)


def _plain_table(frame: pl.DataFrame, headings: Mapping[str, str]) -> str:
    """Return a long table in lines as long as they need: to fit it into a width takes a minute for 20,000 rows."""
    laid_out = []
    for name, heading in headings.items():
        column = frame[name]
        right = isinstance(column.dtype, _RIGHT) or _looks_numeric(column)
        texts = [heading, *(one_line(_as_text(value)) for value in column)]
        width = max(map(len, texts))
        laid_out.append([text.rjust(width) if right else text.ljust(width) for text in texts])
    return "".join("  ".join(cells).rstrip() + "\n" for cells in zip(*laid_out, strict=True))


def console(stderr: bool = False) -> Console:
    """Return a console that fits a terminal of 100 columns."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=WIDTH)


def to_csv(frame: pl.DataFrame) -> str:
    """Return the frame as CSV; texts that a spreadsheet would take for a formula are made harmless."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    safe = frame.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA).fill_null(False))
        .then(pl.col(name).map_elements(plain_cell, return_dtype=pl.String, skip_nulls=True))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )
    flags = [name for name, dtype in safe.schema.items() if dtype == pl.Boolean]
    return safe.with_columns(pl.col(flags).cast(pl.String)).write_csv()


def to_json(value: object) -> str:
    """Return plain values as JSON; dates in ISO form, amounts as text."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def print_lines(lines: Sequence[str]) -> None:
    """Print lines of text, wrapped to the terminal."""
    for line in lines:
        console().print(Text(line))


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def _is_short_word(column: pl.Series) -> bool:
    """Return whether a column holds codes, names or dates, which nobody can read once they are broken."""
    texts = column.drop_nulls().cast(pl.String) if column.dtype in (pl.String, pl.Date) else None
    if texts is None or texts.is_empty():
        return False
    longest = int(texts.str.len_chars().sort()[-1])
    return longest <= _LONGEST_WORD and not texts.str.contains(r"\s").any()


def _looks_numeric(column: pl.Series) -> bool:
    texts = column.drop_nulls()
    is_text = column.dtype == pl.String and len(texts) > 0 and not column.name.endswith(_NAMES)
    return is_text and bool(texts.str.contains(r"^-?[0-9]+(\.[0-9]+)?$").all())
