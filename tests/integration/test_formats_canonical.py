"""Files in our own words: what they mean, and every way one is refused."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from policies.model import CUSTOMERS, EVENTS, INVOICES, PAYMENTS, SourceKind
from policies.sources import ParsedFile
from tasks.formats import read_export

AS_OF = date(2026, 1, 10)
HEADER = "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount,amount_open"
FIRST = "0012,Boulangerie Martin,F001,2026-01-05,2026-02-04,EUR,1234.50,1000.00"
SECOND = "C2,Ets Durand,F002,2026-01-05,,JPY,99,99"


def read(folder: Path, text: str | bytes, name: str = "invoices-full.csv") -> ParsedFile:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_export(path, [], AS_OF)


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


def said(parsed: ParsedFile) -> list[tuple[int | None, str, str]]:
    return parsed.problems.select("line", "column", "rule").rows()


def test_a_listing_becomes_invoices_and_customers(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER, FIRST, SECOND), "Invoices-Full_2026-01-09.CSV")
    assert parsed.problems.is_empty()
    assert (parsed.source, parsed.kind) == ("invoices-full", SourceKind.FULL_OPEN_ITEMS)
    assert parsed.file_date == date(2026, 1, 9)
    assert parsed.carries_balances
    assert not parsed.carries_payments
    invoices = parsed.records["invoices"]
    assert invoices.schema == INVOICES
    first, second = invoices.rows(named=True)
    assert first["customer_id"] == "0012"
    assert first["installment"] == "1"
    assert first["document_type"] == "invoice"
    assert first["amount_open"] == Decimal("1000.000")
    assert first["balance_date"] == date(2026, 1, 9)
    assert first["line_number"] == 2
    assert second["due_date"] is None
    assert parsed.records["customers"].schema == CUSTOMERS
    assert parsed.records["customers"]["customer_name"].to_list() == ["Boulangerie Martin", "Ets Durand"]


def test_without_a_date_in_its_name_a_file_is_dated_by_the_intake(tmp_path: Path) -> None:
    assert read(tmp_path, lines(HEADER, FIRST)).file_date == AS_OF


def test_the_column_as_of_dates_the_balance(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER + ",as_of", FIRST + ",2026-01-07", SECOND + ","), "invoices.csv")
    assert parsed.kind is SourceKind.INCREMENTAL
    assert parsed.records["invoices"]["balance_date"].to_list() == [date(2026, 1, 7), AS_OF]


def test_a_paid_amount_leaves_the_rest_open(tmp_path: Path) -> None:
    text = lines(HEADER.replace("amount_open", "amount_paid"), FIRST, "C2,B,F2,2026-01-05,,EUR,10.00,")
    invoices = read(tmp_path, text, "invoices.csv").records["invoices"]
    assert invoices["amount_open"].to_list() == [Decimal("234.500"), None]
    assert invoices["balance_date"].to_list() == [AS_OF, None]


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_note_is_negative_whatever_its_sign(tmp_path: Path, sign: str) -> None:
    row = f"C2,B,A1,2026-01-05,,EUR,{sign}50.00,{sign}20.00,credit_note"
    invoices = read(tmp_path, lines(HEADER + ",document_type", row)).records["invoices"]
    assert invoices.row(0, named=True)["amount"] == Decimal("-50.000")
    assert invoices.row(0, named=True)["amount_open"] == Decimal("-20.000")


def test_quoted_texts_may_hold_commas_and_span_lines(tmp_path: Path) -> None:
    rows = (
        'C1,"Martin, ""fils""",F1,2026-01-05,,EUR,1.00,1.00',
        'C2,"two\nlines",F2,2026-01-05,,EUR,2.00,2.00',
    )
    parsed = read(tmp_path, lines(HEADER, *rows, "C3,c,F3,2026-01-05,,EUR,3.00,3.0x"))
    assert said(parsed) == [(5, "amount_open", "not an amount in the agreed form")]
    parsed = read(tmp_path, lines(HEADER, *rows))
    assert parsed.records["customers"]["customer_name"].to_list() == ['Martin, "fils"', "two\nlines"]
    assert parsed.records["invoices"]["line_number"].to_list() == [2, 3]


def test_blank_lines_and_crlf_and_a_mark_at_the_start_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + lines(HEADER, FIRST, "", ",,,,,,,", SECOND).replace("\n", "\r\n")
    assert read(tmp_path, text).records["invoices"]["line_number"].to_list() == [2, 5]


