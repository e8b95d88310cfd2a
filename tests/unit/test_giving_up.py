"""Which items are proposed for a write-off, and what can be expected of them."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from policies.errors import PolicyInvalidError
from policies.escalation import decide
from policies.giving_up import PROPOSALS, Grounds, RecoveryOdds, load_recovery_odds, propose_write_offs
from policies.statutes import Statute, load_statute
from tests.builders import Row, history, policy
from tests.conventions.source_tree import ROOT

DAY = date(2026, 3, 10)
ODDS_TEXT = """
description: Odds of a test.
recovery_odds: of_a_test
checked: 2026-01-01
series:
  - from: 2020-01-01
    source: An old survey
    points: [{days_past_due: 90, percent: "70"}]
  - from: 2025-01-01
    source: A survey
    points: [{days_past_due: 90, percent: "68.9"}, {days_past_due: 365, percent: "21.4"}]
"""
ODDS = load_recovery_odds(ODDS_TEXT, "of_a_test.yaml")


def shipped_statutes() -> dict[str, Statute]:
    files = sorted((ROOT / "policies" / "statutes").glob("*.yaml"))
    read = [load_statute(file.read_text(encoding="utf-8"), file.name) for file in files]
    return {statute.statute: statute for statute in read}


def late(days: int, amount: object = 100, number: str = "A", **row: object) -> Row:
    due = DAY - timedelta(days=days)
    return {
        "invoice_number": number,
        "invoice_date": due - timedelta(days=30),
        "due_date": due,
        "amount": amount,
        **row,
    }


def proposed(
    give_up: dict[str, Any] | None,
    *invoices: Row,
    events: Sequence[Row] = (),
    customers: Sequence[Row] = (),
    odds: RecoveryOdds | None = ODDS,
    statute: str | None = "FR",
    as_of: date = DAY,
) -> pl.DataFrame:
    named = {"recovery_odds": "of_a_test", "cost_limit": {"EUR": 0}} if odds else {}
    rules = policy(**({"give_up": {**named, **give_up}} if give_up else {}))
    known = history(invoices=invoices, events=events, customers=customers)
    grounds = Grounds(odds, statute, shipped_statutes())
    return propose_write_offs(decide(known, rules, as_of), rules.give_up, grounds, as_of)


def test_nothing_is_proposed_without_the_rule() -> None:
    found = proposed(None, late(400))
    assert found.is_empty()
    assert found.schema == PROPOSALS


def test_a_condition_names_the_items_with_their_facts() -> None:
    found = proposed({"when": "days_past_due > 300 and risk is null"}, late(301), late(300, number="B"))
    assert found.select("invoice_number", "reasons", "why").rows() == [
        (
            "A",
            "condition",
            "It meets the rule days_past_due > 300 and risk is null: days_past_due 301, risk unknown.",
        )
    ]


@pytest.mark.parametrize(
    ("days", "percent"), [(1, "100"), (89, "100"), (90, "68.9"), (364, "68.9"), (365, "21.4")]
)
def test_an_item_keeps_the_odds_of_the_last_age_it_has_reached(days: int, percent: str) -> None:
    found = proposed({"when": "amount > 0"}, late(days, "33.33"))
    assert found["expected_recovery_percent"].to_list() == [Decimal(percent)]
    expected = (Decimal("33.33") * Decimal(percent) / 100).quantize(Decimal("0.01"))
    assert found["expected_recovery_amount"].to_list() == [expected]
    assert found["odds_source"].to_list() == ["A survey"]


def test_less_expected_than_it_costs_is_proposed_per_currency() -> None:
    rule = {"cost_limit": {"EUR": "21.40", "JPY": 30}}
    found = proposed(
        rule,
        late(400, 100),
        late(400, "99.95", "B"),
        late(400, 10, "USD", currency="USD"),
        late(400, 140, "JPY", currency="JPY"),
    )
    assert found.select("invoice_number", "reasons", "expected_recovery_amount").rows() == [
        ("B", "cost_limit", Decimal("21.39")),
        # 29.96 yen are 30, the limit: not less.
    ]
    assert found["why"].to_list() == [
        "Of 99.95 EUR at 400 days past due 21.39 EUR can be expected, less than going on costs (21.40 EUR, 30 JPY)."
    ]


def test_a_small_debt_is_collected_until_the_odds_speak_of_its_age() -> None:
    first_age = ODDS.series[-1].points[0].days_past_due
    young, old = late(first_age - 1, 1, "YOUNG"), late(first_age, 1, "OLD")
    assert proposed({"cost_limit": {"EUR": 50}}, young, old)["invoice_number"].to_list() == ["OLD"]


def test_a_policy_may_name_no_odds() -> None:
    found = proposed({"when": "amount > 0"}, late(400), odds=None)
    columns = ["invoice_number", "expected_recovery_percent", "expected_recovery_amount", "odds_source"]
    assert found.select(columns).rows() == [("A", None, None, None)]


def test_before_the_first_series_the_whole_amount_is_expected() -> None:
    day = date(2019, 12, 31)
    small, large = (
        late(0, amount, number, invoice_date=date(2018, 1, 1), due_date=date(2018, 2, 1))
        for amount, number in ((49, "A"), (50, "B"))
    )
    found = proposed({"cost_limit": {"EUR": 50}}, small, large, as_of=day)
    assert found.select("invoice_number", "expected_recovery_percent").rows() == [("A", None)]
    assert "49.00 EUR can be expected" in found["why"][0]
    later = proposed({"cost_limit": {"EUR": 50}}, small, as_of=date(2024, 12, 31))
    assert later["odds_source"].to_list() == ["An old survey"]


def test_the_limitation_period_proposes_what_it_will_cut_off() -> None:
    due = date(2021, 5, 1)
    item = late(0, due_date=due, invoice_date=due)
    (row,) = proposed({"limitation_within_days": 52}, item).rows(named=True)
    assert (row["reasons"], row["limitation_date"]) == ("limitation", date(2026, 5, 1))
    assert row["why"] == "The last day to sue is 2026-05-01."
    assert proposed({"limitation_within_days": 51}, item).is_empty()
    assert proposed({"limitation_within_days": 52}, item, statute=None).is_empty()
    assert proposed({"limitation_within_days": 52}, item, statute="EU").is_empty()


def test_the_period_is_that_of_the_type_of_customer() -> None:
    item = late(0, due_date=date(2021, 5, 1), invoice_date=date(2021, 5, 1))
    rule = {"limitation_within_days": 9000}
    public = proposed(rule, item, customers=[{"customer_id": "C1", "customer_type": "public"}])
    assert public["limitation_date"].to_list() == [date(2025, 12, 31)]
    unknown = proposed(rule, item, customers=[{"customer_id": "C1", "customer_type": None}])
    assert unknown["limitation_date"].to_list() == [date(2026, 5, 1)]
    assert proposed(rule, item, customers=[{"customer_id": "C1", "customer_type": "consumer"}]).is_empty()


@pytest.mark.parametrize(
    ("events", "reasons"),
    [
        ([], "condition, cost_limit, limitation"),
        ([{"kind": "insolvency", "event_date": DAY}], None),
        ([{"kind": "write_off", "event_date": DAY, "invoice_number": "A"}], None),
        ([{"kind": "dispute", "event_date": DAY, "invoice_number": "A"}], "limitation"),
        ([{"kind": "promise", "event_date": DAY, "until": DAY}], "limitation"),
        ([{"kind": "hold", "event_date": DAY}], "limitation"),
        (
            [{"kind": "dispute", "event_date": DAY, "invoice_number": "A", "amount": 10}],
            "condition, cost_limit, limitation",
        ),
    ],
)
def test_what_is_in_other_hands_is_told_for_its_limitation_only(
    events: list[Row], reasons: str | None
) -> None:
    rule = {"when": "amount > 0", "cost_limit": {"EUR": 1000}, "limitation_within_days": 5000}
    found = proposed(rule, late(400), events=events)
    assert found["reasons"].to_list() == ([] if reasons is None else [reasons])


def test_what_is_not_overdue_or_a_credit_is_never_proposed() -> None:
    rule = {"when": "amount <> 0"}
    no_date = late(9, number="N", due_date=None)
    assert proposed(rule, late(0), late(400, -50, "C"), no_date).is_empty()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (('days_past_due: 365, percent: "21.4"', 'days_past_due: 90, percent: "21.4"'), "90 days"),
        (('percent: "21.4"', 'percent: "80"'), "the odds don't"),
        (('percent: "21.4"', 'percent: "101"'), "100"),
        (("from: 2025-01-01", "from: 2020-01-01"), "from the oldest to the newest"),
        (("source: A survey", "sauce: A survey"), "sauce"),
    ],
)
def test_odds_that_make_no_sense_are_refused(broken: tuple[str, str], told: str) -> None:
    with pytest.raises(PolicyInvalidError, match=told):
        load_recovery_odds(ODDS_TEXT.replace(*broken), "of_a_test.yaml")


@pytest.mark.parametrize("name", ["commercial_agencies", "us_agencies"])
def test_the_shipped_odds_can_be_read(name: str) -> None:
    file = ROOT / "policies" / "recovery_odds" / f"{name}.yaml"
    odds = load_recovery_odds(file.read_text(encoding="utf-8"), file.name)
    assert odds.recovery_odds == name
    found = proposed({"when": "amount > 0"}, late(365), odds=odds)
    assert [percent <= 25 for percent in found["expected_recovery_percent"]] == [True]
