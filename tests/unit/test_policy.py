"""Loading a policy: the shipped ones, every key, and every error of a file at once."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from policies.model import Channel
from policies.policy import Entry, LadderMode, Policy, Step, content_hash, load_policy
from policies.strict_yaml import YamlInvalidError

SHIPPED = sorted((Path(__file__).parents[2] / "policies" / "escalation").glob("*.yaml"))

HEAD = "description: A policy.\npolicy: p\nsegments: [{segment: all, ladder: a}]\n"
LADDER = "ladders: {a: [{step: one, after_due_days: 1, channel: email}]}\n"


def errors(text: str) -> list[str]:
    with pytest.raises(YamlInvalidError) as refused:
        load_policy(text, "p.yaml")
    return [problem.sentence().removeprefix("p.yaml: ") for problem in refused.value.problems]


def step(**keys: str) -> str:
    """Return the text of a policy whose only step has these keys."""
    inner = ", ".join(f"{key}: {value}" for key, value in {"step": "one", "channel": "email", **keys}.items())
    return f"{HEAD}ladders: {{a: [{{{inner}}}]}}\n"


def ladder(*steps: str) -> str:
    """Return the text of a policy whose only ladder has these e-mail steps."""
    return f"{HEAD}ladders:\n  a:\n" + "".join(f"    - {{channel: email, {keys}}}\n" for keys in steps)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.stem))
def test_a_shipped_policy_loads_and_is_called_like_its_file(file: Path) -> None:
    assert load_policy(file.read_text(encoding="utf-8"), file.name).policy == file.stem


def test_the_standard_policy_reaches_every_channel_but_court() -> None:
    text = next(file for file in SHIPPED if file.stem == "standard_fr").read_text(encoding="utf-8")
    ladders = load_policy(text, "standard_fr.yaml").ladders
    assert {step.channel for steps in ladders.values() for step in steps} == set(Channel) - {Channel.COURT}


def test_only_four_keys_must_be_there_and_the_others_are_off() -> None:
    policy = load_policy(HEAD + LADDER, "p.yaml")
    assert policy == Policy.model_validate(
        {
            "description": "A policy.",
            "policy": "p",
            "segments": [{"segment": "all", "ladder": "a"}],
            "ladders": {"a": [{"step": "one", "after_due_days": 1, "channel": "email"}]},
        }
    )
    assert policy.aging_buckets_days == (0, 30, 60, 90)
    assert policy.ladder_mode is LadderMode.ONE_STEP_AT_A_TIME
    assert policy.entry is Entry.START_AT_FIRST_STEP
    assert policy.calendar is None
    assert policy.contact.minimum_gap_days is None
    assert policy.guards.maximum_source_age_business_days is None
    assert policy.charges.survive is False
    assert errors("risk: []\n") == [
        f"{key}: line 1: this key is missing" for key in ("policy", "description", "segments", "ladders")
    ]


def test_every_key_is_read() -> None:
    policy = load_policy(
        """
description: Everything that may be written.
policy: everything
review_by: 2027-06-30
statute: FR
aging_buckets_days: [0, 15, 45]
calendar:
  country: CA-QC
  contact_on: every_day
  blackouts: [{from: 2026-12-24, to: 2027-01-02, why: Christmas}]
contact: {minimum_gap_days: 7, maximum: {contacts: 3, days: 30}}
ladder_mode: most_severe
entry: start_by_age
anchor: oldest_item
small_balance: {EUR: "15.00", USD: 20}
promise_grace_days: 3
guards: {maximum_source_age_business_days: 2, maximum_customers_contacted_percent: 12.5}
risk: [{class: high, when: broken_promises >= 1}, {class: normal}]
segments: [{segment: risky, when: risk = 'high', ladder: a}, {segment: all, ladder: a}]
ladders:
  a:
    - {step: before, before_due: true, channel: email}
    - step: one
      after_due_days: 5
      after_invoice_days: 30
      end_of_month: true
      when: segment = 'risky'
      minimum_amount: {EUR: 100.50}
      channel: call
      template: other
      charges: [late_interest, recovery_charge]
      approval: required
      approvers: 2
      answer_within_days: 8
      repeat_every_days: 10
      repeat_at_most: 3
      requires_outcome: true
      needs_delivery_proof: true
      by: supervisor
    - {step: two, after_previous_days: 0, channel: agency, agency: other}
