"""What of a policy is never reached, told only where it is proved."""

import pytest

from policies.policy import load_policy
from policies.policy_reach import find_unreached

HEAD = "description: A policy.\npolicy: p\n"
ONE = "{step: one, after_due_days: 1, channel: email}"
LADDER = f"ladders: {{a: [{ONE}]}}\n"


def unreached(text: str) -> list[str]:
    return [f"{path}: {what}" for path, what, _ in find_unreached(load_policy(HEAD + text, "p.yaml"))]


def segments(*whens: str, ladder: str = LADDER) -> str:
    """Return the text of a policy with these segments, named by their place; the last has no condition."""
    rules = [f'  - {{segment: s{place}, when: "{when}", ladder: a}}\n' for place, when in enumerate(whens)]
    return f"segments:\n{''.join(rules)}  - {{segment: rest, ladder: a}}\n{ladder}"


def test_a_policy_whose_parts_are_all_reached_says_nothing() -> None:
    assert unreached(segments("overdue_amount >= 50000", "overdue_amount >= 10000")) == []


@pytest.mark.parametrize(
    "narrow",
    [
        "overdue_amount >= 50000",
        "overdue_amount > 10000 and currency = 'EUR'",
        "overdue_amount >= 10000",
        "overdue_amount between 20000 and 30000 or overdue_amount = 99999",
    ],
)
def test_a_segment_below_a_wider_one_is_told(narrow: str) -> None:
    never = "segments[1].when: whoever meets this already meets 's0' above, so it is never reached"
    assert unreached(segments("overdue_amount >= 10000", narrow)) == [never]


def test_a_segment_that_those_above_cover_together_is_told() -> None:
    found = unreached(segments("country = 'FR'", "country = 'BE'", "country in ('FR', 'BE')"))
    assert found == [
        "segments[2].when: whoever meets this already meets 's0', 's1' above, so it is never reached"
    ]


def test_a_class_of_risk_below_a_wider_one_is_told() -> None:
    risk = "risk: [{class: a, when: paid_invoices < 5}, {class: b, when: paid_invoices = 0}, {class: c}]\n"
    (found,) = unreached(risk + segments())
    assert found.startswith("risk[1].when: whoever meets this already meets 'a' above")


def test_a_condition_whose_parts_exclude_each_other_is_told_once() -> None:
    found = unreached(segments("overdue_items > 5 and overdue_items < 3"))
    assert found == ["segments[0].when: this is never true: its parts exclude each other"]


def test_a_ladder_that_no_segment_climbs_is_told() -> None:
    assert unreached(segments(ladder=f"ladders: {{a: [{ONE}], b: [{ONE}]}}\n")) == [
        "ladders.b: no segment climbs this ladder"
    ]


def test_a_second_rule_that_leaps_where_the_first_does_is_told() -> None:
    rules = (
        "accelerate:\n  - {when: broken_promises >= 1, to: one}\n  - {when: broken_promises >= 2, to: one}\n"
    )
    (found,) = unreached(segments() + rules)
    assert found == "accelerate[1]: an earlier rule already leaps to 'one' wherever this is true"
    two = f"ladders: {{a: [{ONE}, {{step: two, after_previous_days: 9, channel: email}}]}}\n"
    assert unreached(segments(ladder=two) + rules.replace(">= 2, to: one", ">= 2, to: two")) == []


def with_step(keys: str, *, more: str = "", rule: str = "  - {segment: rest, ladder: a}\n") -> str:
    return f"{more}segments:\n{rule}ladders:\n  a:\n    - {{step: one, channel: email, {keys}}}\n"


