"""Sentences about many rows at once: the pieces they are made of, and why a step is taken.

Why a step is not taken is said beside each hold, in `policies.holds`.
"""

import polars as pl


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
