"""`relance decisions`: every open item, with its step or the reason why not. Changes nothing."""

from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace
from flows.commands.reading import KnownAt, decide_or_published

_SHOWN = {
    "customer_id": "customer",
    "invoice_number": "invoice",
    "days_past_due": "late",
    "amount_open": "open",
    "currency": "",
    "decision": "decision",
    "sentence": "why",
}


def decisions(
    *,
    as_of: AsOf = None,
    customer: Annotated[str | None, Parameter(help="Only this customer.")] = None,
    known_at: KnownAt = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show for every open item which step it takes, or why none."""
    import polars as pl

    from policies.money import with_plain_amounts
    from tasks.present import print_frame

    frame, day = decide_or_published(
        workspace, as_of, known_at.astimezone() if known_at else None, "decisions"
    )
    if customer is not None:
        frame = frame.filter(pl.col("customer_id") == customer)
    shown = frame if format == "parquet" else with_plain_amounts(frame)
    if format == "table":
        shown = shown.with_columns(
            decision=pl.when("act").then(pl.format("-> {} ({})", "step", "channel")).otherwise("reason")
        )
        print_frame(shown, format, f"Decisions as of {day}", _SHOWN)
    else:
        print_frame(shown, format)
