"""The same history decides the same, however it was split into files and days, and on the first day too.

A year of invoices in instalments and two currencies, credit notes, payments, events and steps taken before
goes into real workspaces in four ways; the oracle decides on the rows themselves.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from policies.case_history import build_history
from policies.history import History
from policies.model import EventKind
from policies.policy import Guards, Policy, load_policy
from tasks.intake import IntakeStatus, take_in
from tasks.run import Run
from tasks.store.connection import open_to_read
from tasks.store.history import read_history
from tasks.workspace import initialise, shipped_root
from tests.oracle.fast_path import decide_fast, decide_slowly

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

FIRST, LAST = date(2025, 3, 3), date(2026, 3, 3)
DAY_OF = {
    "invoices": "invoice_date",
    "payments": "payment_date",
    "events": "event_date",
    "actions": "dispatch_date",
}
TABLES = ("customers", *DAY_OF)
STEPS = (
    ("reminder_1", "email"),
    ("reminder_2", "email"),
    ("call", "call"),
    ("formal_notice", "registered_letter"),
)
DAYS = [FIRST + timedelta(days=days) for days in (105, 259, 365)]


def a_year() -> Tables:
    """Return the rows of a year, made by chance but always the same."""
    chance = Random(20260303)

    def a_day(until: date = LAST) -> date:
        return FIRST + timedelta(days=chance.randrange((until - FIRST).days))

    customers = [
        {"customer_id": f"C{n}", "customer_name": f"Customer C{n}", "email": f"{n}@customer.example",
         "language": "fr", "country": "FR", "address_line_1": "1 rue du Port", "postcode": "29200",
         "city": "Brest", "phone": "+33 2 98 00 00 00", "customer_type": "business"}
        for n in range(1, 13)
    ]  # fmt: skip
    invoices: list[dict[str, Any]] = []
    for n in range(1, 51):
        issued = a_day(LAST - timedelta(days=10))
        parts = chance.choice((1, 1, 1, 3))
        common = {"customer_id": f"C{chance.randrange(1, 13)}", "invoice_number": f"F{n}", "invoice_date": issued,
                  "currency": chance.choice(("EUR", "EUR", "USD")), "document_type": "invoice"}  # fmt: skip
        invoices += [
            {**common, "installment": str(part), "due_date": issued + timedelta(days=30 * part),
             "amount": chance.choice((9, 250, 6000, 40000))}
            for part in range(1, parts + 1)
        ]  # fmt: skip
    whole = {row["invoice_number"]: row for row in invoices}
    for n, row in enumerate(chance.sample(list(whole.values()), 6)):
        issued = row["invoice_date"] + timedelta(days=20)
        invoices.append(
            {**row, "invoice_number": f"CN{n}", "document_type": "credit_note", "invoice_date": issued,
             "due_date": issued, "installment": "1", "amount": 100,
             "credited_invoice_number": row["invoice_number"] if n % 2 else None}
        )  # fmt: skip
    payments = []
    for n, row in enumerate(chance.sample(invoices, 40)):
        if row["document_type"] == "invoice":
            payments.append(
                {"payment_id": f"P{n}", "customer_id": row["customer_id"], "currency": row["currency"],
                 "payment_date": row["due_date"] + timedelta(days=chance.randrange(-10, 70)),
                 "amount": chance.choice((row["amount"], row["amount"], 100)),
                 "invoice_number": chance.choice((row["invoice_number"], row["invoice_number"], None))}
            )  # fmt: skip
    held = (EventKind.PROMISE, EventKind.PAYMENT_PLAN, EventKind.HOLD)
    kinds = [kind for kind in (*EventKind, *held, *held) if kind is not EventKind.INSOLVENCY]
    events = []
    for n, row in enumerate(chance.sample(invoices * 2, 120)):
        kind, day = chance.choice(kinds), FIRST + timedelta(days=3 * n)  # no two of one date: order is given
        events.append(
            {"event_date": day, "kind": kind.value, "customer_id": row["customer_id"],
             "invoice_number": chance.choice((row["invoice_number"], row["invoice_number"], None)),
             "until": day + timedelta(days=chance.randrange(5, 40)), "amount": chance.choice((100, 250)),
             "reference": f"R{n}" if kind is EventKind.PAYMENT_PLAN else None}
        )  # fmt: skip
    actions = []
    for row in chance.sample([row for row in invoices if row["document_type"] == "invoice"], 45):
        done = row["due_date"] + timedelta(days=chance.randrange(1, 12))
        steps = (
            ("reminder_1", "email"),
            ("reminder_2", "email"),
            ("call", "call"),
            ("formal_notice", "registered_letter"),
        )
        for step, channel in steps[: chance.randrange(1, 5)]:
            actions.append(
                {"customer_id": row["customer_id"], "invoice_number": row["invoice_number"],
                 "installment": row["installment"], "step": step, "dispatch_date": done, "channel": channel}
            )  # fmt: skip
            done += timedelta(days=chance.randrange(7, 15))
    return {
        "customers": customers,
        "invoices": invoices,
        "payments": payments,
        "events": events,
        "actions": actions,
    }


def at_once(tables: Tables) -> list[tuple[date, str, Sequence[Row]]]:
    """The whole year on the first day of the workspace, which is the last of the year."""
    return [(LAST, name, tables[name]) for name in TABLES]


def quarter_by_quarter(tables: Tables) -> list[tuple[date, str, Sequence[Row]]]:
    """At the end of each quarter what happened in it; what is dated later comes on the last day."""
    loads: list[tuple[date, str, Sequence[Row]]] = [(FIRST, "customers", tables["customers"])]
    start = FIRST
    while start < LAST:
        end = min(start + timedelta(days=91), LAST)
        for name, day in DAY_OF.items():
            is_last = end == LAST
            rows = [row for row in tables[name] if start <= row[day] and (is_last or row[day] < end)]
            loads.append((end, name, rows))
        start = end
    return loads


def piece_by_piece(tables: Tables) -> list[tuple[date, str, Sequence[Row]]]:
    """Every third row in a file of its own, steps and cash before the invoices they are about, names last."""
    days = [LAST - timedelta(days=3 - piece) for piece in range(3)]
    return [
        (day, name, sorted(tables[name][piece::3], key=str, reverse=name != "events"))
        for piece, day in enumerate(days)
        for name in ("actions", "payments", "events", "invoices", "customers")
    ]


def again_and_again(tables: Tables) -> list[tuple[date, str, Sequence[Row]]]:
    """Twice everything since the beginning."""
    ends = [FIRST + timedelta(days=days) for days in (180, 365)]
    return [
        (
            end,
            name,
            [row for row in tables[name] if name == "customers" or end == LAST or row[DAY_OF[name]] < end],
        )
        for end in ends
        for name in TABLES
    ]


WAYS = (at_once, quarter_by_quarter, piece_by_piece, again_and_again)


def loaded(root: Path, loads: list[tuple[date, str, Sequence[Row]]]) -> Run:
    """Return a run in a new workspace that has taken in these files."""
    workspace = initialise(root)
    run = Run(
        workspace=workspace,
        as_of=LAST,
        today=LAST,
        run_id="a-run",
        actor="finance",
        clock=lambda: datetime(2026, 3, 3, 6, 0, tzinfo=UTC),
        say=lambda _: None,
    )
    for number, (day, name, rows) in enumerate(loads):
        if rows:
            path = workspace.inbox / f"{name}-{number}.csv"
            named = [{**row, "customer_name": f"Customer {row['customer_id']}"} for row in rows]
            write(path, named if name == "invoices" else rows)
            result = take_in(replace(run, as_of=day), path)
            assert result.status in {IntakeStatus.LOADED, IntakeStatus.KNOWN}, result
    return run


def write(path: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def the_policy() -> Policy:
    """The default policy without the age of files, which alone is a fact of how history was split."""
    path = shipped_root() / "policies" / "escalation" / "standard_fr.yaml"
    return load_policy(path.read_text(encoding="utf-8"), path.name).model_copy(update={"guards": Guards()})


def history_in(run: Run) -> History:
    with open_to_read(run.workspace) as connection:
        return read_history(connection)


@pytest.fixture(scope="module")
def year() -> Tables:
    return a_year()


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory, year: Tables) -> list[Run]:
    folder = tmp_path_factory.mktemp("split")
    return [loaded(folder / way.__name__, way(year)) for way in WAYS]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_split_of_a_history_changes_no_decision(workspaces: list[Run], year: Tables, day: date) -> None:
    by_hand = decide_slowly(build_history(year), the_policy(), day)
    assert len(by_hand) > 5
    for run in workspaces:
        decided = decide_fast(history_in(run), the_policy(), day)
        assert len(decided) == len(by_hand), run.workspace.root.name
        different = [pair for pair in zip(decided, by_hand, strict=True) if pair[0] != pair[1]]
        assert different[:1] == [], run.workspace.root.name


def test_the_year_shows_enough_to_tell_splits_apart(year: Tables) -> None:
    decided = [row for day in DAYS for row in decide_slowly(build_history(year), the_policy(), day)]
    assert len({row["reason"] for row in decided}) > 8
    assert len({row["step"] for row in decided}) > 5
