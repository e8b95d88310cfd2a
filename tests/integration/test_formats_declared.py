"""Exports and workbooks of other systems, read as a declaration says."""

import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl

from policies.sources import Declaration, ParsedFile, parse_declaration
from tasks.formats import load_declarations, read_export
from tasks.formats.excel import MAXIMUM_UNPACKED_BYTES

AS_OF = date(2026, 1, 10)
BASE = """
description: An export of a system.
source: erp
file_pattern: "erp*"
format: delimited
columns:
  customer_id: Client
  invoice_number: {column: Piece, integer_like: true}
  invoice_date: Date
  due_date: Echeance
  amount: Montant
constants: {currency: EUR}
"""
FRENCH = 'separator: ";"\ndecimal_mark: ","\nthousands_mark: " "\ndate_format: ["%d/%m/%Y", "%d.%m.%Y"]\n'


def declared(text: str) -> Declaration:
    return parse_declaration(text, "erp.yaml")


def read(
    folder: Path, text: str, declaration: str, name: str = "erp.csv", encoding: str = "utf-8"
) -> ParsedFile:
    path = folder / name
    path.write_text(text, encoding=encoding, newline="")
    return read_export(path, [declared(declaration)], AS_OF)


def test_a_french_export_is_read_as_declared(tmp_path: Path) -> None:
    text = "Liste au 9 janvier\nClient;Piece;Date;Echeance;Montant\n"
    text += "007;1930571429.0;5/1/2026;04.02.2026;1\u00a0234,50\n"
    parsed = read(tmp_path, text, BASE + FRENCH + "encoding: cp1252\nheader_row: 2\n", encoding="cp1252")
    assert parsed.problems.is_empty()
    row = parsed.records["invoices"].row(0, named=True)
    assert (row["customer_id"], row["invoice_number"]) == ("007", "1930571429")
    assert (row["invoice_date"], row["due_date"]) == (date(2026, 1, 5), date(2026, 2, 4))
    assert (row["amount"], row["amount_open"], row["line_number"]) == (Decimal("1234.500"), None, 3)
    assert "customers" not in parsed.records


def test_thousands_stand_in_groups_of_three_and_a_sign_may_come_last(tmp_path: Path) -> None:
    text = "Client;Piece;Date;Echeance;Montant\nA;1;05/01/2026;;12 34,50\nA;2;05/01/2026;;1 234,50-\n"
    problems = read(tmp_path, text, BASE + FRENCH + "sign: negative_is_credit_note\n").problems
    assert problems.select("line", "column").rows() == [(2, "Montant")]
    fine = read(tmp_path, text.replace("12 34", "12 345"), BASE + FRENCH + "sign: negative_is_credit_note\n")
    assert fine.records["invoices"]["amount"].to_list() == [Decimal("12345.500"), Decimal("-1234.500")]
    assert fine.records["invoices"]["document_type"].to_list() == ["invoice", "credit_note"]


