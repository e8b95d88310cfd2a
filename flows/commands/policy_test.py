"""`relance policy test`: the worked cases of a policy, facts in and decisions out."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Workspace


def test(
    policy: Path | None = None,
    /,
    *,
    cases: Annotated[Path | None, Parameter(help="A file of cases; the policy's own if left out.")] = None,
    format: Annotated[
        Literal["table", "json"], Parameter(name="--format", help="How the answer is printed.")
    ] = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> int:
    """Run the worked cases of the workspace's policy, or of the one given, and tell what no case shows.

    Args:
        policy: a policy file, or the name of one; left out = the one that creditor.yaml names.
        cases: a file of cases; left out = policies/escalation/cases/<policy>.yaml of the workspace, beside the
            policy, or shipped.
        format: lines for people, or JSON.
        workspace: the creditor's folder; not needed when a policy is named.
    """
    from policies.errors import ExitCode
    from tasks.policy_cases import as_lines, as_plain, run_cases
    from tasks.present import print_lines, to_json

    report = run_cases(workspace, policy, cases)
    if format == "json":
        print(to_json(as_plain(report)))
    else:
        print_lines(as_lines(report))
    return ExitCode.POLICY_INVALID if report.failed else ExitCode.DONE
