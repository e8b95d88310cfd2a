"""The provision matrix: rates from history or dated data, and what they give."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from policies.errors import PolicyInvalidError
from policies.escalation import decide, gather_facts
from policies.provisions import (
    Cohort,
    Rates,
    declared_rates,
    load_loss_rates,
    provision_matrix,
    rates_from_history,
    reached_amounts,
    usual_cohort,
)
from tests.builders import Row, history, policy
from tests.conventions.source_tree import ROOT

DAY = date(2026, 3, 31)
YEAR = Cohort(date(2024, 1, 1), date(2024, 12, 31))
ISSUED, DUE = date(2024, 3, 1), date(2024, 3, 31)
BUCKETS = ["not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_plus"]


def invoice(number: str, amount: object, due: date | None = DUE, **row: object) -> Row:
    return {"invoice_number": number, "invoice_date": ISSUED, "due_date": due, "amount": amount, **row}


def paid(number: str, amount: object, days_late: int, **row: object) -> Row:
    day = DUE + timedelta(days=days_late)
    return {"invoice_number": number, "amount": amount, "payment_date": day, **row}


def reached(cohort: Cohort = YEAR, **tables: Sequence[Row]) -> dict[str, tuple[Any, ...]]:
    """What reached each bucket and was lost, of the euro."""
    rules = policy()
    facts = gather_facts(history(**tables), rules, DAY)
    found = reached_amounts(facts.allocation, facts.cash, facts.events, rules.aging_buckets_days, cohort)
    rows = found.filter(pl.col("currency") == "EUR").rows(named=True)
    assert [row["bucket"] for row in rows] in ([], BUCKETS)
    return {row["bucket"]: (row["reached"], row["lost"]) for row in rows}


PUBLISHED = {
    "invoices": [invoice("A", 100_000)],
    "payments": [
        paid("A", 50_000, 0),
        paid("A", 27_000, 30),
        paid("A", 15_000, 31),
        paid("A", 6_000, 90),
    ],
}
"""Sales of 100,000: 50,000 unpaid when due, 23,000 after 30 days, 8,000 after 60, 2,000 lost."""


def matrix(rates: Rates, *rows: tuple[str, int], **keys: object) -> dict[str, Any]:
    """Provisions by bucket of open amounts in their aging buckets."""
    decisions = pl.DataFrame(
        [("EUR", "all", bucket, Decimal(amount), Decimal(0), "no_step_due") for bucket, amount in rows],
        schema={
            "currency": pl.String,
            "segment": pl.String,
            "aging_bucket": pl.String,
            "amount_open": pl.Decimal(38, 3),
            "amount_disputed": pl.Decimal(38, 3),
            "reason": pl.String,
        },
        orient="row",
    )
    found = provision_matrix(decisions, policy(**keys), rates)
    return dict(found.select("bucket", "provision").iter_rows())


def test_the_published_example_gives_its_rates_and_27567() -> None:
    facts = gather_facts(history(**PUBLISHED), policy(), DAY)
    rates = rates_from_history(facts.allocation, facts.cash, facts.events, (0, 30, 60, 90), YEAR)
    assert [rates.rate_of("EUR", bucket) for bucket in BUCKETS] == [
        Fraction(2, 100),
        Fraction(4, 100),
        Fraction(2, 23),
        Fraction(25, 100),
        Fraction(1),
    ]
    amounts = (300_000, 140_000, 60_000, 23_000, 5_000)
    found = matrix(rates, *zip(BUCKETS, amounts, strict=True))
    assert list(found.values()) == [Decimal(text) for text in ("6000", "5600", "5217.39", "5750", "5000")]
    assert round(sum(found.values())) == 27_567


def test_the_shipped_example_of_declared_rates_gives_nearly_the_same() -> None:
    file = ROOT / "policies" / "loss_rates" / "published_example.yaml"
    rates = declared_rates(load_loss_rates(file.read_text(encoding="utf-8"), file.name), DAY)
    found = matrix(rates, ("days_31_60", 60_000), ("days_91_plus", 5_000))
    assert found == {"days_31_60": Decimal("5217.42"), "days_91_plus": Decimal(5000)}


def test_a_bucket_is_reached_by_what_is_unpaid_when_it_begins() -> None:
    found = reached(
        invoices=[invoice("A", 100), invoice("B", 10), invoice("EARLY", 7)],
        payments=[
            paid("A", 40, 0),
            paid("A", 30, 1),
            paid("A", 20, 60),
            paid("A", 10, 61),
            paid("EARLY", 7, -9),
        ],
    )
    assert found == {
        "not_due": (117, 10),
        "days_1_30": (70, 10),
        "days_31_60": (40, 10),
        "days_61_90": (20, 10),
        "days_91_plus": (10, 10),
    }


def test_only_invoices_of_the_cohort_count_and_no_credit_no_dateless_no_vanished_item() -> None:
    files = [
        {"intake_id": 1, "kind": "full_invoices", "file_date": date(2024, 3, 2)},
        {"intake_id": 2, "kind": "full_invoices", "file_date": date(2024, 3, 3)},
    ]
    found = reached(
        files=files,
        invoices=[
            invoice("A", 100, file=2),
            invoice("CREDIT", -30, file=2),
            invoice("NO_DATE", 20, due=None, file=2),
            invoice("GONE", 50, file=1),
            invoice("OLD", 70, invoice_date=date(2023, 12, 31), file=2),
        ],
    )
    assert found["not_due"] == (100, 100)
    assert reached(Cohort(date(2020, 1, 1), date(2020, 12, 31)), invoices=[invoice("A", 5)]) == {}


def test_a_credit_note_is_neither_a_loss_nor_a_payment() -> None:
    note = {
        "invoice_number": "N",
        "document_type": "credit_note",
        "invoice_date": date(2024, 5, 1),
        "due_date": None,
        "amount": -40,
        "credited_invoice_number": "A",
    }
    found = reached(invoices=[invoice("A", 100), note], payments=[paid("A", 60, 5)])
    assert found["not_due"] == (60, 0)


def test_what_was_written_off_is_lost_though_its_source_shows_it_cleared() -> None:
    files = [
        {"intake_id": 1, "kind": "full_open_items", "file_date": date(2024, 4, 30)},
        {"intake_id": 2, "kind": "full_open_items", "file_date": date(2024, 9, 30)},
    ]
    items = [invoice("A", 100, amount_open=80, file=1), invoice("B", 100, amount_open=100, file=1)]
    event = {"kind": "write_off", "event_date": date(2024, 9, 1), "invoice_number": "A"}
    found = reached(files=files, invoices=items, events=[event])
    assert found["days_91_plus"] == (180, 80)
    assert found["not_due"] == (200, 80)


def test_what_is_judged_one_by_one_is_taken_out_first() -> None:
    invoices = [
        invoice("A", 100, customer_id="INSOLVENT"),
        invoice("WHOLE", 30),
        invoice("PART", 50),
        invoice("OFF", 20),
        invoice("CREDIT", -5),
    ]
    events = [
        {"kind": "insolvency", "event_date": DAY, "customer_id": "INSOLVENT"},
        {"kind": "dispute", "event_date": DAY, "invoice_number": "WHOLE"},
        {"kind": "dispute", "event_date": DAY, "invoice_number": "PART", "amount": 15},
        {"kind": "write_off", "event_date": DAY, "invoice_number": "OFF"},
    ]
    decisions = decide(history(invoices=invoices, events=events), policy(), DAY)
    found = provision_matrix(decisions, policy(), Rates({("", "days_91_plus"): Fraction(1, 2)}, "a test"))
    columns = ["bucket", "amount", "loss_rate", "provision", "source"]
    half = Decimal("0.5")
    assert found.select(columns).rows() == [
        ("days_91_plus", 35, half, Decimal("17.5"), "a test"),
        ("specific_insolvent", 100, None, None, "judged one by one"),
        ("specific_written_off", 20, None, None, "judged one by one"),
        ("specific_disputed", 45, None, None, "judged one by one"),
    ]


def test_what_lies_ahead_raises_every_rate_but_never_above_the_debt() -> None:
    rates = Rates({("EUR", "not_due"): Fraction(2, 100), ("EUR", "days_91_plus"): Fraction(9, 10)}, "a test")
    factor = {"provisions": {"forward_looking": "1.25"}}
    found = matrix(rates, ("not_due", 1000), ("days_91_plus", 100), **factor)
    assert found == {"not_due": Decimal(25), "days_91_plus": Decimal(100)}


def test_each_provision_is_rounded_once() -> None:
    found = matrix(Rates({("EUR", "not_due"): Fraction(1, 3)}, "a test"), ("not_due", 1))
    assert found == {"not_due": Decimal("0.33")}


def test_a_bucket_without_a_rate_is_named_and_not_guessed() -> None:
    decisions = decide(history(invoices=[invoice("A", 5), invoice("N", 5, due=None)]), policy(), DAY)
    found = provision_matrix(decisions, policy(), Rates({}, "a test"))
    assert found.select("bucket", "provision", "source").rows() == [
        ("days_91_plus", None, "no rate: a test"),
        ("no_due_date", None, "no rate: a test"),
    ]


def test_the_usual_cohort_has_had_a_year_to_be_paid() -> None:
    assert usual_cohort(date(2026, 3, 31)) == Cohort(date(2024, 4, 1), date(2025, 3, 31))


RATES_TEXT = """
description: Rates of a test.
loss_rates: of_a_test
checked: 2026-01-01
series:
  - {from: 2026-01-01, source: Ours, percent: {not_due: "1"}}
  - {from: 2026-06-30, source: Ours again, percent: {not_due: "2"}}
"""


@pytest.mark.parametrize(
    ("day", "rate"),
    [(date(2025, 12, 31), None), (date(2026, 1, 1), Fraction(1, 100)), (date(2026, 7, 1), Fraction(2, 100))],
)
def test_declared_rates_are_those_of_the_day(day: date, rate: Fraction | None) -> None:
    assert (
        declared_rates(load_loss_rates(RATES_TEXT, "of_a_test.yaml"), day).rate_of("EUR", "not_due") == rate
    )


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (("from: 2026-06-30", "from: 2025-06-30"), "from the oldest to the newest"),
        (('{not_due: "2"}', "{}"), "at least one"),
        (('not_due: "2"', 'not_due: "120"'), "100"),
    ],
)
def test_rates_that_make_no_sense_are_refused(broken: tuple[str, str], told: str) -> None:
    with pytest.raises(PolicyInvalidError, match=told):
        load_loss_rates(RATES_TEXT.replace(*broken), "of_a_test.yaml")
