"""A sheet of a workbook as a table of texts: identifiers as typed, dates as ISO, numbers as their digits.

Amounts in number cells are floats in the file itself; `tasks.formats.values` rounds them to their currency.
"""

import zipfile
from pathlib import Path

import fastexcel
import polars as pl

from tasks.formats.delimited import Table, read_headers
from tasks.formats.problems import LINE, Problems

MAXIMUM_UNPACKED_BYTES = 512 * 1024 * 1024
"""A workbook is a ZIP archive; one that would unpack to more than this is taken for an attack."""

_MIDNIGHT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00:00(\.0+)?$"


def read_sheet(path: Path, sheet: str | None, header_row: int, problems: Problems) -> Table | None:
    """Return a sheet (the first, unless named) as a table, or None when it cannot be read."""
    if not _is_sane(path, problems):
        return None
    try:
        workbook = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        problems.add(f"not a workbook that can be read: {_first_line(error)}", "Save it again as .xlsx.")
        return None
    if sheet is not None and sheet not in workbook.sheet_names:
        problems.add(
            f"there is no sheet {sheet}",
            f"Name one of: {', '.join(workbook.sheet_names)} (key `sheet` of the source declaration).",
        )
        return None
    try:
        # Read without a header, so that nothing shifts the count of the lines.
        cells = workbook.load_sheet(sheet or 0, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        problems.add(f"the sheet cannot be read: {_first_line(error)}", "Save it again as .xlsx.")
        return None
    return _table(cells, header_row, problems)


def _table(cells: pl.DataFrame, header_row: int, problems: Problems) -> Table | None:
    if cells.height < header_row:
        problems.add(
            "the sheet is empty" if cells.is_empty() else f"the sheet has no row {header_row}",
            "Export it again, or correct `sheet` and `header_row` in the source declaration.",
        )
        return None
    names = [str(value or "") for value in cells.row(header_row - 1)]
    used = max((i for i, name in enumerate(names, 1) if name.strip()), default=0)
    headers = read_headers(names[:used], header_row, problems)
    if headers is None:
        return None
    body = cells.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE)).slice(header_row)
    renamed = body.select(
        *(
            pl.col(own).cast(pl.String).str.replace(_MIDNIGHT, "${1}").alias(header)
            for own, header in zip(cells.columns, headers, strict=False)
        ),
        LINE,
    )
    filled = renamed.filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))
    return Table(filled, headers, header_row, is_workbook=True)


def _is_sane(path: Path, problems: Problems) -> bool:
    if path.stat().st_size == 0:
        problems.add("the file is empty (0 bytes)", "Export it again.")
        return False
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() in {".xlsx", ".xlsm", ".xlsb", ".ods"}:
            problems.add("this is not a workbook, whatever its name says", "Save it again as .xlsx.")
            return False
        return True
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAXIMUM_UNPACKED_BYTES:
        problems.add(
            f"the workbook would unpack to {unpacked // 1_048_576} MB; at most 512 MB are accepted",
            "Export it as CSV instead.",
        )
        return False
    return True


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
