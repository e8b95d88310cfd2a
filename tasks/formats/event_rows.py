"""What must hold in rows that become events, and the names of events that a file gives none to."""

import hashlib
from collections import Counter

import polars as pl

from policies.agency_reports import AgencyStatus
from tasks.formats.problems import LINE, Check
from tasks.formats.values import Notation

SAID = "said."
"""Before the name of a column: its text as the file states it."""


def event_checks(notation: Notation) -> list[Check]:
    """Return what is wrong in rows of events."""
    kind, shown = pl.col("kind"), notation.shown
    needs = (
        (kind.is_in(["promise", "payment_plan"]) & pl.col("until").is_null(), "until", "the promised date"),
        ((kind == "payment_plan") & pl.col("amount").is_null(), "amount", "the amount of this instalment"),
    )
    checks = [
        Check(wrong, shown(column), pl.lit(""), f"this kind of event needs {column}", f"Give {what}.")
        for wrong, column, what in needs
    ]
    is_early = (kind == "promise") & (pl.col("until") < pl.col("event_date"))
    rules = (
        (pl.col("amount") < 0, "amount", "an event with a negative amount", "Write it without the sign."),
        (is_early, "until", "a promise that ends before it was made", "Give the promised date."),
    )
    return checks + [
        Check(wrong, shown(name), pl.col(SAID + name), rule, fix) for wrong, name, rule, fix in rules
    ]


def event_ids(events: pl.DataFrame) -> list[str]:
    """Return the given ids; a row without one is known by its content and how often it came before."""
    seen: Counter[str] = Counter()
    ids = []
    for row in events.drop(LINE).iter_rows():
        if row[0] is not None:
            ids.append(str(row[0]))
            continue
        content = "\x1f".join("" if value is None else str(value) for value in row[1:])
        seen[content] += 1
        ids.append(hashlib.sha256(f"{content}\x1f{seen[content]}".encode()).hexdigest())
    return ids


def report_checks(notation: Notation) -> list[Check]:
    """Return what is wrong in rows of an agency's report."""
    shown = notation.shown
    is_promise = pl.col("status") == AgencyStatus.PROMISE.value
    rules = (
        (
            is_promise & pl.col("until").is_null(),
            "until",
            "a promise without its date",
            "Give the promised date.",
        ),
        (
            is_promise & (pl.col("until") < pl.col("status_date")),
            "until",
            "a promise that ends before it was made",
            "Give the promised date.",
        ),
        (pl.col("amount") < 0, "amount", "a negative amount", "Write it without the sign."),
        (
            pl.col("installment").is_not_null() & pl.col("invoice_number").is_null(),
            "invoice_number",
            "an installment of no invoice",
            "Give the invoice, or leave the installment blank.",
        ),
    )
    return [Check(wrong, shown(name), pl.col(name), rule, fix) for wrong, name, rule, fix in rules]


def tracking_checks(notation: Notation) -> list[Check]:
    """Return what is wrong in rows on letters."""
    names_nothing = pl.col("message_id").is_null() & pl.col("document").is_null()
    own = [notation.shown(name) for name in ("message_id", "document") if name in notation.headers]
    return [
        Check(
            names_nothing,
            own[0] if own else "message_id",
            pl.lit(""),
            f"{' and '.join(own)} blank: the row says no letter"
            if own
            else "no column says which letter this is",
            "Give the letter's number (message_id in the letters.csv of its batch), or the name of its file.",
        )
    ]
