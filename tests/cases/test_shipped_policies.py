"""Runs the cases of every shipped policy, as `relance policy test` does, and asks them to show all of it."""

from pathlib import Path

import pytest

from policies.case_coverage import possible_reasons
from policies.model import HoldReason
from policies.policy import load_policy
from tasks.policy_cases import run_cases
from tasks.workspace import shipped_root

FOLDER = shipped_root() / "policies" / "escalation"
POLICIES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_shipped_policy_decides_its_cases_and_they_show_all_of_it(path: Path) -> None:
    report = run_cases(Path("nowhere"), path)
    assert [result for result in report.results if not result.is_ok] == []
    assert {covered.kind: covered.missing for covered in report.coverage if covered.missing} == {}


def test_every_file_of_cases_belongs_to_a_policy() -> None:
    names = {path.name for path in (FOLDER / "cases").glob("*.yaml")}
    assert names == {path.name for path in POLICIES}


def test_only_reasons_whose_key_is_absent_are_not_asked_of_the_cases() -> None:
    policies = [load_policy(path.read_text(encoding="utf-8"), path.name) for path in POLICIES]
    never = {policy.policy: set(HoldReason) - set(possible_reasons(policy)) for policy in policies}
    assert never["standard_fr"] == {HoldReason.NO_SEGMENT, HoldReason.CONTACT_CAP}
    assert never["simple_three_letters"] == {
        HoldReason.NO_SEGMENT,
        HoldReason.CONTACT_CAP,
        HoldReason.SOURCE_STALE,
    }
