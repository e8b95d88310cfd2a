"""Files of finance as canonical frames: which reader a file needs, and the file as a whole.

Recognition: declarations of the workspace first, then the shipped ones and our own names. Nothing here raises
for what a file holds: whatever is wrong is a row of `ParsedFile.problems`, and the file is refused whole.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import polars as pl

from policies.explanations import counted
from policies.mail_addresses import has_mail_address
from policies.model import SourceKind
from policies.source_fields import Record
from policies.sources import Declaration, ParsedFile, SourceFormat, parse_declaration
from tasks.documents.safe_text import one_line
from tasks.formats.canonical import (
    NAME_PATTERNS,
    RETURNS,
    canonical_declaration,
    canonical_source,
    is_canonical_name,
    is_return_name,
)
from tasks.formats.delimited import Layout, Table, read_table
from tasks.formats.excel import read_sheet
from tasks.formats.fec import read_ledger
from tasks.formats.mapping import map_columns
from tasks.formats.problems import Problems
from tasks.formats.records import build_records

_SHIPPED = Path(__file__).parents[2] / "policies" / "sources"
_DATE_IN_NAME = re.compile(r"(?<![0-9])([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})(?![0-9])")
_UNRECOGNISED = "unrecognised"


def read_export(path: Path, declarations: Sequence[Declaration], as_of: date) -> ParsedFile:
    """Return what a file says, or why it is refused.

    Args:
        path: a complete file.
        declarations: those of the workspace; the shipped ones are known here, and one of the workspace stands
            before the shipped one of the same `source`.
        as_of: dates the file and its balances where neither its name nor its rows do.
    """
    problems = Problems()
    matching = _matching(path.name, declarations)
    if len(matching) > 1:
        names = ", ".join(declaration.source for declaration in matching)
        problems.add(
            f"several source declarations fit the name of this file: {names}",
            "Make their `file_pattern` narrower, so that one is left.",
        )
        return _refused(_UNRECOGNISED, SourceKind.INCREMENTAL, as_of, problems)
    if matching:
        return _read_declared(path, matching[0], as_of, problems)
    if is_canonical_name(path.name):
        return _read_canonical(path, as_of, problems)
    tried = [*(f"{one.file_pattern} ({one.source})" for one in _known(declarations)), *NAME_PATTERNS]
    problems.add(
        f"no kind of file has a name like {path.name}",
        f"Rename it, or write a source declaration for it. Tried: {', '.join(tried)}.",
    )
    return _refused(_UNRECOGNISED, SourceKind.INCREMENTAL, as_of, problems)


@cache
def shipped_declarations() -> tuple[Declaration, ...]:
    """Return the source declarations that come with Relance."""
    return load_declarations(_SHIPPED)


def load_declarations(folder: Path) -> tuple[Declaration, ...]:
    """Return the source declarations of a folder by name; none when there is no such folder."""
    return tuple(
        parse_declaration(file.read_text(encoding="utf-8"), file.name)
        for file in sorted(folder.glob("*.yaml"))
    )


def _known(declarations: Sequence[Declaration]) -> list[Declaration]:
    own = {declaration.source for declaration in declarations}
    return [*declarations, *(one for one in shipped_declarations() if one.source not in own)]


def _matching(name: str, declarations: Sequence[Declaration]) -> list[Declaration]:
    own = [one for one in declarations if _fits(name, one)]
    return own or [one for one in _known(declarations) if _fits(name, one)]


def _fits(name: str, declaration: Declaration) -> bool:
    return fnmatchcase(name.lower(), declaration.file_pattern.lower())


def _read_declared(path: Path, declaration: Declaration, as_of: date, problems: Problems) -> ParsedFile:
    if declaration.is_fec:
        return read_ledger(path, declaration, as_of, problems)
    if declaration.format is SourceFormat.EXCEL:
        table = read_sheet(path, declaration.sheet, declaration.header_row, problems)
    else:
        layout = Layout(
            declaration.encoding, declaration.separator, declaration.quote, declaration.header_row
        )
        table = read_table(path.read_bytes(), layout, problems)
    return _parsed(path, table, declaration, as_of, problems)


def _read_canonical(path: Path, as_of: date, problems: Problems) -> ParsedFile:
    table = read_table(path.read_bytes(), Layout(), problems)
    if table is None:
        return _refused(*canonical_source(path.name), as_of, problems, came_back=is_return_name(path.name))
    declaration = canonical_declaration(path.name, table.headers, problems)
    return _parsed(path, table, declaration, as_of, problems, is_audited=True)


def _parsed(
    path: Path,
    table: Table | None,
    declaration: Declaration,
    as_of: date,
    problems: Problems,
    *,
    is_audited: bool = False,
) -> ParsedFile:
    file_date = _file_date(path.stem, declaration, as_of)
    came_back = declaration.record in RETURNS
    texts = map_columns(table, declaration, problems, is_audited=is_audited) if table else None
    if texts is None:
        return _refused(declaration.source, declaration.kind, file_date, problems, came_back=came_back)
    warnings = _judge_volume(texts.frame.height, declaration, bool(problems), problems)
    records = build_records(texts, declaration, file_date, problems)
    if problems:
        return _refused(declaration.source, declaration.kind, file_date, problems, came_back=came_back)
    warnings += [
        *_assumed_dates(records, declaration),
        *_unusable_addresses(records),
        *_early_due_dates(records),
    ]
    return ParsedFile(
        source=declaration.source,
        kind=declaration.kind,
        file_date=file_date,
        carries_payments=declaration.record is Record.PAYMENTS or declaration.payments is not None,
        carries_balances=bool({"amount_open", "amount_paid"} & texts.stated) or declaration.is_full,
        maximum_cleared_percent=declaration.maximum_cleared_percent,
        records=records,
        warnings=warnings,
        headers=texts.notation.headers,
        came_back=came_back,
    )


def _refused(
    source: str, kind: SourceKind, file_date: date, problems: Problems, *, came_back: bool = False
) -> ParsedFile:
    return ParsedFile(
        source=source, kind=kind, file_date=file_date, problems=problems.frame(), came_back=came_back
    )


def date_in_name(name: str) -> date | None:
    """Return the ISO date in the name of a file, the last one if there are several."""
    for year, _, month, day in reversed(_DATE_IN_NAME.findall(name)):
        try:
            found = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if 1950 <= found.year <= 2150:
            return found
    return None


def _file_date(stem: str, declaration: Declaration, as_of: date) -> date:
    """Return the date in the name of the file, the last one if there are several, else `as_of`."""
    if declaration.file_date_format:
        found = _declared_date(stem, declaration.file_date_format)
        return found or as_of
    return date_in_name(stem) or as_of


def _declared_date(stem: str, date_format: str) -> date | None:
    for start in range(len(stem)):
        for end in range(len(stem), start + 3, -1):
            try:
                return datetime.strptime(stem[start:end], date_format).date()  # noqa: DTZ007 - a day, no instant
            except ValueError:
                continue
    return None


def _judge_volume(rows: int, declaration: Declaration, is_broken: bool, problems: Problems) -> list[str]:
    if rows < declaration.minimum_rows and not is_broken:
        problems.add(
            f"{counted(rows, 'row')}, where at least {declaration.minimum_rows} are expected",
            "Export it again; if so few are right, lower expected.minimum_rows in a source declaration.",
        )
    most = declaration.expected.maximum_rows
    if most is not None and rows > most:
        return [f"{counted(rows, 'row')}, where at most {most} were expected"]
    return []


def _assumed_dates(records: dict[str, pl.DataFrame], declaration: Declaration) -> list[str]:
    if declaration.terms_days is None or "invoices" not in records:
        return []
    count = int(records["invoices"]["due_date_assumed"].sum())
    return (
        [f"{counted(count, 'due date')} assumed: invoice date + {declaration.terms_days} days"]
        if count
        else []
    )


def _early_due_dates(records: dict[str, pl.DataFrame]) -> list[str]:
    """Return a warning of invoices due before they were issued; some programs do export such terms."""
    if "invoices" not in records:
        return []
    early = records["invoices"].filter(pl.col("due_date") < pl.col("invoice_date"))
    if early.is_empty():
        return []
    return [f"due before the date of issue: invoice {_first_ones(early['invoice_number'])}"]


def _unusable_addresses(records: dict[str, pl.DataFrame]) -> list[str]:
    customers = records.get("customers")
    if customers is None or "email" not in customers.columns:
        return []
    unusable = customers.filter((pl.col("email").fill_null("") != "") & ~has_mail_address("email"))
    if unusable.is_empty():
        return []
    return [f"no usable e-mail address: customer {_first_ones(unusable['customer_id'])}"]


def _first_ones(names: pl.Series) -> str:
    """Return the first three of some names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(one_line(name)[:40] for name in names.head(3)) + more
