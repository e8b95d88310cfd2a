"""Promises to pay and payment plans: running, kept or broken, judged by the cash that came.

A promise holds until its date plus grace; a plan replaces due dates by its instalments and a missed
instalment past grace breaks it. Cash counts when dated in (event date, date + grace].
"""

import polars as pl

from policies.allocation import Allocation
from policies.earlier_balances import earlier_balances
from policies.happenings import concerning, of_kind
from policies.model import ITEM_KEY, ITEM_NUMBER, TOTAL, EventKind

_ZERO = pl.lit(0, TOTAL)

# What most days of most creditors have: answered at once, without a hundred operations on nothing.
_NO_PROMISES = pl.DataFrame(
    schema={
        "sequence": pl.Int64,
        "customer_id": pl.String,
        "event_date": pl.Date,
        "until": pl.Date,
        "amount": TOTAL,
        "currency": pl.String,
        "last_day": pl.Date,
        "cash": TOTAL,
        "is_running": pl.Boolean,
        "is_kept": pl.Boolean,
        "is_broken": pl.Boolean,
    }
)
_NOTHING_PROMISED = pl.DataFrame(schema={"sequence": pl.Int64, "item": ITEM_NUMBER, "currency": pl.String})
_NO_PLANS = pl.DataFrame(
    schema={"item": ITEM_NUMBER, "plan_since": pl.Date, "plan_until": pl.Date, "plan_due_date": pl.Date}
)


