"""`relance aging`: how late what is owed."""

from datetime import datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace
from flows.commands.reading import KnownAt, decide_or_published


def aging(
    *,
    as_of: AsOf = None,
    by: Annotated[
        Literal["customer", "item"], Parameter(help="One row per customer and currency, or per item.")
    ] = ("customer"),
    known_at: KnownAt = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show the aging: buckets of the policy, whose total is the ledger's balance per currency."""
    from flows.totals import aging_headings, aging_totals
    from policies.money import with_plain_amounts
    from tasks.present import print_frame, print_table

    name = "aging" if by == "customer" else "decisions"
    frame, day = decide_or_published(workspace, as_of, _instant(known_at), name)
    if by == "item":
        frame = frame.select(frame.columns[: frame.columns.index("aging_bucket") + 1])
    shown = frame if format == "parquet" else with_plain_amounts(frame)
    headings = aging_headings(shown.columns)
    print_frame(shown, format, f"Aging by {by} as of {day}", headings)
    if format == "table" and by == "customer" and frame.height:
        import polars as pl

        print_table(
            pl.DataFrame(aging_totals(frame)),
            "Total",
            {n: h for n, h in headings.items() if n != "customer_id"},
        )


def _instant(known_at: datetime | None) -> datetime | None:
    return known_at.astimezone() if known_at else None
