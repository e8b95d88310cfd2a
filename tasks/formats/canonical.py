"""Files in our own words need no declaration: the name says the record and the kind, the header says the columns."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from policies.model import SourceKind
from policies.source_fields import Record, known_columns, required_columns
from policies.sources import ColumnSource, Declaration, Expected, SourceFormat
from tasks.formats.problems import Problems

_NAMES = (
    (re.compile(r"invoices[-_ ]?full.*\.csv", re.IGNORECASE), "invoices-full", Record.INVOICES),
    *((re.compile(rf"{record}.*\.csv", re.IGNORECASE), str(record), record) for record in Record),
    (re.compile(r"letters.*\.csv", re.IGNORECASE), "tracking", Record.TRACKING),
)
RETURNS = (Record.TRACKING, Record.AGENCY_REPORT)
"""What the records of these say came back."""

NAME_PATTERNS = ("invoices-full*.csv", *(f"{record}*.csv" for record in Record), "letters*.csv")


def is_canonical_name(name: str) -> bool:
    """Return whether a file of this name is expected to be in our own words."""
    return any(pattern.fullmatch(name) for pattern, _, _ in _NAMES)


def is_return_name(name: str) -> bool:
    """Return whether a file of this name says what came back: tracking of letters, reports of agencies."""
    return any(pattern.fullmatch(name) for pattern, _, record in _NAMES if record in RETURNS)


def canonical_source(name: str) -> tuple[str, SourceKind]:
    """Return the source that a file of this name belongs to, and its kind."""
    source = next(source for pattern, source, _ in _NAMES if pattern.fullmatch(name))
    return source, SourceKind.FULL_OPEN_ITEMS if source == "invoices-full" else SourceKind.INCREMENTAL


def canonical_declaration(name: str, headers: Sequence[str], problems: Problems) -> Declaration:
    """Return how to read the known columns of a canonical file; what is wrong with its header is a problem."""
    source, kind = canonical_source(name)
    record = next(record for pattern, _, record in _NAMES if pattern.fullmatch(name))
    known = known_columns(record)
    missing = [column for column in required_columns(record) if column not in headers]
    unknown = [column for column in headers if column not in known]
    for column in missing:
        problems.add(
            "this column is missing",
            f"Add it, or write a source declaration for this file. Columns found: {', '.join(headers)}.",
            line=1,
            column=column,
        )
    for column in unknown:
        close = get_close_matches(column.lower(), known, 1)
        meant = f"Did you mean {close[0]}? " if close else ""
        problems.add("not a column of this file", f"{meant}Known: {', '.join(known)}.", line=1, column=column)
    used = [*missing, *(column for column in headers if column in known)]
    if {"amount_open", "amount_paid"} <= set(headers):
        problems.add(
            "both amount_open and amount_paid are columns of this file",
            "Keep one of them; the other follows from it.",
            line=1,
            column="amount_paid",
        )
        used.remove("amount_paid")
    return Declaration(
        description=f"Canonical {record}.",
        source=source,
        file_pattern=name,
        format=SourceFormat.DELIMITED,
        record=record,
        kind=kind,
        columns={column: ColumnSource(column=column) for column in used},
        # A quiet day has no rows; a full listing without rows would clear everything.
        expected=Expected(minimum_rows=0 if kind is SourceKind.INCREMENTAL else 1),
    )