@pytest.mark.parametrize(
    ("keys", "is_told"),
    [
        ('after_due_days: 30, when: "days_past_due < 20"', True),
        ('after_due_days: 30, end_of_month: true, when: "days_past_due < 30"', True),
        ('after_due_days: 30, when: "days_past_due <= 30"', False),
        ('after_due_days: -3, when: "days_past_due > 0"', True),
        ('before_due: true, when: "overdue_amount > 0"', False),
        ('after_invoice_days: 60, when: "days_since_invoice < 30"', True),
        ('after_invoice_days: 60, when: "days_past_due < 30"', False),
    ],
)
def test_a_condition_that_a_steps_own_days_exclude_is_told(keys: str, is_told: bool) -> None:
    found = unreached(with_step(keys))
    assert len(found) == is_told
    assert all("never true once the step is due" in one for one in found)


@pytest.mark.parametrize("more", ["anchor: oldest_item\n", "accelerate: [{when: bounced, to: one}]\n"])
def test_days_prove_nothing_where_they_are_not_the_items_own(more: str) -> None:
    assert unreached(with_step('after_due_days: 30, when: "days_past_due < 20"', more=more)) == []


def test_a_step_that_no_segment_of_its_ladder_meets_is_told() -> None:
    rule = "  - {segment: euro, when: \"currency = 'EUR'\", ladder: a}\n"
    keys = "after_due_days: 1, when: \"currency = 'USD'\""
    told = "ladders.a[0].when: no account of 'euro', which climb this ladder, ever meets this"
    assert unreached(with_step(keys, rule=rule)) == [told]
    assert unreached(with_step(keys)) == []
    assert unreached(with_step("after_due_days: 1, when: \"segment = 'euro'\"", rule=rule)) == []
    (found,) = unreached(with_step("after_due_days: 1, when: \"segment = 'other'\"", rule=rule))
    assert found == told
    (found,) = unreached(with_step('after_due_days: 1, when: "bounced and not bounced"', rule=rule))
    assert "its parts exclude each other" in found


def climbing(mode: str, first: str, second: str) -> str:
    steps = "".join(
        f"    - {{step: {name}, channel: email, {keys}}}\n"
        for name, keys in (("one", first), ("two", second))
    )
    return f"ladder_mode: {mode}\nsegments:\n  - {{segment: rest, ladder: a}}\nladders:\n  a:\n{steps}"


@pytest.mark.parametrize(
    ("first", "second", "is_told"),
    [
        ("after_due_days: 10", "after_due_days: 5", True),
        ("after_due_days: 10", 'after_due_days: 5, when: "overdue_items > 3"', False),
        (
            'after_due_days: 10, when: "overdue_items > 5"',
            'after_due_days: 5, when: "overdue_items > 3"',
            True,
        ),
        ("after_due_days: 10", "after_due_days: 5, minimum_amount: {EUR: 10}", False),
        ("after_due_days: 10", "after_due_days: 5, requires_outcome: true", False),
    ],
)
def test_where_the_most_severe_step_counts_one_that_another_overtakes_is_told(
    first: str, second: str, is_told: bool
) -> None:
    found = [one for one in unreached(climbing("most_severe", first, second)) if "always taken" in one]
    assert found == ["ladders.a[1]: 'two' is always taken instead of 'one'"][:is_told]


def test_a_call_that_waits_for_proof_of_delivery_is_never_left() -> None:
    text = climbing("most_severe", "after_due_days: 1, needs_delivery_proof: true", "after_due_days: 5")
    assert unreached(text) == []
    (found,) = unreached(text.replace("one, channel: email", "one, channel: call"))
    assert found == (
        "ladders.a[0].needs_delivery_proof: a call has no delivery to prove, so no item ever goes on to 'two'"
    )
    assert (
        unreached(with_step("after_due_days: 1, needs_delivery_proof: true").replace("email", "call")) == []
    )


def test_an_outcome_is_waited_for_after_a_call_only() -> None:
    text = climbing("most_severe", "after_due_days: 1", "after_due_days: 5, requires_outcome: true")
    (found,) = unreached(text)
    assert found.startswith("ladders.a[1].requires_outcome: there is no call up to here")
    assert unreached(text.replace("one, channel: email", "one, channel: call")) == []
