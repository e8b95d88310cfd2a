"""Source declarations: what they may say, and that everything wrong in one is said at once."""

from decimal import Decimal
from pathlib import Path

import pytest

from policies.errors import PolicyInvalidError
from policies.model import SourceKind
from policies.source_fields import Record, known_columns, required_columns
from policies.sources import ColumnSource, Declaration, parse_declaration

BASE = """
description: Open items of the ERP.
source: erp
file_pattern: "erp*.csv"
format: delimited
kind: full_open_items
constants: {currency: EUR}
columns:
  customer_id: Customer
  invoice_number: {column: Number, integer_like: true}
  invoice_date: Issued
  due_date: Due
  amount: Amount
"""

FEC = """
description: A ledger.
source: fec
file_pattern: "*FEC*.txt"
format: fec
kind: ledger
constants: {currency: EUR}
terms_days: 30
accounts: ["411"]
"""


def refused(text: str) -> str:
    with pytest.raises(PolicyInvalidError) as caught:
        parse_declaration(text, "erp.yaml")
    return str(caught.value)


def test_a_column_is_named_or_detailed() -> None:
    declaration = parse_declaration(BASE, "erp.yaml")
    assert declaration.columns["customer_id"] == ColumnSource(column="Customer")
    assert declaration.columns["invoice_number"].integer_like
    assert declaration.kind is SourceKind.FULL_OPEN_ITEMS
    assert declaration.date_format == ("%Y-%m-%d",)


def test_one_or_several_date_formats() -> None:
    assert parse_declaration(BASE + 'date_format: "%d/%m/%Y"\n', "erp.yaml").date_format == ("%d/%m/%Y",)
    both = parse_declaration(BASE + 'date_format: ["%d/%m/%Y", "%d/%m/%y"]\n', "erp.yaml")
    assert both.date_format == ("%d/%m/%Y", "%d/%m/%y")


def test_a_full_listing_must_have_rows_unless_it_says_otherwise() -> None:
    assert parse_declaration(BASE, "erp.yaml").minimum_rows == 1
    assert parse_declaration(BASE + "expected: {minimum_rows: 0}\n", "erp.yaml").minimum_rows == 0
    assert parse_declaration(BASE.replace("full_open_items", "incremental"), "erp.yaml").minimum_rows == 1
    assert parse_declaration(FEC, "fec.yaml").minimum_rows == 1


def test_percentages_are_decimals() -> None:
    declaration = parse_declaration(BASE + "maximum_cleared_percent: 12.5\n", "erp.yaml")
    assert declaration.maximum_cleared_percent == Decimal("12.5")


def test_terms_stand_in_for_a_due_date_and_debit_and_credit_for_an_amount() -> None:
    text = BASE.replace("  due_date: Due\n", "").replace(
        "  amount: Amount", "  debit: Debit\n  credit: Credit"
    )
    declaration = parse_declaration(text + "terms_days: 30\nsign: debit_credit\n", "erp.yaml")
    assert declaration.terms_days == 30


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("currency: EUR", "currency: EURO"), "EURO is not an ISO 4217 code"),
        (("  due_date: Due\n", ""), "columns.due_date: needed for invoices, or give terms_days"),
        (("  amount: Amount\n", ""), "columns.amount: needed for invoices, or give it in constants"),
        (("customer_id: Customer", "client: Customer"), "columns.client: not a column of invoices"),
        (("amount: Amount", "amount: {column: Amount, lookup: x}"), "there is no lookups.x"),
        (("format: delimited", "format: delimited\nlookups: {x: {a: b}}"), "lookups.x: used by no column"),
        (("format: delimited", "format: delimited\nsheet: A"), "sheet: only for format: excel"),
        (("format: delimited", 'format: delimited\nthousands_mark: "."'), "must differ from decimal_mark"),
        (("format: delimited", "format: delimited\nencoding: klingon"), "encoding: klingon is unknown"),
        (("format: delimited", 'format: delimited\naccounts: ["411"]'), "accounts: only for format: fec"),
        (("kind: full_open_items", "kind: ledger"), "ledger goes with format: fec"),
        (("currency: EUR", "currency: EUR, colour: red"), "constants.colour: not a column"),
        (("currency: EUR", "currency: EUR, amount: '1'"), "constants.amount: also given in columns"),
        (("  due_date: Due", "  due_date: Due\n  amount_open: A\n  amount_paid: B"), "not both"),
        (
            ("kind: full_open_items", "kind: incremental\nmaximum_cleared_percent: 5"),
            "only a full listing clears",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_key(change: tuple[str, str], sentence: str) -> None:
    assert sentence in refused(BASE.replace(*change))


def test_everything_wrong_is_said_at_once() -> None:
    text = refused(BASE.replace("EUR", "EURO").replace("  due_date: Due\n", ""))
    assert "EURO" in text
    assert "due_date" in text


def test_only_invoices_are_listed_in_full_or_state_payments() -> None:
    text = BASE.replace("format: delimited", "format: delimited\nrecord: events\npayments: {date: Paid}")
    said = refused(text)
    assert "kind: full_open_items is for invoices" in said
    assert "payments: only for record: invoices" in said


def test_an_unknown_key_is_refused() -> None:
    assert "colour" in refused(BASE + "colour: red\n")


def test_a_ledger_needs_accounts_terms_and_a_currency_and_no_columns() -> None:
    text = FEC.replace('accounts: ["411"]\n', "columns: {customer_id: A}\n").replace("terms_days: 30\n", "")
    said = refused(text.replace("constants: {currency: EUR}\n", ""))
    for key in ("columns:", "accounts: needed", "terms_days: needed", "constants.currency: needed"):
        assert key in said


def test_required_columns_are_known() -> None:
    for record in Record:
        assert set(required_columns(record)) <= set(known_columns(record))


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "source-declarations.md").read_text(encoding="utf-8")
    missing = [key for key in Declaration.model_fields if f"`{key}`" not in text]
    assert not missing
