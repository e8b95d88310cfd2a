"""Gathers what stands around a policy (wording, agencies, law, what is loaded) and has it checked, all at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policies.creditor import Creditor
from policies.errors import CreditorInvalidError, PolicyInvalidError, Problem, WrongUseError
from policies.model import Channel
from policies.policy import Policy, list_errors, read_policy
from policies.policy_check import NO_DOUBTS, is_doubtful, steps_of
from policies.policy_reading import Reading
from policies.policy_warnings import DEFAULT_AGENCY, Surroundings, find_warnings
from policies.strict_yaml import YamlInvalidError
from policies.yaml_problems import add_lines
from policies.yaml_wording import did_you_mean
from tasks.documents.wording import LAST_RESORT_LANGUAGE
from tasks.policy_review.law import (
    LawFound,
    find_floor_warnings,
    find_law,
    find_law_errors,
    find_rate_warnings,
    find_table_errors,
    read_text,
)
from tasks.policy_review.wording import find_template_problems, find_untranslated, template_roots
from tasks.rules import Rules
from tasks.store.connection import StoreBusyError, open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace, find_policy, find_policy_file, read_creditor


@dataclass(frozen=True)
class Review:
    """All that was found; a policy with errors is not used."""

    name: str
    errors: list[Problem]
    warnings: list[Problem]


def require_sound(workspace: Workspace, rules: Rules, languages: set[str]) -> None:
    """Refuse to draft a day whose letters could not be made: wording or an agency is missing.

    Args:
        workspace: whose templates stand first.
        rules: the policy and the creditor.
        languages: of the customers who are written to.
    """
    wanted = [rules.creditor.language, *_written(workspace, languages - {rules.creditor.language})]
    problems = [
        *find_template_problems(workspace, rules.policy, rules.policy_file, wanted),
        *_agency_problems(rules.policy, rules.creditor, rules.policy_file),
    ]
    if problems:
        raise PolicyInvalidError("\n".join(problem.sentence() for problem in problems))


def review_policy(workspace: Workspace, as_of: date, policy_file: Path | None = None) -> Review:
    """Return the errors and warnings of the workspace's policy, or of another file."""
    creditor, creditor_problems = _read_creditor(workspace)
    if policy_file is None and creditor is None:
        return Review(workspace.creditor_path.name, creditor_problems, [])
    named = creditor.policy if creditor else ""
    path = find_policy_file(workspace.root, policy_file) if policy_file else find_policy(workspace, named)
    reading = _read(path)
    law = find_law(workspace)
    errors = [*list_errors(reading, path.name), *creditor_problems]
    warnings = []
    if reading.policy is not None:
        known = _known(workspace)
        review = _Around(workspace, creditor, law, known, path.name, as_of)
        errors += _with_lines(_errors_around(review, reading.policy, reading.doubts), reading, path.name)
        # What is said of the whole would be wrong while parts of it are unread.
        if not reading.doubts:
            warnings = _with_lines(_warnings(review, reading.policy), reading, path.name)
    ordered = sorted(
        dict.fromkeys(errors), key=lambda problem: (problem.file != path.name, problem.line or 0)
    )
    return Review(path.name, [*ordered, *law.problems], warnings)


def _with_lines(problems: Iterable[Problem], reading: Reading, file: str) -> list[Problem]:
    """Return the problems, those of the policy's own file with their line."""
    found = list(problems)
    placed = iter(add_lines([problem for problem in found if problem.file == file], reading.content))
    return [next(placed) if problem.file == file else problem for problem in found]


@dataclass(frozen=True)
class _Known:
    """What is loaded so far: the currencies of items, languages and countries of customers."""

    currencies: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Around:
    """What stands around a policy under review."""

    workspace: Workspace
    creditor: Creditor | None
    law: LawFound
    known: _Known
    policy_file: str
    as_of: date

    @property
    def language(self) -> str:
        """The language that stands in for one without wording."""
        return self.creditor.language if self.creditor else LAST_RESORT_LANGUAGE


def _errors_around(around: _Around, policy: Policy, doubts: frozenset[str]) -> Iterator[Problem]:
    file = around.policy_file
    languages = sorted(around.known.languages - {around.language})
    wanted = [around.language, *_written(around.workspace, set(languages))]
    yield from find_template_problems(around.workspace, policy, file, wanted, doubts)
    if around.creditor is not None:
        yield from _agency_problems(policy, around.creditor, file, doubts)
    yield from find_law_errors(around.law, policy, file, around.as_of, doubts)
    yield from find_table_errors(around.workspace, policy, file)


def _warnings(around: _Around, policy: Policy) -> Iterator[Problem]:
    known = around.known
    surroundings = Surroundings(around.as_of, known.currencies, known.countries)
    yield from find_warnings(policy, around.policy_file, surroundings)
    others = sorted(known.languages - {around.language})
    for language, lacking in find_untranslated(around.workspace, policy, others).items():
        what = (
            f"customers of language '{language}' are written to in '{around.language}': no wording in theirs"
        )
        yield Problem(
            around.policy_file, "ladders", what, f"add {', '.join(f'{name}/{language}' for name in lacking)}"
        )
    yield from find_floor_warnings(around.law, policy, around.policy_file, around.as_of)
    yield from find_rate_warnings(around.law, policy, around.as_of)


def _read(path: Path) -> Reading:
    try:
        return read_policy(read_text(path), path.name)
    except YamlInvalidError as error:
        return Reading(None, error.problems, NO_DOUBTS, None)
    except OSError as error:
        raise WrongUseError(f"the policy {path} cannot be read: {error.strerror}.") from error


def _read_creditor(workspace: Workspace) -> tuple[Creditor | None, list[Problem]]:
    try:
        return read_creditor(workspace), []
    except CreditorInvalidError as error:
        return None, list(error.problems)


def _written(workspace: Workspace, languages: set[str]) -> list[str]:
    """Return those of the languages that there is wording for; the others are written to in the creditor's."""
    roots = template_roots(workspace)
    return sorted(
        name
        for name in languages
        if any((root / "layouts" / "labels" / f"{name}.yaml").is_file() for root in roots)
    )


def _agency_problems(
    policy: Policy, creditor: Creditor, policy_file: str, doubts: frozenset[str] = NO_DOUBTS
) -> Iterator[Problem]:
    """Yield the agencies that steps name and creditor.yaml does not know."""
    known = sorted(creditor.agencies)
    for ladder, index, step in steps_of(policy):
        path, agency = f"ladders.{ladder}[{index}]", step.agency or DEFAULT_AGENCY
        is_clear = not is_doubtful(doubts, path, "agency", "channel")
        if is_clear and step.channel == Channel.AGENCY and agency not in known:
            what = f"creditor.yaml has no agency '{agency}'{did_you_mean(agency, known)}"
            allowed = ", ".join(known) or "add it under `agencies:` in creditor.yaml"
            yield Problem(policy_file, f"{path}.agency", what, allowed)


def _known(workspace: Workspace) -> _Known:
    try:
        with open_to_read(workspace) as connection:
            history = read_history(connection)
    except StoreBusyError:
        return _Known()
    languages = history.customers["language"].drop_nulls().str.to_lowercase().unique().to_list()
    return _Known(
        frozenset(history.documents["currency"].unique().to_list()),
        frozenset(languages),
        frozenset(history.customers["country"].drop_nulls().unique().to_list()),
    )
