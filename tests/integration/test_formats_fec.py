"""French ledgers: the forms of practice, items and payments that add up to the balance, and refusals."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from policies.model import CUSTOMERS, INVOICES, PAYMENTS, SourceKind
from policies.sources import ParsedFile
from tasks.formats import read_export

AS_OF = date(2027, 1, 10)
COLUMNS = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit"),
    *("EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
)


def entry(
    number: str, day: str, debit: str, credit: str, piece: str = "", *, letter: str = "", party: str = "C1",
    account: str = "411000", journal: str = "VE", other: str = "707000", piece_date: str = "",
) -> list[list[str]]:  # fmt: skip
    """One balanced entry: a line on a customer's account and its counterpart."""
    name = f"Client {party}" if party else ""
    head = [journal, "Journal", number, day]
    line = [piece, piece_date or day, f"Label {number}"]
    tail = [letter, "", day, "", ""]
    return [
        [*head, account, "Clients", party, name, *line, debit, credit, *tail],
        [*head, other, "Other", "", "", *line, credit, debit, *tail],
    ]


def read(
    folder: Path, rows: Sequence[Sequence[str]], *, separator: str = "\t", header: Sequence[str] = COLUMNS,
    encoding: str = "utf-8", end: str = "\n", name: str = "123456789FEC20261231.txt",
) -> ParsedFile:  # fmt: skip
    path = folder / name
    path.write_bytes((end.join(separator.join(row) for row in [header, *rows]) + end).encode(encoding))
    return read_export(path, [], AS_OF)


def balance(parsed: ParsedFile, day: date) -> Decimal:
    invoices = parsed.records["invoices"].filter(pl.col("invoice_date") <= day)["amount"].sum()
    payments = parsed.records["payments"].filter(pl.col("payment_date") <= day)["amount"].sum()
    return Decimal(invoices) - Decimal(payments)


LEDGER = [
    *entry("1", "20260101", "100,00", "0,00", "RAN", journal="AN", other="101000"),
    *entry("2", "20260110", "1000,00", "0,00", "F1", letter="A"),
    *entry("3", "20260120", "500,00", "0,00", "F2", letter="A"),
    *entry("4", "20260215", "0,00", "1500,00", "VIR", letter="A", journal="BQ", other="512000"),
    *entry("5", "20260301", "300,00", "0,00", "F3", letter="B"),
    *entry("6", "20260310", "0,00", "200,00", "VIR", letter="B", journal="BQ", other="512000"),
    *entry("7", "20260311", "0,00", "50,00", "VIR", journal="BQ", other="512000"),
]


def test_a_ledger_becomes_items_payments_and_customers(tmp_path: Path) -> None:
    parsed = read(tmp_path, LEDGER)
    assert parsed.problems.is_empty()
    assert (parsed.source, parsed.kind, parsed.fiscal_year) == ("fec", SourceKind.LEDGER, "2026")
    assert parsed.file_date == date(2026, 3, 11)
    assert parsed.carries_payments
    assert not parsed.carries_balances
    schemas = {name: frame.schema for name, frame in parsed.records.items()}
    assert schemas == {"invoices": INVOICES, "payments": PAYMENTS, "customers": CUSTOMERS}
    first = parsed.records["invoices"].row(1, named=True)
    assert (first["customer_id"], first["invoice_number"], first["amount"]) == (
        "C1",
        "F1",
        Decimal("1000.000"),
    )
    assert (first["due_date"], first["due_date_assumed"]) == (date(2026, 2, 9), True)
    assert parsed.records["customers"]["customer_name"].to_list() == ["Client C1"]
    assert parsed.records["invoices"]["is_opening"].to_list() == [True, False, False, False]
    assert balance(parsed, date(2026, 3, 31)) == Decimal("150.000")
    assert balance(parsed, date(2026, 1, 31)) == Decimal("1600.000")


