"""Runs the worked cases of this folder: every file is a list of cases that anyone in finance can read.

They are cases as `relance policy test` takes them, with the rules each shows (`covers`) and what differs from
the plain policy below (`policy`). Each is run by the set-based rules and by the oracle.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from policies.case_file import load_cases
from policies.case_history import build_history
from policies.model import HoldReason
from policies.policy import Policy, load_policy
from policies.policy_cases import ExpectedDecision, PolicyCase
from tests.oracle.fast_path import decide_fast, decide_slowly

FOLDER = Path(__file__).parent


class WorkedCase(PolicyCase):
    """A case with its own policy; facts are not set outright, for the oracle has to find them."""

    covers: tuple[Any, ...]
    policy: dict[str, Any] = Field(default_factory=dict)


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


CASES = [
    case
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in load_cases(path.read_text(encoding="utf-8"), path.name, WorkedCase)
]


def plain(value: Any) -> Any:
    """Return what a case says of its policy as YAML may write it again."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value if isinstance(value, bool | int | date) or value is None else str(value)


def policy_of(case: WorkedCase) -> Policy:
    text = yaml.safe_dump({**PLAIN_POLICY, **plain(case.policy)}, sort_keys=False, allow_unicode=True)
    return load_policy(text, "case.yaml")


def expected_row(decision: ExpectedDecision) -> dict[str, Any]:
    act = decision.reason is None
    return {"installment": "1", "act": act, "reason": None} | decision.model_dump(exclude_unset=True)


@pytest.mark.parametrize("decide", [decide_slowly, decide_fast])
@pytest.mark.parametrize("case", [pytest.param(case, id=case.case) for case in CASES])
def test_both_ways_decide_the_case_as_it_says(case: WorkedCase, decide: Any) -> None:
    assert not case.facts
    decided = decide(build_history(case.tables()), policy_of(case), case.as_of)
    by_item = {(row["invoice_number"], row["installment"]): row for row in decided}
    for wanted in map(expected_row, case.decisions):
        row = by_item[(wanted["invoice_number"], wanted["installment"])]
        assert {name: row[name] for name in wanted} == wanted, case.case
    present = {row["invoice_number"] for row in decided}
    assert not present & set(case.absent)


def test_no_two_cases_say_the_same_sentence() -> None:
    sentences = [case.case for case in CASES]
    assert len(sentences) == len(set(sentences))


def test_every_line_of_the_rules_has_a_case() -> None:
    covered = {str(line) for case in CASES for line in case.covers}
    assert covered | set(PROVEN_ELSEWHERE) == LINES


def test_every_reason_not_to_act_has_a_case() -> None:
    given = {decision.reason for case in CASES for decision in case.decisions}
    assert given >= {str(reason) for reason in HoldReason}
