"""Call sheets, placement files and payment codes: tables that people and machines read."""

import csv
import hashlib
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from tasks.documents.amounts import print_money
from tasks.documents.call_sheet import OUTCOME_COLUMNS, render_call_sheet
from tasks.documents.content import find_agency
from tasks.documents.payment_qr import payment_code
from tasks.documents.placement import render_placement
from tasks.documents.safe_text import plain_cell
from tests.golden.sample_messages import BRITISH, FRENCH, TEMPLATES, creditor, message


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def placed(tmp_path: Path) -> bytes:
    invoice = tmp_path / "FA-0001.pdf"
    invoice.write_bytes(b"%PDF")
    contract = tmp_path / "contract 2025.pdf"
    contract.write_bytes(b"%PDF contract")
    first = message("placement", "agency", disputed="100")
    second = message("placement", "agency", "en", customer=BRITISH, currency="GBP", charges=False)
    second = second.model_copy(update={"message_id": "fedcba9876543210"})
    agency = find_agency(creditor(), "default")
    assert agency is not None
    papers = {first.message_id: [invoice, contract]}
    return render_placement([second, first], creditor(), TEMPLATES, agency, papers)


def test_a_call_sheet_has_the_oldest_first_and_room_for_the_outcome() -> None:
    calls = [message("call", "call", days_late=20), message("call", "call", customer=BRITISH, days_late=60)]
    rows = rows_of(render_call_sheet(calls, creditor(), TEMPLATES))
    assert [row["oldest_days_past_due"] for row in rows] == ["60", "20"]
    assert rows[1]["amount_demanded"] == "2003.00"
    assert rows[1]["phone"] == "+33 2 41 00 00 00"
    assert "Le paiement est-il programmé" in rows[1]["talking_points"]
    assert {row[column] for row in rows for column in OUTCOME_COLUMNS} == {""}
    assert not [name for row in rows for name in row if name.startswith("answer_")]


def test_a_call_that_asks_questions_has_a_column_for_each_answer() -> None:
    calls = [message("survey", "call", days_late=-7), message("call", "call", customer=BRITISH, days_late=60)]
    plain, asking = rows_of(render_call_sheet(calls, creditor(), TEMPLATES))
    assert "4. Le paiement est-il programmé, et à quelle date" in asking["talking_points"]
    for row in (plain, asking):
        assert [name for name in row if name.startswith("answer_")] == [f"answer_{n}" for n in range(1, 5)]
        assert {row[f"answer_{n}"] for n in range(1, 5)} == {""}


@pytest.mark.parametrize(
    "name", ["=cmd()", "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1+1", "\n=1", "  =1", "＝1"]
)
def test_a_name_is_never_a_formula(name: str) -> None:
    hostile = message("call", "call", customer=FRENCH.model_copy(update={"customer_name": name}))
    row = rows_of(render_call_sheet([hostile], creditor(), TEMPLATES))[0]
    assert row["customer_name"].startswith("'")
    assert not any(value.lstrip().startswith(("=", "@", "-")) for value in row.values())
    assert plain_cell(name).startswith("'")


def test_a_placement_is_the_same_file_every_time(tmp_path: Path) -> None:
    assert placed(tmp_path) == placed(tmp_path)


def test_the_manifest_proves_what_the_placement_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(placed(tmp_path))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["sha256"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert manifest["row_counts"] == {
        name: len(rows_of(files[name])) for name in ("debtor.csv", "event.csv", "invoice.csv")
    }
    invoices = rows_of(files["invoice.csv"])
    for currency, sums in manifest["control_sums"].items():
        for column, total in sums.items():
            told = sum(Decimal(row[column]) for row in invoices if row["currency"] == currency)
            assert Decimal(total) == told
    assert manifest["control_sums"]["EUR"]["principal_open"] == "1903.00"


def test_a_placement_names_debtor_debt_history_and_papers(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(placed(tmp_path))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    debtor = rows_of(files["debtor.csv"])[0]
    assert (debtor["id_type"], debtor["id_value"]) == ("SIREN", "987654324")
    invoices = rows_of(files["invoice.csv"])
    assert invoices[0]["document_sha256"] == hashlib.sha256(b"%PDF").hexdigest()
    assert (invoices[1]["dispute_flag"], invoices[1]["disputed_amount"], invoices[1]["principal_open"]) == (
        "true", "100.00", "902.00",
    )  # fmt: skip
    assert (invoices[0]["interest_rate"], invoices[0]["interest_from"]) == ("0.124", "2026-07-20")
    assert len(rows_of(files["event.csv"])) == 4
    case = "0123456789abcdef0123456789abcdef"
    assert f"documents/{case}/contract_2025.pdf" in files
    assert "n'est pas confiée" in files["notice.txt"].decode()
    assert "has instructed" not in files["notice.txt"].decode()
    assert "Agence de recouvrement" in files[f"notices/{case}.txt"].decode()


def test_an_agency_is_found_by_name_and_default_means_the_first() -> None:
    agency = find_agency(creditor(), "default")
    assert agency is not None
    assert agency.name.startswith("Agence")
    assert find_agency(creditor(), "elsewhere") is None


def test_a_payment_code_follows_the_standard_line_by_line() -> None:
    assert payment_code(creditor(), Decimal("1234.50"), "EUR", "C-001 FA-1").split("\n") == [
        "BCD", "002", "1", "SCT", "AGRIFRPP", "Ateliers Cormier", "FR7630006000011234567890189", "EUR1234.50", "", "",
        "C-001 FA-1",
    ]  # fmt: skip


@pytest.mark.parametrize(("amount", "currency"), [("10", "USD"), ("0", "EUR"), ("1000000000", "EUR")])
def test_a_payment_that_the_standard_has_no_code_for_gets_none(amount: str, currency: str) -> None:
    assert payment_code(creditor(), Decimal(amount), currency, "x") == ""


def test_a_reference_cannot_add_lines_to_a_payment_code() -> None:
    assert payment_code(creditor(), Decimal(1), "EUR", "a\nb\r\nEUR1").count("\n") == 10


@pytest.mark.parametrize(
    ("amount", "currency", "language", "printed"),
    [
        ("1234.56", "EUR", "fr", "1\u202f234,56\u00a0€"),
        ("1234.56", "EUR", "en", "€1,234.56"),
        ("1234", "JPY", "en", "JP¥1,234"),
        ("1234.5", "TND", "fr", "1\u202f234,500\u00a0TND"),
        ("1.005", "EUR", "en", "€1.01"),
        ("1234.5", "EUR", "nowhere", "€1,234.50"),
    ],
)
def test_an_amount_is_printed_as_its_reader_writes_it(
    amount: str, currency: str, language: str, printed: str
) -> None:
    assert print_money(Decimal(amount), currency, language) == printed