def test_letters_pair_only_where_they_sum_to_zero(tmp_path: Path) -> None:
    payments = read(tmp_path, LEDGER).records["payments"]
    assert payments.select("payment_date", "amount", "invoice_number").rows() == [
        (date(2026, 2, 15), Decimal("1000.000"), "F1"),
        (date(2026, 2, 15), Decimal("500.000"), "F2"),
        (date(2026, 3, 10), Decimal("200.000"), None),
        (date(2026, 3, 11), Decimal("50.000"), None),
    ]
    assert payments["payment_id"].n_unique() == 3
    assert any("1 of 2 letter groups" in warning for warning in read(tmp_path, LEDGER).warnings)


def test_the_same_letter_of_two_customers_is_two_groups(tmp_path: Path) -> None:
    rows = [
        *entry("1", "20260110", "100,00", "0,00", "F1", letter="A"),
        *entry("2", "20260111", "0,00", "100,00", "V", letter="A", party="C2"),
    ]
    assert read(tmp_path, rows).records["payments"]["invoice_number"].to_list() == [None]


def test_several_entries_under_one_piece_are_told_apart_and_the_first_keeps_its_name(tmp_path: Path) -> None:
    rows = [
        *entry("7", "20260110", "100,00", "0,00", "LOT"),
        *entry("9", "20260210", "30,00", "0,00", "LOT"),
        *entry("8", "20260110", "20,00", "0,00", "LOT", party="C2"),
        *entry("10", "20260110", "5,00", "0,00", "-"),
    ]
    invoices = read(tmp_path, rows).records["invoices"].select("customer_id", "invoice_number")
    assert sorted(invoices.rows()) == [("C1", "10"), ("C1", "LOT"), ("C1", "LOT/9"), ("C2", "LOT")]


def test_lines_of_one_entry_and_piece_are_one_item(tmp_path: Path) -> None:
    one, two = entry("7", "20260110", "100,00", "0,00", "F1"), entry("7", "20260110", "20,00", "0,00", "F1")
    assert read(tmp_path, [*one, *two]).records["invoices"]["amount"].to_list() == [Decimal("120.000")]


def test_an_entry_number_used_by_two_journals_makes_two_items(tmp_path: Path) -> None:
    rows = [
        row
        for journal in ("V1", "V2", "V3")
        for row in entry("7", "20260110", "9,00", "0,00", "F1", journal=journal)
    ]
    names = read(tmp_path, rows).records["invoices"]["invoice_number"].to_list()
    assert sorted(names) == ["F1", "F1/7", "F1/7/2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "iso-8859-15"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends_of_practice(tmp_path: Path, encoding: str, end: str) -> None:
    rows = [[cell.replace("Client", "Café Noël à") for cell in row] for row in LEDGER]
    header = [name.replace("EcritureLet", "Écriturelet").upper() for name in COLUMNS]
    parsed = read(tmp_path, rows, separator="|", header=header, encoding=encoding, end=end)
    assert parsed.problems.is_empty()
    assert parsed.records["customers"]["customer_name"].to_list() == ["Café Noël à C1"]


def test_windows_letters_are_kept(tmp_path: Path) -> None:
    rows = [[cell.replace("Client C1", "Cœur d’or") for cell in row] for row in LEDGER]
    parsed = read(tmp_path, rows, encoding="cp1252")
    assert parsed.records["customers"]["customer_name"].to_list() == ["Cœur d’or"]


def test_damaged_utf_8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "FEC.txt"
    text = "\n".join("\t".join(row) for row in [COLUMNS, *LEDGER]).replace("Client C1", "Café")
    path.write_bytes(text.encode() + b"\xe9")
    assert "is not utf-8" in read_export(path, [], AS_OF).problems["rule"].item()


def test_a_trailing_separator_and_further_columns_do_no_harm(tmp_path: Path) -> None:
    trailing = [[*row, ""] for row in LEDGER]
    assert read(tmp_path, trailing, header=[*COLUMNS, ""]).problems.is_empty()
    assert read(tmp_path, trailing).problems.is_empty()
    assert read(tmp_path, LEDGER, header=[*COLUMNS, ""]).problems.is_empty()
    assert read(tmp_path, [[*row, "x"] for row in LEDGER], header=[*COLUMNS, "NatOp"]).problems.is_empty()


@pytest.mark.parametrize(("debit", "credit"), [("D", "C"), ("+1", "-1"), ("d", "c")])
def test_an_amount_and_a_side_are_a_debit_or_a_credit(tmp_path: Path, debit: str, credit: str) -> None:
    header = [{"Debit": "Montant", "Credit": "Sens"}.get(name, name) for name in COLUMNS]
    rows = [
        [*row[:11], *((row[12], credit) if row[11] == "0,00" else (row[11], debit)), *row[13:]]
        for row in LEDGER
    ]
    assert balance(read(tmp_path, rows, header=header), date(2026, 12, 31)) == Decimal("150.000")
    rows[0][12] = "X"
    assert read(tmp_path, rows, header=header).problems.select("line", "column").row(0) == (2, "Sens")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0000000100,50", "100.500"),
        ("  100,5 ", "100.500"),
        ("+100", "100.000"),
        ("100,00+", "100.000"),
        ("1,005E2", "100.500"),
    ],
)
def test_amounts_may_be_padded_signed_or_with_exponent(tmp_path: Path, text: str, amount: str) -> None:
    assert read(tmp_path, entry("1", "20260110", text, "", "F1")).records["invoices"]["amount"].to_list() == [
        Decimal(amount)
    ]


