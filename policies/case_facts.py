"""Facts that a case says outright, such as `average_days_late: 50`, in place of a history that leads to them.

They hold for every account and item of the case. What rows say better (keys, dates, amounts) and what the
policy itself decides (risk, segment) is refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from policies.channels import reach
from policies.escalation import Facts
from policies.facts import COUNT, DAY, FACTS, RATIO, TEXT, YES_NO, Fact, Scope
from policies.item_state import demanded
from policies.model import TOTAL
from policies.yaml_wording import did_you_mean

_IN_ROWS = {"days_past_due": "due_date", "days_since_invoice": "invoice_date"}
_ELSEWHERE = {
    "customer_id": "rows of `invoices` and `customers` say it",
    "currency": "rows of `invoices` say it",
    "invoice_number": "rows of `invoices` say it",
    "amount": "rows of `invoices` say it",
    "amount_open": "rows of `invoices` say it",
    "invoice_date": "rows of `invoices` say it",
    "due_date": "rows of `invoices` say it",
    "aging_bucket": "it follows from `days_past_due` and the policy",
    "days_since_last_step": "rows of `actions` say it",
    "risk": "the policy decides it; expect it in `decisions`",
    "segment": "the policy decides it; expect it in `decisions`",
}
_TYPES: dict[pl.DataType, tuple[tuple[type, ...], str]] = {
    TOTAL: ((int, Decimal), "an amount, such as 1200.50"),
    RATIO: ((int, Decimal), "a number, such as 45 or 0.5"),
    COUNT: ((int,), "a whole number"),
    DAY: ((date,), "a date, such as 2027-06-30"),
    TEXT: ((str,), "text"),
    YES_NO: ((bool,), "true or false"),
}


def find_fact_problems(said: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the facts of a case, as sentences."""
    return [problem for name, value in said.items() for problem in _problems_of(name, value)]


def is_said_in_rows(said: Mapping[str, object]) -> dict[str, str]:
    """Return the facts that set a date of every invoice, with the column they set."""
    return {fact: column for fact, column in _IN_ROWS.items() if fact in said}


def with_facts(facts: Facts, said: Mapping[str, object]) -> Facts:
    """Return the facts with those of the case in place of what the history gave."""
    outright = {
        name: pl.lit(value, FACTS[name].dtype) for name, value in said.items() if name not in _IN_ROWS
    }
    of_items = {name: value for name, value in outright.items() if FACTS[name].scope is Scope.ITEM}
    of_accounts = {name: value for name, value in outright.items() if FACTS[name].scope is Scope.ACCOUNT}
    for name, day in (
        ("days_since_last_contact", "last_contact"),
        ("oldest_days_past_due", "oldest_due_date"),
    ):
        days = said.get(name)
        if isinstance(days, int):
            of_accounts[day] = pl.lit(facts.as_of - timedelta(days=days), DAY)
    if "amount_disputed" in said:
        of_items["disputed_since"] = pl.coalesce("disputed_since", pl.lit(facts.as_of))
    return replace(
        facts,
        open_items=facts.open_items.with_columns(**of_items).with_columns(amount_demanded=demanded()),
        accounts=facts.accounts.with_columns(**of_accounts).with_columns(**reach()),
    )


def _problems_of(name: str, value: object) -> list[str]:
    fact: Fact | None = FACTS.get(name)
    if fact is None:
        known = [known for known in FACTS if known not in _ELSEWHERE]
        return [f"there is no fact {name!r}{did_you_mean(name, known)} (facts: {', '.join(known)})"]
    if name in _ELSEWHERE:
        return [f"the fact {name} is not set here: {_ELSEWHERE[name]}"]
    types, wanted = _TYPES[fact.dtype]
    if value is None and name not in _IN_ROWS:
        return []
    is_truth = isinstance(value, bool) and fact.dtype != YES_NO  # Python counts true as a whole number
    return (
        [] if isinstance(value, types) and not is_truth else [f"the fact {name} is {wanted}, not {value!r}"]
    )
