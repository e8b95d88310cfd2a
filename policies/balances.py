"""What the sources say of each item's balance as of a date: statements, clearings, disappearances.

A statement of balance rules from its date on; a file of a full source that no longer lists an item says
that it is cleared (open items) or vanished (invoices). Payments come on top in `policies.allocation`.
"""

from datetime import date

import polars as pl

from policies.history import History
from policies.model import ITEM_KEY, TOTAL, DocumentType, SourceKind

CLEARED = "cleared"
VANISHED = "vanished"
_FULL_KINDS = (SourceKind.FULL_OPEN_ITEMS.value, SourceKind.FULL_INVOICES.value)


def index_items(history: History, as_of: date) -> pl.DataFrame:
    """Return the documents that exist at `as_of` (issued by then), numbered in column `item`.

    The order is that of the item key, so that numbers and results do not depend on how files were split.
    """
    return (
        history.documents.filter(pl.col("invoice_date") <= as_of)
        .sort(ITEM_KEY)
        .with_row_index("item")
        .with_columns(
            pl.col("amount").cast(TOTAL),
            is_credit=(pl.col("document_type") == DocumentType.CREDIT_NOTE.value) | (pl.col("amount") < 0),
        )
    )


def statements(history: History, items: pl.DataFrame) -> pl.DataFrame:
    """Return everything sources say of the items' balances, in the order in which it rules.

    Columns: item, date, intake_id, amount_open (null where a listing states none), absence
    (`cleared`, `vanished` or null where the item is listed).
    """
    files = history.files.select("intake_id", "source", "kind", "file_date")
    listed = (
        history.listings.join(items.select(*ITEM_KEY, "item"), on=ITEM_KEY)
        .join(files, on="intake_id")
        .with_columns(
            date=pl.coalesce("balance_date", "file_date"), amount_open=pl.col("amount_open").cast(TOTAL)
        )
    )
    said = listed.select("item", "date", "intake_id", "amount_open", absence=pl.lit(None, pl.String))
    return pl.concat([said, _absences(listed, files)]).sort("date", "intake_id", "item")


def _absences(listed: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Return one row per item and first file of a full source that leaves it out."""
    full = (
        files.filter(pl.col("kind").is_in(_FULL_KINDS))
        .sort("source", "file_date", "intake_id")
        .with_columns(
            rank=pl.int_range(pl.len()).over("source"), last_rank=pl.len().over("source").cast(pl.Int64) - 1
        )
    )
    runs = (
        listed.join(full.select("intake_id", "rank", "last_rank"), on="intake_id")
        .select("item", "source", "rank", "last_rank")
        .unique()
        .sort("item", "source", "rank")
        .with_columns(next_rank=pl.col("rank").shift(-1).over("item", "source"))
    )
    left_out = runs.filter(
        (pl.col("rank") < pl.col("last_rank"))
        & (pl.col("next_rank").is_null() | (pl.col("next_rank") > pl.col("rank") + 1))
    ).select("item", "source", rank=pl.col("rank") + 1)
    is_cleared = pl.col("kind") == SourceKind.FULL_OPEN_ITEMS.value
    return (
        left_out.join(full, on=["source", "rank"])
        .select(
            "item",
            "intake_id",
            date="file_date",
            amount_open=pl.when(is_cleared).then(pl.lit(0, TOTAL)),
            absence=pl.when(is_cleared).then(pl.lit(CLEARED)).otherwise(pl.lit(VANISHED)),
        )
        .select("item", "date", "intake_id", "amount_open", "absence")
    )


def base_balances(items: pl.DataFrame, said: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the items with the balance that the sources state at `as_of`, before later payments.

    Adds `base` (the latest statement, else the amount as issued), `stated_on` (its date; null if none) and
    `absence`. A later plain listing undoes an absence.
    """
    until = said.filter(pl.col("date") <= as_of)
    last = until.unique("item", keep="last", maintain_order=True).select("item", "absence", last_date="date")
    stated = (
        until.filter(pl.col("amount_open").is_not_null() & pl.col("absence").is_null())
        .unique("item", keep="last", maintain_order=True)
        .select("item", stated_amount="amount_open", stated_date="date")
    )
    is_cleared = (pl.col("absence") == CLEARED).fill_null(False)
    return (
        items.join(last, on="item", how="left")
        .join(stated, on="item", how="left")
        .with_columns(
            base=pl.when(is_cleared).then(pl.lit(0, TOTAL)).otherwise(pl.coalesce("stated_amount", "amount")),
            stated_on=pl.when(is_cleared).then("last_date").otherwise("stated_date"),
        )
        .drop("stated_amount", "stated_date", "last_date")
        .sort("item")
    )
