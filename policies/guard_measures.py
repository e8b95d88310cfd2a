"""What guards look at, measured: the batch beside earlier ones, bounces of late, and whether totals agree.

The limits stand in the policy, the sentences in `policies.guards`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from policies.aging import aging_table
from policies.allocation import Allocation
from policies.escalation import Facts
from policies.guards import Drafted, count_customers
from policies.history import History
from policies.model import Channel, EventKind
from policies.money import format_plain

USUAL_BATCHES = 10
FEWEST_USUAL_BATCHES = 3
BOUNCES_OF_DAYS = 30


def measure(
    decisions: pl.DataFrame,
    actions: pl.DataFrame,
    history: History,
    facts: Facts,
    usual: dict[str, Decimal],
    edges_days: Sequence[int],
    *,
    is_automatic: bool,
) -> Drafted:
    """Return a drafted batch as its guards see it.

    Args:
        decisions: of the day, one row per open item, with `act`.
        actions: of the batch: customer_id, currency, amount_demanded.
        history: all that is known.
        facts: of the day.
        usual: see `usual_amounts`.
        edges_days: of the policy's aging buckets.
        is_automatic: whether nobody would look at the batch if no guard did.
    """
    with_open_items, contacted = count_customers(decisions)
    customers = actions["customer_id"].unique()
    known = history.dispatches["customer_id"].unique()
    written, bounced = count_bounces(history, facts.as_of)
    return Drafted(
        is_automatic=is_automatic,
        with_open_items=with_open_items,
        contacted=contacted,
        customers=customers.len(),
        first_contacts=customers.filter(~customers.is_in(known.implode())).len(),
        demanded=sum_demanded(actions),
        usual=usual,
        email_customers=written,
        bounced_customers=bounced,
        differences=find_differences(decisions, facts, edges_days),
    )


def sum_demanded(actions: pl.DataFrame) -> dict[str, Decimal]:
    """Return what actions demand, by currency."""
    return dict(
        actions.group_by("currency").agg(pl.col("amount_demanded").sum()).sort("currency").iter_rows()
    )


def usual_amounts(batches: pl.DataFrame, actions: pl.DataFrame, kind: str) -> dict[str, Decimal]:
    """Return the average that the last batches of a kind demanded, for currencies with enough batches.

    Args:
        batches: batch_id, kind, as_of of all batches.
        actions: batch_id, currency, amount_demanded, status of all actions; those that left count.
        kind: of the batches.
    """
    demanded = (
        actions.filter(pl.col("status") == "dispatched")
        .join(batches.filter(kind=kind).select("batch_id", "as_of"), on="batch_id")
        .group_by("currency", "batch_id", "as_of")
        .agg(pl.col("amount_demanded").sum())
        .sort("as_of", "batch_id", descending=True)
    )
    usual = {}
    for (currency,), of_currency in demanded.group_by("currency", maintain_order=True):
        amounts: list[Decimal] = of_currency["amount_demanded"].head(USUAL_BATCHES).to_list()
        if len(amounts) >= FEWEST_USUAL_BATCHES:
            usual[str(currency)] = sum(amounts, Decimal(0)) / len(amounts)
    return usual


def count_bounces(history: History, as_of: date) -> tuple[int, int]:
    """Return how many customers were lately written to by e-mail, and of how many the address came back."""
    since = as_of - timedelta(days=BOUNCES_OF_DAYS)
    written = history.dispatches.filter(
        (pl.col("channel") == Channel.EMAIL.value) & pl.col("dispatch_date").is_between(since, as_of)
    )["customer_id"]
    bounced = history.events.filter(
        (pl.col("kind") == EventKind.BOUNCE.value) & pl.col("event_date").is_between(since, as_of)
    )["customer_id"]
    return pl.concat([written, bounced]).n_unique(), bounced.n_unique()


def find_differences(decisions: pl.DataFrame, facts: Facts, edges_days: Sequence[int]) -> Sequence[str]:
    """Return a sentence on each total that does not agree with another one; nothing means that all do.

    The aging must add up to the open items and the unapplied cash; each open item must have one decision; and where
    no file states balances, documents less payments must be what is open.
    """
    allocation = facts.allocation
    listed = facts.open_items.filter(pl.col("aging_bucket").is_not_null())
    balance = _by_currency(
        listed.select("currency", amount="amount_open"),
        allocation.unapplied_cash.select("currency", "amount"),
    )
    aging = aging_table(facts.open_items, allocation.unapplied_cash, edges_days)
    columns = _by_currency(aging.select("currency", amount="total"))
    found = _compared("the columns of the aging", columns, "the open items with unapplied cash", balance)
    if not allocation.history.listings.height and not allocation.items["amount"].null_count():
        found += _compared(
            "documents less payments", _booked(allocation), "the open items with unapplied cash", balance
        )
    if decisions["item"].n_unique() != decisions.height or decisions.height != facts.open_items.height:
        found.append(f"There are {decisions.height} decisions on {facts.open_items.height} open items.")
    return found


def _booked(allocation: Allocation) -> dict[str, Decimal]:
    payments = allocation.history.payments.filter(pl.col("payment_date") <= allocation.as_of)
    return _by_currency(
        allocation.items.select("currency", "amount"), payments.select("currency", amount=-pl.col("amount"))
    )


def _by_currency(*amounts: pl.DataFrame) -> dict[str, Decimal]:
    every = pl.concat([frame.with_columns(pl.col("amount").cast(pl.Decimal(38, 3))) for frame in amounts])
    return dict(every.group_by("currency").agg(pl.col("amount").sum()).iter_rows())


def _compared(
    name: str, amounts: dict[str, Decimal], other_name: str, others: dict[str, Decimal]
) -> list[str]:
    sentences = []
    for currency in sorted({*amounts, *others}):
        one, other = amounts.get(currency, Decimal(0)), others.get(currency, Decimal(0))
        if one != other:
            sentences.append(
                f"In {currency} {name} come to {format_plain(one, currency)}, {other_name} to "
                f"{format_plain(other, currency)}: the totals must agree."
            )
    return sentences
