"""Runs the worked cases of this folder: every file is a list of cases that anyone in finance can read.

A case is a sentence (`case`), the rules it shows (`covers`), a day (`as_of`), rows as they stand in files,
what differs from the plain policy below (`policy`), and the rows expected of `decisions`. Each is run by the
set-based rules and by the oracle.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.model import HoldReason
from policies.policy import Policy, load_policy
from tests.builders import history
from tests.oracle.fast_path import decide_fast, decide_slowly

Case = Mapping[str, Any]

TABLES = ("files", "invoices", "payments", "events", "customers", "actions", "proposals")
KEYS = {"case", "covers", "as_of", "policy", "decisions", "absent", *TABLES}

PLAIN_POLICY: dict[str, Any] = {
    "description": "The policy of a worked case.",
    "policy": "worked_case",
    "segments": [{"segment": "everyone", "ladder": "standard"}],
    "ladders": {
        "standard": [
            {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
            {"step": "reminder_2", "after_previous_days": 7, "channel": "email"},
            {"step": "formal_notice", "after_due_days": 30, "channel": "registered_letter"},
        ]
    },
}

PROVEN_ELSEWHERE = {
    "2.5": "tests of the store: a ledger file replaces what its source said of the same year",
    "2.6": "tests of the store: the latest statement of a customer's attribute wins",
    "5.4": "tests of release: an approved message that changed is withdrawn",
    "5.5": "tests of batches: the guard on the number of customers contacted",
}
"""Lines of the rules that no decision shows; everything else has a case here."""

LINES = {
    *(f"2.{line}" for line in range(1, 8)),
    *(f"3.{line}" for line in range(1, 10)),
    *(f"4.{line}" for line in range(1, 7)),
    *(f"5.{line}" for line in range(1, 6)),
}


def load_cases() -> list[Case]:
    return [
        case
        for path in sorted(Path(__file__).parent.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


CASES = load_cases()


def policy_of(case: Case) -> Policy:
    text = yaml.safe_dump({**PLAIN_POLICY, **case.get("policy", {})}, sort_keys=False, allow_unicode=True)
    return load_policy(text, "case.yaml")


def expected_row(row: Mapping[str, Any]) -> dict[str, Any]:
    act = "reason" not in row
    return {"installment": "1", "act": act, **({"reason": None} if act else {}), **row}


def float_free(value: object) -> object:
    """Return amounts as decimals, however YAML spelled them."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


@pytest.mark.parametrize("decide", [decide_slowly, decide_fast])
@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_both_ways_decide_the_case_as_it_says(case: Case, decide: Any) -> None:
    tables = {name: case[name] for name in TABLES if name in case}
    decided = decide(history(**tables), policy_of(case), case["as_of"])
    by_item = {(row["invoice_number"], row["installment"]): row for row in decided}
    for wanted in map(expected_row, case.get("decisions", ())):
        row = by_item[(wanted["invoice_number"], wanted["installment"])]
        found = {name: float_free(row[name]) for name in wanted}
        assert found == {name: float_free(value) for name, value in wanted.items()}, case["case"]
    present = {row["invoice_number"] for row in decided}
    assert not present & set(case.get("absent", ()))


def test_every_case_is_written_with_known_words() -> None:
    for case in CASES:
        assert set(case) <= KEYS, case["case"]
        assert case.get("decisions") or case.get("absent"), case["case"]


def test_no_two_cases_say_the_same_sentence() -> None:
    sentences = [case["case"] for case in CASES]
    assert len(sentences) == len(set(sentences))


def test_every_line_of_the_rules_has_a_case() -> None:
    covered = {str(line) for case in CASES for line in case["covers"]}
    assert covered | set(PROVEN_ELSEWHERE) == LINES


def test_every_reason_not_to_act_has_a_case() -> None:
    given = {row.get("reason") for case in CASES for row in case.get("decisions", ())}
    assert given >= {str(reason) for reason in HoldReason}