def test_the_last_row_that_states_an_attribute_wins(tmp_path: Path) -> None:
    rows = (
        "C1,Old name,F1,2026-01-05,,EUR,1.00,1.00,a@example.org",
        "C1,New name,F2,2026-01-05,,EUR,1.00,1.00,",
    )
    customer = read(tmp_path, lines(HEADER + ",email", *rows)).records["customers"].row(0, named=True)
    assert (customer["customer_name"], customer["email"]) == ("New name", "a@example.org")
    assert customer["phone"] is None


def test_a_blank_in_a_customers_file_is_stated(tmp_path: Path) -> None:
    parsed = read(tmp_path, "customer_id,customer_name,email\n001,A,\n", "customers.csv")
    customer = parsed.records["customers"].row(0, named=True)
    assert (customer["customer_id"], customer["email"], customer["phone"]) == ("001", "", None)


def test_payments_may_be_reversed_and_need_name_no_invoice(tmp_path: Path) -> None:
    text = "payment_id,customer_id,payment_date,currency,amount,invoice_number\nP1,C1,2026-01-05,EUR,-5.00,\n"
    parsed = read(tmp_path, text, "payments-2026-01-06.csv")
    assert parsed.records["payments"].schema == PAYMENTS
    payment = parsed.records["payments"].row(0, named=True)
    assert (payment["amount"], payment["invoice_number"], payment["installment"]) == (
        Decimal("-5.000"),
        None,
        None,
    )
    assert parsed.carries_payments


def test_an_event_without_id_is_known_by_its_content(tmp_path: Path) -> None:
    header = "event_id,event_date,kind,customer_id,note"
    row = ",2026-01-05,hold,C1,asked to wait"
    first = read(tmp_path, lines(header, row, row), "events-1.csv").records["events"]
    again = read(tmp_path, lines(header, "E9,2026-01-02,answer,C2,", row), "events-2.csv").records["events"]
    assert first.schema == EVENTS
    assert first["event_id"].n_unique() == 2
    assert first["event_id"][0] == again["event_id"][1]
    assert again["event_id"][0] == "E9"


def test_promises_and_plans_need_their_date_and_plans_an_amount(tmp_path: Path) -> None:
    rows = (
        "2026-01-05,promise,C1,,",
        "2026-01-05,payment_plan,C1,,2026-02-01",
        "2026-01-05,dispute,C1,-3,",
    )
    parsed = read(tmp_path, lines("event_date,kind,customer_id,amount,until", *rows), "events.csv")
    assert said(parsed) == [
        (2, "until", "this kind of event needs until"),
        (3, "amount", "this kind of event needs amount"),
        (4, "amount", "an event with a negative amount"),
    ]
    assert parsed.problems["value"].to_list() == ["", "", "-3"]


def test_actions_of_before_are_read(tmp_path: Path) -> None:
    text = "customer_id,invoice_number,step,dispatch_date,channel\nC1,F1,reminder_1,2025-12-20,Email\n"
    action = read(tmp_path, text, "actions.csv").records["actions"].row(0, named=True)
    assert (action["installment"], action["channel"]) == ("1", "email")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("2026-02-04", "2026-02-30"), (2, "due_date", "not a date of the calendar in the agreed form")),
        (("2026-02-04", "2026-2-4"), (2, "due_date", "not a date of the calendar in the agreed form")),
        (("2026-02-04", "0202-02-04"), (2, "due_date", "a year that cannot be meant")),
        (("1234.50", '"1234,50"'), (2, "amount", "not an amount in the agreed form")),
        (("1234.50", "1234567890123456"), (2, "amount", "not an amount in the agreed form")),
        (
            ("1234.50", "1.234"),
            (2, "amount", "more decimals than the currency has; nothing is rounded in silence"),
        ),
        (
            ("1234.50", "1.500"),
            (2, "amount", "more decimals than the currency has; nothing is rounded in silence"),
        ),
        (
            ("JPY,99,", "JPY,99.5,"),
            (3, "amount", "more decimals than the currency has; nothing is rounded in silence"),
        ),
        (("EUR", "EURO"), (2, "currency", "not the code of a currency")),
        (("0012", ""), (2, "customer_id", "customer_id is blank")),
        (("1234.50", "-1234.50"), (2, "amount", "an invoice with a negative amount")),
        ((",JPY,99,99", ",JPY"), (3, "", "6 fields, where the header has 8")),
        (("0012,", "0012,x,"), (2, "", "9 fields, where the header has 8")),
        (
            ("Ets Durand", '"Ets Durand'),
            (3, "", "a quoted text that opens on this line is never closed properly"),
        ),
        (
            ("Ets Durand", "Ets\0Durand"),
            (3, "", "a NUL byte: this is not a text file, or it was damaged on the way"),
        ),
        (("due_date", "duedate"), (1, "due_date", "this column is missing")),
        (("amount_open", "customer_id"), (1, "customer_id", "two columns have this name")),
        ((",customer_name", ","), (1, "", "column 2 has no name")),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, change: tuple[str, str], problem: tuple[int, str, str]
) -> None:
    parsed = read(tmp_path, lines(HEADER, FIRST, SECOND).replace(*change, 1))
    assert problem in said(parsed)
    assert not parsed.records


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "the file is empty (0 bytes)"),
        (b"\n \n", "the file is empty"),
        (b"%PDF-1.7\n...", "this is a PDF, whatever its name says"),
        (lines(HEADER, FIRST).encode("utf-16"), "this is UTF-16 text, whatever its name says"),
        (
            lines(HEADER, FIRST).replace(",", ";").encode(),
            "columns are separated by ';' here, where ',' is expected",
        ),
        (
            lines(HEADER, FIRST.replace("Martin", "Évrard")).encode("cp1252"),
            "byte 18 of this line is not utf-8",
        ),
        (lines(HEADER).encode(), "0 rows, where at least 1 are expected"),
        (b"\n" + lines(HEADER).encode(), "the line of column names is empty"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    assert [found for _, _, found in said(read(tmp_path, content))] == [rule]


def test_an_incremental_file_may_hold_nothing_but_its_header(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER), "invoices.csv")
    assert parsed.problems.is_empty()
    assert parsed.records["invoices"].is_empty()


