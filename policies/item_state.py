"""What recorded events and earlier releases say of each item: disputes, promises, plans, holds, placements.

Only the state is found here, with its start, end and source; whether it stops a step is decided by the
list in `policies.holds`.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.allocation import INSTALLMENT_ORDER, INVOICE_KEY, Allocation
from policies.happenings import concerning, of_items, still_running
from policies.model import ITEM_KEY, ITEM_NUMBER, TOTAL, Channel, EventKind

_ZERO = pl.lit(0, TOTAL)


@dataclass(frozen=True)
class Commitments:
    """Judged promises, the items they concern, and running plans (`policies.promises`)."""

    promises: pl.DataFrame
    promised_items: pl.DataFrame
    plans: pl.DataFrame


def with_state(
    open_items: pl.DataFrame,
    allocation: Allocation,
    events: pl.DataFrame,
    commitments: Commitments,
    dispatched: pl.DataFrame,
    proposals: pl.DataFrame,
) -> pl.DataFrame:
    """Return the open items with one column per state; null means the state does not apply.

    Adds: insolvent_since, written_off_on, placed_on, uncertain_since, amount_disputed, disputed_since,
    disputed_review, amount_reduced, amount_demanded, promise_since, promise_until, hold_since, hold_until,
    hold_why, awaiting_since, awaiting_step, item_broken_promises. Plan columns come with `open_items`.
    """
    as_of = allocation.as_of
    states = (
        _insolvencies(open_items, events),
        _write_offs(open_items, events),
        _placements(open_items, events, dispatched),
        _disputes(open_items, events),
        _reductions(open_items, events),
        _promises(commitments),
        _manual_holds(open_items, events, as_of),
        _waiting(open_items, proposals, as_of),
    )
    for state in states:
        if not state.is_empty():
            open_items = open_items.join(state, on="item", how="left", maintain_order="left")
    unmet = {name: dtype for state in states if state.is_empty() for name, dtype in state.schema.items()}
    open_items = open_items.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in unmet.items() if name != "item"
    )
    positive = pl.col("amount_open").clip(lower_bound=_ZERO)
    return open_items.with_columns(
        pl.col("item_broken_promises").fill_null(0).cast(pl.Int64),
        amount_disputed=pl.min_horizontal(
            pl.when("is_wholly_disputed")
            .then(positive)
            .otherwise(pl.col("amount_disputed").fill_null(_ZERO)),
            positive,
        ),
        amount_reduced=pl.min_horizontal(pl.col("amount_reduced").fill_null(_ZERO), positive),
    ).with_columns(amount_demanded=demanded())


def demanded() -> pl.Expr:
    """Return what messages demand of an item: what is open and neither disputed, reduced nor written off."""
    positive = pl.col("amount_open").clip(lower_bound=_ZERO)
    left = positive - pl.col("amount_disputed").fill_null(_ZERO) - pl.col("amount_reduced")
    return left.clip(lower_bound=_ZERO)


def _none(**columns: pl.DataType) -> pl.DataFrame:
    """Return the state that no item is in, with the columns it would have."""
    return pl.DataFrame(schema={"item": ITEM_NUMBER, **columns})


def _insolvencies(items: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Insolvency concerns the customer whatever invoice the event names."""
    running = still_running(events, EventKind.INSOLVENCY, EventKind.INSOLVENCY_CLOSED)
    if running.is_empty():
        return _none(insolvent_since=pl.Date())
    since = running.group_by("customer_id").agg(insolvent_since=pl.col("event_date").min())
    return items.select("item", "customer_id").join(since, on="customer_id").drop("customer_id")


