"""A French accounting ledger (FEC) as lines with one signed amount, read as tolerantly as the tax office's own tool.

Columns and forms: LPF art. A47 A-1. What the lines of the customers' accounts mean: `tasks.formats.ledger_items`.
"""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl

from policies.model import MONEY
from policies.sources import Declaration, ParsedFile
from tasks.formats.delimited import Layout, read_table
from tasks.formats.ledger_items import derive_items, ledger_warnings, unreconciled
from tasks.formats.problems import LINE, Check, Problems

_COLUMNS = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "EcritureLet"),
)
_DEBIT_CREDIT, _AMOUNT_SIDE = ("Debit", "Credit"), ("Montant", "Sens")
_COMPACT = r"^[0-9]{4}[-/.]?[0-9]{2}[-/.]?[0-9]{2}([ T].*)?$"
_DAY_FIRST = r"^[0-9]{2}[-/.][0-9]{2}[-/.][0-9]{4}([ T].*)?$"
_NUMBER = r"^([+-]?[0-9]{1,15}(,[0-9]+)?|[0-9]{1,15}(,[0-9]+)?[+-])$"
_EXPONENT = re.compile(r"[+-]?[0-9]{1,15}(,[0-9]+)?[eE][+-]?[0-9]{1,2}")
_CENTS = r"^[+-]?[0-9]+(,[0-9]{1,2}0*)?[+-]?$"
_CLOSING = re.compile(r"FEC[-_ ]?([0-9]{8})", re.IGNORECASE)
_SIDES = {"D": 1, "+1": 1, "1": 1, "C": -1, "-1": -1}


def read_ledger(path: Path, declaration: Declaration, as_of: date, problems: Problems) -> ParsedFile:
    """Return the items, payments and customers of a FEC, or why it is refused."""
    lines = _read_lines(path, declaration.accounts, problems)
    if lines is not None and lines.is_empty() and not problems:
        problems.add("the ledger has no lines", "Export it again.")
    if lines is None or problems:
        return ParsedFile(declaration.source, declaration.kind, as_of, problems=problems.frame())
    _check_balance(lines, problems)
    first, last = lines["date"].min(), lines["date"].max()
    assert isinstance(first, date), "dates were checked"  # noqa: S101 - narrows the type of an aggregate
    assert isinstance(last, date), "dates were checked"  # noqa: S101 - as above
    file_date, year = min(last, as_of), str(_closing_date(path.stem, first, last).year)
    items = derive_items(lines, declaration, year)
    for party, difference in unreconciled(items):
        problems.add(
            f"items and payments differ by {difference} from the ledger balance of this customer",
            "Please report this file: the reader of ledgers is wrong, not the file.",
            column="CompAuxNum",
            value=party,
        )
    return ParsedFile(
        source=declaration.source,
        kind=declaration.kind,
        file_date=file_date,
        fiscal_year=year,
        carries_payments=True,
        records=items.records if not problems else {},
        problems=problems.frame(),
        warnings=ledger_warnings(items, declaration),
    )


def _read_lines(path: Path, accounts: tuple[str, ...], problems: Problems) -> pl.DataFrame | None:
    data = path.read_bytes()
    head = re.split(rb"[\r\n]", data[:20_000], maxsplit=1)[0]
    separator = "\t" if b"\t" in head else "|"
    layout = Layout(_encoding(data), separator, quote="")
    table = read_table(_without_last_separator(data, head, separator.encode()), layout, problems)
    if table is None:
        return None
    folded = {_folded(header): header for header in table.headers}
    amounts = _AMOUNT_SIDE if "montant" in folded and "debit" not in folded else _DEBIT_CREDIT
    missing = [name for name in (*_COLUMNS, *amounts) if name.lower() not in folded]
    if len(missing) > len(_COLUMNS) // 2:
        problems.add(
            "this is not a FEC: its first line does not name the columns of one",
            f"They are separated by tab or |: {', '.join(_COLUMNS)} …, {' and '.join(amounts)}.",
            line=1,
            value=", ".join(table.headers),
        )
        return None
    for name in missing:
        problems.add(
            "this column of a FEC is missing",
            f"Columns found: {', '.join(table.headers)}.",
            line=1,
            column=name,
        )
    if missing:
        return None
    texts = table.frame.select(
        *(
            pl.col(folded[name.lower()]).str.strip_chars().fill_null("").alias(name.lower())
            for name in (*_COLUMNS, *amounts)
        ),
        LINE,
    )
    return _typed(texts, amounts, accounts, problems)


