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
    from tasks.policy_review.review import review_policy
    from tasks.present import print_lines
    from tasks.workspace import open_workspace

    review = review_policy(open_workspace(workspace), resolve_day(workspace, as_of), policy)
    print_lines(_told("error", review.errors))
    print_lines(_told("warning", review.warnings))
    verdict = "does not hold" if review.errors else "holds"
    print(
        f"{review.name}: {verdict}; {_count(review.errors, 'error')}, {_count(review.warnings, 'warning')}."
    )
    return ExitCode.POLICY_INVALID if review.errors else ExitCode.DONE


def _told(kind: str, problems: "list[Problem]") -> list[str]:
    """Return problems for the eye: where, below it what is wrong, below that what is allowed, then a gap."""
    lines: list[str] = []
    listed: dict[str, str] = {}
    for problem in problems:
        where = f"{problem.file}, line {problem.line}" if problem.line else problem.file
        lines.append(f"{kind}: {where}" + (f": {problem.key_path}" if problem.key_path else ""))
        lines += _wrapped(problem.what)
        if problem.allowed:
            # A long list is shown once, so that the next error is not lost below it.
            again = listed.get(problem.allowed)
            lines += _wrapped(f"{_LABELS[kind]}: {f'as for {again}' if again else problem.allowed}")
            if len(problem.allowed) > WIDTH:
                listed.setdefault(problem.allowed, f"line {problem.line}, {problem.key_path}")
        lines.append("")
    return lines


def _count(problems: "list[Problem]", kind: str) -> str:
    return f"{len(problems)} {kind}{'' if len(problems) == 1 else 's'}"


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
