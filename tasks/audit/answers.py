"""Hands an answer over as a file: a workbook, or a page that needs nothing else. Each says of which log it is.

Values are untrusted: in a workbook they are text that no spreadsheet calculates, on a page they are escaped.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from policies.errors import PolicyInvalidError, WrongUseError
from policies.explanations import counted
from policies.money import with_plain_amounts
from tasks.documents.safe_text import one_line
from tasks.documents.wording import render_frame
from tasks.published_tables import read_latest
from tasks.workspace import Workspace, read_creditor, shipped_root

_MOST_ROWS = 1_000_000
_LONGEST_CELL = 32_000
_LONGEST_WORD = 24
_EVIDENCE = ("sequence", "action_id", "message_id", "document", "document_path", "document_sha256")
_CODES = ("_hash", "_sha256", "hash", "action_id", "message_id")


@dataclass(frozen=True)
class Seal:
    """Of which log an answer is: who, published by which run, and the head of the chain then."""

    creditor: str
    run_id: str
    as_of: str
    events: int
    head_hash: str

    @property
    def sentence(self) -> str:
        """Return it as a sentence."""
        return (
            f"As published by run {self.run_id or '(none)'} for {self.as_of or 'no day'}; the log held "
            f"{counted(self.events, 'event')} and ended with hash {self.head_hash or '(none)'}."
        )


@dataclass(frozen=True)
class Cell:
    """One cell of a page: its text and how it is set."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    headings: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]


def read_seal(workspace: Workspace) -> Seal:
    """Return of which log an answer from `published/` is."""
    latest, path = read_latest(workspace), workspace.published / "audit" / "head.json"
    head = json.loads(path.read_text(encoding="utf-8") if path.exists() else '{"sequence": 0, "hash": ""}')
    return Seal(
        creditor=read_creditor(workspace).legal_name,
        run_id=latest.run_id if latest else "",
        as_of=latest.as_of.isoformat() if latest else "",
        events=head["sequence"],
        head_hash=head["hash"],
    )


def to_workbook(frame: pl.DataFrame, title: str, about: Mapping[str, str], seal: Seal) -> bytes:
    """Return a workbook: the rows, and a sheet that says what was asked and of which log.

    Args:
        frame: the answer; text stays text, numbers and dates are cells of their kind, instants are UTC.
        title: the question.
        about: what was asked for, by name.
        seal: of which log it is.
    """
    from xlsxwriter import Workbook

    if frame.height > _MOST_ROWS:
        raise WrongUseError(
            f"a workbook holds {_MOST_ROWS:,} rows, the answer has {frame.height:,}: ask for csv."
        )
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    said = {"Question": title, **about, "Creditor": seal.creditor, "Source": seal.sentence}
    about_frame = pl.DataFrame({"what": list(said), "is": list(said.values())})
    with Workbook(buffer, options) as workbook:
        for sheet, rows in (("Answer", frame), ("About", about_frame)):
            _cells(rows).write_excel(
                workbook, sheet, autofit=rows.height < 10_000, autofilter=sheet == "Answer", freeze_panes=(1, 0),
                dtype_formats={pl.String: "@", pl.Datetime: "yyyy-mm-dd hh:mm:ss"}, float_precision=3,
            )  # fmt: skip
    return buffer.getvalue()


def to_page(
    workspace: Workspace,
    frame: pl.DataFrame,
    columns: Mapping[str, str],
    title: str,
    about: Mapping[str, str],
) -> str:
    """Return an answer as one page that can be printed and needs nothing else."""
    values = {"title": title, "about": about, "seal": read_seal(workspace), "table": as_table(frame, columns)}
    return fill(workspace, "audit/answer.html", values)


def fill(workspace: Workspace, path: str, values: Mapping[str, object]) -> str:
    """Return a template of `templates/audit/`, filled in and escaped."""
    from jinja2 import TemplateError

    roots = (workspace.templates, shipped_root() / "templates")
    try:
        return render_frame(roots, path, values)
    except TemplateError as error:
        raise PolicyInvalidError(f"templates/{path} cannot be filled in: {error}") from error


def as_table(frame: pl.DataFrame, columns: Mapping[str, str] | None = None) -> Table:
    """Return a frame as a table of a page: the columns named, and what proves each row in a last one."""
    plain = with_plain_amounts(frame) if "currency" in frame.columns else frame
    shown = dict(columns or {name: name for name in frame.columns})
    evidence = [name for name in _EVIDENCE if columns and name in frame.columns and name not in shown]
    numeric = {name for name in shown if frame.schema[name].is_numeric()}
    headings = [Cell(heading, "number" if name in numeric else "") for name, heading in shown.items()]
    rows = [
        [
            *(_cell(name, row[name], is_number=name in numeric) for name in shown),
            *([Cell(_evidence(row, evidence), "code")] if evidence else []),
        ]
        for row in plain.iter_rows(named=True)
    ]
    return Table([*headings, *([Cell("evidence")] if evidence else [])], rows)


def plain_text(value: object) -> str:
    """Return a value as a page prints it: instants in UTC, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:f}" if isinstance(value, Decimal) else one_line(str(value))


def _cell(name: str, value: object, *, is_number: bool) -> Cell:
    text = plain_text(value)
    if is_number:
        return Cell(text, "number")
    if name.endswith(_CODES):
        return Cell(text, "code")
    return Cell(text, "whole" if len(text) <= _LONGEST_WORD and " " not in text else "")


def _evidence(row: Mapping[str, object], names: Sequence[str]) -> str:
    words = {"sequence": "event", "document_path": "document", "document_sha256": "sha256"}
    told = [(words.get(name, name.removesuffix("_id")), plain_text(row[name])) for name in names]
    return "; ".join(f"{word} {text}" for word, text in told if text)


def _cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of what a sheet can hold: instants without zone, lists and the like as text, long texts cut."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested() or dtype == pl.Binary]
    zoned = [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    ]
    return frame.with_columns(
        pl.col(texts).str.slice(0, _LONGEST_CELL),
        pl.col(zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None),
        *(
            pl.col(name)
            .map_elements(str, return_dtype=pl.String, skip_nulls=True)
            .str.slice(0, _LONGEST_CELL)
            for name in nested
        ),
    )