def test_dates_of_the_united_states_need_no_leading_zeros(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant\nA,1,4/6/2013,12/31/2013,5\n"
    row = read(tmp_path, text, BASE + 'date_format: "%m/%d/%Y"\n').records["invoices"].row(0, named=True)
    assert (row["invoice_date"], row["due_date"]) == (date(2013, 4, 6), date(2013, 12, 31))


def test_debit_and_credit_make_an_amount(tmp_path: Path) -> None:
    columns = BASE.replace("  amount: Montant", "  debit: D\n  credit: C") + "sign: debit_credit\n"
    text = "Client,Piece,Date,Echeance,D,C\nA,1,2026-01-05,,5.00,\nA,2,2026-01-05,,,7.25\nA,3,2026-01-05,,1.00,x\n"
    assert read(tmp_path, text, columns).problems.select("line", "column").rows() == [(4, "C")]
    invoices = read(tmp_path, text.replace(",x\n", ",\n"), columns).records["invoices"]
    assert invoices["amount"].to_list() == [Decimal("5.000"), Decimal("-7.250"), Decimal("1.000")]
    blank = read(tmp_path, text.replace("1.00,x", ","), columns).problems
    assert blank["rule"].to_list() == ["amount is blank"]


def test_an_invoice_row_may_state_a_payment(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant,Paid,Cash\nA,1,2026-01-05,,5.00,2026-01-08,\nA,2,2026-01-05,,5.00,,\n"
    text += "A,3,2026-01-05,,5.00,2026-01-09,2.00\n"
    parsed = read(tmp_path, text, BASE + "payments: {date: Paid, amount: Cash}\n")
    payments = (
        parsed.records["payments"].select("payment_id", "payment_date", "amount", "invoice_number").rows()
    )
    assert payments == [
        ("A/1/1", date(2026, 1, 8), Decimal("5.000"), "1"),
        ("A/3/1", date(2026, 1, 9), Decimal("2.000"), "3"),
    ]
    assert parsed.carries_payments
    wrong = read(
        tmp_path, text.replace("2026-01-08", "2026-01-38"), BASE + "payments: {date: Paid, amount: Cash}\n"
    )
    assert wrong.problems.select("line", "column").rows() == [(2, "Paid")]


def test_the_id_of_a_stated_payment_may_be_a_column(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant,Paid,Receipt\nA,1,2026-01-05,,5.00,2026-01-08,R7\n"
    parsed = read(tmp_path, text, BASE + "payments: {date: Paid, id: Receipt}\n")
    assert parsed.records["payments"]["payment_id"].to_list() == ["R7"]


def test_lookups_defaults_and_skipped_rows(tmp_path: Path) -> None:
    extra = """
lookups: {types: {FA: invoice, AV: credit_note}}
skip_rows_when: [{column: State, values: [VOID]}]
"""
    columns = BASE.replace(
        "  amount:", "  document_type: {column: Type, lookup: types, default: invoice}\n  amount:"
    )
    text = "Client,Piece,Date,Echeance,Montant,Type,State\nA,1,2026-01-05,,5.00,AV,\n"
    text += "A,2,x,,,,VOID\nA,3,2026-01-05,,5.00,,\n"
    parsed = read(tmp_path, text, columns + extra)
    assert parsed.records["invoices"]["document_type"].to_list() == ["credit_note", "invoice"]
    wrong = read(tmp_path, text.replace("AV", "OD"), columns + extra).problems
    assert wrong.select("line", "column", "value", "rule").rows() == [
        (2, "Type", "OD", "a value that lookups.types does not know")
    ]


def test_every_column_is_accounted_for(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant,Note\nA,1,2026-01-05,,5.00,x\n"
    said = read(tmp_path, text, BASE).problems
    assert said.select("line", "column").rows() == [(1, "Note")]
    assert read(tmp_path, text, BASE + "ignore: [Note]\n").problems.is_empty()
    assert read(tmp_path, text, BASE + "ignore_other_columns: true\n").problems.is_empty()
    missing = read(tmp_path, text.replace("Echeance", "Due"), BASE + "ignore_other_columns: true\n").problems
    assert missing.select("column", "rule").rows() == [("Echeance", "this column is missing")]


def headers_and_rows(parsed: ParsedFile) -> list[tuple[int | None, str]]:
    return parsed.problems.select("line", "column").rows()


def test_a_wrong_header_does_not_hide_what_is_wrong_in_the_rows(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant,Couleur\nA,1,2026-01-32,,many,red\n"
    assert headers_and_rows(read(tmp_path, text, BASE)) == [(1, "Couleur"), (2, "Date"), (2, "Montant")]
    lacking = text.replace("Piece", "Stuck").replace("many", "1.00")
    assert headers_and_rows(read(tmp_path, lacking, BASE)) == [
        (1, "Piece"),
        (1, "Stuck"),
        (1, "Couleur"),
        (2, "Date"),
    ]


def test_rows_are_not_judged_where_nobody_knows_which_to_skip(tmp_path: Path) -> None:
    declaration = BASE + "skip_rows_when: [{column: State, values: [VOID]}]\n"
    text = "Client,Piece,Date,Echeance,Montant\nA,1,2026-01-32,,many\n"
    assert headers_and_rows(read(tmp_path, text, declaration)) == [(1, "State")]


def test_of_an_amount_in_two_columns_and_a_stated_payment_the_missing_half_is_told(tmp_path: Path) -> None:
    sides = BASE.replace("  amount: Montant", "  debit: D\n  credit: C") + "sign: debit_credit\n"
    text = "Client,Piece,Date,Echeance,D\nA,1,2026-01-05,,5.00\n"
    assert headers_and_rows(read(tmp_path, text, sides)) == [(1, "C")]
    paid = BASE + "payments: {date: Paid, amount: Cash}\n"
    text = "Client,Piece,Date,Echeance,Montant,Cash\nA,1,2026-01-05,,5.00,3.00\n"
    assert headers_and_rows(read(tmp_path, text, paid)) == [(1, "Paid")]


def test_assumed_due_dates_are_marked(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant\nA,1,2026-01-05,,5.00\nA,2,2026-01-05,2026-01-20,5.00\n"
    parsed = read(tmp_path, text, BASE + "terms_days: 30\n")
    assert parsed.records["invoices"]["due_date"].to_list() == [date(2026, 2, 4), date(2026, 1, 20)]
    assert parsed.records["invoices"]["due_date_assumed"].to_list() == [True, False]
    assert parsed.warnings == ["1 due date assumed: invoice date + 30 days"]


def test_too_few_rows_refuse_and_too_many_warn(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant\nA,1,2026-01-05,,5.00\nA,2,2026-01-05,,5.00\n"
    few = read(tmp_path, text, BASE + "expected: {minimum_rows: 3}\n").problems
    assert few["rule"].to_list() == ["2 rows, where at least 3 are expected"]
    assert read(tmp_path, text, BASE + "expected: {maximum_rows: 1}\n").warnings == [
        "2 rows, where at most 1 were expected"
    ]


def test_the_date_in_the_name_is_found_as_declared(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant\nA,1,2026-01-05,,5.00\n"
    dated = BASE + 'file_date_format: "%d%m%Y"\n'
    assert read(tmp_path, text, dated, "erp_09012026.csv").file_date == date(2026, 1, 9)
    assert read(tmp_path, text, dated, "erp.csv").file_date == AS_OF
    assert read(tmp_path, text, BASE, "erp_20260108.csv").file_date == date(2026, 1, 8)
    assert read(tmp_path, text, BASE, "erp_20269999.csv").file_date == AS_OF


def test_two_declarations_for_one_file_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "erp.csv").write_text("x")
    both = [declared(BASE), declared(BASE.replace("source: erp", "source: other"))]
    parsed = read_export(tmp_path / "erp.csv", both, AS_OF)
    assert (
        parsed.problems["rule"].item() == "several source declarations fit the name of this file: erp, other"
    )


def test_a_declaration_of_the_workspace_stands_before_our_own_names(tmp_path: Path) -> None:
    text = "Client,Piece,Date,Echeance,Montant\nA,1,2026-01-05,,5.00\n"
    assert read(tmp_path, text, BASE.replace("erp*", "invoices*"), "invoices.csv").source == "erp"


def test_declarations_are_loaded_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "erp.yaml").write_text(BASE)
    assert [one.source for one in load_declarations(tmp_path)] == ["erp"]
    assert load_declarations(tmp_path / "absent") == ()


def workbook(folder: Path, *rows: tuple[object, ...], sheet: str = "Items") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    path = folder / "erp.xlsx"
    book.save(path)
    return path


EXCEL = BASE.replace("delimited", "excel") + 'header_row: 2\ndecimal_mark: ","\nthousands_mark: " "\n'
TITLES = ("Client", "Piece", "Date", "Echeance", "Montant")


def test_a_workbook_keeps_texts_and_rounds_number_cells(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        ("Open items", None, None, None, None),
        TITLES,
        ("007", 1930571429.0, date(2026, 1, 5), datetime(2026, 2, 4), 0.1 + 0.2),  # noqa: DTZ001 - a cell
        (None, None, None, None, None),
        ("008", "F2", "2026-01-06", None, "1 234,50"),
        ("009", "F3", date(2026, 1, 6), None, 1234.5),
    )
    parsed = read_export(path, [declared(EXCEL + "sheet: Items\n")], AS_OF)
    assert parsed.problems.is_empty()
    rows = (
        parsed.records["invoices"]
        .select("customer_id", "invoice_number", "due_date", "amount", "line_number")
        .rows()
    )
    assert rows == [
        ("007", "1930571429", date(2026, 2, 4), Decimal("0.300"), 3),
        ("008", "F2", None, Decimal("1234.500"), 5),
        ("009", "F3", None, Decimal("1234.500"), 6),
    ]


def test_what_is_wrong_in_a_workbook_has_its_row(tmp_path: Path) -> None:
    path = workbook(tmp_path, (None,), TITLES, ("A", "F1", "soon", None, "a lot"))
    problems = read_export(path, [declared(EXCEL)], AS_OF).problems
    assert problems.select("line", "column").rows() == [(3, "Date"), (3, "Montant")]


def test_workbooks_that_are_none_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, TITLES)
    assert (
        "there is no sheet Other"
        in read_export(path, [declared(EXCEL + "sheet: Other\n")], AS_OF).problems["rule"][0]
    )
    assert "no row 2" in read_export(path, [declared(EXCEL)], AS_OF).problems["rule"][0]
    for content in (b"", b"%PDF-1.7", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        assert read_export(path, [declared(EXCEL)], AS_OF).problems.height == 1


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "erp.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    assert (
        "not a workbook that can be read"
        in read_export(path, [declared(EXCEL)], AS_OF).problems["rule"].item()
    )


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    assert read_export(path, [declared(EXCEL)], AS_OF).problems["rule"].to_list() == ["the sheet is empty"]


def test_a_workbook_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, (None,), ("Client", "Client"))
    assert read_export(path, [declared(EXCEL)], AS_OF).problems["rule"].to_list() == [
        "two columns have this name"
    ]


def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "erp.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.xml", "w") as entry:
        for _ in range(MAXIMUM_UNPACKED_BYTES // 2**24 + 1):
            entry.write(bytes(2**24))
    assert "would unpack to" in read_export(path, [declared(EXCEL)], AS_OF).problems["rule"].item()
