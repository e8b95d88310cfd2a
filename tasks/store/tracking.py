"""Statuses of letters, tied to the items of the messages that the letters were."""

import hashlib
from collections.abc import Mapping
from datetime import date

import polars as pl

from policies.letter_tracking import letter_events
from policies.model import EventKind
from policies.sources import PROBLEMS
from tasks.store.connection import Connection, conform, fetch, lend_frames, load_query

_OF_ITEM = ["customer_id", "invoice_number", "installment", "event_date"]
_ENDS = (EventKind.LETTER_RECEIVED.value, EventKind.LETTER_RETURNED.value)
_IDENTITY = ("message_id", "invoice_number", "installment", "status", "status_date", "tracking_number")


def find_letters(connection: Connection, tracking: pl.DataFrame) -> pl.DataFrame:
    """Return the statuses beside the letters that they name: one row for each action, none of them where none is known.

    Columns: those of TRACKING, with action_id, customer_id, invoice_number, installment, dispatched_on and named (how
    many letters the row names).
    """
    with lend_frames(connection, stated_letters=tracking):
        return fetch(connection, load_query("tracked_letters"))


def find_unknown(letters: pl.DataFrame, headers: Mapping[str, str], as_of: date) -> pl.DataFrame:
    """Return, as problems, the rows that name no letter of ours that has left, or several, or an impossible day.

    Args:
        letters: of `find_letters`.
        headers: what the file calls the columns that it has.
        as_of: the day of the run; nothing is known of days after it.
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
        (
            pl.col("status_date") > as_of,
            pl.lit(day),
            pl.col("status_date").cast(pl.String),
            f"a day after {as_of}, the date of this run",
            "Correct the day, or take the file in once it has come.",
        ),
    )
    found = [
        letters.filter(wrong)
        .unique("line_number", maintain_order=True)
        .select(line="line_number", column=column, value=value, rule=pl.lit(rule), fix=pl.lit(fix))
        for wrong, column, value, rule, fix in rules
    ]
    return conform(pl.concat(found).sort("line"), PROBLEMS)


def find_contradictions(
    letters: pl.DataFrame, events: pl.DataFrame, headers: Mapping[str, str]
) -> pl.DataFrame:
    """Return, as problems, the rows by which a letter was delivered and came back on one day.

    Of different days the later counts. Of one day nobody can tell, so that a person has to.

    Args:
        letters: of `find_letters`.
        events: those known before, as they count.
        headers: what the file calls the columns that it has.
    """
    said = events_of_letters(letters).select(*_OF_ITEM, "kind", "reason", line="line_number")
    before = events.filter(pl.col("kind").is_in(_ENDS)).select(*_OF_ITEM, "kind", line=pl.lit(None, pl.Int64))
    told = pl.concat([said.drop("reason").cast({"line": pl.Int64}), before])
    pairs = said.join(told, on=["customer_id", "event_date"], suffix="_other").filter(
        pl.col("kind") != pl.col("kind_other"),
        # An event without an invoice or installment is about all of them.
        *(
            (pl.col(name) == pl.col(f"{name}_other")).fill_null(True)
            for name in ("invoice_number", "installment")
        ),
    )
    source = pl.coalesce(pl.format("line {}", "line_other"), pl.lit("what is known already"))
    what = pl.col("kind_other").replace_strict({_ENDS[0]: "was received", _ENDS[1]: "came back"})
    problems = (
        pairs.sort("line", "line_other", nulls_last=True)
        .unique("line", keep="first", maintain_order=True)
        .select(
            "line",
            column=pl.lit(headers.get("status", "status")),
            value="reason",
            rule=pl.format("contradictory: {} says that it {} on the same day", source, what),
            fix=pl.lit(
                "Ask the post which is true and leave the other out; if one is known already, correct it."
            ),
        )
    )
    return conform(problems, PROBLEMS)


def events_of_letters(letters: pl.DataFrame) -> pl.DataFrame:
    """Return the events that statuses mean; each is known by what it says, so the same again changes nothing."""
    ids = [
        hashlib.sha256("\x1f".join(str(row[name]) for name in _IDENTITY).encode()).hexdigest()
        for row in letters.iter_rows(named=True)
    ]
    return letter_events(letters.with_columns(pl.Series("event_id", ids, dtype=pl.String)))
