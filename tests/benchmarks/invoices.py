"""Makes N invoices in canonical files: the same numbers give the same bytes on every machine."""

from datetime import date
from pathlib import Path

import polars as pl

AS_OF = date(2026, 6, 30)
_PRIME = 2_654_435_761


def write_files(folder: Path, count: int) -> None:
    """Write customers (10 %), invoices of a year and a half, payments of half of them, and past reminders."""
    folder.mkdir(parents=True, exist_ok=True)
    customers = max(count // 10, 1)
    _customers(customers).write_csv(folder / "customers.csv")
    invoices = _invoices(count, customers)
    invoices.write_csv(folder / "invoices.csv")
    _payments(invoices).write_csv(folder / "payments.csv")
    _actions(invoices).write_csv(folder / "actions.csv")


def spread(column: pl.Expr, size: int) -> pl.Expr:
    """Spread whole numbers evenly and unmistakably the same everywhere (Knuth's multiplicative hash)."""
    return ((column * _PRIME) % 4_294_967_296) % size


def _amount(cents: pl.Expr) -> pl.Expr:
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))


def _customers(count: int) -> pl.DataFrame:
    number = pl.col("number")
    return pl.select(number=pl.int_range(1, count + 1)).select(
        customer_id=pl.format("C{}", number.cast(pl.String).str.zfill(7)),
        customer_name=pl.format("Customer {} SARL", number),
        email=pl.format("accounts-{}@customer.example.com", number),
        language=pl.when(number % 4 == 0).then(pl.lit("en")).otherwise(pl.lit("fr")),
        country=pl.lit("FR"),
        address_line_1=pl.format("{} rue de la Mesure", number % 99 + 1),
        postcode=pl.lit("37000"),
        city=pl.lit("Tours"),
        phone=pl.lit("+33 1 99 00 00 00"),
    )


def _invoices(count: int, customers: int) -> pl.DataFrame:
    number = pl.col("number")
    customer = spread(number, customers) + 1
    issued = pl.lit(date(2025, 1, 2)) + pl.duration(days=spread(number, 540))
    return pl.select(number=pl.int_range(1, count + 1)).select(
        customer_id=pl.format("C{}", customer.cast(pl.String).str.zfill(7)),
        customer_name=pl.format("Customer {} SARL", customer),
        invoice_number=pl.format("F{}", number.cast(pl.String).str.zfill(8)),
        invoice_date=issued,
        due_date=issued + pl.duration(days=30),
        currency=pl.lit("EUR"),
        amount=_amount(spread(number + 7, 500_000) + 2_000),
    )


def _payments(invoices: pl.DataFrame) -> pl.DataFrame:
    paid = invoices.gather_every(2).filter(pl.col("invoice_date") < pl.lit(AS_OF) - pl.duration(days=40))
    return paid.with_row_index("number", offset=1).select(
        payment_id=pl.format("P{}", pl.col("number").cast(pl.String).str.zfill(8)),
        customer_id=pl.col("customer_id"),
        payment_date=pl.col("due_date") + pl.duration(days=(pl.col("number").cast(pl.Int64) % 15) - 5),
        currency=pl.col("currency"),
        amount=pl.col("amount"),
        invoice_number=pl.col("invoice_number"),
    )


def _actions(invoices: pl.DataFrame) -> pl.DataFrame:
    """Every fiftieth invoice had its two reminders: it is a letter's turn."""
    reminded = invoices.gather_every(50, offset=1).filter(
        pl.col("due_date") < pl.lit(AS_OF) - pl.duration(days=60)
    )
    steps = pl.DataFrame({"step": ["reminder_1", "reminder_2", "call"], "days": [2, 10, 20]})
    return reminded.join(steps, how="cross").select(
        "customer_id",
        "invoice_number",
        "step",
        dispatch_date=pl.col("due_date") + pl.duration(days=pl.col("days")),
        channel=pl.when(pl.col("step") == "call").then(pl.lit("call")).otherwise(pl.lit("email")),
    )