def _write_offs(items: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Write-offs of one item add up; less than is open leaves the rest to be collected.

    One about the whole customer that names an amount gives up the items that are no larger.
    """
    told = of_items(events, items, EventKind.WRITE_OFF)
    if told.is_empty():
        return _none(written_off_on=pl.Date())
    told = told.join(items.select("item", "amount_open"), on="item")
    is_of_customer = pl.col("invoice_number").is_null() & (pl.col("amount") >= pl.col("amount_open"))
    whole = told.filter(pl.col("amount").is_null() | is_of_customer)
    parts = told.filter(pl.col("amount").is_not_null() & pl.col("invoice_number").is_not_null())
    reached = _spread(parts.drop("amount_open"), items).join(items.select("item", "amount_open"), on="item")
    complete = parts.join(
        reached.filter(pl.col("spread") >= pl.col("amount_open")).select("item"), on="item", how="semi"
    )
    return (
        pl.concat(
            [
                whole.group_by("item").agg(written_off_on=pl.col("event_date").min()),
                complete.group_by("item").agg(written_off_on=pl.col("event_date").max()),
            ]
        )
        .group_by("item")
        .agg(pl.col("written_off_on").min())
    )


def _placements(items: pl.DataFrame, events: pl.DataFrame, dispatched: pl.DataFrame) -> pl.DataFrame:
    """An item handed to an agency stays there until recalled on or after that day."""
    placed = dispatched.filter(pl.col("channel") == Channel.AGENCY.value).select("item", "dispatch_date")
    if placed.is_empty():
        return _none(placed_on=pl.Date())
    recalls = of_items(events, items, EventKind.RECALL).select("item", recalled="event_date")
    last_recall = recalls.group_by("item").agg(pl.col("recalled").max())
    return (
        placed.group_by("item")
        .agg(placed_on=pl.col("dispatch_date").max())
        .join(last_recall, on="item", how="left")
        .filter(pl.col("recalled").is_null() | (pl.col("recalled") < pl.col("placed_on")))
        .drop("recalled")
    )


def _disputes(items: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Disputes add up; one without amount, or about the whole customer, takes all that is open."""
    running = concerning(still_running(events, EventKind.DISPUTE, EventKind.DISPUTE_CLOSED), items)
    if running.is_empty():
        return _none(
            is_wholly_disputed=pl.Boolean(),
            disputed_since=pl.Date(),
            disputed_review=pl.Date(),
            amount_disputed=TOTAL,
        )
    is_whole = pl.col("amount").is_null() | pl.col("invoice_number").is_null()
    spread = _spread(running.filter(~is_whole), items)
    return (
        running.group_by("item")
        .agg(
            is_wholly_disputed=is_whole.any(),
            disputed_since=pl.col("event_date").min(),
            disputed_review=pl.col("until").max(),
        )
        .join(spread.rename({"spread": "amount_disputed"}), on="item", how="left")
    )


def _reductions(items: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """A reduction granted and a part written off lower what is demanded; the ledger follows by its own entries."""
    kinds = (EventKind.REDUCTION, EventKind.WRITE_OFF)
    granted = pl.concat([of_items(events, items, kind) for kind in kinds]).filter(
        pl.col("amount").is_not_null() & pl.col("invoice_number").is_not_null()
    )
    if granted.is_empty():
        return _none(amount_reduced=TOTAL)
    return _spread(granted, items).rename({"spread": "amount_reduced"})


def _spread(amounts: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Add up amounts by item, and lay those about whole invoices over their installments, oldest first.

    Each takes at most what is open beside the amounts about itself. Returns item, spread.
    """
    is_own = pl.col("installment").is_not_null()
    own = amounts.filter(is_own).group_by("item").agg(own=pl.col("amount").cast(TOTAL).sum())
    pools = amounts.filter(~is_own).group_by("item").agg(pool=pl.col("amount").cast(TOTAL).sum())
    return (
        items.select("item", *INVOICE_KEY, "due_date", "installment", "amount_open")
        .join(amounts.select("item").unique(), on="item")
        .join(own, on="item", how="left")
        .join(pools, on="item", how="left")
        .with_columns(
            own=pl.min_horizontal(
                pl.col("own").fill_null(_ZERO), pl.col("amount_open").clip(lower_bound=_ZERO)
            ),
            pool=pl.col("pool").fill_null(_ZERO),
        )
        .with_columns(room=pl.col("amount_open").clip(lower_bound=_ZERO) - pl.col("own"))
        .sort(*INVOICE_KEY, *INSTALLMENT_ORDER)
        .with_columns(before=pl.col("room").cum_sum().over(INVOICE_KEY) - pl.col("room"))
        .select(
            "item",
            spread=pl.col("own") + (pl.col("pool") - pl.col("before")).clip(_ZERO, pl.col("room")),
        )
    )


def _promises(commitments: Commitments) -> pl.DataFrame:
    """The longest running promise of each item, and how many for it were broken."""
    if commitments.promised_items.is_empty():
        return _none(promise_since=pl.Date(), promise_until=pl.Date(), item_broken_promises=pl.UInt32())
    judged = commitments.promised_items.join(commitments.promises, on=["sequence", "currency"])
    running = pl.col("is_running")
    return judged.group_by("item").agg(
        promise_since=pl.col("event_date").filter(running).max(),
        promise_until=pl.col("until").filter(running).max(),
        item_broken_promises=pl.col("is_broken").sum(),
    )


def _manual_holds(items: pl.DataFrame, events: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """A hold lasts until its date inclusive, or until released."""
    running = still_running(events, EventKind.HOLD, EventKind.HOLD_RELEASED).filter(
        pl.col("until").is_null() | (pl.col("until") >= as_of)
    )
    if running.is_empty():
        return _none(hold_since=pl.Date(), hold_until=pl.Date(), hold_why=pl.String())
    return (
        concerning(running, items)
        .sort("item", "event_date", "sequence")
        .group_by("item", maintain_order=True)
        .agg(
            hold_since=pl.col("event_date").first(),
            hold_until=pl.when(pl.col("until").is_null().any()).then(None).otherwise(pl.col("until").max()),
            # Not the note: what a sentence says is published, and a note is kept where it can be erased.
            hold_why=pl.col("reason").first(),
        )
    )


def _waiting(items: pl.DataFrame, proposals: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Items in a batch from before `as_of` that had not ended by then, and releases that cannot say."""
    if proposals.is_empty():
        return _none(uncertain_since=pl.Date(), awaiting_since=pl.Date(), awaiting_step=pl.String())
    keyed = items.select("item", *ITEM_KEY)
    return (
        proposals.join(keyed, on=list(ITEM_KEY))
        .with_columns(
            is_waiting=(pl.col("proposed_date") < as_of)
            & (pl.col("ended_date").is_null() | (pl.col("ended_date") >= as_of)),
            is_uncertain=(pl.col("uncertain_date") < as_of).fill_null(False),
        )
        .sort("item", "proposed_date")
        .group_by("item", maintain_order=True)
        .agg(
            uncertain_since=pl.col("uncertain_date").filter("is_uncertain").first(),
            awaiting_since=pl.col("proposed_date")
            .filter(pl.col("is_waiting") & ~pl.col("is_uncertain"))
            .first(),
            awaiting_step=pl.col("step").filter(pl.col("is_waiting") & ~pl.col("is_uncertain")).first(),
        )
    )
