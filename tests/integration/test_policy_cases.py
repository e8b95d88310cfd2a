"""`relance policy test` as people type it: where it finds policies and cases, what it prints, its exit codes."""

import json
from pathlib import Path

import pytest

from flows.__main__ import run
from policies.errors import ExitCode
from tasks.workspace import initialise, shipped_root

POLICY = """
description: One mail.
policy: short
risk:
  - {class: high, when: "broken_promises >= 1"}
  - {class: normal}
segments:
  - {segment: everyone, ladder: standard}
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email}
"""
RIGHT = """
- case: One day late an invoice is reminded of.
  as_of: 2026-03-10
  invoices:
    - {invoice_number: A, due_date: 2026-03-09}
  decisions:
    - {invoice_number: A, step: reminder_1, risk: normal}
"""
WRONG = """
- case: An invoice that is not due yet is reminded of, which is wrong.
  as_of: 2026-03-10
  invoices:
    - {invoice_number: A, due_date: 2026-03-11}
    - {invoice_number: C, due_date: 2026-03-01}
  decisions:
    - {invoice_number: A, step: reminder_1, charges: {late_interest: 3}}
    - {invoice_number: B, reason: disputed}
  absent: [C]
"""


@pytest.fixture
def policy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy with its cases beside it, in a folder that is no workspace."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "short.yaml").write_text(RIGHT, encoding="utf-8")
    path = tmp_path / "short.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    code = run(["policy", "test", *map(str, words)])
    caught = capsys.readouterr()
    return code, caught.out + caught.err


def test_cases_that_pass_and_what_they_don_t_show(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = told(capsys, policy_file)
    assert code == ExitCode.DONE
    assert "ok      One day late an invoice is reminded of.\n" in out
    assert "short: 1 case passed, 0 failed." in out
    assert "  steps: 1 of 1\n" in out
    assert "  risk classes: 1 of 2; no case shows risk high\n" in out
    assert "no case shows insolvent, written_off, placed," in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_a_case_that_fails_says_what_was_expected_what_was_found_and_why(
    policy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "wrong.yaml"
    cases.write_text(RIGHT + WRONG, encoding="utf-8")
    code, out = told(capsys, policy_file, "--cases", cases)
    assert code == ExitCode.POLICY_INVALID
    assert "FAILED  An invoice that is not due yet" in out
    assert "        A: expected step reminder_1, late_interest 3\n" in out
    assert "        A: found reason no_step_due\n" in out
    assert "        The engine says: Next step reminder_1 on 2026-03-12.\n" in out
    assert "        B: expected reason disputed\n        B: found no such open item\n" in out
    assert "        C: expected absent\n        C: found amount_open 1000.000, step reminder_1\n" in out
    assert "short: 1 case passed, 1 failed." in out


def test_what_the_step_claims_beside_the_debt_can_be_expected(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_fee = POLICY.replace("channel: email}", 'channel: email, fee: {EUR: "7.50"}}')
    policy_file.write_text(with_fee, encoding="utf-8")
    cases = policy_file.parent / "cases" / "short.yaml"
    charged = "charges: {late_interest: 0, recovery_charge: 0, fees: 7.50}"
    cases.write_text(RIGHT.replace("risk: normal", charged), encoding="utf-8")
    assert told(capsys, policy_file)[0] == ExitCode.DONE
    cases.write_text(RIGHT.replace("risk: normal", charged.replace("7.50", "7.49")), encoding="utf-8")
    code, out = told(capsys, policy_file)
    assert code == ExitCode.POLICY_INVALID
    assert "        A: expected fees 7.49\n        A: found fees 7.50\n" in out


def test_machines_are_told_the_same_as_json(policy_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, policy_file, "--format", "json")
    answer = json.loads(out)
    assert code == ExitCode.DONE
    assert (answer["policy"], answer["passed"], answer["failed"]) == ("short", 1, 0)
    assert answer["cases"] == [
        {"ok": True, "case": "One day late an invoice is reminded of.", "differences": []}
    ]
    assert {"kind": "steps", "names": ["standard.reminder_1"], "missing": []} in answer["coverage"]


def test_a_shipped_policy_is_tested_by_name_outside_any_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out = told(capsys, "simple_three_letters")
    assert code == ExitCode.DONE
    assert "  holds: 19 of 19\n" in out


def test_the_workspace_names_the_policy_and_its_own_cases_stand_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = initialise(tmp_path / "company")
    own = workspace.policies / "escalation" / "cases" / "standard_fr.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(RIGHT.replace(", risk: normal", ""), encoding="utf-8")
    code, out = told(capsys, "--workspace", workspace.root)
    assert code == ExitCode.DONE
    assert "standard_fr: 1 case passed, 0 failed." in out


def test_a_file_of_cases_that_is_broken_is_told_with_its_line(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = policy_file.parent / "cases" / "short.yaml"
    cases.write_text(RIGHT.replace("due_date", "duedate"), encoding="utf-8")
    code, out = told(capsys, policy_file)
    assert code == ExitCode.POLICY_INVALID
    assert "short.yaml: [0].invoices[0].duedate: line 5: unknown key 'duedate'; did you mean" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.yaml",), "there is no policy 'nowhere.yaml'"),
        (("some/where.yaml",), "there is no policy 'some/where.yaml'"),
        (("short.yaml", "--cases", "missing.yaml"), "missing.yaml cannot be read"),
        ((), "is not a workspace of Relance"),
    ],
)
def test_what_is_not_there_is_wrong_use(
    policy_file: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    code, out = told(capsys, *words)
    assert code == ExitCode.WRONG_USE
    assert message in out


def test_a_policy_without_cases_says_where_to_write_them(
    policy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (policy_file.parent / "cases" / "short.yaml").unlink()
    code, out = told(capsys, policy_file)
    assert code == ExitCode.WRONG_USE
    assert "has no cases: write" in out


def test_the_example_of_the_manual_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manual = (shipped_root() / "policies" / "README.md").read_text(encoding="utf-8")
    example = manual.split("# Cases of a policy")[1].split("```yaml\n")[1].split("```")[0]
    cases = tmp_path / "cases.yaml"
    cases.write_text(example, encoding="utf-8")
    code, out = told(capsys, "standard_fr", "--cases", cases)
    assert code == ExitCode.DONE, out
