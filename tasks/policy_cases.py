"""Runs the cases of a policy: finds the policy and its file of cases, decides each case, and compares.

What a case may say stands in `policies.policy_cases`. No workspace is needed: a shipped policy is found by its
name, and a file anywhere brings its cases in the folder `cases` beside it.
"""

import textwrap
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from policies.case_coverage import Covered, cover
from policies.case_facts import with_facts
from policies.case_file import load_cases
from policies.case_history import build_history
from policies.errors import WrongUseError
from policies.escalation import Facts, decide_from_facts, gather_facts
from policies.history import History
from policies.policy import Policy, content_hash, load_policy
from policies.policy_cases import ExpectedDecision, PolicyCase
from tasks.rules import read_law
from tasks.workspace import Workspace, find_policy_file, read_named_file, shipped_root

if TYPE_CHECKING:
    from policies.statutes import Law

_CASES = Path("policies") / "escalation" / "cases"
_KEY = ("customer_id", "invoice_number", "installment")
_OUTCOME = frozenset({"step", "reason"})
_LANGUAGE = "fr"
_WIDTH = 100
_MARGIN = " " * 8

Values = Mapping[str, object]


@dataclass(frozen=True)
class Difference:
    """One decision that is not as the case expects; `found` is empty where there is no such open item."""

    invoice_number: str
    installment: str
    expected: Values
    found: Values
    sentence: str


@dataclass(frozen=True)
class CaseResult:
    """A case, and where the engine disagrees with it."""

    case: str
    differences: tuple[Difference, ...]

    @property
    def is_ok(self) -> bool:
        """Whether the engine decides as the case says."""
        return not self.differences


@dataclass(frozen=True)
class CasesReport:
    """What the cases of a policy say of it."""

    policy: str
    cases_file: str
    results: tuple[CaseResult, ...]
    coverage: tuple[Covered, ...]

    @property
    def failed(self) -> int:
        """The number of cases that failed."""
        return sum(not result.is_ok for result in self.results)


def run_cases(root: Path, policy: Path | None = None, cases: Path | None = None) -> CasesReport:
    """Run the cases of a policy.

    Args:
        root: the workspace whose own files stand first; it need not exist when a policy is named.
        policy: a file or a name; left out = the one that the workspace's creditor.yaml names.
        cases: a file of cases; left out = the policy's own.
    """
    policy_file = find_policy_file(root, policy)
    cases_file = cases or _find_cases(root, policy_file)
    text = read_named_file(policy_file)
    loaded = load_policy(text, policy_file.name)
    found = load_cases(read_named_file(cases_file), cases_file.name, PolicyCase)
    law = read_law(Workspace(root.absolute()))
    results, shown = [], []
    for case in found:
        result, rows = run_case(case, loaded, law, content_hash(text))
        results.append(result)
        if result.is_ok:
            shown.append(rows)
    return CasesReport(loaded.policy, str(cases_file), tuple(results), tuple(cover(loaded, shown)))


def run_case(
    case: PolicyCase, policy: Policy, law: "Law", policy_hash: str = ""
) -> tuple[CaseResult, pl.DataFrame]:
    """Decide a case; return where the decisions differ, and the rows of the decisions it expects."""
    history = build_history(case.tables(), policy)
    facts = with_facts(gather_facts(history, policy, case.as_of), case.facts)
    decided = decide_from_facts(facts, history, policy)
    charges = _charges(case, decided, facts, history, policy, law, policy_hash)
    rows = {tuple(row[name] for name in _KEY): row for row in decided.iter_rows(named=True)}
    differences, wanted = [], []
    for expected in case.decisions:
        key = _key_of(expected, rows)
        wanted.append(dict(zip(_KEY, key, strict=True)))
        difference = _compare(expected, rows.get(key), charges.get(key, {}))
        differences += [difference] if difference else []
    differences += [_unexpected(row) for row in rows.values() if row["invoice_number"] in case.absent]
    keys = pl.DataFrame(wanted, schema=dict.fromkeys(_KEY, pl.String))
    return CaseResult(case.case, tuple(differences)), decided.join(keys, on=list(_KEY), how="semi")


def _key_of(expected: ExpectedDecision, rows: Mapping[tuple[str, ...], Any]) -> tuple[str, ...]:
    """Return the item a decision is about; its customer may be left out where only one has such an invoice."""
    wanted = (expected.invoice_number, expected.installment)
    customers = [key[0] for key in rows if key[1:] == wanted]
    return (expected.customer_id or (customers[0] if len(customers) == 1 else "C1"), *wanted)


