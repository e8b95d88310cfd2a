"""What is claimed over several days of messages: once, whoever is asked first, and as the list of charges says."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.charge_list import list_charges
from policies.claims import claims_of_messages
from policies.composition import Composing, compose_messages
from policies.escalation import decide_from_facts, gather_facts
from policies.history import DISPATCHES, History
from policies.messages import Message, MessageItem
from policies.policy import Policy
from policies.simulated_claims import with_claims
from policies.statutes import Law
from tests.builders import Row, history, policy
from tests.unit.law import RATES, STATUTES

LAW = Law(STATUTES, RATES)
FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=7 * week) for week in range(4)]
STEPS: list[Row] = [
    {
        "step": "reminder",
        "after_due_days": 1,
        "channel": "email",
        "charges": ["recovery_charge"],
        "fee": {"EUR": 5},
    },
    {
        "step": "notice",
        "after_previous_days": 7,
        "channel": "letter",
        "charges": ["late_interest", "recovery_charge"],
    },
    {"step": "demand", "after_previous_days": 7, "channel": "letter", "fee": {"EUR": 7}},
]
FIXED: list[Row] = [{**step, "charges": ["recovery_charge"], "fee": {}} for step in STEPS]

Item = tuple[str, str]


@st.composite
def pasts(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Return invoices in one to three installments, part payments, promises that run, and waivers."""
    invoices: list[Row] = []
    for number in "ABC"[: draw(st.integers(1, 3))]:
        for installment in range(1, draw(st.integers(1, 3)) + 1):
            due = FIRST + timedelta(days=draw(st.integers(-40, 20)))
            invoices.append(
                {
                    "invoice_number": number,
                    "installment": str(installment),
                    "invoice_date": date(2026, 1, 1),
                    "due_date": due,
                    "amount": draw(st.sampled_from([60, 1000, 25_000])),
                }
            )
    some = partial(st.lists, max_size=3)
    payments: list[Row] = [
        {
            "invoice_number": row["invoice_number"],
            "installment": row["installment"],
            "amount": row["amount"] / part,
            "payment_date": FIRST + timedelta(days=offset),
        }
        for row, part, offset in draw(
            some(
                st.tuples(st.sampled_from(invoices), st.sampled_from([2, 4]), st.integers(-20, 25)),
                unique_by=lambda drawn: (drawn[0]["invoice_number"], drawn[0]["installment"]),
            )
        )
    ]
    scope = st.one_of(
        st.just({}),
        st.sampled_from(invoices).map(lambda row: {"invoice_number": row["invoice_number"]}),
        st.sampled_from(invoices).map(lambda row: {n: row[n] for n in ("invoice_number", "installment")}),
    )
    waived: list[Row] = [
        {"kind": "charge_waived", "event_date": FIRST, "amount": amount, **where}
        for where, amount in draw(some(st.tuples(scope, st.sampled_from([3, 30, 50, 90]))))
    ]
    promised: list[Row] = [
        {"kind": "promise", "event_date": FIRST, "until": FIRST + timedelta(days=days), **where}
        for where, days in draw(some(st.tuples(scope.filter(bool), st.integers(0, 25))))
    ]
    return {"invoices": invoices, "payments": payments, "events": [*waived, *promised]}


def written(known: History, rules: Policy, day: date) -> list[Message]:
    facts = gather_facts(known, rules, day)
    composing = Composing(facts, known, rules, "0" * 64, LAW, "fr", lambda needs_approval, step: step)
    return compose_messages(decide_from_facts(facts, known, rules), composing)


