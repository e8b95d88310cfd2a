"""`relance policy diff`: two policies on the same history: who would be contacted differently. Changes nothing."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Format, Workspace
from flows.commands.policy_simulate import ApproveAfter, First, Last, Limit, Output, say_progress


def diff(
    a: Path,
    b: Path,
    /,
    *,
    first: First,
    last: Last,
    fail_on_change: Annotated[
        bool, Parameter(help="Exit with 5 when anything differs.", negative="")
    ] = False,
    approve_after_days: ApproveAfter = 0,
    limit: Limit = 20,
    output: Output = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> int:
    """Replay real history under two policies, and tell who would be contacted differently, when, with which amounts.

    Args:
        a: a policy file, or the name of one.
        b: the other one.
        first: the first day.
        last: the last day.
        fail_on_change: exit with 5 when anything differs.
        approve_after_days: how long a person takes to approve.
        limit: the most rows of one list that the table shows.
        output: a file for all rows.
        format: table, csv, json or parquet.
        workspace: the creditor's folder.
    """
    from flows.commands.simulation_tables import check_output, tell_differences, write_rows
    from policies.errors import ExitCode
    from policies.simulation_diff import differences
    from tasks.present import print_frame
    from tasks.simulate import check_period, read_policy, replay_both, set_stage
    from tasks.workspace import open_workspace

    check_output(output)
    opened, period = open_workspace(workspace), check_period(first, last, approve_after_days)
    policies = read_policy(opened, a), read_policy(opened, b)
    left, right = replay_both(set_stage(opened), *policies, period, say_progress)
    rows = differences(left, right)
    if output:
        write_rows(rows, output)
    if format == "table":
        tell_differences(left, right, rows, limit)
    else:
        print_frame(rows, format)
    return ExitCode.WAITING if fail_on_change and not rows.is_empty() else ExitCode.DONE
