"""`relance batches list|show|approve|reject`."""

from datetime import date
from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace

_LIST = {
    "batch_id": "batch",
    "status": "status",
    "approval_required": "needs approval",
    "messages": "messages",
    "customers": "customers",
    "totals": "demands",
    "approved_by": "approved by",
}
_MESSAGES = {
    "customer_id": "customer",
    "invoice_number": "invoice",
    "step": "step",
    "channel": "channel",
    "amount_demanded": "demanded",
    "currency": "",
    "status": "status",
    "document_path": "document",
}


def list_(*, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """List batches, newest first."""
    import polars as pl

    from flows.commands.reading import take_in_what_was_cut
    from policies.money import plain_amounts
    from tasks.present import print_frame
    from tasks.store.batch_lists import list_batch_totals, list_batches
    from tasks.store.connection import open_to_read
    from tasks.workspace import open_workspace

    take_in_what_was_cut(workspace)
    with open_to_read(open_workspace(workspace)) as connection:
        batches, sums = list_batches(connection), list_batch_totals(connection)
    amount = next(name for name, dtype in sums.schema.items() if isinstance(dtype, pl.Decimal))
    totals = (
        sums.sort("batch_id", "currency")
        .with_columns(text=pl.format("{} {}", plain_amounts(amount), "currency"))
        .group_by("batch_id")
        .agg(totals=pl.col("text").str.join(", "))
    )
    print_frame(
        batches.join(totals, on="batch_id", how="left", maintain_order="left"), format, "Batches", _LIST
    )


def show(batch: str, /, *, format: Format = "table", workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Show what a batch holds, action by action.

    Args:
        batch: its name, such as 2026-04-07-formal_notice.
        format: how it is printed.
        workspace: the creditor's folder.
    """
    from policies.errors import WrongUseError
    from tasks.decide import with_plain_amounts
    from tasks.present import print_frame, print_lines
    from tasks.store.batch_lists import list_actions
    from tasks.store.batches import read_batch
    from tasks.store.connection import open_to_read
    from tasks.workspace import open_workspace

    with open_to_read(open_workspace(workspace)) as connection:
        found, actions = read_batch(connection, batch), list_actions(connection, batch)
    if found is None:
        raise WrongUseError(f"there is no batch {batch}; `relance batches list` shows them.")
    print_frame(with_plain_amounts(actions), format, f"Batch {batch}: {found['status']}", _MESSAGES)
    if format == "table" and found["guard_sentence"]:
        print_lines([f"Needs approval: {found['guard_sentence']}"])


def approve(
    batch: str,
    /,
    *,
    by: Annotated[str, Parameter(help="Who approves.")],
    as_of: AsOf = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Approve a batch, so that the next release lets it leave."""
    from flows.approval import approve as flow

    print(flow(batch_id=batch, by=by, workspace=workspace, as_of=as_of))


def reject(
    batch: str,
    /,
    *,
    by: Annotated[str, Parameter(help="Who rejects.")],
    why: Annotated[str, Parameter(help="The reason, for the log.")],
    until: Annotated[date, Parameter(help="The last day on which the items are held.")],
    as_of: AsOf = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Reject a batch; its items are held until the date given."""
    from flows.approval import reject as flow

    print(flow(batch_id=batch, by=by, why=why, until=until, workspace=workspace, as_of=as_of))
