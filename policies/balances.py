"""What the sources say of each item's balance as of a date: statements, clearings, disappearances.

A statement of balance rules from its date on. Files of a full source that no longer list an item say that it
is cleared (open items) or vanished (invoices), until one lists it again. Payments come on top in
`policies.allocation`.
"""

from datetime import date

import polars as pl

from policies.history import History
from policies.model import ITEM_KEY, ITEM_NUMBER, TOTAL, DocumentType, SourceKind

CLEARED = "cleared"
VANISHED = "vanished"
_STATEMENTS = {
    "item": ITEM_NUMBER,
    "intake_id": pl.Int64(),
    "date": pl.Date(),
    "amount_open": TOTAL,
    "absence": pl.String(),
}
_FULL_KINDS = (SourceKind.FULL_OPEN_ITEMS.value, SourceKind.FULL_INVOICES.value)


def index_items(history: History, as_of: date) -> pl.DataFrame:
    """Return the documents that exist at `as_of` (issued by then), numbered in columns `item` and `account`.

    Numbers follow the order of the keys, so that results do not depend on how files were split; `account`
    stands for a customer and currency, with gaps. Sorting numbers is several times faster than sorting text.
    """
    numbers = [pl.col(name).rank("dense").cast(pl.Int64).alias(f"{name}_rank") for name in ITEM_KEY]
    customer, invoice, installment = (pl.col(f"{name}_rank") for name in ITEM_KEY)
    currency = pl.col("currency").rank("dense").cast(pl.Int64)
    return (
        history.documents.filter(pl.col("invoice_date") <= as_of)
        .with_columns(*numbers)
        .with_columns(
            order=(customer * (invoice.max() + 1) + invoice) * (installment.max() + 1) + installment,
            account=customer * (currency.max() + 1) + currency,
        )
        .drop(f"{name}_rank" for name in ITEM_KEY)
        .sort("order")
        .drop("order")
        .with_row_index("item")
        .with_columns(
            pl.col("amount").cast(TOTAL),
            is_credit=(pl.col("document_type") == DocumentType.CREDIT_NOTE.value) | (pl.col("amount") < 0),
        )
    )


def statements(history: History, items: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return everything sources say of the items' balances up to `as_of`, in the order in which it rules.

    Columns: item, date, intake_id, amount_open (null where an item has vanished), absence (`cleared`,
    `vanished`, or null for a statement of the item's own row).
    """
    files = history.files.select("intake_id", "source", "kind", "file_date").filter(
        pl.col("file_date") <= as_of
    )
    listed = history.listings.join(items.select(*ITEM_KEY, "item"), on=ITEM_KEY)
    if listed.is_empty():
        return pl.DataFrame(schema=_STATEMENTS)
    said = listed.filter(pl.col("amount_open").is_not_null() & (pl.col("balance_date") <= as_of)).select(
        "item",
        "intake_id",
        date="balance_date",
        amount_open=pl.col("amount_open").cast(TOTAL),
        absence=pl.lit(None, pl.String),
    )
    return pl.concat([said, _absences(listed, files)]).sort("date", "intake_id", "item")


def _absences(listed: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Return what files say of items that they no longer list, after the last file that did.

    One row for the first such file and one for the newest, which says it again. Of several files of one date
    the last one counts.
    """
    full = (
        files.filter(pl.col("kind").is_in(_FULL_KINDS))
        .sort("source", "file_date", "intake_id")
        .with_columns(rank=pl.int_range(pl.len()).over("source"))
    )
    counting = full.filter(
        pl.col("intake_id") == pl.col("intake_id").last().over("source", "file_date", order_by="rank")
    ).sort("rank")
    last_listed = (
        listed.join(full.select("intake_id", "source", "rank"), on="intake_id")
        .group_by("item", "source")
        .agg(after=pl.col("rank").max() + 1)
    )
    newest = full.group_by("source").agg(newest=pl.col("rank").max())
    gone = last_listed.join(newest, on="source").filter(pl.col("after") <= pl.col("newest")).sort("after")
    first = gone.join_asof(
        counting.select("source", "rank"),
        left_on="after",
        right_on="rank",
        by="source",
        strategy="forward",
        check_sortedness=False,
    )
    is_cleared = pl.col("kind") == SourceKind.FULL_OPEN_ITEMS.value
    return (
        pl.concat(
            [first.select("item", "source", "rank"), gone.select("item", "source", rank="newest")],
        )
        .unique()
        .join(full, on=["source", "rank"])
        .select(
            "item",
            "intake_id",
            date="file_date",
            amount_open=pl.when(is_cleared).then(pl.lit(0, TOTAL)),
            absence=pl.when(is_cleared).then(pl.lit(CLEARED)).otherwise(pl.lit(VANISHED)),
        )
    )


def base_balances(items: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Return the items with the balance that the sources state, before later payments.

    Adds `base` (the latest statement, else the amount as issued), `stated_on` (its date; null if none) and
    `absence` (`vanished`, else `cleared` when the latest statement is a clearing).
    """
    vanished = said.filter(pl.col("absence") == VANISHED).select("item", has_vanished=pl.lit(True)).unique()
    stated = (
        said.filter(pl.col("amount_open").is_not_null())
        .unique("item", keep="last", maintain_order=True)
        .select("item", "absence", stated_amount="amount_open", stated_on="date")
    )
    return (
        items.join(stated, on="item", how="left")
        .join(vanished, on="item", how="left")
        .with_columns(
            base=pl.coalesce("stated_amount", "amount"),
            absence=pl.when("has_vanished").then(pl.lit(VANISHED)).otherwise("absence"),
        )
        .drop("stated_amount", "has_vanished")
        .sort("item")
    )
