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

    from flows.commands.reading import batches_or_published
    from policies.money import plain_amounts
    from tasks.present import print_frame

    batches, actions = batches_or_published(workspace)
    totals = (
        actions.group_by("batch_id", "currency")
        .agg(pl.col("amount_demanded").sum())
        .sort("batch_id", "currency")
        .with_columns(text=pl.format("{} {}", plain_amounts("amount_demanded"), "currency"))
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
    from flows.commands.reading import batches_or_published
    from policies.errors import WrongUseError
    from policies.money import with_plain_amounts
    from tasks.present import print_frame, print_lines

    batches, every_action = batches_or_published(workspace)
    named, actions = batches.filter(batch_id=batch), every_action.filter(batch_id=batch)
    if named.is_empty():
        raise WrongUseError(f"there is no batch {batch}; `relance batches list` shows them.")
    found = named.row(0, named=True)
    print_frame(with_plain_amounts(actions), format, f"Batch {batch}: {found['status']}", _MESSAGES)
    if format == "table" and found["guard_sentence"]:
        print_lines([f"Needs approval: {line}" for line in found["guard_sentence"].splitlines()])


def approve(
    batch: str,
    /,
    *,
    by: Annotated[str, Parameter(help="Who approves.")],
    without: Annotated[tuple[str, ...], Parameter(help="A customer whose messages are left out.")] = (),
    why: Annotated[str, Parameter(help="The reason why customers are left out.")] = "",
    until: Annotated[
        date | None, Parameter(help="The last day on which their items are held; left out = decided anew.")
    ] = None,
    as_of: AsOf = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Approve a batch, so that the next release lets it leave."""
    from flows.approval import approve as flow

    print(
        flow(
            batch_id=batch,
            by=by,
            without=list(without),
            why=why,
            until=until,
            workspace=workspace,
            as_of=as_of,
        )
    )


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
