"""Which payment and which credit note reduces which item, as of a date.

Payments name an item, else an invoice (oldest installment first), else stay unapplied; credit notes reduce
the invoice they name, else stay open themselves. Excess and other currencies are unapplied. Nothing is
ever lost: items + unapplied cash = documents - payments, to the cent.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.balances import base_balances, index_items, statements
from policies.history import History
from policies.model import ITEM_KEY, TOTAL

INVOICE_KEY = ("customer_id", "invoice_number", "currency")
INSTALLMENT_ORDER = (
    pl.col("due_date").fill_null(date.max),
    pl.col("installment").str.len_chars(),
    pl.col("installment"),
)
"""Oldest first: by due date, then by the installment's own number."""

_ZERO = pl.lit(0, TOTAL)


@dataclass(frozen=True)
class Allocation:
    """Balances at a date.

    Attributes:
        as_of: the date whose end-of-day state this is.
        items: every existing item with `amount_open` (credits negative), `stated_on`, `absence`, `is_credit`.
        unapplied_cash: customer_id, currency, amount (0 or negative): payments that reduce no item.
        statements: what sources say of balances over time (`policies.balances.statements`).
        payments: payments up to the date with the `item` or the invoice they reach.
        history: what all of this follows from.
    """

    as_of: date
    items: pl.DataFrame
    unapplied_cash: pl.DataFrame
    statements: pl.DataFrame
    payments: pl.DataFrame
    history: History


def allocate(history: History, as_of: date) -> Allocation:
    """Return the balance of every item and the unapplied cash at the end of `as_of`."""
    items = index_items(history, as_of)
    said = statements(history, items, as_of)
    based = base_balances(items, said).with_columns(amount_open=pl.col("base"))
    payments = resolve_payments(history.payments.filter(pl.col("payment_date") <= as_of), based)
    paid, excess = _apply_payments(based, payments)
    credited = _apply_credit_notes(paid)
    unapplied = (
        pl.concat(
            [
                excess,
                payments.filter(pl.col("reach") == "nothing").select("customer_id", "currency", "amount"),
            ]
        )
        .group_by("customer_id", "currency")
        .agg(amount=-pl.col("amount").sum())
        .filter(pl.col("amount") != 0)
        .sort("customer_id", "currency")
    )
    return Allocation(as_of, credited.sort("item"), unapplied, said, payments, history)


