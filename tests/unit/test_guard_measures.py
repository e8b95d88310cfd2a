"""What guards look at: earlier batches, new customers, bounces, and totals that agree."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl

from policies.escalation import Facts, decide_from_facts, gather_facts
from policies.guard_measures import count_bounces, find_differences, measure, usual_amounts
from policies.history import History
from tests.builders import Row, history, policy

DAY = date(2026, 3, 10)
EDGES = (0, 30, 60, 90)
INVOICES: list[Row] = [
    {
        "customer_id": customer,
        "invoice_number": f"F-{customer}",
        "invoice_date": date(2026, 1, 5),
        "due_date": date(2026, 2, 4),
        "amount": amount,
        "currency": "EUR",
    }
    for customer, amount in (("C1", 100), ("C2", 50))
]
PAYMENTS: list[Row] = [
    {"customer_id": "C1", "invoice_number": "F-C1", "payment_date": date(2026, 2, 1), "amount": 30},
    {"customer_id": "C2", "payment_date": date(2026, 4, 1), "amount": 30},
]


def a_day(known: History) -> tuple[Facts, pl.DataFrame]:
    facts = gather_facts(known, policy(), DAY)
    return facts, decide_from_facts(facts, known, policy())


def batches_of(
    *amounts: int, currency: str = "EUR", status: str = "dispatched"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = [f"B{number}" for number in range(len(amounts))]
    days = [date(2026, 2, 1 + number) for number in range(len(amounts))]
    batches = pl.DataFrame({"batch_id": names, "kind": ["automatic"] * len(names), "as_of": days})
    actions = pl.DataFrame(
        {
            "batch_id": names,
            "currency": [currency] * len(names),
            "amount_demanded": [Decimal(amount) for amount in amounts],
            "status": [status] * len(names),
        }
    )
    return batches, actions


def test_the_usual_is_the_average_of_the_last_ten_batches_that_left() -> None:
    assert usual_amounts(*batches_of(9999, *[100] * 5, *[200] * 5), "automatic") == {"EUR": Decimal(150)}


def test_of_few_batches_of_other_kinds_or_of_what_never_left_nothing_is_usual() -> None:
    assert usual_amounts(*batches_of(1, 2), "automatic") == {}
    assert usual_amounts(*batches_of(1, 2, 3), "notice") == {}
    assert usual_amounts(*batches_of(1, 2, 3, status="withdrawn"), "automatic") == {}


def test_a_batch_is_measured_by_its_customers_and_currencies() -> None:
    before: list[Row] = [
        {
            "customer_id": "C1",
            "invoice_number": "F-C1",
            "step": "reminder_1",
            "dispatch_date": date(2026, 2, 20),
            "channel": "email",
        }
    ]
    known = history(invoices=INVOICES, payments=PAYMENTS, actions=before)
    facts, decisions = a_day(known)
    actions = pl.DataFrame(
        {
            "customer_id": ["C1", "C2"],
            "currency": ["EUR", "EUR"],
            "amount_demanded": [Decimal(70), Decimal(50)],
        }
    )
    drafted = measure(decisions, actions, known, facts, {}, EDGES, is_automatic=True)
    assert (drafted.with_open_items, drafted.customers, drafted.first_contacts) == (2, 2, 1)
    assert (drafted.demanded, drafted.email_customers, drafted.bounced_customers) == (
        {"EUR": Decimal(120)},
        1,
        0,
    )
    assert list(drafted.differences) == []


def test_bounces_of_the_last_thirty_days_count_by_customer() -> None:
    events: list[Row] = [
        {"customer_id": name, "kind": "bounce", "event_date": day}
        for name, day in (("C1", DAY), ("C1", DAY), ("C2", date(2026, 1, 1)))
    ]
    assert count_bounces(history(invoices=INVOICES, events=events), DAY) == (1, 1)


def test_totals_that_differ_are_told_by_currency() -> None:
    facts, decisions = a_day(history(invoices=INVOICES, payments=PAYMENTS))
    assert list(find_differences(decisions, facts, EDGES)) == []
    lost = replace(facts, open_items=facts.open_items.head(1))
    assert list(find_differences(decisions, lost, EDGES)) == [
        (
            "In EUR documents less payments come to 120.00, the open items with unapplied cash to 70.00: "
            "the totals must agree."
        ),
        "There are 2 decisions on 1 open items.",
    ]


def test_an_item_that_would_be_counted_twice_is_told() -> None:
    facts, decisions = a_day(history(invoices=INVOICES))
    twice = pl.concat([decisions, decisions.head(1)])
    assert list(find_differences(twice, facts, EDGES)) == ["There are 3 decisions on 2 open items."]


def test_an_amount_in_no_column_of_the_aging_is_told() -> None:
    facts, decisions = a_day(history(invoices=INVOICES))
    assert list(find_differences(decisions, facts, (0, 45))) == [
        (
            "In EUR the columns of the aging come to 0.00, the open items with unapplied cash to 150.00: "
            "the totals must agree."
        )
    ]


def test_where_a_file_states_balances_documents_less_payments_are_not_compared() -> None:
    stated: list[Row] = [{**INVOICES[0], "amount_open": 20}]
    facts, decisions = a_day(history(invoices=stated))
    assert facts.open_items["amount_open"].to_list() == [20]
    assert list(find_differences(decisions, facts, EDGES)) == []