accelerate: [{when: item_broken_promises >= 1, to: two}]
give_up: {when: days_past_due > 1500}
credit_hold: {when: oldest_days_past_due >= 45 and risk = 'high'}
charges: {rate: 0.12, survive: true}
""",
        "everything.yaml",
    )
    before, one, two = policy.ladders["a"]
    assert (before.is_pre_due, one.is_pre_due, two.is_pre_due) == (True, False, False)
    assert (before.template, one.template, two.agency) == ("before", "other", "other")
    assert one.minimum_amount == {"EUR": Decimal("100.50")}
    assert policy.small_balance == {"EUR": Decimal(15), "USD": Decimal(20)}
    assert policy.calendar is not None
    assert policy.calendar.blackouts[0].from_ == date(2026, 12, 24)
    assert policy.risk[0].class_ == "high"
    assert policy.charges.rate == Decimal("0.12")
    assert policy.contact.maximum is not None


def test_a_step_with_days_before_the_due_date_is_pre_due() -> None:
    assert Step(step="x", after_due_days=-7, channel=Channel.EMAIL).is_pre_due
    assert not Step(step="x", after_due_days=0, channel=Channel.EMAIL).is_pre_due


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"after_due_days": "'1'"}, "after_due_days: line 4: '1' is no whole number (allowed: digits "),
        ({"after_due_days": "1.5"}, "after_due_days: line 4: 1.5 is no whole number"),
        ({"after_due_days": "true"}, "after_due_days: line 4: true is no whole number"),
        (
            {"after_due_days": "-400"},
            "after_due_days: line 4: -400 is too small (allowed: -365 or more)",
        ),
        ({"before_due": "1"}, "before_due: line 4: 1 is neither true nor false (allowed: true, false)"),
        ({"channel": "fax"}, "channel: line 4: 'fax' is not known here (allowed: email, letter, "),
        (
            {"charges": "[fee]"},
            "charges[0]: line 4: 'fee' is not known here (allowed: late_interest, recovery_charge)",
        ),
        ({"minimum_amount": "{EUR: true}"}, "minimum_amount.EUR: line 4: true and false are no number"),
        (
            {"minimum_amount": "{EUR: 1.2345}"},
            "minimum_amount.EUR: line 4: 1.2345 has more digits after the point than EUR has (allowed: 2 at most)",
        ),
        (
            {"minimum_amount": "{eur: 1}"},
            "minimum_amount.eur: line 4: 'eur' is no currency (allowed: three capital letters, such as EUR)",
        ),
        (
            {"step": "One"},
            "step: line 4: 'One' is no name (allowed: small letters without accents, digits and _",
        ),
        ({"when": "''"}, "when: line 4: nothing stands here"),
        ({"after": "1"}, "after: line 4: unknown key 'after' (allowed: step, after_due_days, "),
    ],
)
def test_a_wrong_value_of_a_step_is_told_with_its_place(keys: dict[str, str], expected: str) -> None:
    (error,) = errors(step(**{"before_due": "true", **keys}))
    assert error.startswith(f"ladders.a[0].{expected}")


def test_a_step_that_is_no_mapping_is_told() -> None:
    (error,) = errors(f"{HEAD}ladders: {{a: [one]}}\n")
    assert error.startswith(
        "ladders.a[0]: line 4: 'one' is one value, where keys are needed (allowed: key: value)"
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (HEAD + "ladders: {}\n", "ladders: line 4"),
        (HEAD + "ladders: {a: []}\n", "ladders.a: line 4"),
        ("description: x\npolicy: p\nsegments: []\n" + LADDER, "segments: line 3"),
        (HEAD + LADDER + "aging_buckets_days: []\n", "aging_buckets_days: line 5"),
    ],
)
def test_an_empty_list_is_refused_where_one_is_needed(text: str, path: str) -> None:
    assert errors(text) == [f"{path}: nothing stands here, and at least one is needed"]


def test_a_rate_of_12_percent_is_a_fraction() -> None:
    (error,) = errors(f"{HEAD}{LADDER}charges: {{rate: 12}}\n")
    assert error == "charges.rate: line 5: 12 is no fraction: write 12 % as 0.12"


def test_a_blackout_ends_after_it_begins() -> None:
    text = f"{HEAD}{LADDER}calendar:\n  blackouts:\n    - {{from: 2027-01-02, to: 2026-12-24, why: x}}\n"
    (error,) = errors(text)
    assert error.startswith(
        "calendar.blackouts[0]: line 7: a blackout ends (2026-12-24) before it begins (2027-01-02)"
    )


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ('{EUR: "15.005"}', ["small_balance.EUR: line 5: 15.005 has more digits after the point than EUR has"]),
        ('{JPY: "15.50"}', ["small_balance.JPY: line 5: 15.50 has more digits after the point than JPY has"]),
        ('{TND: "15.005", EUR: 15.5, JPY: 15, XYZ: 1.005}', ["small_balance.XYZ: line 5: 'XYZ' is no currency in use"]),
    ],
)  # fmt: skip
def test_an_amount_has_no_more_digits_than_its_currency(amounts: str, expected: list[str]) -> None:
    found = errors(f"{HEAD}{LADDER}small_balance: {amounts}\n")
    assert [error.split(" (")[0] for error in found] == expected


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({}, "", "nothing says when 'one' is due"),
        (
            {"after_previous_days": "3"},
            ".after_previous_days",
            "the first step of a ladder has no step before it",
        ),
        ({"before_due": "true", "end_of_month": "true"}, ".end_of_month", "no date to move"),
        ({"before_due": "true", "after_due_days": "3"}, ".before_due", "before and after the due date"),
        ({"before_due": "false", "after_due_days": "-1"}, ".before_due", "before_due: false denies it"),
        (
            {"after_due_days": "3", "agency": "x"},
            ".agency",
            "the channel is email (allowed: channel: agency)",
        ),
        ({"after_due_days": "3", "repeat_at_most": "2"}, ".repeat_at_most", "after how many days"),
        ({"after_due_days": "3", "approvers": "2"}, ".approvers", "needs no approval"),
    ],
)
def test_keys_of_a_step_that_do_not_fit_are_told(keys: dict[str, str], key: str, reason: str) -> None:
    (error,) = errors(step(**keys))
    assert error.startswith(f"ladders.a[0]{key}: line 4: ")
    assert reason in error


@pytest.mark.parametrize("keys", [{"after_invoice_days": "30"}, {"after_due_days": "0"}])
def test_an_end_of_month_goes_with_days_from_a_date(keys: dict[str, str]) -> None:
    assert load_policy(step(end_of_month="true", **keys), "p.yaml").ladders["a"][0].end_of_month


def test_step_names_stand_once_in_a_ladder() -> None:
    assert errors(ladder("step: one, after_due_days: 1", "step: one, after_due_days: 2")) == [
        "ladders.a[1].step: line 7: 'one' stands twice (allowed: each name once)"
    ]


def test_steps_before_the_due_date_come_first() -> None:
    (error,) = errors(ladder("step: one, after_due_days: 1", "step: two, after_due_days: -2"))
    assert error.startswith("ladders.a[1]: line 7: 'two' is before the due date, 'one' before it is not")


@pytest.mark.parametrize("edges", ["[30, 60]", "[0, 60, 60]", "[0, 60, 30]"])
def test_bucket_edges_begin_at_0_and_rise(edges: str) -> None:
    (error,) = errors(f"{HEAD}{LADDER}aging_buckets_days: {edges}\n")
    assert error == f"aging_buckets_days: line 5: {edges} is not 0 and then rising (allowed: [0, 30, 60, 90])"


def test_a_class_without_condition_hides_those_below_it() -> None:
    found = errors(
        "description: x\npolicy: p\nrisk: [{class: any}, {class: any, when: bounced}]\n"
        "segments:\n  - {segment: all, ladder: a}\n  - {segment: b, ladder: a}\n" + LADDER
    )
    never = "it matches everything, so those after it are never reached (allowed: a when, or the last place)"
    assert found == [
        f"risk[0]: line 3: {never}",
        "risk[1].class: line 3: 'any' stands twice (allowed: each name once)",
        f"segments[0]: line 5: {never}",
    ]


def test_names_that_lead_nowhere_and_wrong_conditions_are_told_together() -> None:
    text = (
        "description: x\npolicy: p\n"
        "risk:\n  - {class: high, when: risk = 'high'}\n"
        "segments:\n  - {segment: all, when: segment = 'all', ladder: b}\n"
        "ladders:\n  a:\n    - {step: one, after_due_days: 1, when: days > 3, channel: email}\n"
        "accelerate:\n  - {when: bounced > 1, to: two}\n"
        "give_up: {when: amount}\n"
        "credit_hold: {when: amount_open > 3}\n"
    )
    assert [error.split(": ")[:2] for error in errors(text)] == [
        ["risk[0].when", "line 4"],
        ["segments[0].ladder", "line 6"],
        ["segments[0].when", "line 6"],
        ["ladders.a[0].when", "line 9"],
        ["accelerate[0].to", "line 11"],
        ["accelerate[0].when", "line 11"],
        ["give_up.when", "line 12"],
        ["credit_hold.when", "line 13"],
    ]


def test_the_fingerprint_is_that_of_the_text() -> None:
    assert content_hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert content_hash("policy: a") != content_hash("policy: b")