def _compare(expected: ExpectedDecision, row: Values | None, charges: Values) -> Difference | None:
    """Return how a decision differs from what is expected of it."""
    wanted = expected.model_dump(exclude_unset=True, exclude={*_KEY, "charges"})
    wanted = {"reason": None} | wanted
    if expected.charges is not None:
        wanted |= expected.charges.model_dump(exclude_unset=True)
    if row is None:
        return Difference(expected.invoice_number, expected.installment, wanted, {}, "")
    found = {name: {**row, **charges}.get(name) for name in wanted} | {"reason": row["reason"] or None}
    wrong = {name for name, value in wanted.items() if found[name] != value}
    if not wrong:
        return None
    told = wrong | _OUTCOME if wrong & _OUTCOME else wrong
    said = expected.model_fields_set
    return Difference(
        expected.invoice_number,
        expected.installment,
        {
            name: value
            for name, value in wanted.items()
            if name in told and (name in said or value is not None)
        },
        _present(
            {name: {**row, **found, **charges}.get(name) for name in wanted | dict.fromkeys(told)}, told
        ),
        str(row["sentence"]),
    )


def _unexpected(row: Values) -> Difference:
    """Return the difference of an open item that should be none."""
    found = _present(row, ("amount_open", "step", "reason"))
    return Difference(
        str(row["invoice_number"]), str(row["installment"]), {"absent": True}, found, str(row["sentence"])
    )


def _present(row: Values, names: Collection[str]) -> Values:
    """Return those of the values that are there."""
    return {name: value for name, value in row.items() if name in names and value not in (None, "")}


def _charges(
    case: PolicyCase,
    decided: pl.DataFrame,
    facts: Facts,
    history: History,
    policy: Policy,
    law: "Law",
    policy_hash: str,
) -> dict[tuple[str, ...], dict[str, object]]:
    """Return the charges claimed for the acting items, by key; composed only for a case that asks for them."""
    if all(expected.charges is None for expected in case.decisions):
        return {}
    from policies.composition import Composing, compose_messages

    composing = Composing(
        facts=facts,
        history=history,
        policy=policy,
        policy_hash=policy_hash,
        law=law,
        default_language=_LANGUAGE,
        name_batch=lambda _needs_approval, step: step,
    )
    return {
        (message.customer.customer_id, item.invoice_number, item.installment): {
            "late_interest": item.charges.late_interest,
            "recovery_charge": item.charges.recovery_charge,
            "fees": item.charges.fees,
        }
        for message in compose_messages(decided, composing)
        for item in message.items
    }


def _find_cases(root: Path, policy_file: Path) -> Path:
    """Return the file of cases of a policy: of the workspace, beside the policy, else the shipped one."""
    name = policy_file.name
    places = [root / _CASES / name, policy_file.parent / "cases" / name, shipped_root() / _CASES / name]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise WrongUseError(
            f"the policy {policy_file} has no cases: write {places[1]}, or name a file with --cases FILE. "
            "policies/README.md shows the form."
        )
    return found


def as_plain(report: CasesReport) -> dict[str, object]:
    """Return the report as plain values, for JSON."""
    return {
        "policy": report.policy,
        "cases_file": report.cases_file,
        "passed": len(report.results) - report.failed,
        "failed": report.failed,
        "cases": [{"ok": result.is_ok, **asdict(result)} for result in report.results],
        "coverage": [asdict(covered) for covered in report.coverage],
    }


def as_lines(report: CasesReport) -> list[str]:
    """Return the report as lines for people, no wider than 100 columns."""
    lines = [line for result in report.results for line in _lines_of(result)]
    passed = len(report.results) - report.failed
    lines += ["", f"{report.policy}: {_count(passed, 'case')} passed, {report.failed} failed."]
    lines += _wrapped("  ", f"cases: {report.cases_file}")
    lines += [line for covered in report.coverage if covered.names for line in _coverage_lines(covered)]
    return lines


def _lines_of(result: CaseResult) -> list[str]:
    lines = _wrapped("ok      " if result.is_ok else "FAILED  ", result.case)
    for one in result.differences:
        name = one.invoice_number + (f"/{one.installment}" if one.installment != "1" else "")
        found = _said(one.found) if one.found else "no such open item"
        lines += _wrapped(_MARGIN, f"{name}: expected {_said(one.expected)}")
        lines += _wrapped(_MARGIN, f"{name}: found {found}")
        lines += _wrapped(_MARGIN, f"The engine says: {one.sentence}") if one.sentence else []
    return lines


def _coverage_lines(covered: Covered) -> list[str]:
    shown = len(covered.names) - len(covered.missing)
    missing = f"; no case shows {', '.join(covered.missing)}" if covered.missing else ""
    return _wrapped("  ", f"{covered.kind}: {shown} of {len(covered.names)}{missing}")


def _wrapped(margin: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=" " * len(margin), break_on_hyphens=False
    )


def _said(values: Values) -> str:
    words = ((name, "none" if value is None else value) for name, value in values.items())
    return ", ".join(name if value is True else f"{name} {value}" for name, value in words)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
