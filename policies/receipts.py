"""When cash came in for each item: named payments, and what statements show as paid.

Promises, plans, payment habits and declining interest ask for dates; balances (`policies.allocation`)
don't. An item takes no more than it owes. What a statement shows as paid and neither a payment nor a credit
note explains is paid on the statement's date.
"""

import polars as pl

from policies.allocation import INSTALLMENT_ORDER, INVOICE_KEY, Allocation
from policies.model import ITEM_NUMBER, TOTAL

_ZERO = pl.lit(0, TOTAL)
_MONEY = ("item", "date", "amount", "is_cash")
"""Money that reduces an item: payments (reversals negative), or credit notes, which are no cash."""


def receipts(allocation: Allocation) -> pl.DataFrame:
    """Return what came in: item, date, amount (reversals negative), is_shown (only a statement says so)."""
    of_items, of_invoices = _credit_notes(allocation)
    named = allocation.payments.filter(pl.col("reach") == "item").select(
        "item", "amount", date="payment_date", is_cash=True
    )
    spread = _over_installments(allocation, named, of_invoices)
    debits = allocation.items.filter(~pl.col("is_credit")).select("item", "amount")
    money = pl.concat([frame.select(_MONEY) for frame in (named, of_items, spread)])
    return _received(debits, allocation.statements, money).sort("item", "date", "is_shown", "amount")


def _credit_notes(allocation: Allocation) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the credit notes that name an invoice: those of invoices in one piece by item, the others as a pool."""
    items = allocation.items
    notes = items.filter(pl.col("is_credit") & pl.col("credited_invoice_number").is_not_null()).select(
        "customer_id",
        "currency",
        date="invoice_date",
        amount=-pl.col("amount"),
        invoice_number="credited_invoice_number",
        payment_id=pl.lit(None, pl.String),
        is_cash=False,
    )
    if notes.is_empty():
        none = notes.with_columns(item=pl.lit(None, ITEM_NUMBER), stated_on=pl.lit(None, pl.Date))
        return none, none
    invoices = (
        items.filter(~pl.col("is_credit"))
        .join(notes.select(INVOICE_KEY).unique(), on=INVOICE_KEY, how="semi")
        .group_by(INVOICE_KEY)
        .agg(pl.col("item").first(), installments=pl.len(), stated_on=pl.col("stated_on").max())
    )
    named = notes.join(invoices, on=INVOICE_KEY)
    is_whole = pl.col("installments") == 1
    return named.filter(is_whole), named.filter(~is_whole).drop("item", "installments")


def _over_installments(
    allocation: Allocation, named: pl.DataFrame, credit_notes: pl.DataFrame
) -> pl.DataFrame:
    """Lay the money of invoices in several installments over these, oldest money on the oldest installment.

    Both are laid end to end along one line of money per invoice, once for what the latest statement has
    absorbed and once for what came later; each overlap is one receipt.
    """
    unnamed = allocation.payments.filter(pl.col("reach") == "invoice").select(
        *INVOICE_KEY, "amount", "stated_on", "payment_id", date="payment_date", is_cash=True
    )
    if unnamed.is_empty() and credit_notes.is_empty():
        return named.clear()
    is_later = pl.col("stated_on").is_null() | (pl.col("date") > pl.col("stated_on"))
    line = [*INVOICE_KEY, "is_later"]
    money = (
        pl.concat([unnamed, credit_notes.select(unnamed.columns)])
        .with_columns(is_later=is_later)
        .sort(*line, "date", "is_cash", "payment_id", descending=[*[False] * 5, True, False])
        .with_columns(to=pl.col("amount").cum_sum().over(line))
    )
    installments = (
        allocation.items.filter(~pl.col("is_credit"))
        .join(money.select(INVOICE_KEY).unique(), on=INVOICE_KEY, how="semi")
        .select(*INVOICE_KEY, "item", "due_date", "installment", "stated_on", "amount", "base")
    )
    paid = (
        named.join(installments.select("item", "stated_on"), on="item")
        .group_by("item", is_later=is_later)
        .agg(paid=pl.col("amount").sum())
    )
    room = (
        pl.concat(
            [
                installments.with_columns(is_later=False),
                installments.with_columns(is_later=True, amount=pl.col("base")),
            ]
        )
        .join(paid, on=["item", "is_later"], how="left")
        .with_columns(room=(pl.col("amount") - pl.col("paid").fill_null(_ZERO)).clip(lower_bound=_ZERO))
        .sort(*line, *INSTALLMENT_ORDER)
        .with_columns(room_to=pl.col("room").cum_sum().over(line))
        .select(*line, "item", "room_to", room_from=pl.col("room_to") - pl.col("room"))
    )
    begins, ends = pl.col("room_from"), pl.col("room_to")
    return (
        money.join(room, on=line)
        .with_columns(
            amount=pl.col("to").clip(begins, ends) - (pl.col("to") - pl.col("amount")).clip(begins, ends)
        )
        .filter(pl.col("amount") != 0)
    )


def _received(debits: pl.DataFrame, statements: pl.DataFrame, money: pl.DataFrame) -> pl.DataFrame:
    """Return what each item took, from one statement to the next, and what each statement shows beyond that."""
    stated = (
        statements.filter(pl.col("amount_open").is_not_null())
        .unique(["item", "date"], keep="last", maintain_order=True)
        .select("item", "date", owed="amount_open")
        .join(debits, on="item")
        .sort("date")
    )
    since_statement = ["item", "since"]
    taken = (
        _since_statements(money.join(debits.rename({"amount": "issued"}), on="item"), stated)
        .sort("item", "date", "is_cash", descending=[False, False, True])
        .with_columns(
            owed=pl.coalesce("owed", "issued").clip(lower_bound=_ZERO),
            came=pl.col("amount").cum_sum().over(since_statement),
        )
        .with_columns(
            amount=pl.min_horizontal("came", "owed")
            - pl.min_horizontal(pl.col("came") - pl.col("amount"), "owed")
        )
    )
    received = taken.filter(pl.col("is_cash") & (pl.col("amount") != 0)).select(
        "item", "date", "amount", is_shown=False
    )
    if stated.is_empty():
        return received
    explained = taken.group_by(since_statement).agg(explained=pl.col("amount").sum())
    shown = (
        stated.sort("item", "date")
        .with_columns(
            since=pl.col("date").shift(1).over("item"),
            before=pl.col("owed").shift(1).over("item").fill_null(pl.col("amount")),
        )
        .join(explained, on=since_statement, how="left", nulls_equal=True)
        .with_columns(
            amount=pl.col("before")
            - pl.col("explained").fill_null(_ZERO)
            - pl.col("owed").clip(lower_bound=_ZERO)
        )
        .filter(pl.col("amount") > 0)
    )
    return pl.concat([received, shown.select("item", "date", "amount", is_shown=True)])


def _since_statements(money: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Add the latest statement before each date: `owed` by it, and its date `since`; null when there is none."""
    if stated.is_empty():
        return money.with_columns(owed=pl.lit(None, TOTAL), since=pl.lit(None, pl.Date))
    return money.sort("date").join_asof(
        stated.select("item", "owed", since="date"),
        left_on="date",
        right_on="since",
        by="item",
        allow_exact_matches=False,
        check_sortedness=False,
    )
