"""Whether the law and the tables that a policy names are there, sound, and known for the half-year to come.

What a statute means is decided in `policies.statutes`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from policies.errors import Problem
from policies.giving_up import load_recovery_odds
from policies.law_in_force import law_in_force
from policies.policy import Policy
from policies.policy_check import NO_DOUBTS
from policies.provisions import load_loss_rates
from policies.rates import MissingRateError, RateTable, half_year_start, load_rates, next_half_year_start
from policies.statutes import (
    Statute,
    find_ceiling_problems,
    find_law_problems,
    load_statute,
    series_of,
)
from policies.strict_yaml import YamlInvalidError
from policies.yaml_wording import did_you_mean
from tasks.workspace import Workspace, list_files

T = TypeVar("T")

_TABLES: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "give_up.recovery_odds": ("recovery_odds", load_recovery_odds),
    "provisions.loss_rates": ("loss_rates", load_loss_rates),
}
"""The keys of a policy that name a table, the folder it stands in, and how it is read."""


@dataclass(frozen=True)
class LawFound:
    """The statutes and rates that could be read, and what is wrong with the others; `named` are all files."""

    statutes: dict[str, Statute]
    rates: dict[str, RateTable]
    problems: list[Problem]
    named: frozenset[str]


def find_law(workspace: Workspace) -> LawFound:
    """Read every statute and rate series known to the workspace."""
    statutes, problems = _load_each(workspace, "statutes", load_statute)
    rates, more = _load_each(workspace, "rates", load_rates)
    by_name = {statute.statute: statute for statute in statutes}
    tables = {table.rate: table for table in rates}
    # A file that can't be read is told by itself; what names it is not wrong.
    unclear = bool(problems or more)
    crossed = [] if unclear else find_law_problems(statutes, tables)
    named = frozenset(path.stem for path in list_files(workspace, "policies/statutes", "*.yaml"))
    return LawFound(by_name, tables, [*problems, *more, *crossed], named | by_name.keys())


def find_law_errors(
    law: LawFound, policy: Policy, policy_file: str, as_of: date, doubts: frozenset[str] = NO_DOUBTS
) -> Iterator[Problem]:
    """Yield the statute that the policy names and nobody has written, and a contract's rate above its ceiling."""
    name = policy.statute
    if name is None:
        return
    if name not in law.named:
        known = sorted(law.named)
        what = f"there is no statute '{name}'{did_you_mean(name, known)}"
        yield Problem(policy_file, "statute", what, ", ".join(known))
    elif name in law.statutes and policy.charges.rate is not None and "charges.rate" not in doubts:
        percent = policy.charges.rate * 100
        yield from find_ceiling_problems(law.statutes[name], percent, as_of, policy_file)


def find_table_errors(workspace: Workspace, policy: Policy, policy_file: str) -> Iterator[Problem]:
    """Yield the tables that the policy names and that are not there, and what is wrong in those that are."""
    named = {
        "give_up.recovery_odds": policy.give_up.recovery_odds if policy.give_up else None,
        "provisions.loss_rates": policy.provisions.loss_rates,
    }
    for key, (folder, load) in _TABLES.items():
        name = named[key]
        known = [path.stem for path in list_files(workspace, f"policies/{folder}", "*.yaml")]
        if name in known:
            yield from _load_each(workspace, folder, load, f"{name}.yaml")[1]
        elif name is not None:
            what = f"there is no table '{name}' in policies/{folder}{did_you_mean(name, known)}"
            yield Problem(policy_file, key, what, ", ".join(known))


def find_rate_warnings(law: LawFound, policy: Policy, as_of: date) -> Iterator[Problem]:
    """Yield each half-year, this one and the next, that has no rate in a series the policy's statute needs."""
    statute = law.statutes.get(policy.statute or "")
    if statute is None:
        return
    covering = [
        statute,
        *(law.statutes[name] for name in statute.other_statutes.values() if name in law.statutes),
    ]
    series = dict.fromkeys(rate for one in covering for _, rate in series_of(one) if rate in law.rates)
    for rate in series:
        for day in (half_year_start(as_of), next_half_year_start(as_of)):
            try:
                law.rates[rate].rate_on(day)
            except MissingRateError as error:
                what = f"no value for {error.half_year}"
                yield Problem(f"rates/{rate}.yaml", "", what, "add it with its source once it is published")


def find_floor_warnings(law: LawFound, policy: Policy, policy_file: str, as_of: date) -> Iterator[Problem]:
    """Yield a contract's rate below the least that the policy's statute allows on the day."""
    rate = policy.charges.rate
    for one in law_in_force(policy.statute, law.statutes, law.rates, as_of):
        interest, least = one.statute.late_interest, one.floor_percent
        floor = interest.contract_floor if interest else None
        if rate is None or floor is None or least is None or rate * 100 >= least:
            continue
        what = (
            f"{(rate * 100).normalize():f} % a year is below what statute {one.statute.statute} allows: it will be "
            f"raised to {floor.times} x {floor.rate} = {least.normalize():f} % ({one.half_year})"
        )
        yield Problem(policy_file, "charges.rate", what, f"{least.normalize() / 100:f} or more")


def _load_each(
    workspace: Workspace, folder: str, load: Callable[[str, str], T], pattern: str = "*.yaml"
) -> tuple[list[T], list[Problem]]:
    """Return what each file of a folder states, and everything wrong in those that can't be read."""
    read: list[T] = []
    problems: list[Problem] = []
    for path in list_files(workspace, f"policies/{folder}", pattern):
        shown = f"{folder}/{path.name}"
        try:
            read.append(load(read_text(path), shown))
        except YamlInvalidError as error:
            problems += error.problems
    return read, problems


def read_text(path: Path) -> str:
    """Return the text of a YAML file, or say that it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        what = "this is no plain text in UTF-8; was it saved by a word processor or a spreadsheet?"
        raise YamlInvalidError([Problem(path.name, "", what, "a text file, saved as UTF-8")]) from error
