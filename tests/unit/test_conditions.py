"""Conditions: what they may say, what is refused, and that they are true exactly where they should be."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.condition_gate import RefusedError
from policies.conditions import (
    MAXIMUM_LENGTH,
    Scope,
    _try_out,
    compile_condition,
    facts_used,
    find_condition_problems,
)
from policies.facts import FACTS, schema
from policies.strict_yaml import YamlInvalidError


def is_met(condition: str, **facts: object) -> bool:
    frame = pl.DataFrame([dict.fromkeys(schema(Scope.ITEM)) | facts], schema=schema(Scope.ITEM), orient="row")
    met = frame.select(met=compile_condition(condition, Scope.ITEM, "p.yaml", "when"))["met"]
    assert met.dtype == pl.Boolean
    return bool(met.item())


def why_refused(condition: str, scope: Scope = Scope.ITEM) -> str:
    (problem,) = find_condition_problems(condition, scope, "p.yaml", "segments[1].when")
    return problem.sentence()


EUR_5000 = {"amount_open": Decimal("5000.000"), "currency": "EUR"}


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        ("amount_open >= 5000 and currency = 'EUR'", EUR_5000, True),
        ("amount_open > 5000 or currency <> 'EUR'", EUR_5000, False),
        ("amount_open > 4999.999", EUR_5000, True),
        ("amount_open = 0.1", {"amount_open": Decimal("0.1")}, True),
        ("amount_open in (0.1234, 7)", {"amount_open": Decimal("0.123")}, False),
        ("amount_open in (0.123, 7)", {"amount_open": Decimal("0.123")}, True),
        ("amount_open * 0.1 = 0.0123", {"amount_open": Decimal("0.123")}, True),
        ("amount_open + 0.0001 > 0.123", {"amount_open": Decimal("0.123")}, True),
        ("days_past_due between 1 and 30", {"days_past_due": 30}, True),
        ("days_past_due not between 1 and 30", {"days_past_due": 31}, True),
        ("days_past_due > 29.5", {"days_past_due": 30}, True),
        ("days_past_due = -7", {"days_past_due": -7}, True),
        ("-days_past_due + 1 - 3 >= 5", {"days_past_due": -7}, True),
        ("days_past_due / 3 = 2.5", {"days_past_due": 7}, False),
        ("days_past_due / 2 = 3.5", {"days_past_due": 7}, True),
        ("average_days_late > 45", {"average_days_late": Decimal("45.000001")}, True),
        ("late_share >= 0.25", {"late_share": Decimal("0.25")}, True),
        ("overdue_amount / credit_limit > 0.8", {"overdue_amount": 81, "credit_limit": 100}, True),
        ("amount_open * days_past_due > 100000", {"amount_open": 5000, "days_past_due": 21}, True),
        ("due_date >= DATE '2026-02-01'", {"due_date": date(2026, 2, 1)}, True),
        ("due_date in (DATE '2026-02-01')", {"due_date": date(2026, 2, 2)}, False),
        ("due_date > invoice_date", {"due_date": date(2026, 2, 2), "invoice_date": date(2026, 2, 1)}, True),
        ("tags like '%vip%'", {"tags": "small,vip"}, True),
        ("tags not like '%vip%'", {"tags": "small"}, True),
        ("tags like 'a.b'", {"tags": "axb"}, False),
        ("tags = 'it''s'", {"tags": "it's"}, True),
        ("customer_id ilike 'c_1'", {"customer_id": "C01"}, True),
        ("risk in ('high', 'new')", {"risk": "new"}, True),
        ("risk not in ('high', 'new')", {"risk": "normal"}, True),
        ("not (risk = 'high')", {"risk": "normal"}, True),
        ("bounced", {"bounced": True}, True),
        ("bounced = false", {"bounced": True}, False),
        ("days_since_last_contact is null", {}, True),
        ("days_since_last_contact is not null", {}, False),
        ("risk is distinct from 'high'", {}, True),
        ("risk is not distinct from null", {}, True),
        ("coalesce(days_since_last_contact, 9999) > 30", {}, True),
        (
            "case when risk = 'high' then 10 else 20 end <= days_past_due",
            {"risk": "high", "days_past_due": 10},
            True,
        ),
        ("case risk when 'high' then amount_open else 0 end > 1", {"risk": "high", "amount_open": 2}, True),
        ("case when risk = 'high' then 1 end = 1", {"risk": "low"}, False),
        ('"days_past_due" = 1 -- quoted, with a comment', {"days_past_due": 1}, True),
        ("true", {}, True),
        ("ifnull(risk, 'none') = 'none'", {}, True),
    ],
)
def test_a_condition_is_true_exactly_where_it_should_be(
    condition: str, facts: dict[str, object], expected: bool
) -> None:
    assert is_met(condition, **facts) is expected


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_can_be_named(name: str) -> None:
    assert is_met(f"{name} is null")


@pytest.mark.parametrize(
    "condition", ["days_past_due > 3", "not (days_past_due > 3)", "days_past_due not in (1, 2)"]
)
def test_what_is_not_known_to_be_true_is_false(condition: str) -> None:
    assert not is_met(condition)


@pytest.mark.parametrize("divisor", [0, None])
@pytest.mark.parametrize(
    "condition", ["overdue_amount / credit_limit > 0.8", "overdue_items / paid_invoices > 0"]
)
def test_a_division_by_zero_is_not_true_and_stops_nothing(condition: str, divisor: int | None) -> None:
    facts = {"overdue_amount": 5, "credit_limit": divisor, "overdue_items": 5, "paid_invoices": divisor}
    assert not is_met(condition, **facts)


@pytest.mark.parametrize(
    "condition",
    [
        "sum(amount_open) > 1",
        "count(*) > 1",
        "amount_open > (select 1)",
        "amount_open in (select amount_open from read_csv('f.csv'))",
        "exists(select 1)",
        "due_date < now()",
        "due_date < current_date",
        "row_number() over () = 1",
        "max(amount_open) over (partition by customer_id) > 1",
        "read_text('/etc/passwd') = 'x'",
        "upper(risk) = 'HIGH'",
        "nullif(amount_open, 0) = 1",
        "greatest(amount_open, 0) = 1",
        "days_past_due::text = '3'",
        "cast(risk as date) > due_date",
        "due_date + interval '1 day' > invoice_date",
        "due_date > timestamp '2026-01-01'",
        "days_past_due % 2 = 1",
        "risk || 'x' = 'highx'",
        "risk ~ 'h.*'",
        "risk similar to 'h%'",
        "risk = $1",
        "risk = ?",
        "risk = :risk",
        "risk = E'a\\nb'",
        "days_past_due = 0x1F",
        "days_past_due = any(array[1])",
        "days_past_due in ()",
        "days_past_due in (1, null)",
        "days_past_due in (1, amount_open)",
        "(days_past_due, 1) = (1, 1)",
        "days_past_due[1] = 1",
        "t.days_past_due = 1",
        "* = 1",
        "days_past_due > 1 as x",
        "days_past_due = 1; drop table items",
        "delete from items",
        "select true",
        "bounced is true",
        "risk is unknown is true",
        "days_past_due between symmetric 1 and 2",
        "tags like '%' escape '!'",
        "tags like risk",
        "days_past_due like '1%'",
        "days_past_due = 1e3",
        "days_past_due = 1.",
        "amount_open = 1234567890123456",
        "amount_open = 0.1234567",
    ],
)
def test_what_is_no_plain_predicate_is_refused(condition: str) -> None:
    sentence = why_refused(condition)
    assert sentence.startswith("p.yaml: segments[1].when: the condition ")
    assert "(allowed: " in sentence


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("days_past_due = 'abc'", "it mixes number (days_past_due) and text ('abc')"),
        ("amount_open = 'abc'", "mixes amount"),
        ("amount_open = 1 or risk > 3", "at character 20: it mixes text (risk) and number (3)"),
        ("due_date = 3", "mixes date"),
        ("due_date > '2026-01-01'", "it mixes date (due_date) and text"),
        ("bounced = 1", "mixes true or false"),
        ("days_past_due between 'a' and 'b'", "mixes number"),
        ("risk in (1, 2)", "mixes text"),
        ("case when bounced then 'a' else 3 end = 'a'", "it mixes text ('a') and number (3)"),
        ("case risk when 3 then true end", "mixes text"),
        ("case when risk then 1 end = 1", "'risk' is text"),
        ("coalesce(risk, 0) = 'x'", "mixes text"),
        ("risk + 1 > 3", "calculates with text"),
        ("due_date - invoice_date > 3", "calculates with date"),
        ("-risk > 3", "calculates with text"),
        ("overdue_amount / 0 >= 50000", "'overdue_amount / 0' divides by zero"),
        ("amount_open / (-0.0) >= 1 or bounced", "divides by zero"),
        ("amount_open * open_amount > 3", "multiplies an amount by an amount"),
        ("not days_past_due", "'days_past_due' is number"),
        ("bounced and days_past_due", "'days_past_due' is number"),
        ("bounced and null", "'NULL' is null"),
        ("days_past_due", "it yields number"),
        ("due_date < current_date", "'CURRENT_DATE' is a function, and a condition has none but coalesce"),
        (
            "days_past_due > 45 days",
            "'days_past_due > 45 AS days' is followed by 'days', and nothing joins them",
        ),
        ("null", "it yields null"),
        ("risk = null", "nothing equals null"),
        ("(null) <> risk", "nothing equals null"),
        ("due_date > DATE '2026-02-30'", "at character 17: '2026-02-30' is no date"),
        ("due_date > DATE '2026-2-3'", "'2026-2-3' is no date"),
        ("", "it says nothing"),
        ("days_past_due >", "not understood at character"),
        ("days_past_due = 1)", "not understood at character 18"),
        ("risk = 'high", "not closed"),
        ("(" * 400 + "bounced" + ")" * 400, "nested too deep"),
        ("bounced" + " or bounced" * 200, "2207 characters long"),
        (
            "days_past_due * days_past_due * days_past_due * days_past_due * days_past_due > 1",
            "it cannot be calculated: overflow",
        ),
    ],
)
def test_a_refusal_says_why_and_where(condition: str, reason: str) -> None:
    assert reason in why_refused(condition)


def test_all_unknown_facts_are_told_with_the_known_ones() -> None:
    sentence = why_refused("amount_opne > 1 and Risk = 'x' and (zzz = 1 or zzz = 2)")
    assert "at character 1: no fact is called 'amount_opne' here; did you mean 'amount_open'?;" in sentence
    assert sentence.count("'zzz'") == 1
    assert "(allowed: invoice_number, amount, " in sentence


def test_a_condition_on_accounts_knows_no_facts_of_an_item() -> None:
    assert "'amount_open' is a fact of an item" in why_refused("amount_open > 1", Scope.ACCOUNT)
    assert (
        find_condition_problems("overdue_amount > 1 and currency = 'EUR'", Scope.ACCOUNT, "p.yaml", "when")
        == []
    )


def test_a_fact_that_comes_later_may_not_be_named() -> None:
    with pytest.raises(YamlInvalidError, match="'risk' is not known yet"):
        compile_condition("risk = 'high'", Scope.ACCOUNT, "p.yaml", "risk[0].when", frozenset({"risk"}))


def test_the_facts_an_expression_uses_are_known() -> None:
    assert facts_used("amount_open > 5 and (currency = 'EUR' or amount_open > 9)") == {
        "amount_open",
        "currency",
    }
    assert facts_used("amount_open >") == frozenset()


def test_conditions_as_long_as_allowed_are_evaluated() -> None:
    condition = "bounced" + " or bounced" * 181
    assert len(condition) <= MAXIMUM_LENGTH
    assert is_met(condition, bounced=True)


def test_a_sum_of_very_many_terms_is_refused() -> None:
    assert "nested too deep" in why_refused("days_past_due = 1" + "-1" * 900)


def test_what_polars_reads_as_something_else_than_true_or_false_is_refused() -> None:
    with pytest.raises(RefusedError, match="it yields Int32"):
        _try_out(pl.lit(3), schema(Scope.ITEM))


def test_a_condition_changes_no_row_but_its_own() -> None:
    frame = pl.DataFrame({"days_past_due": [1, None, 9]}, schema={"days_past_due": pl.Int64})
    met = frame.select(met=compile_condition("days_past_due > 3", Scope.ITEM, "p.yaml", "when"))["met"]
    assert met.to_list() == [False, False, True]
