"""Short rows become a history: what is left out is usual, what is said stands."""

from datetime import date
from decimal import Decimal

from policies.case_history import build_history
from tests.builders import policy

INVOICE = {"invoice_number": "A", "invoice_date": date(2026, 1, 1), "due_date": date(2026, 1, 31)}


def test_what_is_left_out_is_a_french_company_that_owes_euros_and_can_be_reached() -> None:
    known = build_history({"invoices": [INVOICE]})
    document, customer = known.documents.row(0, named=True), known.customers.row(0, named=True)
    assert (document["customer_id"], document["currency"], document["amount"]) == (
        "C1",
        "EUR",
        Decimal("1000.000"),
    )
    assert (customer["country"], customer["language"]) == ("FR", "fr")
    assert all(customer[name] for name in ("email", "phone", "address_line_1", "city"))


def test_an_attribute_said_to_be_unknown_is_unknown() -> None:
    known = build_history({"customers": [{"email": None}], "invoices": [INVOICE]})
    assert known.customers.row(0, named=True)["email"] is None


def test_a_credit_note_is_a_reduction_with_either_sign() -> None:
    rows = [
        {**INVOICE, "invoice_number": number, "document_type": "credit_note", "amount": amount}
        for number, amount in (("CN1", 40), ("CN2", -40))
    ]
    assert build_history({"invoices": rows}).documents["amount"].to_list() == [Decimal(-40), Decimal(-40)]


def test_an_action_takes_the_channel_of_its_step_and_counts_its_attempts() -> None:
    actions = [
        {"invoice_number": "A", "step": step, "dispatch_date": date(2026, 2, day)}
        for step, day in (("formal_notice", 20), ("formal_notice", 2), ("unknown_step", 1))
    ]
    known = build_history({"invoices": [INVOICE], "actions": actions}, policy())
    assert known.dispatches.select("step", "channel", "attempt", "dispatch_date").rows() == [
        ("unknown_step", "email", 1, date(2026, 2, 1)),
        ("formal_notice", "registered_letter", 1, date(2026, 2, 2)),
        ("formal_notice", "registered_letter", 2, date(2026, 2, 20)),
    ]


def test_a_history_may_have_no_invoice() -> None:
    known = build_history({"payments": [{"payment_date": date(2026, 2, 1), "amount": 5}]})
    assert known.files["file_date"].to_list() == [date(2026, 1, 1)]
    assert known.customers["customer_id"].to_list() == ["C1"]


def test_a_balance_is_stated_by_its_file_or_on_its_own_day() -> None:
    files = [{"intake_id": 1, "kind": "full_open_items", "file_date": date(2026, 2, 1)}]
    rows = [
        {**INVOICE, "amount_open": 70},
        {**INVOICE, "invoice_number": "B", "amount_open": 70, "as_of": date(2026, 1, 20)},
        {**INVOICE, "invoice_number": "C"},
    ]
    listings = build_history({"files": files, "invoices": rows}).listings
    assert listings["balance_date"].to_list() == [date(2026, 2, 1), date(2026, 1, 20), None]
