"""Delimited text as a table of texts with the line of every row; what is not such a table is a problem.

Bytes are judged before Polars reads them, because it pads short rows in silence. Nothing is interpreted here.
"""

import _csv  # csv does not name the type of its readers
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from tasks.formats.problems import LINE, Problems

_DISGUISES = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a workbook or ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook or Office file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a compressed file",
    b"\x89PNG": "a picture",
    b"PAR1": "a Parquet file",
}
_BOM = b"\xef\xbb\xbf"
_UNUSED = "\x1f"


@dataclass(frozen=True)
class Table:
    """The cells of a file as text: one column per header (blank cells null) and `line_number`."""

    frame: pl.DataFrame
    headers: tuple[str, ...]
    header_line: int
    number_columns: frozenset[str] = field(default_factory=frozenset)
    is_workbook: bool = False


@dataclass(frozen=True)
class Layout:
    """How the text of a file is cut into cells."""

    encoding: str = "utf-8"
    separator: str = ","
    quote: str = '"'
    header_row: int = 1


def read_table(data: bytes, layout: Layout, problems: Problems) -> Table | None:
    """Return the table in the bytes of a file, or None when it cannot be read as one."""
    text = decode(data, layout.encoding, problems)
    if text is None:
        return None
    head, body = _split_at_header(text, layout.header_row)
    headers = read_headers(_header_cells(head, layout), layout.header_row, problems)
    if headers is None or not _has_columns(headers, layout, problems):
        return None
    lines = _lines(body, layout.header_row)
    if lines is None or _needs_exact_reading(lines, layout):
        frame = _read_exactly(body, headers, layout, problems)
    else:
        frame = _read_plainly(body, lines, headers, layout, problems)
    named = [header for header in headers if header]
    is_blank = frame.select(pl.all_horizontal(pl.exclude(LINE).is_null())).to_series()
    filled = frame.filter(~is_blank) if is_blank.any() else frame
    return Table(filled.select(*named, LINE), tuple(named), layout.header_row)


def decode(data: bytes, encoding: str, problems: Problems) -> bytes | None:
    """Return the text of a file as UTF-8 with plain line ends, or None when it is no such text."""
    if not data[:4_096].strip() and not data.strip():
        problems.add("the file is empty" + (" (0 bytes)" if not data else ""), "Export it again.")
        return None
    for start, what in _DISGUISES.items():
        if data.startswith(start):
            problems.add(
                f"this is {what}, whatever its name says",
                "Save it as UTF-8 (in Excel: CSV UTF-8)."
                if "UTF-16" in what
                else "Export the list itself as a text file (CSV).",
                line=1,
            )
            return None
    if (zero := data.find(b"\0")) >= 0:
        problems.add(
            "a NUL byte: this is not a text file, or it was damaged on the way",
            "Export it again, as CSV in UTF-8.",
            line=data.count(b"\n", 0, zero) + 1,
        )
        return None
    text = _as_utf8(data.removeprefix(_BOM), encoding, problems)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if text and b"\r" in text else text


def _as_utf8(data: bytes, encoding: str, problems: Problems) -> bytes | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        problems.add(
            f"byte {error.start - start + 1} of this line is not {encoding}",
            "Save the file as UTF-8 (in Excel: CSV UTF-8)"
            if encoding.lower().replace("-", "") == "utf8"
            else "Correct `encoding` in the source declaration, or export the file again.",
            line=line,
            value=data[start : data.find(b"\n", start) if b"\n" in data[start:] else None]
            .decode(encoding, "replace")
            .strip(),
        )
        return None
    return data if encoding.lower().replace("-", "") in {"utf8", "ascii"} else text.encode()


def _split_at_header(text: bytes, header_row: int) -> tuple[str, bytes]:
    start = 0
    for _ in range(header_row - 1):
        start = text.find(b"\n", start) + 1 or len(text)
    end = text.find(b"\n", start)
    end = len(text) if end < 0 else end
    return text[start:end].decode(), text[end + 1 :]


def _header_cells(line: str, layout: Layout) -> list[str]:
    try:
        return next(_reader([line], layout), [])
    except csv.Error:
        return line.split(layout.separator)


def read_headers(cells: Sequence[str], line: int, problems: Problems) -> tuple[str, ...] | None:
    """Return the trimmed names of the columns, blank at the end of a line that has a separator too many."""
    headers = [cell.strip() for cell in cells]
    if not any(headers):
        problems.add("the line of column names is empty", "Correct `header_row`, or export again.", line=line)
        return None
    twice = {header for header in headers if header and headers.count(header) > 1}
    blank = [i for i, header in enumerate(headers[:-1], 1) if not header]
    for header in sorted(twice):
        problems.add("two columns have this name", "Rename or remove one.", line=line, column=header)
    for position in blank:
        problems.add(f"column {position} has no name", "Name or remove it.", line=line)
    return None if twice or blank else tuple(headers)