def test_a_negative_debit_is_a_credit(tmp_path: Path) -> None:
    parsed = read(tmp_path, entry("1", "20260110", "100,00-", "0,00", "F1"))
    assert parsed.records["invoices"].is_empty()
    assert parsed.records["payments"]["amount"].to_list() == [Decimal("100.000")]


@pytest.mark.parametrize("day", ["2026-01-10", "2026/01/10", "10/01/2026", "10.01.2026", "20260110 00:00:00"])
def test_dates_of_practice_are_read(tmp_path: Path, day: str) -> None:
    parsed = read(tmp_path, entry("1", day, "1,00", "0,00", "F1"))
    assert parsed.records["invoices"]["invoice_date"].to_list() == [date(2026, 1, 10)]


def test_a_document_is_issued_on_its_own_date_and_at_the_latest_when_entered(tmp_path: Path) -> None:
    rows = [
        *entry("1", "20260110", "1,00", "0,00", "F1", piece_date="20260105"),
        *entry("2", "20260110", "1,00", "0,00", "F2", piece_date="20260228"),
        *entry("3", "20260110", "1,00", "0,00", "F3", piece_date="19000101"),
    ]
    days = read(tmp_path, rows).records["invoices"]["invoice_date"].to_list()
    assert days == [date(2026, 1, 5), date(2026, 1, 10), date(2026, 1, 10)]


def test_bills_doubtful_claims_and_retentions_count_but_nobody_is_asked(tmp_path: Path) -> None:
    rows = [
        *entry("1", "20260110", "10,00", "0,00", "F1"),
        *entry("2", "20260110", "20,00", "0,00", "T1", account="413000"),
        *entry("3", "20260110", "30,00", "0,00", "D1", account="416000"),
        *entry("4", "20260110", "40,00", "0,00", "R1", account="411700"),
        *entry("5", "20260110", "0,00", "5,00", "A1", account="419100"),
        *entry("6", "20260110", "99,00", "0,00", "P1", account="418100"),
    ]
    parsed = read(tmp_path, rows)
    assert balance(parsed, date(2026, 12, 31)) == Decimal("95.000")
    dated = parsed.records["invoices"].filter(pl.col("due_date").is_not_null())["invoice_number"].to_list()
    assert dated == ["F1"]
    assert any("3 lines on 411700, 413000, 416000 (balance 90.00)" in warning for warning in parsed.warnings)


def test_a_customer_without_auxiliary_is_the_account(tmp_path: Path) -> None:
    rows = [
        *entry("1", "20260110", "10,00", "0,00", "F1", party="", account="411DUPONT"),
        *entry("2", "20260110", "10,00", "0,00", "F2", party="", account="411000"),
    ]
    parsed = read(tmp_path, rows)
    assert parsed.records["customers"]["customer_id"].to_list() == ["411DUPONT", "411000"]
    assert any("1 line on the collective account 411000" in warning for warning in parsed.warnings)


