"""`relance audit log|show|verify|query`: reads only, also while a flow holds the store."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Format, Workspace

_LOG = {
    "sequence": "no.",
    "recorded_at": "recorded (UTC)",
    "actor": "actor",
    "kind": "kind",
    "customer_id": "customer",
    "action_id": "action",
}


def log(
    *,
    customer: str | None = None,
    kind: str | None = None,
    run: str | None = None,
    newest: Annotated[int | None, Parameter(help="Only so many of the newest events.")] = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show the events of the log, oldest first, as published.

    Args:
        customer: only this customer's.
        kind: only this kind.
        run: only this run's.
        newest: only so many of the newest.
        format: how they are printed.
        workspace: the creditor's folder.
    """
    import polars as pl

    from tasks.present import print_frame
    from tasks.publish import read_table
    from tasks.workspace import open_workspace

    wanted = {"customer_id": customer, "kind": kind, "run_id": run}
    events = read_table(open_workspace(workspace), "events").sort("sequence")
    for column, value in wanted.items():
        if value is not None:
            events = events.filter(pl.col(column) == value)
    shown = events.tail(newest) if newest is not None else events
    if format == "table":
        shown = shown.with_columns(
            pl.col("recorded_at").dt.strftime("%Y-%m-%d %H:%M:%S"), pl.col("action_id").str.head(8)
        )
    print_frame(shown, format, "Audit log", _LOG)


def show(
    action: str,
    /,
    *,
    document: Annotated[
        bool, Parameter(help="Write the document's bytes to standard output instead.")
    ] = False,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show all that is known of one action, and prove that its document is the one that left.

    Args:
        action: its number, or the first characters of it.
        document: write the document itself.
        workspace: the creditor's folder.
    """
    from tasks.audit_trail import explain_action, read_document
    from tasks.present import print_lines, to_json
    from tasks.workspace import open_workspace

    opened = open_workspace(workspace)
    if document:
        sys.stdout.buffer.write(read_document(opened, action))
        return
    story = explain_action(opened, action)
    print_lines(story.lines)
    print(to_json(story.events))


def verify(*, head: tuple[Path, ...] = (), workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Check the log, in the store and as published, and that the state agrees; exit code 6 tells all that is wrong.

    Args:
        head: a copy of heads.jsonl or head.json that was kept elsewhere; may be given several times.
        workspace: the creditor's folder.
    """
    from tasks.audit.verify import verify_log
    from tasks.workspace import open_workspace

    print(verify_log(open_workspace(workspace), head))


def query(sql: str, /, *, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Ask the published tables in SQL: events, decisions, aging, actions, messages, batches, intakes.

    Args:
        sql: a select.
        format: how the answer is printed.
        workspace: the creditor's folder.
    """
    from tasks.present import print_frame
    from tasks.publish import query_published
    from tasks.workspace import open_workspace

    print_frame(query_published(open_workspace(workspace), sql), format)
