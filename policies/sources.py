"""Source declarations: how a file of another system becomes canonical rows, stated as data and checked at load.

Every key is explained in docs/source-declarations.md. Reading files by them: `tasks.formats`.
"""

import codecs
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from policies.model import SourceKind
from policies.money import is_currency
from policies.source_fields import Record, known_columns, required_columns
from policies.strict_yaml import load_model

PROBLEMS = pl.Schema(
    {"line": pl.Int64, "column": pl.String, "value": pl.String, "rule": pl.String, "fix": pl.String}
)
"""Everything wrong in a file; `line` is null for what concerns the file as a whole."""


@dataclass(frozen=True)
class ParsedFile:
    """One file as canonical frames; with a row in `problems` it is refused as a whole.

    `headers` says what the file calls the columns that it has.
    """

    source: str
    kind: SourceKind
    file_date: date
    fiscal_year: str | None = None
    carries_payments: bool = False
    carries_balances: bool = False
    maximum_cleared_percent: Decimal | None = None
    records: dict[str, pl.DataFrame] = field(default_factory=dict)
    problems: pl.DataFrame = field(default_factory=PROBLEMS.to_frame)
    warnings: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    came_back: bool = False  # tracking of letters, a report of an agency: kept for as long as returned mail


class SourceFormat(StrEnum):
    """The family of files a declaration reads."""

    DELIMITED = "delimited"
    EXCEL = "excel"
    FEC = "fec"


class Sign(StrEnum):
    """How a file tells a credit note from an invoice."""

    AS_STATED = "as_stated"
    NEGATIVE_IS_CREDIT_NOTE = "negative_is_credit_note"
    DEBIT_CREDIT = "debit_credit"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _named_or_detailed(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Formats = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_several, json_schema_input_type=str | tuple[str, ...]),
    Field(min_length=1),
]


class ColumnSource(_Strict):
    """Where a canonical column comes from."""

    column: str
    lookup: str | None = None
    integer_like: bool = False
    date_format: Formats | None = None
    default: str | None = None


class SkipRule(_Strict):
    """Rows whose `column` holds one of `values` are not ours."""

    column: str
    values: tuple[str, ...]


class PaymentColumns(_Strict):
    """A payment stated by an invoice row: it exists where `date` is filled; no `amount` = all of it."""

    date: str
    amount: str | None = None
    id: str | None = None


class Expected(_Strict):
    """How many rows the file should have: fewer refuses it, more warns."""

    minimum_rows: int | None = Field(default=None, ge=0)
    maximum_rows: int | None = Field(default=None, ge=1)


class Declaration(_Strict):
    """One kind of file of one system."""

    description: str
    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    file_pattern: str
    format: SourceFormat
    record: Record = Record.INVOICES
    kind: SourceKind = SourceKind.INCREMENTAL
    encoding: str = "utf-8"
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    header_row: int = Field(default=1, ge=1)
    sheet: str | None = None
    decimal_mark: Literal[".", ","] = "."
    thousands_mark: Literal["", ".", ",", " ", "'"] = ""
    date_format: Formats = ("%Y-%m-%d",)
    file_date_format: str | None = None
    columns: dict[
        str,
        Annotated[
            ColumnSource, BeforeValidator(_named_or_detailed, json_schema_input_type=str | ColumnSource)
        ],
    ] = {}
    lookups: dict[str, dict[str, str]] = {}
    constants: dict[str, str] = {}
    sign: Sign = Sign.AS_STATED
    payments: PaymentColumns | None = None
    ignore: tuple[str, ...] = ()
    ignore_other_columns: bool = False
    skip_rows_when: tuple[SkipRule, ...] = ()
    expected: Expected = Expected()
    maximum_cleared_percent: Decimal | None = Field(default=None, ge=0, le=100)
    terms_days: int | None = Field(default=None, ge=0, le=365)
    accounts: tuple[str, ...] = ()
    accounts_without_due_date: tuple[str, ...] = ()
    opening_journals: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        wrong = [*_wrong_in_all(self), *(_wrong_in_fec(self) if self.is_fec else _wrong_in_table(self))]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def is_fec(self) -> bool:
        """Return whether the file is a French accounting ledger."""
        return self.format is SourceFormat.FEC

    @property
    def is_full(self) -> bool:
        """Return whether the file lists everything, so that an empty one would clear everything."""
        return self.kind in {SourceKind.FULL_OPEN_ITEMS, SourceKind.FULL_INVOICES}

    @property
    def minimum_rows(self) -> int:
        """Return how many rows the file must have: one, unless the declaration says otherwise."""
        return 1 if self.expected.minimum_rows is None else self.expected.minimum_rows