def _has_columns(headers: Sequence[str], layout: Layout, problems: Problems) -> bool:
    others = [mark for mark in ",;|\t" if mark in headers[0]] if len(headers) == 1 else []
    for mark in others:
        problems.add(
            f"columns are separated by {mark!r} here, where {layout.separator!r} is expected",
            f"Export it with {layout.separator!r}, or write a source declaration with separator: {mark!r}.",
            line=layout.header_row,
            value=headers[0],
        )
    return not others


def _lines(body: bytes, header_row: int) -> pl.DataFrame | None:
    if _UNUSED.encode() in body or not (body[:4_096].strip() or body.strip()):
        return None
    lines = pl.read_csv(
        body, has_header=False, separator=_UNUSED, quote_char=None, infer_schema=False, new_columns=["text"]
    )
    return lines.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(LINE) + (header_row + 1))


def _needs_exact_reading(lines: pl.DataFrame, layout: Layout) -> bool:
    if not layout.quote:
        return False
    text = pl.col("text")
    quote, separator = re.escape(layout.quote), re.escape(layout.separator)
    has_odd_quotes = text.str.count_matches(layout.quote, literal=True) % 2 == 1
    has_inner_quote = text.str.contains(f"[^{separator}{quote}]{quote}[^{separator}{quote}]")
    quoted = lines.filter(text.str.contains(layout.quote, literal=True))
    return bool(quoted.select((has_odd_quotes | has_inner_quote).any()).item())


def _read_plainly(
    body: bytes, lines: pl.DataFrame, headers: Sequence[str], layout: Layout, problems: Problems
) -> pl.DataFrame:
    text = pl.col("text")
    if layout.quote:
        quote = re.escape(layout.quote)
        text = text.str.replace_all(f"{quote}[^{quote}]*{quote}", "") if _has(body, layout) else text
    counted = lines.with_columns(
        text.str.count_matches(layout.separator, literal=True).cast(pl.Int64).alias("separators")
    )
    wrong = counted.filter((pl.col("separators") != len(headers) - 1) & pl.col("text").is_not_null())
    if wrong.height:
        if _has(body, layout):
            return _read_exactly(body, headers, layout, problems)
        for line, separators, shown in wrong.select(LINE, "separators", "text").head(2_000).iter_rows():
            _add_wrong_width(problems, line, separators + 1, len(headers), shown)
        return _empty(headers)
    cells = pl.read_csv(
        body,
        has_header=False,
        separator=layout.separator,
        quote_char=layout.quote or None,
        infer_schema=False,
        new_columns=_column_names(headers),
    )
    if cells.height != lines.height:
        return _read_exactly(body, headers, layout, problems)
    return cells.with_columns(lines[LINE])


def _has(body: bytes, layout: Layout) -> bool:
    return bool(layout.quote) and layout.quote.encode() in body


def _read_exactly(body: bytes, headers: Sequence[str], layout: Layout, problems: Problems) -> pl.DataFrame:
    """Read by the standard library: slower, but it knows where a quoted text spans lines or never ends."""
    reader = _reader(io.StringIO(body.decode(), newline=""), layout)
    rows: list[list[str | None]] = []
    lines: list[int] = []
    start = layout.header_row + 1
    try:
        for cells in reader:
            if cells and len(cells) != len(headers):
                _add_wrong_width(problems, start, len(cells), len(headers), layout.separator.join(cells))
            elif cells:
                rows.append([cell or None for cell in cells])
                lines.append(start)
            start = layout.header_row + 1 + reader.line_num
    except csv.Error:
        problems.add(
            "a quoted text that opens on this line is never closed properly",
            f"Close or remove the stray quotation mark ({layout.quote}); inside a text it is doubled.",
            line=start,
        )
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(_column_names(headers), pl.String), orient="row", strict=False
    )
    return frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))


def _add_wrong_width(problems: Problems, line: int, found: int, expected: int, shown: str) -> None:
    what = "the line is cut off" if found < expected else "a text with the separator in it has no quotes"
    problems.add(
        f"{found} fields, where the header has {expected}",
        f"Probably {what}: export the file again, or correct the line.",
        line=line,
        value=shown,
    )


def _reader(lines: Iterable[str], layout: Layout) -> _csv.Reader:
    return csv.reader(
        lines,
        delimiter=layout.separator,
        quotechar=layout.quote or None,
        quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
        strict=True,
    )


def _column_names(headers: Sequence[str]) -> list[str]:
    return [header or "(no name)" for header in headers]


def _empty(headers: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(_column_names(headers), pl.String), LINE: pl.Int64})
