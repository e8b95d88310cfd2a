"""The dictionary of facts."""

from pathlib import Path

import polars as pl
import pytest

from policies.facts import FACTS, Fact, Scope, schema

ITEM = [
    "invoice_number",
    "currency",
    "amount",
    "amount_open",
    "amount_disputed",
    "invoice_date",
    "due_date",
    "days_past_due",
    "days_since_invoice",
    "aging_bucket",
    "item_broken_promises",
    "days_since_last_step",
    "purchase_order",
    "payment_method",
]
ACCOUNT = [
    "customer_id",
    "country",
    "language",
    "tags",
    "customer_type",
    "credit_rating",
    "credit_limit",
    "overdue_amount",
    "open_amount",
    "overdue_items",
    "oldest_days_past_due",
    "unapplied_amount",
    "exposure_share",
    "paid_invoices",
    "average_days_late",
    "median_days_late",
    "late_share",
    "late_trend_days",
    "days_since_last_payment",
    "broken_promises",
    "kept_promises",
    "contacts_without_answer",
    "days_since_last_contact",
    "bounced",
    "risk",
    "segment",
]


def test_the_dictionary_holds_exactly_the_documented_facts() -> None:
    assert sorted(FACTS) == sorted([*ITEM, *ACCOUNT])


def test_an_account_knows_its_own_facts_and_its_currency() -> None:
    assert sorted(schema(Scope.ACCOUNT)) == sorted([*ACCOUNT, "currency"])


def test_an_item_also_knows_the_facts_of_its_account() -> None:
    assert sorted(schema(Scope.ITEM)) == sorted([*ITEM, *ACCOUNT])


def test_no_fact_is_a_float() -> None:
    assert not [name for name, dtype in schema(Scope.ITEM).items() if dtype.is_float()]


def test_amounts_are_told_from_other_numbers() -> None:
    assert [name for name, fact in FACTS.items() if fact.is_money] == [
        "amount",
        "amount_open",
        "amount_disputed",
        "credit_limit",
        "overdue_amount",
        "open_amount",
        "unapplied_amount",
    ]


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: str(fact.name))
def test_every_fact_says_what_it_means_in_a_sentence(fact: Fact) -> None:
    assert fact.sentence.endswith(".")
    assert isinstance(fact.dtype, pl.DataType)


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: str(fact.name))
def test_the_manual_says_what_the_dictionary_says(fact: Fact) -> None:
    manual = (Path(__file__).parents[2] / "policies" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in manual.splitlines() if line.startswith(f"| `{fact.name}` |")]
    assert len(rows) == 1
    assert rows[0].endswith(f"| {fact.sentence} |")
