"""`relance policy simulate`: real history replayed under a policy, day by day. Changes nothing."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Format, Workspace

First = Annotated[date, Parameter(name="--from", help="The first day (YYYY-MM-DD).")]
Last = Annotated[date, Parameter(name="--to", help="The last day (YYYY-MM-DD).")]
ApproveAfter = Annotated[
    int,
    Parameter(name="--approve-after-days", help="Days that steps wait for approval; 0 = none."),
]
Limit = Annotated[int, Parameter(help="The most rows of one list that the table shows.")]
Output = Annotated[Path | None, Parameter(help="Also write all rows to this file: .csv, .json or .parquet.")]


def simulate(
    policy: Path | None = None,
    /,
    *,
    first: First,
    last: Last,
    by: Annotated[
        Literal["action", "step", "month", "customer"],
        Parameter(help="What a row of csv, json and parquet is about."),
    ] = "action",
    approve_after_days: ApproveAfter = 0,
    limit: Limit = 20,
    output: Output = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Replay real history under a policy: whom it would have contacted, with which steps and charges.

    Nothing is written but the file named by --output, and nothing leaves. What cannot be known is assumed; the table
    says what.

    Args:
        policy: a policy file, or the name of one; left out = the one that creditor.yaml names.
        first: the first day.
        last: the last day.
        by: what a row of csv, json and parquet is about.
        approve_after_days: how long a person takes to approve.
        limit: the most rows of one list that the table shows.
        output: a file for all rows.
        format: table, csv, json or parquet.
        workspace: the creditor's folder.
    """
    from flows.commands.simulation_tables import ROWS, check_output, tell_simulation, write_rows
    from tasks.present import print_frame
    from tasks.simulate import check_period, read_policy, replay, set_stage
    from tasks.workspace import open_workspace

    check_output(output)
    opened, period = open_workspace(workspace), check_period(first, last, approve_after_days)
    chosen = read_policy(opened, policy)
    simulation = replay(set_stage(opened), chosen, period, say_progress)
    rows = ROWS[by](simulation)
    if output:
        write_rows(rows, output)
    if format == "table":
        tell_simulation(simulation, limit)
    else:
        print_frame(rows, format)


def say_progress(line: str) -> None:
    """Tell who waits at the terminal how far it is."""
    import sys

    print(line, file=sys.stderr, flush=True)