def resolve_payments(payments: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the payments with what they reach: `reach` is `item`, `invoice` or `nothing`.

    A payment that names an invoice of a single installment reaches that item. Columns added: item
    (null unless `item`), reach, stated_on (the statement that has absorbed earlier cash).
    """
    invoices = items.group_by(INVOICE_KEY).agg(
        installments=pl.len(),
        item=pl.col("item").first(),
        stated_on=pl.col("stated_on").max(),
    )
    cash = payments.with_columns(pl.col("amount").cast(TOTAL))
    names_installment = pl.col("installment").is_not_null()
    keyed = items.select(*ITEM_KEY, "currency", "item", "stated_on")
    of_items = (
        cash.filter(names_installment)
        .join(keyed, on=[*ITEM_KEY, "currency"], how="left")
        .with_columns(reach=pl.when(pl.col("item").is_not_null()).then(pl.lit("item")))
    )
    is_whole = pl.col("installments") == 1
    of_invoices = (
        cash.filter(~names_installment)
        .join(invoices, on=INVOICE_KEY, how="left")
        .with_columns(
            item=pl.when(is_whole).then("item"),
            reach=pl.when(is_whole)
            .then(pl.lit("item"))
            .when(pl.col("installments").is_not_null())
            .then(pl.lit("invoice")),
        )
    )
    return pl.concat([of_items, of_invoices.select(of_items.columns)]).with_columns(
        pl.col("reach").fill_null("nothing")
    )


def _apply_payments(items: pl.DataFrame, payments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the items after payments, and the excess cash (customer_id, currency, amount)."""
    counted = payments.filter(pl.col("stated_on").is_null() | (pl.col("payment_date") > pl.col("stated_on")))
    by_item = counted.filter(pl.col("reach") == "item").group_by("item").agg(cash=pl.col("amount").sum())
    # A debit takes cash up to its balance (a reversal reopens it), a credit takes refunds up to its own.
    applied = (
        pl.when(pl.col("base") >= 0)
        .then(pl.min_horizontal("cash", "base"))
        .otherwise(pl.col("cash").clip("base", 0))
    )
    named = (
        items.join(by_item, on="item", how="left")
        .with_columns(pl.col("cash").fill_null(_ZERO))
        .with_columns(applied=applied)
        .with_columns(
            amount_open=pl.col("base") - pl.col("applied"), excess=pl.col("cash") - pl.col("applied")
        )
    )
    excess = named.filter(pl.col("excess") != 0).select("customer_id", "currency", amount="excess")
    pools = (
        counted.filter(pl.col("reach") == "invoice").group_by(INVOICE_KEY).agg(pool=pl.col("amount").sum())
    )
    left_items, left_pools = pour(named.drop("cash", "applied", "excess"), pools)
    return left_items, pl.concat([excess, left_pools.select("customer_id", "currency", amount="pool")])


def pour(items: pl.DataFrame, pools: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pour each invoice's pool over its installments, oldest first, up to what each has open.

    Args:
        items: with `amount_open` and INVOICE_KEY; credits take nothing.
        pools: INVOICE_KEY and `pool`; a negative pool (a reversal) reopens the newest installment.

    Returns:
        The items with the rest of `amount_open`, and the pools that found no room (`pool` not zero).
    """
    if pools.is_empty():
        return items, pools
    capacity = (
        pl.when(pl.col("is_credit")).then(_ZERO).otherwise(pl.col("amount_open").clip(lower_bound=_ZERO))
    )
    vessels = (
        items.join(pools, on=INVOICE_KEY)
        .filter(~pl.col("is_credit"))
        .with_columns(capacity=capacity)
        .sort(*INVOICE_KEY, *INSTALLMENT_ORDER)
        .with_columns(
            before=pl.col("capacity").cum_sum().over(INVOICE_KEY) - pl.col("capacity"),
            is_newest=pl.int_range(pl.len()).over(INVOICE_KEY) == pl.len().over(INVOICE_KEY) - 1,
        )
    )
    taken = (
        pl.when(pl.col("pool") >= 0)
        .then((pl.col("pool") - pl.col("before")).clip(_ZERO, pl.col("capacity")))
        .when(pl.col("is_newest"))
        .then("pool")
        .otherwise(_ZERO)
    )
    poured = vessels.with_columns(taken=taken)
    left = (
        pools.join(poured.group_by(INVOICE_KEY).agg(pl.col("taken").sum()), on=INVOICE_KEY, how="left")
        .with_columns(pool=pl.col("pool") - pl.col("taken").fill_null(_ZERO))
        .filter(pl.col("pool") != 0)
        .drop("taken")
    )
    rest = (
        items.join(poured.select("item", "taken"), on="item", how="left")
        .with_columns(amount_open=pl.col("amount_open") - pl.col("taken").fill_null(_ZERO))
        .drop("taken")
    )
    return rest, left


def _apply_credit_notes(items: pl.DataFrame) -> pl.DataFrame:
    """Return the items after credit notes have reduced the invoices they name.

    A credit note without a statement of its own, dated no later than the latest statement of the invoice
    it names, is already inside that statement. What finds no room stays open on the credit note.
    """
    naming = items.filter(pl.col("is_credit") & pl.col("credited_invoice_number").is_not_null())
    if naming.is_empty():
        return items
    invoices = (
        items.filter(~pl.col("is_credit"))
        .group_by(INVOICE_KEY)
        .agg(named_stated_on=pl.col("stated_on").max())
        .rename({"invoice_number": "credited_invoice_number"})
    )
    naming = naming.join(invoices, on=["customer_id", "credited_invoice_number", "currency"]).with_columns(
        is_absorbed=pl.col("stated_on").is_null()
        & (pl.col("invoice_date") <= pl.col("named_stated_on")).fill_null(False),
        credit=-pl.col("amount_open"),
    )
    reducing = naming.filter(~pl.col("is_absorbed") & (pl.col("credit") > 0))
    note_key = ["customer_id", "credited_invoice_number", "currency"]
    pools = (
        reducing.group_by(note_key)
        .agg(pool=pl.col("credit").sum())
        .rename({"credited_invoice_number": "invoice_number"})
    )
    rest, left = pour(items, pools)
    # The room that was found goes to the oldest credit note first.
    used = (
        reducing.join(
            left.rename({"invoice_number": "credited_invoice_number", "pool": "left"}),
            on=note_key,
            how="left",
        )
        .sort(*note_key, "invoice_date", "item")
        .with_columns(
            found=pl.col("credit").sum().over(note_key) - pl.col("left").fill_null(_ZERO),
            before=pl.col("credit").cum_sum().over(note_key) - pl.col("credit"),
        )
        .select("item", used=(pl.col("found") - pl.col("before")).clip(_ZERO, pl.col("credit")))
    )
    absorbed = naming.filter("is_absorbed").select("item", used="credit")
    return (
        rest.join(pl.concat([used, absorbed]), on="item", how="left")
        .with_columns(amount_open=pl.col("amount_open") + pl.col("used").fill_null(_ZERO))
        .drop("used")
    )
