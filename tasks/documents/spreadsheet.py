"""CSV files that people open in a spreadsheet: UTF-8, comma, and no cell that would be taken for a formula."""

import csv
import io
from collections.abc import Mapping, Sequence

from tasks.documents.safe_text import one_line, plain_cell


def write_csv(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]], *, byte_order_mark: bool = False
) -> bytes:
    """Return the rows under their header; `byte_order_mark` tells Excel that the file is UTF-8."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: plain_cell(one_line(value)) for name, value in row.items()})
    return buffer.getvalue().encode("utf-8-sig" if byte_order_mark else "utf-8")
