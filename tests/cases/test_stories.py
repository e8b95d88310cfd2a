"""Stories played day by day: what acts on a day is dispatched on it, and the days after build on that.

Decided by the set-based rules and by the oracle. What is expected was worked out by hand.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from policies.aging import aging_table
from policies.escalation import decide, gather_facts
from policies.history import History
from policies.model import ITEM_KEY
from policies.policy import Policy
from tests.builders import Row, history, policy
from tests.oracle.fast_path import decide_fast, decide_slowly

ONE_DAY = timedelta(days=1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def every_day(first: str, last: str) -> list[date]:
    return [day(first) + n * ONE_DAY for n in range((day(last) - day(first)).days + 1)]


def play(days: Sequence[date], rules: Policy, **tables: Sequence[Row]) -> dict[str, list[str]]:
    """Return what was done on the days on which anything was: invoice, installment, step.

    The oracle decides every day; the set-based rules those with something to do, and the days beside them.
    """
    done: list[dict[str, Any]] = []
    story: dict[str, list[str]] = {}
    decided: dict[date, tuple[History, list[dict[str, Any]]]] = {}
    for today in days:
        known = history(**tables, actions=[dict(row) for row in done])
        decided[today] = (known, decide_slowly(known, rules, today))
        for row in decided[today][1]:
            if row["act"]:
                item = {name: row[name] for name in (*ITEM_KEY, "step", "channel")}
                before = [past for past in done if {**past, **item} == past]
                done.append({**item, "dispatch_date": today, "attempt": len(before) + 1})
                story.setdefault(str(today), []).append(
                    f"{row['invoice_number']}{row['installment']} {row['step']}"
                )
    for place, today in enumerate(days):
        if any(str(beside) in story for beside in days[max(place - 1, 0) : place + 2]):
            known, slowly = decided[today]
            assert decide_fast(known, rules, today) == slowly, today
    return story


def invoice(number: str, due: str, amount: object = 100, **other: object) -> Row:
    return {
        "invoice_number": number,
        "invoice_date": day("2026-01-01"),
        "due_date": day(due),
        "amount": amount,
    } | other


LEVELS = policy(
    {"step": "level_1", "after_due_days": 10, "channel": "email"},
    {"step": "level_2", "after_due_days": 30, "end_of_month": True, "channel": "letter"},
    {"step": "level_3", "after_previous_days": 10, "channel": "registered_letter"},
)
DUE_DATES = ("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31")
MONTH_ENDS = (
    "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
    "2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30",
)  # fmt: skip


def test_a_run_each_month_end_takes_each_of_seven_instalments_up_one_level_in_both_currencies() -> None:
    """The k-th instalment gets level 1 a month after it fell due, level 2 and level 3 the next two months."""
    instalments = [
        invoice(number, due, installment=str(part), currency=currency)
        for number, currency in (("E", "EUR"), ("U", "USD"))
        for part, due in enumerate(DUE_DATES, 1)
    ]
    paid = {"invoice_number": "E", "installment": "3", "payment_date": day("2026-05-15"), "amount": 100}
    assert play([day(text) for text in MONTH_ENDS], LEVELS, invoices=instalments, payments=[paid]) == {
        "2026-02-28": ["E1 level_1", "U1 level_1"],
        "2026-03-31": ["E1 level_2", "E2 level_1", "U1 level_2", "U2 level_1"],
        "2026-04-30": ["E1 level_3", "E2 level_2", "E3 level_1", "U1 level_3", "U2 level_2", "U3 level_1"],
        "2026-05-31": ["E2 level_3", "E4 level_1", "U2 level_3", "U3 level_2", "U4 level_1"],
        "2026-06-30": ["E4 level_2", "E5 level_1", "U3 level_3", "U4 level_2", "U5 level_1"],
        "2026-07-31": ["E4 level_3", "E5 level_2", "E6 level_1", "U4 level_3", "U5 level_2", "U6 level_1"],
        "2026-08-31": ["E5 level_3", "E6 level_2", "E7 level_1", "U5 level_3", "U6 level_2", "U7 level_1"],
        "2026-09-30": ["E6 level_3", "E7 level_2", "U6 level_3", "U7 level_2"],
        "2026-10-31": ["E7 level_3", "U7 level_3"],
    }


def test_a_run_each_day_takes_each_level_on_its_first_day() -> None:
    """31 January + 10; the end of the month of 31 January + 30 days = 2 March; ten days after that."""
    assert play(every_day("2026-01-01", "2026-05-31"), LEVELS, invoices=[invoice("A", "2026-01-31")]) == {
        "2026-02-10": ["A1 level_1"],
        "2026-03-31": ["A1 level_2"],
        "2026-04-10": ["A1 level_3"],
    }


def test_all_follow_the_earliest_unpaid_invoice_and_the_next_one_once_it_is_paid() -> None:
    rules = policy(
        {"step": "warning", "after_invoice_days": 30, "channel": "email"},
        {"step": "last_warning", "after_invoice_days": 40, "channel": "letter"},
        {"step": "block", "after_invoice_days": 50, "channel": "registered_letter"},
        anchor="oldest_item",
        ladder_mode="most_severe",
    )
    invoices = [
        invoice("A", "2026-01-01"),
        invoice("B", "2026-01-31", invoice_date=day("2026-01-31")),
    ]
    paid = {"invoice_number": "A", "payment_date": day("2026-02-12"), "amount": 100}
    assert play(every_day("2026-01-01", "2026-04-30"), rules, invoices=invoices, payments=[paid]) == {
        "2026-01-31": ["A1 warning"],
        "2026-02-01": ["B1 warning"],  # overdue from this day on, and A is 31 days old
        "2026-02-10": ["A1 last_warning", "B1 last_warning"],
        "2026-03-22": ["B1 block"],  # its own fifty days
    }


def test_three_attempts_a_week_apart_while_the_threshold_is_reached() -> None:
    """The credit note of 10 March takes the account under the threshold; the invoice due on 19 March brings it back."""
    rules = policy(
        {
            "step": "demand",
            "after_due_days": 1,
            "minimum_amount": {"EUR": "500.00"},
            "channel": "email",
            "repeat_every_days": 7,
            "repeat_at_most": 2,
        },
        contact={"minimum_gap_days": 7},
    )
    credit = {
        "document_type": "credit_note",
        "credited_invoice_number": "A",
        "invoice_date": day("2026-03-10"),
    }
    invoices = [
        invoice("A", "2026-02-28", 500),
        invoice("CN", "2026-03-10", 50, **credit),
        invoice("B", "2026-03-19", 50),
    ]
    assert play(every_day("2026-02-20", "2026-05-31"), rules, invoices=invoices) == {
        "2026-03-01": ["A1 demand"],
        "2026-03-08": ["A1 demand"],
        "2026-03-20": ["A1 demand", "B1 demand"],
        "2026-03-27": ["B1 demand"],
        "2026-04-03": ["B1 demand"],
    }


def test_a_dispute_lifted_late_resumes_step_by_step_with_the_gap_between() -> None:
    rules = policy(contact={"minimum_gap_days": 7}, promise_grace_days=3)
    events = [
        {"kind": "dispute", "event_date": day("2026-02-05"), "invoice_number": "A"},
        {"kind": "dispute_closed", "event_date": day("2026-05-04"), "invoice_number": "A"},
        {
            "kind": "promise",
            "event_date": day("2026-05-05"),
            "until": day("2026-05-20"),
            "invoice_number": "A",
        },
    ]
    assert play(
        every_day("2026-01-31", "2026-07-31"), rules, invoices=[invoice("A", "2026-01-31")], events=events
    ) == {
        "2026-02-01": ["A1 reminder_1"],
        "2026-05-04": ["A1 reminder_2"],  # free again: the next single step, though thirty days are long past
        "2026-05-24": ["A1 formal_notice"],  # the promise and its three days of grace, then the day after
    }


def test_an_item_seen_late_climbs_from_its_entry_on_by_the_days_between() -> None:
    steps = [
        {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
        {"step": "reminder_2", "after_due_days": 15, "after_previous_days": 10, "channel": "email"},
        {"step": "formal_notice", "after_due_days": 30, "after_previous_days": 10, "channel": "letter"},
        {"step": "placement", "after_previous_days": 15, "channel": "agency", "agency": "default"},
    ]
    late = {"invoices": [invoice("A", "2026-01-31")]}
    assert play(every_day("2026-02-20", "2026-05-31"), policy(*steps), **late) == {
        "2026-02-20": ["A1 reminder_1"],
        "2026-03-02": ["A1 reminder_2"],
        "2026-03-12": ["A1 formal_notice"],
        "2026-03-27": ["A1 placement"],
    }
    by_age = policy(*steps[:3], {**steps[3], "after_due_days": 60}, entry="start_by_age")
    assert play(every_day("2026-02-20", "2026-05-31"), by_age, **late) == {
        "2026-02-20": ["A1 reminder_2"],
        "2026-03-02": ["A1 formal_notice"],
        "2026-04-01": ["A1 placement"],
    }


def test_what_is_brought_forward_still_waits_for_approval() -> None:
    rules = policy(
        {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
        {
            "step": "formal_notice",
            "after_due_days": 30,
            "channel": "registered_letter",
            "approval": "required",
        },
        accelerate=[{"when": "item_broken_promises >= 1", "to": "formal_notice"}],
    )
    tables: dict[str, Sequence[Row]] = {
        "invoices": [invoice("A", "2026-02-28")],
        "events": [
            {
                "kind": "promise",
                "event_date": day("2026-03-02"),
                "until": day("2026-03-06"),
                "invoice_number": "A",
            }
        ],
    }
    leaps = decide(history(**tables), rules, day("2026-03-07")).row(0, named=True)
    assert (leaps["step"], leaps["needs_approval"], leaps["is_brought_forward"]) == (
        "formal_notice",
        True,
        True,
    )
    waits = {"invoice_number": "A", "step": "formal_notice", "proposed_date": day("2026-03-07")}
    for today in map(day, ("2026-03-08", "2026-03-30", "2026-04-20")):
        row = decide(history(**tables, proposals=[waits]), rules, today).row(0, named=True)
        assert (row["act"], row["reason"]) == (False, "awaiting_approval")


def test_an_aging_table_of_credit_notes_advances_and_what_is_dated_later() -> None:
    """Ledger in euros: 1450.00 of documents - 610.00 of payments = 840.00."""
    later = {"invoice_date": day("2026-04-01")}
    credit = {"document_type": "credit_note"}
    known = history(
        invoices=[
            invoice("A", "2026-01-15", 1000),  # 400 paid, 100 credited
            invoice("B", "2026-03-31", 200),
            invoice("D", "2026-03-30", 300),
            invoice("F", "2026-03-01", 100),  # 130 paid
            invoice("E", "2026-05-01", 999, **later),
            invoice("CN1", "2026-03-20", 100, **credit, credited_invoice_number="A"),
            invoice("CN2", "2026-03-05", 50, **credit),
            invoice("CN3", "2026-04-01", 70, **credit, **later, credited_invoice_number="A"),
            invoice("G", "2025-12-31", 70, currency="USD", invoice_date=day("2025-12-01")),
            invoice("H", "2025-12-30", 10, currency="USD", invoice_date=day("2025-12-01")),
        ],
        payments=[
            {"payment_date": day("2026-03-10"), "amount": 400, "invoice_number": "A"},
            {"payment_date": day("2026-04-02"), "amount": 600, "invoice_number": "A"},
            {"payment_date": day("2026-02-01"), "amount": 80},
            {"payment_date": day("2026-04-01"), "amount": 500},
            {"payment_date": day("2026-03-02"), "amount": 130, "invoice_number": "F"},
        ],
    )
    facts = gather_facts(known, policy(), day("2026-03-31"))
    table = aging_table(facts.open_items, facts.allocation.unapplied_cash, (0, 30, 60, 90))
    owed = table.filter(pl.col("currency") == "EUR").row(0, named=True)
    assert {name: amount for name, amount in owed.items() if isinstance(amount, Decimal) and amount} == {
        "not_due": Decimal(200),
        "days_1_30": Decimal(300),
        "days_61_90": Decimal(500),
        "unapplied": Decimal(-160),
        "total": Decimal(840),
    }
    dollars = table.filter(pl.col("currency") == "USD").row(0, named=True)
    assert (dollars["days_61_90"], dollars["days_91_plus"], dollars["total"]) == (
        Decimal(70),
        Decimal(10),
        Decimal(80),
    )
