"""Sentences about many rows at once: the pieces they are made of, and why a step is taken.

Why a step is not taken is said beside each hold, in `policies.holds`.
"""

from collections.abc import Sequence

import polars as pl

from policies.facts import FACTS, RATIO, Fact
from policies.money import plain_amounts

_MOST_NAMED = 3
"""So many invoices of a message are named in a sentence."""


def say(template: str, *columns: str) -> pl.Expr:
    """Return the sentence with the columns' values in it; null when one of them is null."""
    return pl.format(template, *(pl.col(name).cast(pl.String) for name in columns))


def optional_part(template: str, column: str) -> pl.Expr:
    """Return the piece of a sentence, or nothing when the column is null."""
    return say(template, column).fill_null("")


def due_sentence() -> pl.Expr:
    """Return why a step is taken: the age of the item and what was done before."""
    days = pl.col("days_past_due")
    age = (
        pl.when(days > 1)
        .then(say("{} days past due", "days_past_due"))
        .when(days == 1)
        .then(pl.lit("1 day past due"))
        .when(days == 0)
        .then(pl.lit("due today"))
        .when(days == -1)
        .then(pl.lit("due tomorrow"))
        .otherwise(say("due on {}", "due_date"))
    )
    return pl.concat_str(
        [
            say("Step {} is due", "step"),
            pl.when("is_brought_forward").then(pl.lit(" ahead of its time")).otherwise(pl.lit("")),
            pl.lit(": "),
            age,
            pl.coalesce(say(", last step {} on {}", "last_step", "last_step_on"), pl.lit(", no step before")),
            pl.lit("."),
        ]
    )


def facts_told(names: Sequence[str]) -> pl.Expr:
    """Return the values of facts as `name value, name value`; amounts with their currency."""
    parts = [pl.concat_str(pl.lit(f"{name} "), _fact_told(FACTS[name])) for name in names]
    return pl.concat_str([*parts], separator=", ") if parts else pl.lit("whatever the facts")


def amounts_told(name: str) -> pl.Expr:
    """Return amounts with their currency: `1200.00 EUR`."""
    return pl.concat_str(plain_amounts(name, "currency"), pl.lit(" "), "currency")


def _fact_told(fact: Fact) -> pl.Expr:
    if fact.is_money:
        value = amounts_told(fact.name)
    elif fact.dtype == RATIO:
        value = pl.col(fact.name).cast(pl.String).str.replace(r"\.?0+$", "")
    elif fact.dtype == pl.Boolean:
        value = pl.when(pl.col(fact.name)).then(pl.lit("yes")).otherwise(pl.lit("no"))
    else:
        value = pl.col(fact.name).cast(pl.String)
    return value.fill_null("unknown")


def counted(count: int, noun: str) -> str:
    """Return how many there are of something.

    >>> counted(1, "message"), counted(2, "message")
    ('1 message', '2 messages')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def whom(customer_id: str, invoices: Sequence[str]) -> str:
    """Return whom a message is for and what it is about, by numbers alone.

    >>> whom("C4", ["F-1"]), whom("C4", ["F-1", "F-2", "F-3", "F-4", "F-5"]), whom("C4", [])
    ('customer C4, invoice F-1', 'customer C4, invoices F-1, F-2, F-3 and 2 more', 'customer C4')
    """
    if not invoices:
        return f"customer {customer_id}"
    more = f" and {len(invoices) - _MOST_NAMED} more" if len(invoices) > _MOST_NAMED else ""
    noun = "invoice" if len(invoices) == 1 else "invoices"
    return f"customer {customer_id}, {noun} {', '.join(invoices[:_MOST_NAMED])}{more}"
