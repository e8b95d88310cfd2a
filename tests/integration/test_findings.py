"""What a day shows beside its decisions: recorded once, told once, and published for people."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policies.errors import PolicyInvalidError
from policies.provisions import Cohort
from tasks.decide import decide_day
from tasks.findings.files import read_report, report_path
from tasks.findings.look import LISTS, Look
from tasks.findings.report import Findings, report_findings
from tasks.findings.words import tell_condition
from tasks.intake import take_in
from tasks.ledger import verify_store
from tasks.publish import publish
from tasks.published_tables import REPORTS, query_published
from tasks.rules import read_rules
from tasks.run import Run
from tasks.store.audit import read_log
from tasks.store.connection import fetch, open_to_read
from tasks.store.standings import read_standings
from tasks.workspace import Workspace, initialise

FRIDAY, MONDAY, TUESDAY = date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10)
NOW = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
POLICY = """
description: The policy of a test.
policy: standard_fr
statute: FR
risk:
  - {class: high, when: "oldest_days_past_due >= 40"}
  - {class: normal}
segments: [{segment: everyone, ladder: standard}]
ladders:
  standard: [{step: reminder_1, after_due_days: 1, channel: email}]
credit_hold: {when: "oldest_days_past_due >= 30"}
watch: [{watch: large, when: "overdue_amount >= 1000"}]
give_up: {cost_limit: {EUR: 15}, recovery_odds: commercial_agencies}
"""
HEADER = "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = initialise(tmp_path / "company")
    write_policy(made, POLICY)
    return made


def write_policy(workspace: Workspace, text: str) -> None:
    path = workspace.policies / "escalation" / "standard_fr.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def running(workspace: Workspace, as_of: date, clock: Callable[[], datetime] = lambda: NOW) -> Run:
    def say(_line: str) -> None:
        pass

    return Run(workspace, as_of, as_of, f"run-{as_of}", "Anna", clock, say)


def die() -> datetime:
    """A clock that ends the run that asks it: when it records."""
    raise KeyboardInterrupt


def drop(workspace: Workspace, name: str, text: str, as_of: date = MONDAY) -> None:
    (workspace.inbox / name).write_text(text, encoding="utf-8")
    taken = take_in(running(workspace, as_of), workspace.inbox / name)
    assert taken.status.value == "loaded", taken.message


def invoices(*rows: str) -> str:
    return HEADER + "".join(f"{row}\n" for row in rows)


def pay(workspace: Workspace, invoice: str, amount: str, day: date) -> None:
    head = "payment_id,customer_id,payment_date,currency,amount,invoice_number\n"
    customer = invoice.partition("-")[0]
    drop(
        workspace,
        f"payments-{invoice}.csv",
        f"{head}P{invoice},{customer},{day},EUR,{amount},{invoice}\n",
        day,
    )


def look_at(workspace: Workspace, as_of: date) -> Look:
    day = decide_day(workspace, read_rules(workspace), as_of)
    with open_to_read(workspace) as connection:
        recorded = read_standings(connection, as_of)
    return Look(workspace, day.rules, day.history, day.facts, day.decisions, recorded)


def run(workspace: Workspace, as_of: date, clock: Callable[[], datetime] = lambda: NOW) -> Findings:
    day = decide_day(workspace, read_rules(workspace), as_of)
    return report_findings(running(workspace, as_of, clock), day.history, day.facts, day.decisions, day.rules)


def events(workspace: Workspace, kind: str) -> list[dict[str, Any]]:
    with open_to_read(workspace) as connection:
        assert verify_store(connection) == []
        log = read_log(connection, kind=kind)
    return [
        {"customer_id": row["customer_id"], **json.loads(row["payload"])} for row in log.iter_rows(named=True)
    ]


def stored(workspace: Workspace) -> pl.DataFrame:
    with open_to_read(workspace) as connection:
        return fetch(connection, "select * from account_standings order by all")


LATE = "C1,A cooperative,C1-A,2026-01-01,2026-01-31,EUR,100.00"
YOUNG = "C2,A bakery,C2-A,2026-02-01,2026-03-01,EUR,900.00"


def test_the_first_run_blocks_who_is_late_and_doing_it_again_adds_nothing(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(LATE, YOUNG))
    before = look_at(workspace, MONDAY).credit_hold()
    first = run(workspace, MONDAY)
    assert (first.to_block, first.to_unblock) == (1, 0)
    told, standings = events(workspace, "credit_hold_changed"), stored(workspace)
    assert [(one["customer_id"], one["action"], one["since"]) for one in told] == [
        ("C1", "block", "2026-03-09")
    ]
    files = {
        path.name: path.read_bytes() for path in report_path(workspace, "habits", MONDAY).parent.iterdir()
    }
    assert run(workspace, MONDAY) == first
    assert events(workspace, "credit_hold_changed") == told
    assert stored(workspace).equals(standings)
    again = {
        path.name: path.read_bytes() for path in report_path(workspace, "habits", MONDAY).parent.iterdir()
    }
    assert again == files
    assert sorted(files) == sorted(f"{name}.{kind}" for name in LISTS for kind in ("csv", "parquet"))
    assert look_at(workspace, MONDAY).credit_hold().equals(before)
    assert look_at(workspace, MONDAY).blocked().equals(before)


def test_the_next_run_tells_only_what_has_changed_since(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(LATE, YOUNG))
    run(workspace, MONDAY)
    pay(workspace, "C1-A", "100.00", TUESDAY)
    assert run(workspace, TUESDAY) == Findings(to_unblock=1)
    assert [(one["customer_id"], one["action"]) for one in events(workspace, "credit_hold_changed")] == [
        ("C1", "block"),
        ("C1", "unblock"),
    ]
    assert stored(workspace).filter(pl.col("standing_id") == 2)["customer_id"].to_list() == ["C1"]
    monday = look_at(workspace, MONDAY).credit_hold()
    assert monday.select("customer_id", "action").rows() == [("C1", "block")]
    assert run(workspace, date(2026, 3, 11)) == Findings()


def test_who_was_blocked_in_the_morning_and_paid_by_the_evening_is_told_to_be_unblocked(
    workspace: Workspace,
) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    assert run(workspace, MONDAY).to_block == 1
    pay(workspace, "C1-A", "100.00", MONDAY)
    evening = run(workspace, MONDAY)
    assert (evening.to_block, evening.to_unblock) == (0, 1)
    assert [one["action"] for one in events(workspace, "credit_hold_changed")] == ["block", "unblock"]
    assert run(workspace, TUESDAY) == Findings()


def test_a_run_that_dies_before_it_records_has_written_its_lists_and_the_next_day_tells_again(
    workspace: Workspace,
) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    with pytest.raises(KeyboardInterrupt):
        run(workspace, MONDAY, die)
    assert [name for name in LISTS if read_report(workspace, name, MONDAY) is None] == []
    credit_hold = read_report(workspace, "credit_hold", MONDAY)
    assert credit_hold is not None
    assert credit_hold.select("customer_id", "action").rows() == [("C1", "block")]
    assert look_at(workspace, TUESDAY).credit_hold()["customer_id"].to_list() == ["C1"]
    assert run(workspace, MONDAY).to_block == 1
    again = read_report(workspace, "credit_hold", MONDAY)
    assert again is not None
    assert again.equals(credit_hold)


def test_a_second_run_tells_nothing_of_a_blocked_customer_whose_other_currency_joins_or_is_freed(
    workspace: Workspace,
) -> None:
    joins = "C1,A cooperative,C1-G,2026-01-01,2026-02-07,GBP,100.00"
    drop(workspace, "invoices.csv", invoices(LATE, joins))
    assert run(workspace, FRIDAY).to_block == 1
    assert (run(workspace, MONDAY), run(workspace, MONDAY)) == (Findings(), Findings())
    pay(workspace, "C1-A", "100.00", TUESDAY)
    assert (run(workspace, TUESDAY), run(workspace, TUESDAY)) == (Findings(), Findings())
    assert [one["action"] for one in events(workspace, "credit_hold_changed")] == ["block"]


def test_an_account_that_was_only_there_in_the_morning_is_free_in_the_evening(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(YOUNG))
    run(workspace, FRIDAY)
    drop(workspace, "invoices-2.csv", invoices(LATE))
    run(workspace, MONDAY)
    pay(workspace, "C1-A", "100.00", MONDAY)
    run(workspace, MONDAY)
    with open_to_read(workspace) as connection:
        latest = read_standings(connection, MONDAY).latest.standings
    assert latest.filter(pl.col("blocked_since").is_not_null()).is_empty()


def test_habits_that_turned_worse_are_told_on_the_day_also_on_the_first(workspace: Workspace) -> None:
    turns = "C1,A cooperative,C1-A,2026-01-01,2026-01-26,EUR,100.00"
    high = "C3,A mill,C3-A,2026-01-01,2026-01-20,EUR,100.00"
    drop(workspace, "invoices.csv", invoices(turns, high, YOUNG))
    assert run(workspace, FRIDAY).worsened == 0
    found = look_at(workspace, MONDAY).habits()
    assert found.select("customer_id", "what", "before", "now").rows() == [("C1", "risk", "normal", "high")]
    assert run(workspace, MONDAY).worsened == 1
    told = events(workspace, "habits_worsened")
    assert [(one["customer_id"], one["what"], one["now"]) for one in told] == [("C1", "risk", "high")]
    assert run(workspace, MONDAY).worsened == 1
    assert events(workspace, "habits_worsened") == told
    assert run(workspace, TUESDAY).worsened == 0


def test_the_first_run_compares_with_the_business_day_before_as_history_tells(workspace: Workspace) -> None:
    turned_on_saturday = "C1,A cooperative,C1-A,2026-01-01,2026-01-26,EUR,100.00"
    turned_long_ago = "C3,A mill,C3-A,2026-01-01,2026-01-20,EUR,100.00"
    drop(workspace, "invoices.csv", invoices(turned_on_saturday, turned_long_ago))
    assert look_at(workspace, MONDAY).habits()["customer_id"].to_list() == ["C1"]
    assert run(workspace, MONDAY).worsened == 1


def test_another_rule_is_compared_with_itself_and_not_with_what_the_old_one_said(
    workspace: Workspace,
) -> None:
    drop(workspace, "invoices.csv", invoices(LATE, YOUNG))
    run(workspace, MONDAY)
    write_policy(workspace, POLICY.replace("overdue_amount >= 1000", "overdue_amount >= 500"))
    more = "C1,A cooperative,C1-B,2026-01-01,2026-01-31,EUR,700.00"
    drop(workspace, "invoices-more.csv", invoices(more), TUESDAY)
    found = look_at(workspace, TUESDAY).habits()
    assert found.is_empty()  # both accounts were large on Monday already, by the rule of today
    assert run(workspace, TUESDAY).worsened == 0
    assert stored(workspace).filter(pl.col("standing_id") == 2)["watches"].to_list() == ["large", "large"]


def test_without_rules_there_is_nothing_to_find_and_the_lists_are_there(workspace: Workspace) -> None:
    plain = POLICY[: POLICY.index("credit_hold")].replace(
        POLICY[POLICY.index("risk:") : POLICY.index("segments")], ""
    )
    write_policy(workspace, plain)
    drop(workspace, "invoices.csv", invoices(LATE, YOUNG))
    assert run(workspace, MONDAY) == Findings()
    assert all(read_report(workspace, name, MONDAY) is not None for name in LISTS)
    assert read_report(workspace, "habits", TUESDAY) is None


def test_the_lists_are_csv_that_no_spreadsheet_takes_for_a_formula(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(LATE.replace("C1", "=1+1")))
    run(workspace, MONDAY)
    text = report_path(workspace, "credit_hold", MONDAY).with_suffix(".csv").read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["customer_id"], row["action"], row["overdue"]) == ("'=1+1", "block", "100.00 EUR")
    matrix = report_path(workspace, "provisions", MONDAY).with_suffix(".csv").read_text(encoding="utf-8")
    assert 'EUR,everyone,days_31_60,100.00,,,,"no rate: invoices from' in matrix


def test_published_lists_can_be_asked_in_sql(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    run(workspace, MONDAY)
    run(workspace, TUESDAY)
    publish(running(workspace, TUESDAY))
    assert set(REPORTS) == set(LISTS)
    found = query_published(workspace, "select as_of, customer_id, action from credit_hold")
    assert found.rows() == [(MONDAY, "C1", "block")]


def test_write_offs_and_claims_are_counted_with_the_first_deadline(workspace: Workspace) -> None:
    small = "C4,A kiosk,C4-A,2025-01-01,2025-01-31,EUR,60.00"
    drop(workspace, "invoices.csv", invoices(LATE, YOUNG, small))
    head = "event_date,kind,customer_id\n"
    drop(workspace, "events.csv", f"{head}2026-03-02,insolvency,C2\n2025-12-01,insolvency,C1\n")
    found = run(workspace, MONDAY)
    assert (found.write_offs, found.claims, found.claims_late) == (1, 1, 1)
    assert found.first_deadline == date(2026, 5, 2)
    assert found.sentences == [
        "2 customers to block",
        "1 write-off to propose",
        "1 claim to declare by 2026-05-02",
        "1 claim past the deadline",
    ]


def test_provisions_come_from_the_cohort_asked_for_else_from_the_rates_that_the_policy_names(
    workspace: Workspace,
) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    own = look_at(workspace, MONDAY).provisions(Cohort(date(2026, 1, 1), date(2026, 1, 31)))
    assert own["provision"].to_list() == [100]
    write_policy(workspace, f"{POLICY}provisions: {{loss_rates: published_example}}\n")
    assert look_at(workspace, MONDAY).provisions()["provision"].cast(pl.String).to_list() == ["8.700"]


@pytest.mark.parametrize(
    ("given", "named", "told"),
    [
        (
            "recovery_odds: commercial_agencies",
            "recovery_odds: none_such",
            "commercial_agencies, us_agencies",
        ),
        ("statute: FR", "statute: FR\nprovisions: {loss_rates: none_such}", "published_example"),
    ],
)
def test_dated_data_that_is_not_there_is_told_with_what_there_is(
    workspace: Workspace, given: str, named: str, told: str
) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    write_policy(workspace, POLICY.replace(given, named))
    with pytest.raises(PolicyInvalidError, match=told):
        run(workspace, MONDAY)


def test_reasons_are_told_in_plain_words(workspace: Workspace) -> None:
    drop(workspace, "invoices.csv", invoices(LATE))
    assert look_at(workspace, MONDAY).credit_hold()["why"].to_list() == [
        (
            "On credit hold by the rule “the delay of the oldest overdue invoice is at least 30 days”: "
            "oldest_days_past_due 37 (EUR)."
        )
    ]


def test_every_kind_of_value_can_be_told(workspace: Workspace) -> None:
    parts = ("late_share > 0.25", "country = 'FR'", "oldest_days_past_due > 1", "overdue_amount > 5.5")
    told = tell_condition(workspace, " and ".join(parts))
    assert all(piece in told for piece in ("25%", "FR", "1 day", "5.5"))
    assert "2026-01-31" in tell_condition(workspace, "due_date > DATE '2026-01-31'")
