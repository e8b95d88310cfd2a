"""Statuses of letters, tied to the items of the messages that the letters were."""

import hashlib
from collections.abc import Mapping

import polars as pl

from policies.letter_tracking import letter_events
from policies.sources import PROBLEMS
from tasks.store.connection import Connection, conform, fetch, lend_frames, load_query

_IDENTITY = ("message_id", "invoice_number", "installment", "status", "status_date", "tracking_number")


def find_letters(connection: Connection, tracking: pl.DataFrame) -> pl.DataFrame:
    """Return the statuses beside the letters that they name: one row for each action, none of them where none is known.

    Columns: those of TRACKING, with action_id, customer_id, invoice_number, installment, dispatched_on and named (how
    many letters the row names).
    """
    with lend_frames(connection, stated_letters=tracking):
        return fetch(connection, load_query("tracked_letters"))


def find_unknown(letters: pl.DataFrame, headers: Mapping[str, str]) -> pl.DataFrame:
    """Return, as problems, the rows that name no letter of ours that has left, or several, or a day before it left.

    Args:
        letters: of `find_letters`.
        headers: what the file calls the columns that it has.
    """
    number, document, day = (headers.get(name, name) for name in ("message_id", "document", "status_date"))
    says_number = pl.col("stated_id").is_not_null()
    letter = pl.when(says_number).then(pl.lit(number)).otherwise(pl.lit(document))
    value = pl.coalesce("stated_id", "document")
    take = "Take the letter's number (message_id) from the letters.csv of its batch."
    rules = (
        (pl.col("named") == 0, letter, value, "no letter of ours that has left", take),
        (pl.col("named") > 1, letter, value, "several letters have a file of this name", take),
        (
            pl.col("status_date") < pl.col("dispatched_on"),
            pl.lit(day),
            pl.col("status_date").cast(pl.String),
            "a day before the letter left",
            "Correct the day, or the letter that the row names.",
        ),
    )
    found = [
        letters.filter(wrong)
        .unique("line_number", maintain_order=True)
        .select(line="line_number", column=column, value=value, rule=pl.lit(rule), fix=pl.lit(fix))
        for wrong, column, value, rule, fix in rules
    ]
    return conform(pl.concat(found).sort("line"), PROBLEMS)


def events_of_letters(letters: pl.DataFrame) -> pl.DataFrame:
    """Return the events that statuses mean; each is known by what it says, so the same again changes nothing."""
    ids = [
        hashlib.sha256("\x1f".join(str(row[name]) for name in _IDENTITY).encode()).hexdigest()
        for row in letters.iter_rows(named=True)
    ]
    return letter_events(letters.with_columns(pl.Series("event_id", ids, dtype=pl.String)))
