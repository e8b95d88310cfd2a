"""Facts of each customer and currency, risk and segment."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from policies.accounts import classify
from policies.escalation import gather_facts
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)


def days_ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def invoice(number: str, late: int | None = 10, amount: int = 100, **row: object) -> Row:
    due = None if late is None else days_ago(late)
    return {
        "invoice_number": number,
        "invoice_date": date(2025, 1, 1),
        "due_date": due,
        "amount": amount,
        **row,
    }


def facts(*, keys: Mapping[str, object] | None = None, **tables: Sequence[Row]) -> list[Row]:
    return list(gather_facts(history(**tables), policy(**(keys or {})), AS_OF).accounts.iter_rows(named=True))


def test_sums_are_of_one_currency_and_leave_out_credits_and_what_has_vanished() -> None:
    files = [
        {"intake_id": 1, "kind": "full_invoices", "file_date": days_ago(9)},
        {"intake_id": 2, "kind": "full_invoices", "file_date": days_ago(1)},
    ]
    euro, dollar = facts(
        files=files,
        invoices=[
            invoice("LATE", 40, 100, file=2),
            invoice("LATER", 5, 60, file=2),
            invoice("NOT_DUE", 0, 30, file=2),
            invoice("NO_DATE", None, 10, file=2),
            invoice("CREDIT", 20, -15, file=2),
            invoice("GONE", 90, 1000, file=1),
            invoice("DOLLAR", 3, 50, currency="USD", file=2),
        ],
        payments=[{"amount": 7, "payment_date": days_ago(2)}],
    )
    assert (euro["open_amount"], euro["overdue_amount"], euro["overdue_items"]) == (
        Decimal(200),
        Decimal(160),
        2,
    )
    assert (euro["oldest_days_past_due"], euro["unapplied_amount"]) == (40, Decimal(-22))
    assert (dollar["open_amount"], dollar["unapplied_amount"]) == (Decimal(50), Decimal(0))
    assert dollar["exposure_share"] == Decimal(1)


def test_an_account_of_vanished_items_alone_owes_nothing() -> None:
    files = [
        {"intake_id": 1, "kind": "full_invoices", "file_date": days_ago(9)},
        {"intake_id": 2, "kind": "full_invoices", "file_date": days_ago(1)},
    ]
    (account,) = facts(files=files, invoices=[invoice("GONE")])
    assert (account["open_amount"], account["overdue_items"], account["exposure_share"]) == (0, 0, None)


def test_the_share_of_exposure_is_of_all_customers_in_the_currency() -> None:
    rows = facts(invoices=[invoice("A"), invoice("B", amount=200, customer_id="C2")])
    assert [row["exposure_share"] for row in rows] == [Decimal("0.333333"), Decimal("0.666667")]


@pytest.mark.parametrize(
    ("until", "grace", "broken"), [(364, 0, 1), (365, 0, 1), (366, 0, 0), (366, 1, 1), (1, 0, 1), (0, 0, 0)]
)
def test_promises_count_for_a_year_after_they_ended(until: int, grace: int, broken: int) -> None:
    promise = {"kind": "promise", "event_date": days_ago(400), "until": days_ago(until), "amount": 50}
    (account,) = facts(keys={"promise_grace_days": grace}, invoices=[invoice("A")], events=[promise])
    assert (account["broken_promises"], account["kept_promises"]) == (broken, 0)


@pytest.mark.parametrize(
    ("bounced", "email_since", "expected"),
    [(5, None, True), (5, 6, True), (5, 5, True), (5, 4, False), (None, 4, False)],
)
def test_an_address_has_bounced_until_another_is_stated(
    bounced: int | None, email_since: int | None, expected: bool
) -> None:
    events = [] if bounced is None else [{"kind": "bounce", "event_date": days_ago(bounced)}]
    customer = {"email_since": None if email_since is None else days_ago(email_since)}
    (account,) = facts(invoices=[invoice("A")], events=events, customers=[customer])
    assert account["bounced"] is expected


def test_what_is_said_of_a_customer_is_read_as_conditions_compare_it() -> None:
    customer = {"country": "fr", "language": "FR", "credit_limit": "1500.50", "customer_type": None}
    (account,) = facts(invoices=[invoice("A")], customers=[customer])
    assert (account["country"], account["language"], account["credit_limit"]) == (
        "FR",
        "fr",
        Decimal("1500.50"),
    )
    assert account["customer_type"] is None
    (unclear,) = facts(invoices=[invoice("A")], customers=[{"credit_limit": "none"}])
    assert unclear["credit_limit"] is None


def test_a_customer_no_file_describes_has_facts_all_the_same() -> None:
    known = history(invoices=[invoice("A")])
    known.customers.clear()
    rows = gather_facts(known, policy(), AS_OF).accounts
    assert rows.select("bounced", "contacts_without_answer", "paid_invoices").rows() == [(False, 0, 0)]


def classified(risk: Sequence[Row], segments: Sequence[Row]) -> list[tuple[str | None, ...]]:
    rules = policy(risk=risk, segments=segments)
    known = history(
        invoices=[invoice("A", 40), invoice("B", 5, currency="USD"), invoice("C", 5, customer_id="C2")]
    )
    accounts = gather_facts(known, rules, AS_OF).accounts
    named = classify(accounts, rules.risk, rules.segments, "test.yaml")
    return named.sort("customer_id", "currency").select("risk", "segment", "ladder").rows()


ALL = {"segment": "all", "ladder": "standard"}


def test_the_first_class_that_matches_wins_and_of_two_currencies_the_worse() -> None:
    risk = [{"class": "high", "when": "oldest_days_past_due >= 30"}, {"class": "normal"}]
    assert [row[0] for row in classified(risk, [ALL])] == ["high", "high", "normal"]
    assert [row[0] for row in classified([risk[0]], [ALL])] == ["high", "high", None]
    assert [row[0] for row in classified([], [ALL])] == [None, None, None]


def test_the_first_segment_that_matches_gives_the_ladder_and_may_ask_for_the_risk() -> None:
    risk = [{"class": "high", "when": "oldest_days_past_due >= 30"}]
    segments = [
        {"segment": "foreign", "when": "currency = 'USD'", "ladder": "standard"},
        {"segment": "risky", "when": "risk = 'high'", "ladder": "standard"},
    ]
    assert classified(risk, segments) == [
        ("high", "risky", "standard"),
        ("high", "foreign", "standard"),
        (None, None, None),
    ]
