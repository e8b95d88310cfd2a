"""Decides for every open item: act (which step) or not (one reason and a sentence).

A pure function of what is known, the policy and a date; the steps of the reasoning live in the modules it
calls. Grouping into messages is in `policies.batches`.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.accounts import account_facts, classify
from policies.aging import age_items
from policies.allocation import Allocation
from policies.batches import TRAVELLING, join_messages
from policies.books import Books, keep_books
from policies.business_days import business_days_between, is_supported
from policies.channels import used_channel
from policies.closed_days import why_closed, why_closed_in
from policies.contacts import contact_days, dispatched_steps
from policies.explanations import due_sentence
from policies.happenings import events_until
from policies.history import History
from policies.holds import contact_holds, first_hold, item_holds, sentences, step_holds
from policies.item_state import with_state
from policies.ladder import choose_steps, step_table, with_position
from policies.model import ACCOUNT_KEY, HoldReason
from policies.policy import Policy

DECISION_COLUMNS = (
    "customer_id",
    "invoice_number",
    "installment",
    "currency",
    "due_date",
    "days_past_due",
    "amount",
    "amount_open",
    "aging_bucket",
    "ladder",
    "step",
    "channel",
    "message_channel",
    "act",
    "reason",
    "sentence",
)
"""The columns of `relance decisions`, an interface."""

_POLICY_FILE = "policy"


@dataclass(frozen=True)
class Facts:
    """All that is known at a date, before the policy's ladders are asked.

    Attributes:
        as_of: the date.
        allocation: balances and unapplied cash.
        cash: receipts by item.
        events: events up to the date.
        open_items: aged open items with the state of each (disputes, promises, holds).
        accounts: facts of each customer and currency.
        dispatched: steps dispatched before the date, by item.
        contacts: days on which each customer was contacted before the date.
    """

    as_of: date
    allocation: Allocation
    cash: pl.DataFrame
    events: pl.DataFrame
    open_items: pl.DataFrame
    accounts: pl.DataFrame
    dispatched: pl.DataFrame
    contacts: pl.DataFrame


def gather_facts(history: History, policy: Policy, as_of: date, books: Books | None = None) -> Facts:
    """Return the facts at the end of `as_of`: open items, their state, and the accounts they form.

    Args:
        history: all that is known.
        policy: whose buckets, and days of grace, count.
        as_of: the date.
        books: those of this history and date, where they are known already.
    """
    books = books or keep_books(history, policy, as_of)
    allocation, commitments = books.allocation, books.commitments
    events = events_until(history.events, as_of)
    dispatched = dispatched_steps(history.dispatches, allocation.items, events, as_of)
    contacts = contact_days(history.dispatches, as_of)
    planned = allocation.items.filter(pl.col("amount_open") != 0).join(
        commitments.plans, on="item", how="left"
    )
    open_items = with_state(
        age_items(
            planned.with_columns(due_date=pl.coalesce("plan_due_date", "due_date")),
            as_of,
            policy.aging_buckets_days,
        ),
        allocation,
        events,
        commitments,
        dispatched,
        history.proposals,
    )
    accounts = account_facts(history, books, open_items, contacts, events)
    return Facts(
        as_of, allocation, books.cash, events, open_items.sort("item"), accounts, dispatched, contacts
    )


def decide(history: History, policy: Policy, as_of: date) -> pl.DataFrame:
    """Return one row for every open item at `as_of`, sorted by its key: DECISION_COLUMNS and what acting needs."""
    return decide_from_facts(gather_facts(history, policy, as_of), history, policy)


def decide_from_facts(facts: Facts, history: History, policy: Policy, *, worded: bool = True) -> pl.DataFrame:
    """Return the decisions on gathered facts, see `decide`; without their sentences where nobody reads them."""
    as_of = facts.as_of
    steps = step_table(policy)
    accounts = _with_contact_measures(
        classify(facts.accounts, policy.risk, policy.segments, _POLICY_FILE), facts, policy
    )
    items = _anchored(
        facts.open_items.join(accounts.drop(ACCOUNT_KEY), on="account", how="left", maintain_order="left"),
        policy,
    ).with_columns(
        payment_method=pl.coalesce("payment_method", "customer_payment_method"),
        source_age_business_days=pl.lit(source_age(history, policy, as_of), pl.Int64),
    )
    placed = with_position(items, facts.dispatched, facts.events, steps).with_columns(
        days_since_last_step=(pl.lit(as_of) - pl.col("last_step_on")).dt.total_days()
    )
    chosen = choose_steps(placed, policy, steps, as_of, _POLICY_FILE)
    return _finished(chosen, facts, policy, steps, worded=worded)


def _finished(
    chosen: pl.DataFrame, facts: Facts, policy: Policy, steps: pl.DataFrame, *, worded: bool
) -> pl.DataFrame:
    """Apply the declared list of holds, name the messages of what acts, and word every outcome."""
    as_of = facts.as_of
    country, countries = policy.calendar.country if policy.calendar else None, _known_countries(chosen)
    of_items = item_holds()
    holds = [
        *of_items,
        *step_holds(),
        *contact_holds(policy, why_closed_in(policy, countries, as_of), why_closed(policy, country, as_of)),
    ]
    reasons = {place: hold.reason.value for place, hold in enumerate(holds)}
    fallback = policy.contact.fallback
    is_awaiting = pl.col("reason") == HoldReason.AWAITING_APPROVAL.value
    has_no_step = (pl.col("held") < len(of_items)) | (pl.col("step_state") != "due")
    decided = (
        chosen.with_columns(
            has_calendar=pl.col("country").is_in(countries).fill_null(False),
            channel=used_channel("channel", fallback),
        )
        .with_columns(held=first_hold(holds))
        .with_columns(
            act=pl.col("held").is_null(),
            reason=pl.col("held").replace_strict(reasons, default="", return_dtype=pl.String),
        )
        .with_columns(
            step=pl.when(is_awaiting)
            .then("awaiting_step")
            .when(has_no_step.fill_null(False))
            .then(None)
            .otherwise("step")
        )
        .join(_awaited_channels(chosen, steps), on="item", how="left", maintain_order="left")
        .with_columns(
            channel=pl.when(is_awaiting)
            .then(used_channel("awaiting_channel", fallback))
            .when(pl.col("step").is_not_null())
            .then("channel")
        )
    )
    outcome = (
        (sentences(decided, holds, due_sentence()) if worded else decided.select("item"))
        .join(_attempts(decided, facts.dispatched), on="item", how="left")
        .join(
            join_messages(decided.lazy().filter("act").select(TRAVELLING).collect(), steps),
            on="item",
            how="left",
        )
        .with_columns(attempt=pl.col("attempts").fill_null(0) + 1)
        .drop("attempts")
    )
    return decided.join(outcome, on="item", how="left", maintain_order="left")


def _attempts(decided: pl.DataFrame, dispatched: pl.DataFrame) -> pl.DataFrame:
    """Return how often the step of each item was dispatched before: item, attempts."""
    return (
        dispatched.select("item", dispatched_step="step")
        .join(decided.select("item", "step"), on="item")
        .filter(pl.col("dispatched_step") == pl.col("step"))
        .group_by("item")
        .agg(attempts=pl.len().cast(pl.Int64))
    )


def _awaited_channels(chosen: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Return the channel of the step that waits for approval: item, awaiting_channel."""
    return (
        chosen.filter(pl.col("awaiting_step").is_not_null())
        .select("item", "ladder", step="awaiting_step")
        .join(steps.select("ladder", "step", awaiting_channel="channel"), on=["ladder", "step"])
        .select("item", "awaiting_channel")
    )