def _encoding(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # A mark at the start, or letters in two bytes, say UTF-8: then one wrong byte is damage.
        if data.startswith(b"\xef\xbb\xbf") or re.search(rb"\xc3[\x80-\xbf]", data):
            return "utf-8"
        # 0x80 to 0x9F are letters and quotes in windows-1252, control characters in ISO 8859-15.
        is_windows = re.search(rb"[\x80-\x9f]", data) and not re.search(rb"[\x81\x8d\x8f\x90\x9d]", data)
        return "cp1252" if is_windows else "iso-8859-15"
    return "utf-8"


def _without_last_separator(data: bytes, head: bytes, separator: bytes) -> bytes:
    """Return the bytes with lines as wide as the header where either has one separator too many at its end."""
    body = data[len(head) :].lstrip(b"\r\n")
    first = re.split(rb"[\r\n]", body[:20_000], maxsplit=1)[0]
    surplus = first.count(separator) - head.count(separator)
    if surplus == 1 and first.endswith(separator):
        return head + separator + data[len(head) :]
    if surplus == -1 and head.endswith(separator):
        return head.removesuffix(separator) + data[len(head) :]
    return data


def _folded(header: str) -> str:
    plain = unicodedata.normalize("NFD", header.strip().lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace(" ", "")


def _typed(
    texts: pl.DataFrame,
    amounts: tuple[str, str],
    accounts: tuple[str, ...],
    problems: Problems,
) -> pl.DataFrame:
    entry_date, piece_date = _plausible(_date("ecrituredate")), _date("piecedate")
    is_kept = pl.col("comptenum").str.contains(f"^({'|'.join(accounts)})")
    numbers = amounts if amounts == _DEBIT_CREDIT else amounts[:1]
    wrong_date = ("not a date of the calendar", "A FEC writes dates as AAAAMMJJ, like 20260131.")
    checks = [
        Check(entry_date.is_null(), "EcritureDate", pl.col("ecrituredate"), *wrong_date),
        Check(
            # Elsewhere nobody reads it; exporters write 19000101 for none.
            is_kept & piece_date.is_null() & (pl.col("piecedate") != ""),
            "PieceDate",
            pl.col("piecedate"),
            *wrong_date,
        ),
        Check(
            ~pl.col("comptenum").str.contains("^[0-9]{3}"),
            "CompteNum",
            pl.col("comptenum"),
            "not an account number",
            "It starts with three digits.",
        ),
    ]
    texts = texts.with_columns(_without_exponents(texts[name.lower()]) for name in numbers)
    for name in numbers:
        checks += _number_checks(name)
    if amounts == _AMOUNT_SIDE:
        checks.append(
            Check(
                ~pl.col("sens").str.to_uppercase().is_in(list(_SIDES)),
                "Sens",
                pl.col("sens"),
                "neither debit nor credit",
                "Write D or C, +1 or -1.",
            )
        )
    problems.check(texts, checks)
    return texts.with_columns(
        entry_date.alias("date"),
        _plausible(piece_date).alias("piece_date"),
        _balance(amounts).cast(MONEY).alias("balance"),
    )


def _date(column: str) -> pl.Expr:
    text = pl.col(column)
    digits = text.str.slice(0, 10).str.replace_all("[-/. T]", "").str.slice(0, 8)
    year_first = pl.when(text.str.contains(_COMPACT)).then(digits).str.to_date("%Y%m%d", strict=False)
    day_first = pl.when(text.str.contains(_DAY_FIRST)).then(digits).str.to_date("%d%m%Y", strict=False)
    return pl.coalesce(year_first, day_first)


def _plausible(day: pl.Expr) -> pl.Expr:
    return pl.when(day.dt.year().is_between(1950, 2150)).then(day)


def _number_checks(name: str) -> list[Check]:
    text = pl.col(name.lower())
    is_number = text.str.contains(_NUMBER) | (text == "")
    return [
        Check(
            ~is_number,
            name,
            text,
            "not an amount of a FEC",
            "A decimal comma, no thousands mark, the sign first or last, like 1234,56.",
        ),
        Check(
            is_number & (text != "") & ~text.str.contains(_CENTS),
            name,
            text,
            "more decimals than the currency has; nothing is rounded in silence",
            "Export amounts with two decimals.",
        ),
    ]


def _without_exponents(texts: pl.Series) -> pl.Series:
    odd = [text for text in texts.unique() if _EXPONENT.fullmatch(text)]
    plain = [f"{Decimal(text.replace(',', '.')):f}".replace(".", ",") for text in odd]
    return texts.replace(odd, plain) if odd else texts


def _balance(amounts: tuple[str, str]) -> pl.Expr:
    if amounts == _DEBIT_CREDIT:
        return _amount("debit") - _amount("credit")
    side = pl.col("sens").str.to_uppercase().replace_strict(_SIDES, default=0, return_dtype=pl.Int64)
    amount = _amount("montant")
    return pl.when(side < 0).then(-amount).otherwise(amount)


def _amount(column: str) -> pl.Expr:
    signed = (
        pl.col(column)
        .str.replace(r"^([0-9,]+)-$", "-${1}")
        .str.strip_chars_end("+")
        .str.strip_chars_start("+")
    )
    return signed.str.replace(",", ".", literal=True).cast(MONEY, strict=False).fill_null(0)


def _check_balance(lines: pl.DataFrame, problems: Problems) -> None:
    difference = lines["balance"].sum()
    if difference:
        problems.add(
            f"the debits of the ledger exceed its credits by {difference:.2f}"
            if difference > 0
            else f"the credits of the ledger exceed its debits by {-difference:.2f}",
            "A complete ledger balances: lines are missing or damaged. Export it again.",
        )


def _closing_date(stem: str, first: date, last: date) -> date:
    """Return the last day of the fiscal year: as the name says, unless the entries say otherwise."""
    named = _CLOSING.search(stem)
    if named:
        try:
            closing = date.fromisoformat(named[1])
        except ValueError:
            closing = None
        # The first fiscal year of a company may have up to 24 months.
        if closing is not None and last <= closing <= first + timedelta(days=731):
            return closing
    start = first.replace(day=1)
    return max(start.replace(year=start.year + 1) - timedelta(days=1), last)
