"""Facts of each (customer, currency): exposure, habits, contacts, risk class and segment.

The only facts that `segments`, `risk` and `credit_hold` may name (`policies.facts`). Nothing is added
across currencies; contacts and answers belong to the customer as a whole.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from policies.balances import VANISHED
from policies.behaviour import LOOK_BACK_DAYS
from policies.books import Books
from policies.channels import reach
from policies.conditions import compile_condition
from policies.contacts import contact_facts, unanswered_contacts
from policies.facts import RATIO, Scope
from policies.happenings import of_kind
from policies.history import History
from policies.model import ACCOUNT_KEY, TOTAL, EventKind
from policies.policy import RiskClass, Segment

_ZERO = pl.lit(0, TOTAL)
_COUNTS = ("paid_invoices", "broken_promises", "kept_promises", "contacts_without_answer", "overdue_items")


def account_facts(
    history: History,
    books: Books,
    open_items: pl.DataFrame,
    contacts: pl.DataFrame,
    events: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row per customer and currency with open items, with every account fact but risk and segment."""
    as_of, promises = books.allocation.as_of, books.commitments.promises
    behaving = exposure(open_items, books.allocation.unapplied_cash).join(
        books.habits, on=ACCOUNT_KEY, how="left"
    )
    unanswered = unanswered_contacts(behaving.select(*ACCOUNT_KEY, "last_payment"), contacts, events)
    return (
        behaving.drop("last_payment")
        .join(unanswered, on=ACCOUNT_KEY, how="left")
        .join(_promise_counts(promises, as_of), on=ACCOUNT_KEY, how="left")
        .join(contact_facts(contacts, as_of), on="customer_id", how="left")
        .join(customer_facts(history.customers, events), on="customer_id", how="left")
        .with_columns(pl.col(_COUNTS).fill_null(0).cast(pl.Int64), pl.col("bounced").fill_null(False))
        .sort("account")
    )


def exposure(open_items: pl.DataFrame, unapplied_cash: pl.DataFrame) -> pl.DataFrame:
    """Return what each account owes: open and overdue sums, oldest days past due, unapplied amount, share."""
    is_listed = (pl.col("absence") != VANISHED).fill_null(True)
    is_debit = is_listed & (pl.col("amount_open") > 0)
    is_overdue = is_debit & (pl.col("days_past_due") >= 1)
    # One column per measure first: adding up plain columns is ten times faster than filtering in each group.
    sums = (
        open_items.select(
            "account",
            *ACCOUNT_KEY,
            open_amount=pl.when(is_debit).then("amount_open"),
            overdue_amount=pl.when(is_overdue).then("amount_open"),
            overdue_items=is_overdue.cast(pl.Int64),
            oldest_days_past_due=pl.when(is_overdue).then("days_past_due"),
            credits=pl.when(is_listed & ~is_debit).then("amount_open"),
        )
        .group_by("account")
        .agg(
            pl.col(ACCOUNT_KEY).first(),
            pl.col("open_amount", "overdue_amount", "credits").sum().cast(TOTAL),
            pl.col("overdue_items").sum(),
            pl.col("oldest_days_past_due").max(),
        )
        .join(_oldest(open_items.filter(is_overdue)), on="account", how="left")
    )
    in_currency = pl.col("open_amount").sum().over("currency")
    share = pl.col("open_amount").cast(pl.Float64) / in_currency.cast(pl.Float64)
    return (
        sums.join(unapplied_cash.rename({"amount": "cash"}), on=ACCOUNT_KEY, how="left")
        .with_columns(
            unapplied_amount=pl.col("credits") + pl.col("cash").fill_null(_ZERO),
            exposure_share=pl.when(in_currency > 0)
            .then(share)
            .round(6, mode="half_away_from_zero")
            .cast(RATIO),
        )
        .drop("credits", "cash")
    )


def _oldest(overdue: pl.DataFrame) -> pl.DataFrame:
    """Return the dates of each account's oldest overdue item: account, oldest_due_date, oldest_invoice_date."""
    return (
        overdue.select("account", oldest_due_date="due_date", oldest_invoice_date="invoice_date")
        .sort("account", "oldest_due_date", "oldest_invoice_date")
        .unique("account", keep="first", maintain_order=True)
    )


def customer_facts(customers: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of the customers themselves, typed as conditions see it.

    An e-mail address that came back counts as bounced until a file states another one.
    """
    bounces = (
        of_kind(events, EventKind.BOUNCE).group_by("customer_id").agg(bounced_on=pl.col("event_date").max())
    )
    is_of_this_address = pl.col("bounced_on") >= pl.col("email_since").fill_null(date.min)
    return (
        customers.select(
            "customer_id",
            pl.col("country").str.to_uppercase(),
            pl.col("language").str.to_lowercase(),
            "tags",
            "customer_type",
            "credit_rating",
            pl.col("credit_limit").cast(TOTAL, strict=False),
            *("email", "email_since", "phone", "address_line_1", "city", "preferred_channel"),
            customer_payment_method=pl.col("payment_method"),
        )
        .join(bounces, on="customer_id", how="left")
        .with_columns(bounced=is_of_this_address.fill_null(False))
        .with_columns(**reach())
        .drop("bounced_on", "email_since")
    )


def _promise_counts(promises: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return kept and broken promises by account: those that ended in the look-back."""
    since = pl.lit(as_of) - pl.duration(days=LOOK_BACK_DAYS)
    return (
        promises.filter(pl.col("last_day") >= since)
        .group_by(ACCOUNT_KEY)
        .agg(
            kept_promises=pl.col("is_kept").sum().cast(pl.Int64),
            broken_promises=pl.col("is_broken").sum().cast(pl.Int64),
        )
    )


def classify(
    accounts: pl.DataFrame, risk: Sequence[RiskClass], segments: Sequence[Segment], file: str
) -> pl.DataFrame:
    """Add `risk`, then `segment` and `ladder`: the first whose condition holds, null when none does."""
    with_risk = accounts.with_columns(risk=_worst_class(risk, file))
    names = [(rule.segment, rule.when, f"segments[{index}].when") for index, rule in enumerate(segments)]
    ladders = {rule.segment: rule.ladder for rule in segments}
    return with_risk.with_columns(segment=_first_match(names, file)).with_columns(
        ladder=pl.col("segment").replace_strict(ladders, default=None, return_dtype=pl.String)
    )


def _worst_class(risk: Sequence[RiskClass], file: str) -> pl.Expr:
    """Return the risk class: of a customer's currencies the one that stands first in the policy, the worse."""
    places = [(str(index), rule.when, f"risk[{index}].when") for index, rule in enumerate(risk)]
    place = _first_match(places, file).cast(pl.Int64).min().over("customer_id")
    names = {index: rule.class_ for index, rule in enumerate(risk)}
    return place.replace_strict(names, default=None, return_dtype=pl.String)


def _first_match(rules: Sequence[tuple[str, str | None, str]], file: str) -> pl.Expr:
    """Return the name of the first rule whose condition holds; a rule without condition always does."""
    conditions = [
        pl.lit(True) if when is None else compile_condition(when, Scope.ACCOUNT, file, path)
        for _, when, path in rules
    ]
    return pl.coalesce(
        [
            *(
                pl.when(condition).then(pl.lit(name))
                for (name, _, _), condition in zip(rules, conditions, strict=True)
            ),
            pl.lit(None, pl.String),
        ]
    )