def parse_declaration(text: str, file: str) -> Declaration:
    """Return the declaration in a YAML text, or raise one error that lists everything wrong in it."""
    return load_model(Declaration, text, file)


def _wrong_in_all(declaration: Declaration) -> list[str]:
    wrong = []
    currency = declaration.constants.get("currency")
    if currency is not None and not is_currency(currency):
        wrong.append(f"constants.currency: {currency} is not an ISO 4217 code, like EUR")
    if declaration.is_full and declaration.record is not Record.INVOICES:
        wrong.append(f"kind: {declaration.kind} is for invoices; {declaration.record} are incremental")
    if (declaration.kind is SourceKind.LEDGER) is not declaration.is_fec:
        wrong.append("kind: ledger goes with format: fec, and only with it")
    if declaration.maximum_cleared_percent is not None and not declaration.is_full:
        wrong.append("maximum_cleared_percent: only a full listing clears what it leaves out")
    return wrong


def _wrong_in_fec(declaration: Declaration) -> list[str]:
    wrong = [
        f"{key}: the columns of a FEC are fixed by law; leave this key out"
        for key in ("columns", "lookups", "payments", "skip_rows_when")
        if getattr(declaration, key)
    ]
    wrong += [
        f"{key}: needed for format: fec"
        for key in ("accounts", "terms_days")
        if getattr(declaration, key) in ((), None)
    ]
    if "currency" not in declaration.constants:
        wrong.append("constants.currency: needed, a FEC is kept in one currency")
    return wrong


def _wrong_in_table(declaration: Declaration) -> list[str]:
    return [
        *_wrong_layout(declaration),
        *_wrong_columns(declaration),
        *_wrong_constants(declaration),
        *_missing_columns(declaration),
    ]


def _wrong_layout(declaration: Declaration) -> list[str]:
    wrong = [
        f"{key}: only for format: fec"
        for key in ("accounts", "accounts_without_due_date", "opening_journals")
        if getattr(declaration, key)
    ]
    if declaration.sheet is not None and declaration.format is not SourceFormat.EXCEL:
        wrong.append("sheet: only for format: excel")
    if declaration.decimal_mark == declaration.thousands_mark:
        wrong.append("thousands_mark: must differ from decimal_mark")
    if declaration.payments is not None and declaration.record is not Record.INVOICES:
        wrong.append("payments: only for record: invoices")
    try:
        codecs.lookup(declaration.encoding)
    except LookupError:
        wrong.append(f"encoding: {declaration.encoding} is unknown; try utf-8, cp1252 or iso-8859-15")
    return wrong


def _wrong_columns(declaration: Declaration) -> list[str]:
    known = {*known_columns(declaration.record), *_debit_and_credit(declaration)}
    wrong = [
        f"columns.{name}: not a column of {declaration.record} (known: {', '.join(sorted(known))})"
        for name in declaration.columns
        if name not in known
    ]
    wrong += [
        f"columns.{name}.lookup: there is no lookups.{source.lookup}"
        for name, source in declaration.columns.items()
        if source.lookup is not None and source.lookup not in declaration.lookups
    ]
    used = {source.lookup for source in declaration.columns.values()}
    wrong += [f"lookups.{name}: used by no column" for name in declaration.lookups if name not in used]
    if {"amount_open", "amount_paid"} <= declaration.columns.keys():
        wrong.append("columns: give amount_open or amount_paid, not both")
    return wrong


def _wrong_constants(declaration: Declaration) -> list[str]:
    known = known_columns(declaration.record)
    wrong = [
        f"constants.{name}: not a column of {declaration.record}"
        for name in declaration.constants
        if name not in known
    ]
    wrong += [
        f"constants.{name}: also given in columns"
        for name in declaration.constants
        if name in declaration.columns
    ]
    return wrong


def _missing_columns(declaration: Declaration) -> list[str]:
    given = {*declaration.columns, *declaration.constants, "customer_name"}
    if declaration.terms_days is not None:
        given.add("due_date")
    if declaration.sign is Sign.DEBIT_CREDIT:
        given.add("amount")
    needed = (*required_columns(declaration.record), *_debit_and_credit(declaration))
    return [
        f"columns.{name}: needed for {declaration.record}"
        + (", or give terms_days" if name == "due_date" else ", or give it in constants")
        for name in needed
        if name not in given
    ]


def _debit_and_credit(declaration: Declaration) -> tuple[str, ...]:
    return ("debit", "credit") if declaration.sign is Sign.DEBIT_CREDIT else ()
