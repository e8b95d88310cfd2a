"""Claims to declare in insolvencies, and by when."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from policies.escalation import gather_facts
from policies.insolvencies import CLAIM_DECLARED, list_claims
from tests.builders import Row, history, policy
from tests.unit.test_giving_up import shipped_statutes

DAY, OPENED = date(2026, 3, 10), date(2026, 1, 31)
INVOICE = {
    "invoice_number": "A",
    "invoice_date": date(2026, 1, 1),
    "due_date": date(2026, 4, 1),
    "amount": 100,
}
INSOLVENCY = {"kind": "insolvency", "event_date": OPENED}


def claims(
    events: Sequence[Row],
    invoices: Sequence[Row] = (INVOICE,),
    customers: Sequence[Row] = (),
    statute: str | None = "FR",
    as_of: date = DAY,
) -> pl.DataFrame:
    facts = gather_facts(history(invoices=invoices, events=events, customers=customers), policy(), as_of)
    types = facts.accounts.select("customer_id", "customer_type")
    return list_claims(facts.open_items, facts.events, types, statute, shipped_statutes(), as_of)


def states(*events: Row, as_of: date = DAY, **row: Any) -> list[tuple[Any, ...]]:
    return (
        claims([{**INSOLVENCY, **row}, *events], as_of=as_of).select("state", "deadline", "days_left").rows()
    )


def test_a_claim_is_declared_within_two_months_in_france_all_that_is_open_of_each_currency() -> None:
    others = [
        {**INVOICE, "invoice_number": "B", "amount": 50},
        {**INVOICE, "invoice_number": "C", "amount": 30, "currency": "USD"},
        {**INVOICE, "invoice_number": "D", "amount": -20},
        {**INVOICE, "invoice_number": "E", "customer_id": "C2"},
    ]
    found = claims([INSOLVENCY], [INVOICE, *others])
    shown = found.select(
        "customer_id", "currency", "open_amount", "insolvent_since", "deadline", "days_left", "state"
    )
    assert shown.rows() == [
        ("C1", "EUR", 150, OPENED, date(2026, 3, 31), 21, "to_declare"),
        ("C1", "USD", 30, OPENED, date(2026, 3, 31), 21, "to_declare"),
    ]


def test_the_last_day_is_in_time_and_the_next_is_late() -> None:
    assert states(as_of=date(2026, 3, 31)) == [("to_declare", date(2026, 3, 31), 0)]
    assert states(as_of=date(2026, 4, 1)) == [("late", date(2026, 3, 31), -1)]


def test_a_deadline_that_the_event_names_counts() -> None:
    assert states(until=date(2026, 6, 1)) == [("to_declare", date(2026, 6, 1), 83)]


def test_a_declared_claim_waits_no_more() -> None:
    answer = {"kind": "answer", "reason": CLAIM_DECLARED, "event_date": DAY}
    assert [state for state, *_ in states(answer, as_of=date(2026, 5, 1))] == ["declared"]
    assert [state for state, *_ in states({**answer, "reason": "will_pay"})] == ["to_declare"]
    assert [state for state, *_ in states({**answer, "event_date": date(2026, 1, 30)})] == ["to_declare"]


def test_closed_proceedings_and_customers_who_owe_nothing_are_no_claims() -> None:
    assert states({"kind": "insolvency_closed", "event_date": DAY}) == []
    assert claims([INSOLVENCY], [{**INVOICE, "amount": -5}]).is_empty()


def test_without_a_law_that_states_one_there_is_no_deadline() -> None:
    for statute, customer_type in ((None, "business"), ("UK", "business"), ("FR", "consumer")):
        customers = [{"customer_id": "C1", "customer_type": customer_type}]
        found = claims([INSOLVENCY], customers=customers, statute=statute)
        assert found.select("deadline", "days_left", "state").rows() == [(None, None, "to_declare")]


def test_what_presses_first_comes_first_and_what_is_declared_last() -> None:
    events = [
        {**INSOLVENCY, "customer_id": "A", "event_date": date(2026, 3, 1)},
        {**INSOLVENCY, "customer_id": "B", "event_date": date(2026, 2, 1)},
        {**INSOLVENCY, "customer_id": "C", "event_date": date(2026, 1, 1)},
        {"kind": "answer", "reason": CLAIM_DECLARED, "event_date": DAY, "customer_id": "C"},
    ]
    found = claims(events, [{**INVOICE, "customer_id": name} for name in "ABC"])
    assert found["customer_id"].to_list() == ["B", "A", "C"]
