"""Lays out what simulated policies did: sums first, then rows up to a limit, then what was assumed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from policies.errors import WrongUseError
from policies.explanations import counted
from policies.money import with_plain_amounts
from policies.simulation import ASSUMPTIONS, Simulation
from policies.simulation_diff import (
    charges_compared,
    count_customers,
    customers_compared,
    months_compared,
    steps_compared,
)
from policies.simulation_summary import (
    by_customer,
    charges_by_month,
    charges_in_all,
    contacts_by_month,
    steps_by_month,
)
from tasks.present import WIDTH, print_lines, print_table, to_csv, to_json


def _by_month(simulation: Simulation) -> pl.DataFrame:
    """Return contacts of each month beside the charges claimed last in it; a row per currency that was claimed."""
    charges = charges_by_month(simulation).rename({"items": "charged_items"})
    return with_plain_amounts(contacts_by_month(simulation).join(charges, on="month", how="left"))


ROWS: Mapping[str, Callable[[Simulation], pl.DataFrame]] = {
    "action": lambda simulation: with_plain_amounts(simulation.actions),
    "step": steps_by_month,
    "month": _by_month,
    "customer": lambda simulation: with_plain_amounts(by_customer(simulation)),
}
"""What a row of the machine formats is about."""

_FORMS = (".csv", ".json", ".parquet")


def check_output(path: Path | None) -> None:
    """Say at once when nothing could be written to a file, not after a long simulation."""
    if path and path.suffix not in _FORMS:
        raise WrongUseError(f"--output {path}: name a file that ends in .csv, .json or .parquet.")
    if path and not path.parent.is_dir():
        raise WrongUseError(
            f"{path} cannot be written: {path.parent} is no folder. Name another with --output."
        )


def write_rows(rows: pl.DataFrame, path: Path) -> None:
    """Write all rows to a file; its name says in which form."""
    try:
        if path.suffix == ".parquet":
            rows.write_parquet(path)
        else:
            text = to_csv(rows) if path.suffix == ".csv" else to_json(rows.to_dicts()) + "\n"
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUseError(
            f"{path} cannot be written: {error.strerror}. Name another with --output."
        ) from error


def tell_simulation(simulation: Simulation, limit: int) -> None:
    """Print what one policy did."""
    period, months = simulation.period, contacts_by_month(simulation)
    print_lines(
        [
            (
                f"{simulation.policy} from {period.first} to {period.last}: "
                f"{counted(len(simulation.days), 'working day')}, {counted(int(months['contacts'].sum()), 'contact')}, "
                f"{counted(int(months['messages'].sum()), 'message')}, {counted(simulation.actions.height, 'item')}."
            )
        ]
    )
    print_table(months, "Contacts by month (a contact is a customer on a day)")
    for part in _matrix(steps_by_month(simulation)):
        print_table(part, "Items by step and month")
    _tell_charges(simulation)
    customers = with_plain_amounts(by_customer(simulation))
    shown = customers.head(limit).select(
        "customer_id", "currency", "contacts", "messages", "items", "first_contact", "last_step", "charged"
    )
    print_table(shown, _limited("Customers", customers.height, limit))
    _tell_remarks([simulation])


def tell_differences(a: Simulation, b: Simulation, rows: pl.DataFrame, limit: int) -> None:
    """Print how two policies differ: customers, months, steps and money first, then the rows."""
    counts = count_customers(customers_compared(a, b))
    print_lines(
        [
            f"A {a.policy} and B {b.policy} from {a.period.first} to {a.period.last}.",
            (
                f"Customers that B contacts more often {counts['more']}, less often {counts['less']}, "
                f"first earlier {counts['earlier']}, first later {counts['later']}; alike {counts['alike']}."
            ),
        ]
    )
    print_table(months_compared(a, b), "Contacts by month (a contact is a customer on a day)")
    print_table(steps_compared(a, b), "Items by step")
    print_table(with_plain_amounts(charges_compared(a, b)), "Charges, as claimed last for each item")
    shown = with_plain_amounts(rows.head(limit)).select(
        pl.col("difference").replace({"only_a": "only A", "only_b": "only B"}),
        pl.format("{} {}", "customer_id", "invoice_number").alias("customer, invoice"),
        "step",
        *(f"{name}_{side}" for name in ("dispatch_date", "amount_demanded", "charged") for side in "ab"),
    )
    headings = {name: _HEADINGS.get(name, name) for name in shown.columns}
    print_table(shown, _limited("Differences", rows.height, limit), headings)
    _tell_remarks([a, b])


_HEADINGS = {
    "dispatch_date_a": "A on",
    "dispatch_date_b": "B on",
    "amount_demanded_a": "A asks",
    "amount_demanded_b": "B asks",
    "difference": "what",
    "charged_a": "charges",
    "charged_b": "charges",
}


def _tell_charges(simulation: Simulation) -> None:
    charges = charges_by_month(simulation).filter((pl.col("charged") != 0) | (pl.col("waived") != 0))
    if charges.is_empty():
        print_lines(["No charges are claimed."])
        return
    in_all = charges_in_all(simulation).select(pl.lit("in all").alias("month"), pl.all())
    both = pl.concat([charges, in_all.select(charges.columns)])
    print_table(
        with_plain_amounts(both), "Charges, as claimed last for each item (messages state them again)"
    )


def _tell_remarks(simulations: Sequence[Simulation]) -> None:
    lines = []
    for simulation in simulations:
        name = simulation.policy
        if simulation.guarded_days:
            lines.append(
                f"{name}: on {counted(len(simulation.guarded_days), 'day')} a person would have had to look first."
            )
        if simulation.withdrawn:
            lines.append(
                f"{name}: {counted(simulation.withdrawn, 'item')} withdrawn while waiting for approval."
            )
        lines += [f"{name}: {note} ({counted(count, 'item')})" for note, count in _most(simulation.notes)]
    days = simulations[0].period.approve_after_days
    waiting = (
        f"Steps that need approval are approved after {counted(days, 'day')}."
        if days
        else ("Steps that need approval are approved the same day.")
    )
    print_lines([*lines, "Assumed:", *(f"- {line}" for line in (*ASSUMPTIONS, waiting))])


def _most(notes: Mapping[str, int], most: int = 5) -> list[tuple[str, int]]:
    return sorted(notes.items(), key=lambda note: (-note[1], note[0]))[:most]


def _matrix(steps: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield tables of months by steps that fit the width of a terminal."""
    counts = (
        steps.group_by("month", "step")
        .agg(pl.col("items").sum())
        .sort("month", "step")
        .pivot("step", index="month", values="items", aggregate_function=None)
        .fill_null(0)
    )
    columns: list[str] = []
    width = len("2026-01")
    for name in counts.columns[1:]:
        if columns and width + len(name) + 2 > WIDTH:
            yield counts.select("month", *columns)
            columns, width = [], len("2026-01")
        columns.append(name)
        width += len(name) + 2
    if columns:
        yield counts.select("month", *columns)


def _limited(title: str, rows: int, limit: int) -> str:
    return title if rows <= limit else f"{title}: {limit} of {rows} (--limit shows more, --format csv all)"