def test_openings_are_known_by_journal_name_or_by_the_capital(tmp_path: Path) -> None:
    named = [
        [cell.replace("Journal", "Report à nouveau") for cell in row]
        for row in entry("1", "20260101", "9,00", "", "X")
    ]
    assert read(tmp_path, [*named, *LEDGER[2:]]).records["invoices"]["is_opening"].to_list()[0]
    capital = entry("1", "20260101", "9,00", "", "X", journal="OD", other="101000")
    assert read(tmp_path, [*capital, *LEDGER[2:]]).records["invoices"]["is_opening"].to_list() == [
        True,
        *[False] * 3,
    ]


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("123456789FEC20270630.txt", "2027"),
        ("123456789FEC20251231.txt", "2026"),
        ("fec du comptable.TXT", "2026"),
        ("FEC20269999.txt", "2026"),
    ],
)
def test_the_fiscal_year_is_that_of_the_closing_date_if_the_entries_fit(
    tmp_path: Path, name: str, year: str
) -> None:
    assert read(tmp_path, LEDGER, name=name).fiscal_year == year


def test_a_ledger_is_never_dated_after_its_intake(tmp_path: Path) -> None:
    path = tmp_path / "FEC.txt"
    path.write_text("\n".join("\t".join(row) for row in [COLUMNS, *LEDGER]))
    assert read_export(path, [], date(2026, 2, 1)).file_date == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("1000,00", "1000.00"), (4, "Debit", "not an amount of a FEC")),
        (("1000,00", "1 000,00"), (4, "Debit", "not an amount of a FEC")),
        (
            ("1000,00", "1000,005"),
            (4, "Debit", "more decimals than the currency has; nothing is rounded in silence"),
        ),
        (("20260110", "20260231"), (4, "EcritureDate", "not a date of the calendar")),
        (("411000", "X11000"), (4, "CompteNum", "not an account number")),
        (("1000,00", "999,00"), (None, "", "the credits of the ledger exceed its debits by 1.00")),
        (("1000,00", "1001,00"), (None, "", "the debits of the ledger exceed its credits by 1.00")),
        (("\tF1\t20260110", ""), (4, "", "16 fields, where the header has 18")),
    ],
)
def test_what_is_wrong_in_a_ledger_is_said(
    tmp_path: Path, change: tuple[str, str], problem: tuple[int | None, str, str]
) -> None:
    path = tmp_path / "FEC.txt"
    text = ["\t".join(row) for row in [COLUMNS, *LEDGER]]
    text[3] = text[3].replace(*change, 1)
    path.write_text("\n".join(text))
    parsed = read_export(path, [], AS_OF)
    assert problem in parsed.problems.select("line", "column", "rule").rows()
    assert not parsed.records


def test_a_ledger_without_a_needed_column_or_any_line_is_refused(tmp_path: Path) -> None:
    header = ["Foo" if name == "EcritureLet" else name for name in COLUMNS]
    missing = read(tmp_path, LEDGER, header=header).problems
    assert missing.select("line", "column", "rule").rows() == [
        (1, "EcritureLet", "this column of a FEC is missing")
    ]
    assert read(tmp_path, []).problems["rule"].to_list() == ["the ledger has no lines"]
    (tmp_path / "FEC.txt").write_bytes(b"")
    assert read_export(tmp_path / "FEC.txt", [], AS_OF).problems["rule"].to_list() == [
        "the file is empty (0 bytes)"
    ]


def test_a_ledger_without_customers_says_so(tmp_path: Path) -> None:
    parsed = read(tmp_path, entry("1", "20260110", "1,00", "", "F1", account="401000"))
    assert parsed.problems.is_empty()
    assert parsed.warnings == ["no line on the accounts 411, 413, 416, 419"]


def test_a_text_that_only_has_the_name_of_a_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "effectifs_fec.txt").write_text("nom\tage\nDurand\t40\n")
    rules = read_export(tmp_path / "effectifs_fec.txt", [], AS_OF).problems["rule"].to_list()
    assert rules == ["this is not a FEC: its first line does not name the columns of one"]