def test_a_repeated_key_names_the_line_it_repeats(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER, FIRST, SECOND, FIRST))
    assert said(parsed) == [(4, "invoice_number", "the same customer_id, invoice_number as line 2")]


def test_one_payment_may_pay_several_invoices_but_none_twice(tmp_path: Path) -> None:
    row = "P1,C1,2026-01-05,EUR,5.00,"
    header = "payment_id,customer_id,payment_date,currency,amount,invoice_number"
    assert read(tmp_path, lines(header, row + "F1", row + "F2"), "payments.csv").problems.is_empty()
    assert read(tmp_path, lines(header, row + "F1", row + "F1"), "payments.csv").problems.height == 1


def test_a_wrong_column_comes_with_the_one_that_is_meant(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER.replace("due_date", "Due_Date"), FIRST))
    fix = parsed.problems.filter(column="Due_Date")["fix"].item()
    assert fix.startswith("Did you mean due_date? Known: customer_id, invoice_number, ")


def test_open_and_paid_are_not_given_both(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER + ",amount_paid", FIRST + ",1.00"))
    assert said(parsed) == [(1, "amount_paid", "both amount_open and amount_paid are columns of this file")]


def test_a_column_nobody_knows_does_not_hide_what_is_wrong_in_the_rows(tmp_path: Path) -> None:
    wrong = FIRST.replace("2026-01-05", "2026-13-05").replace("1234.50", "many")
    parsed = read(tmp_path, lines(HEADER + ",colour", wrong + ",red", SECOND + ",blue", SECOND + ",blue"))
    assert said(parsed) == [
        (1, "colour", "not a column of this file"),
        (2, "invoice_date", "not a date of the calendar in the agreed form"),
        (2, "amount", "not an amount in the agreed form"),
        (4, "invoice_number", "the same customer_id, invoice_number as line 3"),
    ]


@pytest.mark.parametrize(
    "column", ["customer_id", "invoice_number", "invoice_date", "due_date", "currency", "amount"]
)
def test_a_missing_column_does_not_hide_what_is_wrong_in_the_others(tmp_path: Path, column: str) -> None:
    headers = HEADER.split(",")
    place = headers.index(column)
    rows = [
        row.split(",") for row in (HEADER, FIRST, FIRST.replace("F001", "F002").replace("1000.00", "some"))
    ]
    left = [",".join(cells[:place] + cells[place + 1 :]) for cells in rows]
    assert said(read(tmp_path, lines(*left))) == [
        (1, column, "this column is missing"),
        (3, "amount_open", "not an amount in the agreed form"),
    ]


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("payments.csv", "customer_id,payment_date,currency,amount,reference", "C1,2026-01-05,EUR,1.00,x"),
        ("customers.csv", "customer_name,country", "Martin,FR"),
        ("events.csv", "customer_id,amount,until", "C1,5.00,2026-01-01"),
        ("actions.csv", "customer_id,invoice_number", "C1,F1"),
        ("invoices.csv", "document_type,amount_open", "credit_note,5.00"),
    ],
)
def test_of_a_file_with_half_its_columns_only_those_are_told(
    tmp_path: Path, name: str, header: str, row: str
) -> None:
    rules = {rule for _, _, rule in said(read(tmp_path, lines(header, row, row), name))}
    assert rules == {"this column is missing"}


