"""Runs the worked examples of `charges/`: one item under one law, with its arithmetic in a comment.

A case names the statute as a policy does; `charges` and `periods` are what is claimed, `omitted` and `note` why not.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.charges import LATE_INTEREST, RECOVERY_CHARGE, ChargesOutcome, Omission, charge_item
from policies.interest import LateItem
from policies.messages import InterestPeriod
from policies.statutes import statute_for
from tests.unit.law import RATES, STATUTES

Case = Mapping[str, Any]
KEYS = {
    "case",
    "statute",
    "item",
    "payments",
    "contract_percent",
    "claim",
    "charges",
    "periods",
    "omitted",
    "note",
}

CASES: list[Case] = [
    case
    for path in sorted((Path(__file__).parent / "charges").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def outcome_of(case: Case) -> ChargesOutcome:
    stated = {**case["item"], "amount": Decimal(case["item"]["amount"])}
    payments = [(paid["date"], Decimal(paid["amount"])) for paid in case.get("payments", ())]
    item = LateItem(**stated, payments=payments)
    percent = case.get("contract_percent")
    name = case.get("statute")
    return charge_item(
        item,
        statute_for(name, item.customer_type, STATUTES) if name else None,
        RATES,
        claim=case.get("claim", (LATE_INTEREST, RECOVERY_CHARGE)),
        contract_percent=Decimal(percent) if percent else None,
    )


def told(period: InterestPeriod) -> dict[str, object]:
    return {**period.model_dump(exclude={"annual_rate", "source"}), "percent": period.annual_rate * 100}


def numbers(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: Decimal(value) if isinstance(value, str) and name != "statute" else value
        for name, value in row.items()
    }


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_the_law_claims_what_was_worked_out_by_hand(case: Case) -> None:
    outcome = outcome_of(case)
    assert (outcome.omission, outcome.note) == (case.get("omitted"), case.get("note", ""))
    wanted = numbers(case.get("charges", {"late_interest": "0", "recovery_charge": "0"}))
    assert {name: getattr(outcome.charges, name) for name in wanted} == wanted
    if "periods" in case:
        assert [told(period) for period in outcome.charges.periods] == [
            numbers(row) for row in case["periods"]
        ]
    assert (
        sum((period.amount for period in outcome.charges.periods), Decimal(0))
        == outcome.charges.late_interest
    )


def test_every_charge_case_is_written_with_known_words_and_none_stands_twice() -> None:
    for case in CASES:
        assert set(case) <= KEYS, case["case"]
        assert ("charges" in case) != ("omitted" in case), case["case"]
    sentences = [case["case"] for case in CASES]
    assert len(sentences) == len(set(sentences))


def test_every_statute_and_every_reason_to_leave_charges_out_has_a_case() -> None:
    used = {
        statute_for(case["statute"], case["item"].get("customer_type", "business"), STATUTES).statute
        for case in CASES
        if "statute" in case
    }
    assert used == set(STATUTES)
    assert {case["omitted"] for case in CASES if "omitted" in case} == set(Omission)
