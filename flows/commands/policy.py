"""`relance policy check`: all errors and warnings of a policy before it writes to anyone."""

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace

if TYPE_CHECKING:
    from policies.errors import Problem

WIDTH = 100
_LABELS = {"error": "Allowed", "warning": "Better"}


def check(
    policy: Path | None = None, /, *, as_of: AsOf = None, workspace: Workspace = DEFAULT_WORKSPACE
) -> int:
    """Check the workspace's policy, or the file given: keys, conditions, templates, rates, calendars.

    Args:
        policy: a policy file; left out = the one that creditor.yaml names.
        as_of: the date warnings are judged at.
        workspace: the creditor's folder.
    """
    from flows.commands.reading import resolve_day
    from policies.errors import ExitCode
    from tasks.policy_review import review_policy
    from tasks.present import print_lines
    from tasks.workspace import open_workspace

    review = review_policy(open_workspace(workspace), resolve_day(workspace, as_of), policy)
    print_lines(_told("error", review.errors))
    print_lines(_told("warning", review.warnings))
    verdict = "does not hold" if review.errors else "holds"
    print(f"{review.name}: {verdict}; {len(review.errors)} errors, {len(review.warnings)} warnings.")
    return ExitCode.POLICY_INVALID if review.errors else ExitCode.DONE


def _told(kind: str, problems: "list[Problem]") -> list[str]:
    """Return problems for the eye: where, below it what is wrong, below that what is allowed, then a gap."""
    lines = []
    for problem in problems:
        where = f"{problem.file}, line {problem.line}" if problem.line else problem.file
        lines.append(f"{kind}: {where}" + (f": {problem.key_path}" if problem.key_path else ""))
        lines += _wrapped(f"{problem.what[:1].upper()}{problem.what[1:]}")
        lines += _wrapped(f"{_LABELS[kind]}: {problem.allowed}") if problem.allowed else []
        lines.append("")
    return lines


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
