"""The last screen of the demo: what was loaded, refused, aged, decided, produced, held and why, and where to look."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flows.summary import RunSummary
from flows.totals import aging_headings
from tasks.audit.verify import verify_log
from tasks.present import print_lines, print_table
from tasks.published_tables import read_table
from tasks.workspace import open_workspace


@dataclass
class Played:
    """What happened on the days played, for the report at the end."""

    directory: Path
    seconds: float = 0.0
    days: list[RunSummary] = field(default_factory=list)
    releases: list[RunSummary] = field(default_factory=list)
    recorded: int = 0
    approved: int = 0
    rejected: int = 0


def report(played: Played) -> None:
    """Print the summary of all days."""
    root, workspace = played.directory, open_workspace(played.directory)
    files = [one for day in played.days for one in day.files]
    rows = Counter[str]()
    for one in files:
        rows.update(one.rows)
    last = played.days[-1]
    lines = [
        "",
        f"{len(played.days)} working days from {played.days[0].as_of} to {last.as_of}, in {played.seconds:.0f} seconds",
        "",
        f"Loaded    {sum(one.status.value == 'loaded' for one in files)} files: "
        + ", ".join(f"{count} {kind}" for kind, count in rows.most_common()),
        *(f"Refused   {one.file}: {one.message}" for one in files if one.status.value == "refused"),
        f"Recorded  {played.recorded} events by hand",
        f"Approved  {played.approved} batches, rejected {played.rejected}",
    ]
    print_lines(lines)
    if last.decided:
        aging = pl.DataFrame(last.decided.aging)
        title = f"\nAging on {last.as_of}, sums by currency (relance aging)"
        print_table(aging, title, aging_headings(aging.columns))
    produced = (
        read_table(workspace, "actions")
        .filter(pl.col("dispatch_date").is_not_null())
        .group_by("channel", "step")
        .agg(messages=pl.col("message_id").n_unique(), items=pl.len())
        .sort("channel", "step")
    )
    print_table(produced, "\nLeft in ten weeks, items by channel and step")
    if last.decided:
        reasons = pl.DataFrame(
            {"reason": list(last.decided.reasons), "items": list(last.decided.reasons.values())}
        )
        print_table(reasons, f"\nHeld on {last.as_of}, and why (relance decisions)")
    waiting = read_table(workspace, "batches").filter(pl.col("approval_required"), status="draft")
    print_lines(_where_to_look(root, verify_log(workspace), sorted(waiting["batch_id"])))


def _where_to_look(root: Path, verdict: str, waiting: list[str]) -> list[str]:
    shown = Path(root.name) if root.parent == Path.cwd() else root
    letters = sorted((root / "outbox").glob("*/print.pdf"))
    mails = sorted((root / "outbox").glob("*/emails/*.eml"))
    placements = sorted((root / "outbox").glob("*/placements/*.zip"))
    sheets = sorted((root / "outbox").glob("*/calls.csv"))
    found = [("e-mail", mails), ("letters", letters), ("call sheet", sheets), ("placement", placements)]
    return [
        "",
        *(f"Waits     batch {batch} for a person's approval" for batch in waiting),
        f"Log       {verdict}",
        "",
        "Where to look:",
        *(
            f"  {what:<11} {shown / paths[0].relative_to(root)}  ({len(paths)} in all)"
            for what, paths in found
            if paths
        ),
        f"  errors      {shown}/rejected/",
        f"  tables      {shown}/published/   (Parquet and audit.duckdb, open to read at any time)",
        "Ask it:",
        f"  relance decisions --workspace {shown} --as-of 2026-05-13",
        f"  relance batches list --workspace {shown}",
        f"  relance audit log --newest 20 --workspace {shown}",
    ]
