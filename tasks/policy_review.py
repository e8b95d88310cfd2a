"""Gathers what stands around a policy (templates, statutes, rates, currencies) and has it checked."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from policies.errors import PolicyInvalidError, Problem
from policies.model import Channel
from policies.policy import Policy
from policies.policy_warnings import DEFAULT_AGENCY, Surroundings, find_warnings
from policies.rates import MissingRateError, half_year_start, next_half_year_start
from policies.statutes import find_ceiling_problems, find_law_problems, series_of
from policies.strict_yaml import YamlInvalidError
from tasks.documents.wording import check_templates
from tasks.rules import Rules, read_law, read_rules
from tasks.store.connection import StoreBusyError, open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace, shipped_root


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
    problems = [
        *find_template_problems(
            workspace, rules.policy, rules.creditor.language, _written(workspace, languages)
        ),
        *_agency_problems(rules),
    ]
    if problems:
        raise PolicyInvalidError("\n".join(problem.sentence() for problem in problems))


def review_policy(workspace: Workspace, as_of: date, policy_file: Path | None = None) -> Review:
    """Return the errors and warnings of the workspace's policy, or of another file."""
    try:
        rules = read_rules(workspace, policy_file)
    except YamlInvalidError as error:
        return Review(policy_file.name if policy_file else "policy", list(error.problems), [])
    law = read_law(workspace)
    known = _known(workspace)
    languages = _written(workspace, set(known.languages))
    around = Surroundings(
        as_of=as_of,
        currencies=known.currencies,
        languages=languages,
        statutes=sorted(law.statutes),
    )
    errors = [
        *find_template_problems(workspace, rules.policy, rules.creditor.language, languages),
        *_agency_problems(rules),
    ]
    errors += find_law_problems(list(law.statutes.values()), law.rates)
    if (statute := law.statutes.get(rules.policy.statute or "")) and rules.policy.charges.rate is not None:
        errors += find_ceiling_problems(statute, rules.policy.charges.rate * 100, as_of, rules.policy_file)
    warnings = [
        *find_warnings(rules.policy, rules.policy_file, around),
        *_rate_warnings(workspace, rules, as_of),
    ]
    return Review(rules.policy_file, errors, warnings)


def find_template_problems(
    workspace: Workspace, policy: Policy, creditor_language: str, languages: list[str]
) -> list[Problem]:
    """Return what is wrong with the wording the policy's steps need, in the creditor's language and its customers'."""
    roots = (workspace.templates, shipped_root() / "templates")
    wanted = frozenset(
        (step.template or step.step, language, step.channel.value)
        for ladder in policy.ladders.values()
        for step in ladder
        for language in {creditor_language, *languages}
    )
    changed_at = max((path.stat().st_mtime_ns for root in roots for path in root.rglob("*")), default=0)
    return list(_check_once(roots, wanted, changed_at))


@lru_cache(maxsize=4)
def _check_once(
    roots: tuple[Path, ...], wanted: frozenset[tuple[str, str, str]], _changed_at: int
) -> tuple[Problem, ...]:
    """Check the wording once for as long as no file of it changes."""
    return tuple(check_templates(roots, wanted))


def _written(workspace: Workspace, languages: set[str]) -> list[str]:
    """Return those of the languages that there is wording for; the others are written to in the creditor's."""
    roots = (workspace.templates, shipped_root() / "templates")
    return sorted(
        name
        for name in languages
        if any((root / "layouts" / "labels" / f"{name}.yaml").is_file() for root in roots)
    )


def _agency_problems(rules: Rules) -> list[Problem]:
    """Return the agencies that steps name and creditor.yaml does not know."""
    known = sorted(rules.creditor.agencies)
    return [
        Problem(
            rules.policy_file,
            f"ladders.{ladder}[{index}].agency",
            f"creditor.yaml has no agency {(step.agency or DEFAULT_AGENCY)!r}",
            ", ".join(known) or "add it under `agencies:` in creditor.yaml",
        )
        for ladder, steps in rules.policy.ladders.items()
        for index, step in enumerate(steps)
        if step.channel == Channel.AGENCY and (step.agency or DEFAULT_AGENCY) not in known
    ]


@dataclass(frozen=True)
class _Known:
    currencies: frozenset[str]
    languages: frozenset[str]


def _known(workspace: Workspace) -> _Known:
    """Return the currencies and languages of the items and customers loaded so far."""
    try:
        with open_to_read(workspace) as connection:
            history = read_history(connection)
    except StoreBusyError:
        return _Known(frozenset(), frozenset())
    languages = history.customers["language"].drop_nulls().str.to_lowercase().unique().to_list()
    return _Known(frozenset(history.documents["currency"].unique().to_list()), frozenset(languages))


def _rate_warnings(workspace: Workspace, rules: Rules, as_of: date) -> list[Problem]:
    """Warn of a half-year for which the statute's rate is missing, now or next."""
    law = read_law(workspace)
    statute = law.statutes.get(rules.policy.statute or "")
    others = statute.other_statutes.values() if statute else ()
    named = [one for one in (statute, *map(law.statutes.get, others)) if one]
    tables = {rate: law.rates[rate] for one in named for _, rate in series_of(one) if rate in law.rates}
    found = []
    for table in tables.values():
        for day in (half_year_start(as_of), next_half_year_start(as_of)):
            try:
                table.rate_on(day)
            except MissingRateError as error:
                what = f"no value for {error.half_year}"
                found.append(Problem(f"rates/{table.rate}.yaml", "", what, "add it with its source"))
    return found
