"""Texts of a table as typed values: dates, amounts, identifiers, codes; never guessed, never rounded.

Each reader returns the value as an expression and the checks that say where the text is wrong. Blank is null
here; what may be blank is said by `policies.source_fields`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from policies.model import MONEY
from policies.money import CURRENCY_DIGITS, round_amounts
from policies.source_fields import Field, Shape
from tasks.formats.problems import Check

ISO_DATE = "%Y-%m-%d"
_FIRST_YEAR, _LAST_YEAR = 1950, 2150
_EXAMPLES = {0: "1234", 2: "1234.56", 3: "1234.567"}
_EXACT = {
    # Three decimals in a currency of two digits may be a thousands mark, so zeros do not excuse them.
    0: r"^[+-]?[0-9]+(\.0{1,2}|\.0{4,})?$",
    2: r"^[+-]?[0-9]+(\.[0-9]{1,2}|\.[0-9]{2}0{2,})?$",
    3: r"^[+-]?[0-9]+(\.[0-9]{1,3}|\.[0-9]{3}0+)?$",
}
_SPACES = " \u00a0\u202f"
_CELL_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_NOT_IN_USE = "\u0000"


@dataclass(frozen=True)
class Notation:
    """How numbers and dates are written in a file."""

    decimal_mark: str = "."
    thousands_mark: str = ""
    date_formats: tuple[str, ...] = (ISO_DATE,)
    is_workbook: bool = False
    column_date_formats: dict[str, tuple[str, ...]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def shown(self, column: str) -> str:
        """Return the column as the file calls it."""
        return self.headers.get(column, column)


def trimmed(column: str) -> pl.Expr:
    """Return the text without the spaces around it; nothing left = null."""
    return pl.col(column).str.strip_chars().replace({"": None})


def whole_number(text: pl.Expr) -> pl.Expr:
    """Return identifiers that a tool wrote as floats (1930571429.0) as they were."""
    return text.str.replace(r"^([0-9]+)\.0+$", "${1}")


def read_date(column: str, notation: Notation) -> tuple[pl.Expr, list[Check]]:
    """Return a column as dates of the calendar."""
    formats = notation.column_date_formats.get(column, notation.date_formats)
    accepted = (*formats, ISO_DATE) if notation.is_workbook else formats
    text = pl.col(column)
    read = [_one_format(text, one) for one in dict.fromkeys(accepted)]
    parsed = pl.coalesce(read) if len(read) > 1 else read[0]
    example = " or ".join(_example_of(one) for one in formats)
    checks = [
        Check(
            text.is_not_null() & parsed.is_null(),
            notation.shown(column),
            text,
            "not a date of the calendar in the agreed form",
            f"Write it like {example}.",
        ),
        Check(
            ~parsed.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR),
            notation.shown(column),
            text,
            "a year that cannot be meant",
            f"Correct the year: {_FIRST_YEAR} to {_LAST_YEAR} is accepted.",
        ),
    ]
    return parsed, checks


def _one_format(text: pl.Expr, date_format: str) -> pl.Expr:
    day = text.str.to_date(date_format, strict=False)
    # Polars takes 2026-1-5 for ISO; we don't.
    return pl.when(text.str.len_bytes() == 10).then(day) if date_format == ISO_DATE else day


def _example_of(date_format: str) -> str:
    parts = {
        "%Y": "2026",
        "%m": "01",
        "%d": "31",
        "%y": "26",
        "%H": "00",
        "%M": "00",
        "%S": "00",
        "%b": "Jan",
    }
    for directive, part in parts.items():
        date_format = date_format.replace(directive, part)
    return date_format


def plain_number(column: str, notation: Notation) -> pl.Expr:
    """Return the text of a number with a dot and no thousands mark; null when it is not one."""
    text = pl.col(column)
    decimal, thousands = re.escape(notation.decimal_mark), _thousands_class(notation.thousands_mark)
    # A minus after the number, as SAP writes it.
    text = text.str.replace(r"^([0-9].*)-$", "-${1}") if notation.decimal_mark == "," else text
    plain = text.str.contains(f"^[+-]?[0-9]{{1,15}}({decimal}[0-9]+)?$")
    if thousands:
        grouped = text.str.contains(f"^[+-]?[0-9]{{1,3}}({thousands}[0-9]{{3}}){{1,4}}({decimal}[0-9]+)?$")
        number = pl.when(plain | grouped).then(text.str.replace_all(thousands, ""))
    else:
        number = pl.when(plain).then(text)
    return number if notation.decimal_mark == "." else number.str.replace(decimal, ".")


def _thousands_class(mark: str) -> str:
    return f"[{_SPACES}]" if mark == " " else re.escape(mark)


def read_amount(
    column: str, notation: Notation, digits: Sequence[int], currency: pl.Expr | None
) -> tuple[pl.Expr, list[Check]]:
    """Return a column as exact amounts.

    Args:
        column: the column of texts.
        notation: how numbers are written.
        digits: the numbers of digits that the currencies of the file have.
        currency: the currency of each row; None where the file has none, then three digits are accepted.
    """
    text, number = pl.col(column), plain_number(column, notation)
    exact = _is_exact(number, digits, currency)
    parsed = number.cast(MONEY, strict=False)
    if notation.is_workbook:
        from_cell = _cell_number(text, notation, currency)
        is_cell = from_cell.is_not_null()
        parsed, exact = pl.coalesce(from_cell, parsed), exact | is_cell
        number = pl.when(is_cell).then(text).otherwise(number)
    mark = f"a {'comma' if notation.decimal_mark == ',' else 'dot'} before the decimals"
    grouping = (
        f"{notation.thousands_mark!r} between thousands" if notation.thousands_mark else "no thousands mark"
    )
    example = _EXAMPLES[max(digits, default=2)].replace(".", notation.decimal_mark)
    return parsed, [
        Check(
            text.is_not_null() & number.is_null(),
            notation.shown(column),
            text,
            "not an amount in the agreed form",
            f"Write it like {example}: {mark}, {grouping}, at most 15 digits before it.",
        ),
        Check(
            number.is_not_null() & ~exact,
            notation.shown(column),
            text,
            "more decimals than the currency has; nothing is rounded in silence",
            "Correct the amount, or the currency, or the decimal mark.",
        ),
    ]


def _is_exact(number: pl.Expr, digits: Sequence[int], currency: pl.Expr | None) -> pl.Expr:
    if currency is None:
        return number.str.contains(_EXACT[3])
    if len(digits) == 1:
        return number.str.contains(_EXACT[digits[0]])
    exact = pl.lit(value=True)
    for count in digits:
        codes = [code for code, own in CURRENCY_DIGITS.items() if own == count]
        exact = pl.when(currency.is_in(codes)).then(number.str.contains(_EXACT[count])).otherwise(exact)
    return exact


def _cell_number(text: pl.Expr, notation: Notation, currency: pl.Expr | None) -> pl.Expr:
    looks_grouped = r"^-?[0-9]{1,3}(\.[0-9]{3})+$" if notation.thousands_mark == "." else _NOT_IN_USE
    is_cell = text.str.contains(_CELL_NUMBER) & ~text.str.contains(looks_grouped)
    number = pl.when(is_cell).then(text).cast(pl.Float64, strict=False).round(6)
    within = pl.when(number.abs() < 1e15).then(number)
    return round_amounts(
        within.cast(pl.Decimal(38, 6)), pl.lit("EUR") if currency is None else currency
    ).cast(MONEY)


def read_currency(column: str, notation: Notation) -> tuple[pl.Expr, list[Check]]:
    """Return a column as ISO 4217 codes."""
    code = pl.col(column).str.to_uppercase()
    wrong = code.is_not_null() & ~code.is_in(list(CURRENCY_DIGITS))
    return code, [
        Check(
            wrong,
            notation.shown(column),
            pl.col(column),
            "not the code of a currency",
            "Write the three letters of ISO 4217, like EUR.",
        )
    ]


def read_choice(one: Field, notation: Notation) -> tuple[pl.Expr, list[Check]]:
    """Return a column as one of the words that are allowed in it."""
    word = pl.col(one.name).str.to_lowercase()
    return word, [
        Check(
            word.is_not_null() & ~word.is_in(list(one.choices)),
            notation.shown(one.name),
            pl.col(one.name),
            "not one of the words allowed here",
            f"Write one of: {', '.join(one.choices)}.",
        )
    ]


def read_code(one: Field, notation: Notation) -> tuple[pl.Expr, list[Check]]:
    """Return a column as codes of countries (ISO 3166) or languages."""
    if one.shape is Shape.COUNTRY:
        code, pattern, fix = pl.col(one.name).str.to_uppercase(), "^[A-Z]{2}$", "two letters, like FR"
    else:
        pattern, fix = "^[a-z]{2}([-_][a-z]{2})?$", "two letters, like fr"
        code = pl.col(one.name).str.to_lowercase()
    wrong = code.is_not_null() & ~code.str.contains(pattern)
    rule = f"not the code of a {one.shape}"
    return code, [Check(wrong, notation.shown(one.name), pl.col(one.name), rule, f"Write {fix}.")]


def read_value(
    one: Field, notation: Notation, digits: Sequence[int], currency: pl.Expr | None
) -> tuple[pl.Expr, list[Check]]:
    """Return a column as the values its shape asks for."""
    match one.shape:
        case Shape.DATE:
            return read_date(one.name, notation)
        case Shape.AMOUNT:
            return read_amount(one.name, notation, digits, currency)
        case Shape.CURRENCY:
            return read_currency(one.name, notation)
        case Shape.CHOICE:
            return read_choice(one, notation)
        case Shape.COUNTRY | Shape.LANGUAGE:
            return read_code(one, notation)
        case Shape.IDENTIFIER | Shape.TEXT:
            return pl.col(one.name), []
