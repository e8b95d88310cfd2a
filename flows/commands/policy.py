"""`relance policy check`: all errors and warnings of a policy before it writes to anyone."""

from pathlib import Path

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


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
    print_lines([f"error: {problem.sentence()}" for problem in review.errors])
    print_lines([f"warning: {problem.sentence()}" for problem in review.warnings])
    verdict = "does not hold" if review.errors else "holds"
    print(f"{review.name}: {verdict}; {len(review.errors)} errors, {len(review.warnings)} warnings.")
    return ExitCode.POLICY_INVALID if review.errors else ExitCode.DONE