def test_a_header_without_a_known_column_says_so_of_each(tmp_path: Path) -> None:
    rules = [rule for _, _, rule in said(read(tmp_path, lines("a,b", "1,2"), "customers.csv"))]
    assert rules == [
        *["this column is missing"] * 2,
        "not a column of this file",
        "not a column of this file",
    ]


def test_a_promise_does_not_end_before_it_was_made(tmp_path: Path) -> None:
    rows = [
        "2026-01-09,promise,C1,2026-01-08",
        "2026-01-09,promise,C1,2026-01-09",
        "2026-01-09,dispute,C1,2026-01-08",
    ]
    parsed = read(tmp_path, lines("event_date,kind,customer_id,until", *rows), "events.csv")
    assert said(parsed) == [(2, "until", "a promise that ends before it was made")]


def test_invoices_due_before_they_were_issued_are_warned_of(tmp_path: Path) -> None:
    early = FIRST.replace("2026-02-04", "2026-01-04")
    parsed = read(tmp_path, lines(HEADER, early, SECOND))
    assert parsed.problems.is_empty()
    assert "due before the date of issue: invoice F001" in parsed.warnings


def test_a_flood_of_problems_is_counted(tmp_path: Path) -> None:
    rows = [f"C{i},x,F{i},2026-13-01,,EUR,1.00,1.00" for i in range(1500)]
    problems = read(tmp_path, lines(HEADER, *rows)).problems
    assert problems.height == 1001
    assert problems["rule"][-1] == "500 more problems in this file"


def test_an_unknown_name_lists_what_was_tried(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER, FIRST), "report.csv")
    assert parsed.source == "unrecognised"
    assert "invoices-full*.csv" in parsed.problems["fix"].item()
    assert "*FEC*.txt (fec)" in parsed.problems["fix"].item()


def test_countries_and_languages_are_codes(tmp_path: Path) -> None:
    header = "customer_id,customer_name,country,language,customer_type"
    parsed = read(tmp_path, lines(header, "C1,A,fr,FR,Public", "C2,B,,,"), "customers.csv")
    assert parsed.records["customers"].select("country", "language", "customer_type").rows() == [
        ("FR", "fr", "public"),
        ("", "", ""),
    ]
    wrong = read(tmp_path, lines(header, "C1,A,France,french,private"), "customers.csv")
    assert [column for _, column, _ in said(wrong)] == ["language", "country", "customer_type"]


def test_a_stray_quotation_mark_inside_a_text_is_read_as_it_stands(tmp_path: Path) -> None:
    row = 'C1,Tubes 5" et 6",F1,2026-01-05,,EUR,1.00,1.00'
    parsed = read(tmp_path, lines(HEADER, row, FIRST))
    assert parsed.records["customers"]["customer_name"].to_list()[0] == 'Tubes 5" et 6"'


def test_a_line_too_long_is_found_beside_quoted_texts(tmp_path: Path) -> None:
    rows = ('C1,"a, b",F1,2026-01-05,,EUR,1.00,1.00', 'C2,"c",d,F2,2026-01-05,,EUR,1.00,1.00')
    assert said(read(tmp_path, lines(HEADER, *rows))) == [(3, "", "9 fields, where the header has 8")]


def test_an_unused_control_character_does_no_harm(tmp_path: Path) -> None:
    parsed = read(tmp_path, lines(HEADER, FIRST.replace("Martin", "Mar\x1ftin")))
    assert parsed.records["customers"]["customer_name"].to_list() == ["Boulangerie Mar\x1ftin"]


def test_addresses_that_no_mail_can_go_to_are_a_warning_and_no_refusal(tmp_path: Path) -> None:
    addresses = ["a@x.example", "", "none", "a@x", '"b@x.example, c@x.example"', "é@x.example"]
    rows = [f"C{n},Customer,{address}" for n, address in enumerate(addresses)]
    parsed = read(tmp_path, lines("customer_id,customer_name,email", *rows), "customers.csv")
    assert parsed.problems.is_empty()
    assert parsed.warnings == ["no usable e-mail address: customer C2, C3, C4 and 1 more"]
    one = read(tmp_path, lines("customer_id,customer_name,email", *rows[:3]), "customers.csv")
    assert one.warnings == ["no usable e-mail address: customer C2"]