def _anchored(items: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Add the dates that timing counts from: the item's own, or those of the account's oldest overdue item."""
    if policy.anchor == "item":
        return items.with_columns(
            anchor_due_date=pl.col("due_date"), anchor_invoice_date=pl.col("invoice_date")
        )
    follows = (pl.col("days_past_due") >= 1) & (pl.col("amount_open") > 0)
    return items.with_columns(
        anchor_due_date=pl.when(follows).then("oldest_due_date").otherwise("due_date"),
        anchor_invoice_date=pl.when(follows).then("oldest_invoice_date").otherwise("invoice_date"),
    )


def _with_contact_measures(accounts: pl.DataFrame, facts: Facts, policy: Policy) -> pl.DataFrame:
    """Add contacts_in_period: days of contact within the policy's period, of any currency."""
    maximum = policy.contact.maximum
    if maximum is None:
        return accounts.with_columns(contacts_in_period=pl.lit(0, pl.Int64))
    since = pl.lit(facts.as_of) - pl.duration(days=maximum.days)
    counts = (
        facts.contacts.filter(pl.col("contact_date") > since)
        .group_by("customer_id")
        .agg(contacts_in_period=pl.len().cast(pl.Int64))
    )
    return accounts.join(counts, on="customer_id", how="left").with_columns(
        pl.col("contacts_in_period").fill_null(0)
    )


def source_age(history: History, policy: Policy, as_of: date) -> int | None:
    """Return the business days from the newest file of payments or balances to `as_of`; null when there is none."""
    carrying = history.files.filter(
        (pl.col("carries_payments") | pl.col("carries_balances")) & (pl.col("file_date") <= as_of)
    )
    newest = carrying.get_column("file_date").max()
    if not isinstance(newest, date):
        return None
    return business_days_between(newest, as_of, (policy.calendar.country if policy.calendar else None) or "")


def _known_countries(items: pl.DataFrame) -> list[str]:
    """Return the countries of customers that have a calendar."""
    named: list[str] = items.get_column("country").drop_nulls().unique().sort().to_list()
    return [country for country in named if is_supported(country)]