def judge_promises(
    allocation: Allocation, cash: pl.DataFrame, events: pl.DataFrame, grace_days: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge every promise at the allocation's date, in each currency it concerns.

    Args:
        allocation: balances at the date.
        cash: receipts by item (`policies.receipts`).
        events: events up to the date.
        grace_days: calendar days granted past `until`.

    Returns:
        Promises (sequence, customer_id, currency, event_date, until, last_day, amount, cash, is_running, is_kept,
        is_broken) and the items each concerns (sequence, item).
    """
    as_of = allocation.as_of
    made = of_kind(events, EventKind.PROMISE).filter(pl.col("until").is_not_null())
    if made.is_empty():
        return _NO_PROMISES, _NOTHING_PROMISED
    concerned = concerning(made, allocation.items)
    last_day = pl.col("until") + pl.duration(days=grace_days)
    per_currency = (
        concerned.select(
            "sequence", "customer_id", "event_date", "until", "invoice_number", "amount", "item_currency"
        )
        .unique()
        .rename({"item_currency": "currency"})
        .with_columns(last_day=last_day, amount=pl.col("amount").cast(TOTAL))
    )
    received = _cash_within(per_currency, concerned, cash, allocation.payments)
    promised = _open_when_promised(per_currency.filter(pl.col("amount").is_null()), concerned, allocation)
    is_over = pl.col("last_day") < as_of
    judged = (
        per_currency.join(received, on=["sequence", "currency"], how="left")
        .join(promised, on=["sequence", "currency"], how="left")
        .with_columns(
            pl.col("cash").fill_null(_ZERO), amount=pl.coalesce("amount", "amount_then").fill_null(_ZERO)
        )
        .with_columns(
            is_running=~is_over,
            is_kept=is_over & (pl.col("cash") >= pl.col("amount")),
            is_broken=is_over & (pl.col("cash") < pl.col("amount")),
        )
        .drop("amount_then", "invoice_number")
        .sort("sequence", "currency")
    )
    return judged, concerned.select("sequence", "item", currency="item_currency")


def _cash_within(
    promises: pl.DataFrame, concerned: pl.DataFrame, cash: pl.DataFrame, payments: pl.DataFrame
) -> pl.DataFrame:
    """Return the cash of each promise's window: sequence, currency, cash.

    A promise about the whole account is kept by any payment, whatever it names.
    """
    windows = promises.select(
        "sequence", "currency", "customer_id", "invoice_number", "event_date", "last_day"
    )
    is_account = pl.col("invoice_number").is_null()
    of_items = concerned.select("sequence", "item", currency="item_currency").join(cash, on="item")
    on_items = of_items.join(windows.filter(~is_account), on=["sequence", "currency"])
    shown = of_items.filter("is_shown").join(windows.filter(is_account), on=["sequence", "currency"])
    on_account = windows.filter(is_account).join(
        payments.select("customer_id", "currency", "amount", date="payment_date"),
        on=["customer_id", "currency"],
    )
    columns = ["sequence", "currency", "date", "amount", "event_date", "last_day"]
    return (
        pl.concat([frame.select(columns) for frame in (on_items, shown, on_account)])
        .filter((pl.col("date") > pl.col("event_date")) & (pl.col("date") <= pl.col("last_day")))
        .group_by("sequence", "currency")
        .agg(cash=pl.col("amount").sum())
    )


def _open_when_promised(
    promises: pl.DataFrame, concerned: pl.DataFrame, allocation: Allocation
) -> pl.DataFrame:
    """Return what was open on the day of each promise that names no amount: sequence, currency, amount_then."""
    if promises.is_empty():
        return pl.DataFrame(schema={"sequence": pl.Int64, "currency": pl.String, "amount_then": TOTAL})
    meant = concerned.join(promises.select("sequence"), on="sequence", how="semi").select(
        "sequence", "item", "customer_id", day="event_date", currency="item_currency"
    )
    then = earlier_balances(allocation.history, meant.select("customer_id", "day")).join(
        allocation.items.select("item", *ITEM_KEY), on=ITEM_KEY
    )
    return (
        meant.join(then.select("item", "day", "amount_open"), on=["item", "day"])
        .group_by("sequence", "currency")
        .agg(amount_then=pl.col("amount_open").clip(lower_bound=_ZERO).sum())
    )


def judge_plans(
    allocation: Allocation, cash: pl.DataFrame, events: pl.DataFrame, grace_days: int
) -> pl.DataFrame:
    """Return the running payment plan of each item: item, plan_since, plan_until, plan_due_date.

    A plan is the instalment rows of one customer under one reference; `plan_due_date` is the earliest
    instalment that cash has not covered. Broken and finished plans are absent: their items have their own
    due dates again.
    """
    as_of = allocation.as_of
    made = of_kind(events, EventKind.PAYMENT_PLAN)
    if made.is_empty():
        return _NO_PLANS
    rows = concerning(made, allocation.items).with_columns(
        plan=pl.struct("customer_id", pl.col("reference").fill_null(""), "item_currency")
    )
    members = rows.select("plan", "item").unique()
    instalments = (
        rows.select("plan", "sequence", "event_date", "until", pl.col("amount").cast(TOTAL))
        .unique()
        .sort("until", "sequence")
        .with_columns(
            owed=pl.col("amount").cum_sum().over("plan"),
            since=pl.col("event_date").min().over("plan"),
            last_day=pl.col("until") + pl.duration(days=grace_days),
        )
    )
    received = _cash_of_plans(rows, members, cash, allocation.payments)
    in_time = (
        instalments.join(received, on="plan")
        .filter((pl.col("date") > pl.col("since")) & (pl.col("date") <= pl.col("last_day")))
        .group_by("plan", "sequence")
        .agg(in_time=pl.col("cash").sum())
    )
    so_far = (
        instalments.select("plan", "since")
        .unique()
        .join(received, on="plan")
        .filter(pl.col("date") > pl.col("since"))
        .group_by("plan")
        .agg(so_far=pl.col("cash").sum())
    )
    is_missed = (pl.lit(as_of) > pl.col("last_day")) & (pl.col("in_time").fill_null(_ZERO) < pl.col("owed"))
    is_uncovered = pl.col("owed") > pl.col("so_far").fill_null(_ZERO)
    plans = (
        instalments.join(in_time, on=["plan", "sequence"], how="left")
        .join(so_far, on="plan", how="left")
        .group_by("plan")
        .agg(
            plan_since=pl.col("since").min(),
            plan_until=pl.col("last_day").max(),
            plan_due_date=pl.coalesce(pl.col("until").filter(is_uncovered).min(), pl.col("until").max()),
            is_broken=is_missed.any(),
        )
        .filter(~pl.col("is_broken") & (pl.col("plan_until") >= as_of))
    )
    return (
        members.join(plans, on="plan")
        .sort("item", "plan_since", "plan_until")
        .unique("item", keep="last", maintain_order=True)
        .select("item", "plan_since", "plan_until", "plan_due_date")
    )


def _cash_of_plans(
    rows: pl.DataFrame, members: pl.DataFrame, cash: pl.DataFrame, payments: pl.DataFrame
) -> pl.DataFrame:
    """Return the cash of each plan by day; a plan of the whole account takes any payment of the customer."""
    whole = (
        rows.filter(pl.col("invoice_number").is_null())
        .select("plan", "customer_id", "item_currency")
        .unique()
    )
    of_items = members.join(cash, on="item")
    on_items = of_items.join(whole, on="plan", how="anti")
    shown = of_items.filter("is_shown").join(whole, on="plan", how="semi")
    on_account = whole.join(
        payments.select("customer_id", "amount", item_currency="currency", date="payment_date"),
        on=["customer_id", "item_currency"],
    )
    columns = ["plan", "date", "amount"]
    return (
        pl.concat([frame.select(columns) for frame in (on_items, shown, on_account)])
        .group_by("plan", "date")
        .agg(cash=pl.col("amount").sum())
    )
