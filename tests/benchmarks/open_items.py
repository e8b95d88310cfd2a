"""Decides for N open items with every rule on: python -m tests.benchmarks.open_items [N]; left out = 1,000,000.

Beside it, in the same process, Polars alone adds the same rows up by customer: the price of a bare pass.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from policies.escalation import decide_from_facts, gather_facts
from policies.history import SCHEMAS, History, empty_history
from policies.policy import load_policy
from tests.benchmarks.invoices import AS_OF, spread

POLICY = Path(__file__).with_name("everything_on.yaml")
PAID_PER_OPEN = 4
"""One paid invoice for so many open ones: habits come from what was paid."""


def main() -> int:
    """Print what each part took."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.open_items", description=__doc__)
    parser.add_argument("open_items", type=int, nargs="?", default=1_000_000)
    count = parser.parse_args().open_items
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the start.")
    policy = load_policy(POLICY.read_text(encoding="utf-8"), POLICY.name)
    history = company(count)
    with _told("bare Polars group-by of the same rows"):
        history.documents.group_by("customer_id").agg(pl.col("amount").sum(), pl.col("due_date").min())
    with _told("facts"):
        facts = gather_facts(history, policy, AS_OF)
    with _told("decisions"):
        decisions = decide_from_facts(facts, history, policy)
    acting = decisions["act"].sum()
    print(
        f"{decisions.height:,} open items, {acting:,} of them act; {decisions['reason'].n_unique()} reasons."
    )
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
    return 0


@contextmanager
def _told(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - started:.2f} s", flush=True)


def company(count: int) -> History:
    """Return a history with so many open items of a tenth as many customers, in two currencies."""
    customers = max(count // 10, 1)
    documents = _documents(count + count // PAID_PER_OPEN, customers)
    return _history(
        files=pl.DataFrame(
            {
                "intake_id": [1],
                "source": ["erp"],
                "kind": ["incremental"],
                "file_date": [AS_OF],
                "carries_payments": [True],
                "carries_balances": [False],
            }
        ),
        documents=documents,
        payments=_payments(documents, count),
        events=_events(documents.head(count)),
        customers=_customers(customers),
        dispatches=_dispatches(documents.head(count)),
    )


def _history(**tables: pl.DataFrame) -> History:
    """Return the tables with every column of their schemas; what is not named is null."""
    complete = {
        name: frame.select(
            (pl.col(column) if column in frame.columns else pl.lit(None)).cast(dtype).alias(column)
            for column, dtype in SCHEMAS[name].items()
        )
        for name, frame in tables.items()
    }
    return History(**{**vars(empty_history()), **complete})


def _documents(count: int, customers: int) -> pl.DataFrame:
    number = pl.col("number")
    issued = pl.lit(date(2025, 9, 1)) + pl.duration(days=spread(number, 300))
    customer = spread(number, customers) + 1
    return pl.select(number=pl.int_range(1, count + 1)).select(
        customer_id=pl.format("C{}", customer.cast(pl.String).str.zfill(7)),
        invoice_number=pl.format("F{}", number.cast(pl.String).str.zfill(8)),
        installment=pl.lit("1"),
        document_type=pl.when(number % 200 == 0).then(pl.lit("credit_note")).otherwise(pl.lit("invoice")),
        invoice_date=issued,
        due_date=issued + pl.duration(days=30),
        currency=pl.when(customer % 10 == 0).then(pl.lit("USD")).otherwise(pl.lit("EUR")),
        amount=(spread(number + 7, 500_000) + 2_000).cast(pl.Decimal(18, 3))
        / 100
        * pl.when(number % 200 == 0).then(-1).otherwise(1),
        number=number,
    )


def _payments(documents: pl.DataFrame, first_paid: int) -> pl.DataFrame:
    """Pay everything after the first so many, and a part of every twentieth of these."""
    number = pl.col("number")
    paid = documents.filter((number > first_paid) | (number % 20 == 0))
    part = pl.when(number > first_paid).then(1).otherwise(3)
    return paid.select(
        "customer_id",
        "currency",
        "invoice_number",
        payment_id=pl.format("P{}", number),
        payment_date=pl.col("due_date") + pl.duration(days=number % 40 - 5),
        amount=(pl.col("amount").abs() / part).round(2),
    ).filter(pl.col("payment_date") <= AS_OF)


def _events(documents: pl.DataFrame) -> pl.DataFrame:
    """Disputes in part, promises, plans, holds, answers and calls, each about one invoice in a hundred."""
    number = pl.col("number")
    kinds = {
        0: "dispute", 1: "promise", 2: "payment_plan", 3: "hold", 4: "answer", 5: "call_outcome", 6: "bounce",
        7: "letter_received",
    }  # fmt: skip
    return (
        documents.filter(number % 100 < len(kinds))
        .with_columns(kind=(number % 100).replace_strict(kinds, return_dtype=pl.String))
        .with_columns(event_date=pl.col("due_date") + pl.duration(days=10))
        .filter(pl.col("event_date") <= AS_OF)
        .select(
            "kind",
            "event_date",
            "customer_id",
            "invoice_number",
            event_id=pl.format("E{}", number),
            amount=pl.when(pl.col("kind") == "call_outcome").then(None).otherwise(pl.col("amount").abs() / 2),
            until=pl.col("event_date") + pl.duration(days=20),
            reference=pl.format("R{}", number),
            sequence=number,
        )
    )


def _customers(count: int) -> pl.DataFrame:
    number = pl.col("number")
    return pl.select(number=pl.int_range(1, count + 1)).select(
        customer_id=pl.format("C{}", number.cast(pl.String).str.zfill(7)),
        customer_name=pl.format("Customer {}", number),
        email=pl.when(number % 7 != 0).then(pl.format("accounts-{}@customer.example.com", number)),
        language=pl.when(number % 4 == 0).then(pl.lit("en")).otherwise(pl.lit("fr")),
        country=pl.when(number % 5 == 0).then(pl.lit("US")).otherwise(pl.lit("FR")),
        address_line_1=pl.format("{} rue de la Mesure", number % 99 + 1),
        city=pl.lit("Tours"),
        phone=pl.when(number % 3 != 0).then(pl.lit("+33 1 99 00 00 00")),
        preferred_channel=pl.when(number % 11 == 0).then(pl.lit("letter")),
    )


def _dispatches(documents: pl.DataFrame) -> pl.DataFrame:
    """Every fifth invoice was reminded once or twice."""
    reminded = documents.filter(pl.col("number") % 5 == 0)
    steps = pl.DataFrame({"step": ["reminder_1", "reminder_2"], "days": [2, 12]})
    return (
        reminded.join(steps, how="cross")
        .select(
            "customer_id",
            "invoice_number",
            "installment",
            "step",
            dispatch_date=pl.col("due_date") + pl.duration(days=pl.col("days")),
            channel=pl.lit("email"),
            attempt=pl.lit(1),
        )
        .filter(pl.col("dispatch_date") < AS_OF)
    )


if __name__ == "__main__":
    sys.exit(main())
