"""What holds of every past, policy and day that Hypothesis draws, with no oracle to ask."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from polars.testing import assert_frame_equal

from policies.aging import aging_table
from policies.allocation import allocate
from policies.contacts import UNDELIVERED_OUTCOMES
from policies.escalation import decide, gather_facts
from policies.model import ITEM_KEY, THIRD_PARTY_CHANNELS
from tests.builders import history
from tests.oracle.fast_path import COMPARED, decide_fast
from tests.property.chance import Row
from tests.property.comparison import Trial
from tests.property.drawn_pasts import Tables
from tests.property.strategies import trials
from tests.property.unions import disjoint, together

Property = Callable[..., None]
NUMBERS = ("item", "account")
"""These stand for items and accounts within one call only."""


def drawn(examples: int) -> Callable[[Property], Property]:
    """Draw so many trials for a property; each holds a dozen pasts."""
    without_shrinking = settings(
        max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    return lambda check: without_shrinking(given(trial=trials())(check))


def all_rows(trial: Trial) -> Tables:
    return together([disjoint(past, number) for number, past in enumerate(trial.pasts)])


def decided(trial: Trial, tables: Tables, day: date | None = None) -> pl.DataFrame:
    decisions = decide(history(**tables), trial.policy, day or trial.as_of)
    return decisions.select(sorted(set(decisions.columns) - set(NUMBERS)))


def with_keys(trial: Trial, **keys: Any) -> Trial:
    """Return a trial under a policy with these keys, or without those that are None."""
    changed = {name: value for name, value in {**trial.keys, **keys}.items() if value is not None}
    return replace(trial, keys=changed)


def dispatched(decisions: pl.DataFrame, day: date) -> list[Row]:
    """Return the actions of a day on which everything left, as rows of a file."""
    columns = (*ITEM_KEY, "step", "channel", "attempt")
    return [{**row, "dispatch_date": day} for row in decisions.filter("act").select(columns).to_dicts()]


def days_in_a_row(trial: Trial, tables: Tables, count: int) -> Iterator[tuple[date, pl.DataFrame, Tables]]:
    """Yield some days, what was decided on each, and what was known before; what acts leaves the same day."""
    first = max([trial.as_of, *(action["dispatch_date"] + timedelta(days=1) for action in tables["actions"])])
    for day in (first + timedelta(days=2 * number) for number in range(count)):
        decisions = decided(trial, tables, day)
        yield day, decisions, tables
        tables = {**tables, "actions": tables["actions"] + dispatched(decisions, day)}


@drawn(examples=4)
def test_every_open_item_gets_one_row_that_acts_or_gives_one_reason_and_says_why(trial: Trial) -> None:
    known = history(**all_rows(trial))
    decisions = decide(known, trial.policy, trial.as_of)
    open_items = allocate(known, trial.as_of).items.filter(pl.col("amount_open") != 0)
    assert_frame_equal(decisions.select(ITEM_KEY), open_items.select(ITEM_KEY), check_row_order=False)
    assert decisions.select(ITEM_KEY).is_unique().all()
    assert (decisions["act"] == (decisions["reason"] == "")).all()
    assert (decisions["sentence"].str.len_chars() > 10).all()


@drawn(examples=6)
def test_what_acts_has_a_step_a_channel_and_something_to_demand_and_no_hold_stands_in_its_way(
    trial: Trial,
) -> None:
    acting = decided(trial, all_rows(trial)).filter("act")
    named = acting.select("step", "channel", "message_step", "message_channel", "due_date", "ladder")
    assert named.null_count().sum_horizontal().sum() == 0
    assert (acting["amount_demanded"] > 0).all()
    since = ("insolvent", "written_off_on", "placed_on", "uncertain", "promise", "plan", "hold", "awaiting")
    for name in (name if "_" in name else f"{name}_since" for name in since):
        assert acting[name].is_null().all(), name


@drawn(examples=3)
def test_nobody_is_contacted_twice_within_the_gap(trial: Trial) -> None:
    gap = 4
    trial = with_keys(trial, contact={**trial.keys["contact"], "minimum_gap_days": gap})
    contacts: dict[str, list[date]] = {}
    for day, decisions, known in days_in_a_row(trial, all_rows(trial), count=5):
        for action in known["actions"]:
            if action["channel"] not in THIRD_PARTY_CHANNELS:
                contacts.setdefault(action["customer_id"], []).append(action["dispatch_date"])
        own = decisions.filter("act", ~pl.col("channel").is_in([str(c) for c in THIRD_PARTY_CHANNELS]))
        for customer_id in own["customer_id"].unique():
            assert all((day - earlier).days >= gap for earlier in contacts.get(customer_id, ()))


@drawn(examples=3)
def test_steps_go_forward_one_by_one_past_none_but_those_that_may_be_left_out(trial: Trial) -> None:
    trial = with_keys(trial, ladder_mode="one_step_at_a_time", entry="start_at_first_step", accelerate=None)
    ladders = {
        name: {step.step: (place, step) for place, step in enumerate(steps)}
        for name, steps in trial.policy.ladders.items()
    }
    for _, decisions, known in days_in_a_row(trial, all_rows(trial), count=4):
        done = certainly_done(known)
        for row in decisions.filter("act").iter_rows(named=True):
            ladder = ladders[row["ladder"]]
            place, step = ladder[row["step"]]
            reached = [ladder[name][0] for name in done.get(key_of(row), ()) if name in ladder]
            position = max(reached, default=-1)
            assert place > position or (place == position and step.repeat_every_days is not None)
            passed = [other for at, other in ladder.values() if position < at < place]
            may_be_undone = any(str(other.channel) == "registered_letter" for other in passed)
            for other in () if may_be_undone else passed:
                assert other.when or other.minimum_amount or other.is_pre_due, (row["step"], other.step)


def key_of(row: Row) -> tuple[str, str, str]:
    return (row["customer_id"], row["invoice_number"], row.get("installment", "1"))


def certainly_done(known: Tables) -> dict[tuple[str, str, str], list[str]]:
    """Return the steps dispatched by item, without registered letters that may have come back."""
    returned = {event["customer_id"] for event in known["events"] if event["kind"] == "letter_returned"}
    done: dict[tuple[str, str, str], list[str]] = {}
    for action in known["actions"]:
        is_letter = action["channel"] == "registered_letter"
        came_back = action["customer_id"] in returned or action.get("outcome") in UNDELIVERED_OUTCOMES
        if not (is_letter and came_back):
            done.setdefault(key_of(action), []).append(action["step"])
    return done


@drawn(examples=3)
def test_running_a_day_again_decides_the_same(trial: Trial) -> None:
    tables = all_rows(trial)
    before = decided(trial, tables)
    after = {**tables, "actions": tables["actions"] + dispatched(before, trial.as_of)}
    assert_frame_equal(decided(trial, after), before)


@drawn(examples=3)
def test_what_comes_later_never_changes_an_earlier_day(trial: Trial) -> None:
    tables = all_rows(trial)
    day = trial.as_of - timedelta(days=5)
    known_then = {
        **tables,
        "payments": [row for row in tables["payments"] if row["payment_date"] <= day],
        "events": [row for row in tables["events"] if row["event_date"] <= day],
        "actions": [row for row in tables["actions"] if row["dispatch_date"] < day],
        "proposals": [
            {**row, **{name: None for name in ("ended_date", "uncertain_date") if (row[name] or day) >= day}}
            for row in tables["proposals"]
            if row["proposed_date"] < day
        ],
    }
    assert_frame_equal(decided(trial, tables, day), decided(trial, known_then, day))


@drawn(examples=4)
def test_money_is_conserved_to_the_cent(trial: Trial) -> None:
    tables = all_rows(trial)
    tables["files"] = [{**file, "kind": "incremental"} for file in tables["files"]]
    tables["invoices"] = [{**row, "amount_open": None} for row in tables["invoices"]]
    known = history(**tables)
    facts = gather_facts(known, trial.policy, trial.as_of)
    edges = trial.policy.aging_buckets_days
    aging = aging_table(facts.open_items, facts.allocation.unapplied_cash, edges)
    account = ("customer_id", "currency")
    moved = pl.concat(
        [
            known.documents.filter(pl.col("invoice_date") <= trial.as_of).select(*account, "amount"),
            known.payments.filter(pl.col("payment_date") <= trial.as_of).select(*account, -pl.col("amount")),
        ]
    )
    ledger = moved.group_by(account).agg(total=pl.col("amount").sum()).filter(pl.col("total") != 0)
    aged = aging.filter(pl.col("total") != 0).select(*account, "total")
    assert_frame_equal(aged, ledger, check_row_order=False, check_dtypes=False)


@drawn(examples=3)
def test_the_order_of_rows_changes_nothing(trial: Trial) -> None:
    known = history(**all_rows(trial))
    mixed = replace(
        known,
        **{
            name: getattr(known, name).sample(fraction=1, shuffle=True, seed=place)
            for place, name in enumerate(
                ("files", "documents", "listings", "payments", "events", "customers")
            )
        },
        dispatches=known.dispatches.reverse(),
        proposals=known.proposals.reverse(),
    )
    before = decide(known, trial.policy, trial.as_of)
    assert_frame_equal(decide(mixed, trial.policy, trial.as_of), before)


@drawn(examples=3)
def test_names_of_customers_and_sources_change_nothing(trial: Trial) -> None:
    count = len(trial.pasts)
    renamed = together([disjoint(past, count - number) for number, past in enumerate(trial.pasts)])
    before = decide_fast(history(**all_rows(trial)), trial.policy, trial.as_of)
    after = decide_fast(history(**renamed), trial.policy, trial.as_of)

    def without_names(rows: list[Row]) -> list[str]:
        return sorted(str({name: row[name] for name in COMPARED if name != "customer_id"}) for row in rows)

    assert without_names(after) == without_names(before)


@drawn(examples=3)
def test_the_same_rows_in_more_files_change_nothing(trial: Trial) -> None:
    tables = all_rows(trial)
    splits = {file["intake_id"] for file in tables["files"] if not file["kind"].startswith("full_")}
    room = len(tables["invoices"]) + 1
    split = {**tables, "files": [{**file, "intake_id": file["intake_id"] * room} for file in tables["files"]]}
    files = {file["intake_id"]: file for file in split["files"]}
    split["invoices"] = []
    for place, row in enumerate(tables["invoices"], 1):
        number = row["file"] * room + (place if row["file"] in splits else 0)
        split["invoices"].append({**row, "file": number})
        files[number] = {**files[row["file"] * room], "intake_id": number}
    split["files"] = list(files.values())
    assert_frame_equal(decided(trial, split), decided(trial, tables))


@drawn(examples=3)
def test_items_of_another_currency_change_nothing_but_the_risk_class_of_the_customer(trial: Trial) -> None:
    trial = with_keys(trial, risk=None)
    tables = all_rows(trial)
    euros = {
        **tables,
        # Events, contacts and addresses are the customer's, whatever the currency.
        "invoices": [row for row in tables["invoices"] if row["currency"] == "EUR"],
        "payments": [row for row in tables["payments"] if row["currency"] == "EUR"],
    }
    before = decided(trial, tables).filter(pl.col("currency") == "EUR")
    assert_frame_equal(decided(trial, euros), before)
