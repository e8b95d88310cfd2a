"""Whether there is wording for every step of a policy: in each language, and by each channel it may go by.

What may stand in a text is checked in `tasks.documents.wording`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from policies.errors import Problem
from policies.model import Channel
from policies.policy import Policy
from policies.policy_check import NO_DOUBTS, is_doubtful, stand_ins_of, steps_of
from policies.yaml_wording import did_you_mean
from tasks.documents.wording import PIECES, check_templates
from tasks.workspace import Workspace, shipped_root


@dataclass(frozen=True)
class _Need:
    """A step's wording: where the policy names it, and the channels that may stand in for its own."""

    path: str
    step: str
    template: str
    channel: Channel
    stand_ins: tuple[Channel, ...]


def find_template_problems(
    workspace: Workspace,
    policy: Policy,
    policy_file: str,
    languages: Sequence[str],
    doubts: frozenset[str] = NO_DOUBTS,
) -> list[Problem]:
    """Return what is wrong with the wording that the policy's steps need.

    Args:
        workspace: whose templates stand first.
        policy: whose steps.
        policy_file: for messages.
        languages: the creditor's, then those of customers; the latter are needed only where they were begun.
        doubts: key paths of what could not be read of the policy.
    """
    roots = template_roots(workspace)
    known = _templates(roots)
    problems = []
    wanted = []
    for need in _needs(policy, doubts):
        if need.template in known:
            wanted.append(need)
        else:
            what = f"there is no template '{need.template}'{did_you_mean(need.template, known)}"
            allowed = f"{', '.join(known)}; or a new folder of that name in templates"
            problems.append(Problem(policy_file, need.path, what, allowed))
    own = {
        (need.template, language, need.channel.value)
        for need in wanted
        for language in _begun(roots, need.template, languages)
    }
    found = _check(roots, own)
    told = set(found)
    for need in wanted:
        for problem, sentence in _stand_in_problems(roots, need, languages, policy_file):
            if problem not in told:
                told.add(problem)
                problems.append(sentence)
    return [*problems, *found]


def find_untranslated(workspace: Workspace, policy: Policy, languages: Sequence[str]) -> dict[str, list[str]]:
    """Return the wording each language lacks altogether; such customers are written to in the creditor's."""
    roots = template_roots(workspace)
    templates = list(dict.fromkeys(need.template for need in _needs(policy, NO_DOUBTS)))
    lacking = {
        language: [template for template in templates if not _is_begun(roots, template, language)]
        for language in languages
    }
    return {language: names for language, names in lacking.items() if names}


def template_roots(workspace: Workspace) -> tuple[Path, ...]:
    """Return the folders wording is looked for in, the workspace's own first."""
    return (workspace.templates, shipped_root() / "templates")


def _needs(policy: Policy, doubts: frozenset[str]) -> Iterator[_Need]:
    for ladder, index, step in steps_of(policy):
        path = f"ladders.{ladder}[{index}]"
        if is_doubtful(doubts, path, "step", "template", "channel"):
            continue
        stand_ins = tuple(Channel(name) for name in stand_ins_of(step.channel.value, policy.contact.fallback))
        yield _Need(f"{path}.template", step.step, step.template, step.channel, stand_ins)


def _stand_in_problems(
    roots: tuple[Path, ...], need: _Need, languages: Sequence[str], policy_file: str
) -> Iterator[tuple[Problem, Problem]]:
    """Yield what a step lacks to go by a channel that stands in for its own, as found and as told."""
    for channel in need.stand_ins:
        wanted = {
            (need.template, language, channel.value) for language in _begun(roots, need.template, languages)
        }
        for problem in _check(roots, wanted):
            what = f"'{need.step}' may then go by {channel}, but {problem.file}: {problem.what}"
            path = f"contact.fallback.{need.channel}"
            yield problem, replace(problem, file=policy_file, key_path=path, what=what)


def _begun(roots: Sequence[Path], template: str, languages: Sequence[str]) -> list[str]:
    """Return the languages a wording must be whole in: the first, and others that have a folder of their own."""
    first, *others = languages
    return [first, *(language for language in others if _is_begun(roots, template, language))]


def _is_begun(roots: Sequence[Path], template: str, language: str) -> bool:
    return any((root / template / language).is_dir() for root in roots)


def _templates(roots: Sequence[Path]) -> list[str]:
    """Return the names of all wording there is."""
    pieces = {f"{piece}.txt" for needed in PIECES.values() for piece in needed}
    return sorted(
        {path.parts[-3] for root in roots for path in root.glob("*/*/*.txt") if path.name in pieces}
    )


def _check(roots: tuple[Path, ...], wanted: set[tuple[str, str, str]]) -> list[Problem]:
    changed_at = max((path.stat().st_mtime_ns for root in roots for path in root.rglob("*")), default=0)
    return list(_check_once(roots, frozenset(wanted), changed_at))


@lru_cache(maxsize=32)
def _check_once(
    roots: tuple[Path, ...], wanted: frozenset[tuple[str, str, str]], _changed_at: int
) -> tuple[Problem, ...]:
    """Check the wording once for as long as no file of it changes."""
    return tuple(check_templates(roots, wanted))