def lived(known: History, rules: Policy) -> tuple[History, dict[Item, list[MessageItem]]]:
    """Return the past with all messages of DAYS in it, and what was claimed of each item, day by day."""
    claimed: dict[Item, list[MessageItem]] = {}
    for day in DAYS:
        rows = [(message, item) for message in written(known, rules, day) for item in message.items]
        for _, item in rows:
            claimed.setdefault((item.invoice_number, item.installment), []).append(item)
        gone = [
            {
                "customer_id": message.customer.customer_id,
                "invoice_number": item.invoice_number,
                "installment": item.installment,
                "step": item.step,
                "dispatch_date": day,
                "channel": message.channel,
                "outcome": None,
                "attempt": item.attempt,
                "fee": item.charges.fees,
            }
            for message, item in rows
        ]
        known = replace(
            known, dispatches=pl.concat([known.dispatches, pl.DataFrame(gone, schema=DISPATCHES)])
        )
    return known, claimed


drawn = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@given(past=pasts())
@drawn
def test_of_fixed_charges_no_more_is_waived_by_the_last_messages_than_was_granted(
    past: dict[str, list[Row]],
) -> None:
    known, rules = history(**past), policy(*FIXED, statute="FR")
    known, claimed = lived(known, rules)
    granted = sum(event.get("amount", 0) for event in past["events"])
    listed = list_charges(known, gather_facts(known, rules, DAYS[-1]), rules, LAW)
    assert listed["waived"].sum() <= granted
    last = [(key, stated[-1].charges) for key, stated in claimed.items()]
    assert sum(charges.waived for _, charges in last) <= granted
    by_invoice = groupby(sorted(last, key=lambda one: one[0]), key=lambda one: one[0][0])
    assert all(sum(one.recovery_charge > 0 for _, one in some) <= 1 for _, some in by_invoice)


@given(past=pasts())
@drawn
def test_what_the_last_messages_of_a_day_claim_is_what_the_list_says(past: dict[str, list[Row]]) -> None:
    known, rules = (
        history(**past),
        policy(
            {
                **STEPS[1],
                "after_previous_days": None,
                "after_due_days": 1,
                "fee": {"EUR": 5},
                "repeat_every_days": 7,
            },
            statute="FR",
        ),
    )
    known, claimed = lived(known, rules)
    day = DAYS[-1]
    today = {key: stated[-1] for key, stated in claimed.items()}
    facts = gather_facts(known, rules, day)
    listed = list_charges(known, facts, rules, LAW)
    assert listed["waived"].sum() <= sum(event.get("amount", 0) for event in past["events"])
    fixed = listed.filter(pl.col("recovery_charge") > 0)["invoice_number"]
    assert fixed.n_unique() == len(fixed)
    sent_today = known.dispatches.filter(pl.col("dispatch_date") == day).select(
        "invoice_number", "installment"
    )
    for row in listed.join(sent_today, on=["invoice_number", "installment"], how="semi").to_dicts():
        charges = today[row["invoice_number"], row["installment"]].charges
        assert (charges.late_interest, charges.recovery_charge, charges.fees, charges.waived) == tuple(
            row[name] for name in ("late_interest", "recovery_charge", "fees", "waived")
        )


@given(past=pasts(), chance=st.randoms(use_true_random=False))
@drawn
def test_claims_do_not_depend_on_who_is_asked_first_and_simulations_claim_the_same(
    past: dict[str, list[Row]], chance: Any
) -> None:
    known, rules = history(**past), policy(*STEPS, statute="FR")
    known, _ = lived(known, rules)
    day = DAYS[-1] + timedelta(days=8)
    facts = gather_facts(known, rules, day)
    decisions = decide_from_facts(facts, known, rules)
    acting = decisions.filter("act")
    claims = claims_of_messages(acting, facts, rules, LAW)
    rows = acting.to_dicts()
    first = {row["item"]: claims.of_item(row) for row in rows}
    chance.shuffle(rows)
    assert {row["item"]: claims.of_item(row) for row in rows} == first
    alone = {
        row["item"]: claims_of_messages(
            acting.filter(pl.col("account") == row["account"]), facts, rules, LAW
        ).of_item(row)
        for row in rows
    }
    assert alone == first
    simulated, _ = with_claims(decisions, facts, rules, LAW)
    assert {row["item"]: row["waived"] or Decimal(0) for row in simulated.to_dicts()} == {
        item: outcome.charges.waived for item, outcome in first.items()
    }
