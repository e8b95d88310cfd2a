"""Measures a simulated year of working days: python -m tests.benchmarks.simulation [N]; left out = 100,000 invoices.

Issued through the year to a tenth as many customers, and paid about 35 days after issue, so that a tenth is open at a
time; every hundredth has a dispute, a promise or a credit note.
"""

import argparse
import os
import resource
import sys
import time
from dataclasses import replace
from datetime import date

import polars as pl

from policies.history import SCHEMAS, History, empty_history
from policies.policy import load_policy
from policies.simulation import Period, Simulation, simulate
from tasks.rules import read_law
from tasks.simulate import keep_ahead
from tasks.workspace import Workspace, shipped_root

YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))
_PRIME = 2_654_435_761


def main() -> int:
    """Print how long the year took, and how much memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.simulation", description=__doc__)
    parser.add_argument("invoices", type=int, nargs="?", default=100_000)
    parser.add_argument("--policy", default="standard_fr")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the start.", flush=True)
    past = paid_year(asked.invoices)
    wall, processor = time.monotonic(), time.process_time()
    simulation = _simulate(past, asked.policy)
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{asked.invoices:,} invoices, {len(simulation.days)} days, {simulation.actions.height:,} actions")
    print(f"{wall:.1f} seconds, {processor:.1f} of a processor, peak {peak:.0f} MiB (target: below 60 s)")
    return 0


def _simulate(past: History, name: str) -> Simulation:
    path = shipped_root() / "policies" / "escalation" / f"{name}.yaml"
    policy = load_policy(path.read_text(encoding="utf-8"), path.name)
    law = read_law(Workspace(shipped_root()))

    def tell(day: date, count: int) -> None:
        print(f"  {day:%Y-%m}  {count:,} actions", file=sys.stderr)

    return simulate(past, policy, law, YEAR, tell, keep_ahead)


def paid_year(count: int) -> History:
    """Return a past of this many invoices, the same on every machine."""
    customers, number = max(count // 10, 1), pl.col("number")
    late = (
        pl.when(_spread(number * 17, 5) == 0)
        .then(_spread(number * 19, 60))
        .otherwise(_spread(number * 23, 10))
    )
    invoices = (
        pl.select(number=pl.int_range(1, count + 1))
        .select(
            number,
            customer_id=_name("C", _spread(number, customers) + 1),
            invoice_number=_name("F", number),
            installment=pl.lit("1"),
            document_type=pl.lit("invoice"),
            currency=pl.lit("EUR"),
            invoice_date=pl.lit(YEAR.first) + pl.duration(days=_spread(number * 7 + 3, 365)),
            amount=(_spread(number + 7, 500_000) + 2_000).cast(pl.Decimal(18, 3)) / 100,
            paid_after=20 + _spread(number * 13 + 5, 12) + late,
        )
        .with_columns(due_date=pl.col("invoice_date") + pl.duration(days=30))
    )
    documents = pl.concat([invoices, _credit_notes(invoices)], how="diagonal")
    return replace(
        empty_history(),
        documents=_complete(documents, "documents"),
        payments=_complete(_payments(invoices), "payments"),
        events=_complete(_events(invoices), "events"),
        customers=_complete(_customers(customers), "customers"),
    )


def _spread(column: pl.Expr, size: int) -> pl.Expr:
    """Spread whole numbers evenly and the same everywhere (Knuth's multiplicative hash)."""
    return ((column * _PRIME) % 4_294_967_296) % size


def _name(letter: str, number: pl.Expr) -> pl.Expr:
    return pl.format("{}{}", pl.lit(letter), number.cast(pl.String).str.zfill(8))


def _payments(invoices: pl.DataFrame) -> pl.DataFrame:
    return invoices.select(
        "customer_id",
        "invoice_number",
        "currency",
        "amount",
        payment_id=_name("P", pl.col("number")),
        payment_date=pl.col("invoice_date") + pl.duration(days=pl.col("paid_after")),
    )


def _credit_notes(invoices: pl.DataFrame) -> pl.DataFrame:
    return invoices.gather_every(300).select(
        "customer_id",
        "installment",
        "currency",
        invoice_number=_name("N", pl.col("number")),
        document_type=pl.lit("credit_note"),
        invoice_date=pl.col("invoice_date") + pl.duration(days=10),
        amount=-pl.col("amount") / 10,
        credited_invoice_number="invoice_number",
    )


def _events(invoices: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for offset, (kind, after, until) in enumerate((("dispute", 33, 60), ("promise", 35, 45))):
        parts.append(
            invoices.gather_every(300, offset=100 * (offset + 1)).select(
                "customer_id",
                "invoice_number",
                kind=pl.lit(kind),
                event_date=pl.col("invoice_date") + pl.duration(days=after),
                until=pl.col("invoice_date") + pl.duration(days=until),
            )
        )
    return pl.concat(parts).with_columns(sequence=pl.int_range(pl.len()))


def _customers(count: int) -> pl.DataFrame:
    number = pl.col("number")
    return pl.select(number=pl.int_range(1, count + 1)).select(
        customer_id=_name("C", number),
        customer_name=pl.format("Customer {}", number),
        email=pl.format("accounts-{}@customer.example.com", number),
        language=pl.lit("fr"),
        country=pl.lit("FR"),
        address_line_1=pl.lit("1 rue de la Mesure"),
        city=pl.lit("Tours"),
        phone=pl.lit("+33 1 99 00 00 00"),
    )


def _complete(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.select(
        (pl.col(column) if column in frame.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in SCHEMAS[name].items()
    )


if __name__ == "__main__":
    sys.exit(main())
