"""What a person should look at in a valid policy."""

from datetime import date

import pytest

from policies.policy import load_policy
from policies.policy_check import conditions_of, steps_of
from policies.policy_warnings import Surroundings, find_warnings

HEAD = "description: A policy.\npolicy: p\n"
SEGMENT = "segments: [{segment: all, ladder: a}]\n"
LADDER = "ladders: {a: [{step: one, after_due_days: 1, channel: email}]}\n"
AROUND = Surroundings(as_of=date(2026, 11, 22))


def warnings(text: str, around: Surroundings = AROUND) -> list[str]:
    policy = load_policy(HEAD + text, "p.yaml")
    return [
        warning.sentence().removeprefix("p.yaml: ") for warning in find_warnings(policy, "p.yaml", around)
    ]


def test_a_small_sound_policy_needs_no_eye() -> None:
    assert warnings(SEGMENT + LADDER) == []


@pytest.mark.parametrize(("review_by", "count"), [("2026-11-21", 1), ("2026-11-22", 0)])
def test_a_passed_review_date_is_told(review_by: str, count: int) -> None:
    found = warnings(f"{SEGMENT}{LADDER}review_by: {review_by}\n")
    assert (
        found
        == [
            "review_by: the policy was to be reviewed by 2026-11-21 (allowed: review it, then set the next date)"
        ][:count]
    )


def test_accounts_and_ladders_that_nothing_leads_to_are_told() -> None:
    found = warnings(
        "risk: [{class: a, when: bounced}, {class: b, when: bounced}]\n"
        "segments: [{segment: some, when: bounced, ladder: a}]\n"
        "ladders:\n"
        "  a: [{step: one, after_due_days: 1, channel: email}]\n"
        "  b: [{step: one, after_due_days: 1, channel: email}]\n"
    )
    assert [warning.split(" (")[0] for warning in found] == [
        "segments[0].when: accounts of no segment are held",
        "risk[1].when: the same condition stands above, so this is never reached",
        "ladders.b: no segment climbs this ladder",
    ]


def test_ladders_without_a_common_step_are_told() -> None:
    found = warnings(
        "segments: [{segment: big, when: overdue_items > 5, ladder: a}, {segment: rest, ladder: b}]\n"
        "ladders:\n"
        "  a: [{step: one, after_due_days: 1, channel: email}]\n"
        "  b: [{step: two, after_due_days: 1, channel: email}]\n"
    )
    assert [warning.split(":")[0] for warning in found] == ["ladders.b"]
    assert "it shares no step with 'a'" in found[0]


@pytest.mark.parametrize(
    ("mode", "second", "expected"),
    [
        (
            "one_step_at_a_time",
            "after_due_days: 10",
            "'two' is due on the days of 'one' or before, but comes after it",
        ),
        ("one_step_at_a_time", "after_due_days: 5, when: bounced", "comes after it"),
        ("most_severe", "after_due_days: 5", "'two' is always taken instead of 'one'"),
        ("most_severe", "after_due_days: 5, when: bounced", ""),
        ("most_severe", "after_due_days: 11", ""),
        ("most_severe", "after_due_days: 5, after_previous_days: 3", ""),
        ("most_severe", "after_due_days: 5, end_of_month: true", ""),
        ("most_severe", "after_invoice_days: 5", ""),
    ],
)
def test_steps_whose_days_do_not_rise_are_told(mode: str, second: str, expected: str) -> None:
    found = warnings(
        f"{SEGMENT}ladder_mode: {mode}\nladders:\n  a:\n    - {{step: one, after_due_days: 10, channel: email}}\n"
        f"    - {{step: two, {second}, channel: email}}\n"
    )
    assert len(found) == bool(expected)
    assert all(warning.startswith("ladders.a[1]: ") and expected in warning for warning in found)


@pytest.mark.parametrize(
    ("currencies", "when", "count"),
    [
        (("EUR", "USD"), "amount_open > 5000 or overdue_amount > 1", 1),
        (("EUR", "USD"), "amount_open > 5000 and currency = 'EUR'", 0),
        (("EUR", "USD"), "days_past_due > 5", 0),
        (("EUR", "EUR"), "amount_open > 5000", 0),
    ],
)
def test_an_amount_without_a_currency_is_told_when_several_are_loaded(
    currencies: tuple[str, ...], when: str, count: int
) -> None:
    text = f'{SEGMENT}ladders: {{a: [{{step: one, after_due_days: 1, when: "{when}", channel: email}}]}}\n'
    found = warnings(text, Surroundings(AROUND.as_of, currencies=currencies))
    assert [warning.split(" (")[0] for warning in found] == [
        "ladders.a[0].when: amount_open, overdue_amount without a currency, while EUR, USD are loaded"
    ][:count]


@pytest.mark.parametrize(
    ("calendar", "as_of", "expected"),
    [
        ("{country: FR}", date(2026, 11, 22), []),
        ("{contact_on: every_day}", date(2026, 11, 22), []),
        ("{country: ZZ}", date(2026, 11, 22), ["the holidays of ZZ are not known: only weekends count"]),
        ("{country: FR}", date(2400, 11, 22), ["no holiday of FR is known for 2401"]),
    ],
)
def test_a_calendar_that_is_not_known_is_told(calendar: str, as_of: date, expected: list[str]) -> None:
    found = warnings(f"{SEGMENT}{LADDER}calendar: {calendar}\n", Surroundings(as_of))
    assert found == [f"calendar.country: {what}" for what in expected]


def test_the_holidays_of_loaded_customers_are_asked_for_where_business_days_count() -> None:
    around = Surroundings(AROUND.as_of, countries=("ZZ", "FR"))
    told = ["calendar.contact_on: the holidays of ZZ are not known: only weekends count"]
    assert warnings(f"{SEGMENT}{LADDER}calendar: {{contact_on: business_days}}\n", around) == told
    assert warnings(f"{SEGMENT}{LADDER}calendar: {{contact_on: every_day}}\n", around) == []
    assert warnings(f"{SEGMENT}{LADDER}", around) == []


CHARGING = (
    f"{SEGMENT}ladders: {{a: [{{step: one, after_due_days: 1, channel: email, charges: [late_interest]}}]}}\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CHARGING, "statute: steps claim charges, and nothing says which: they are left out"),
        (CHARGING + "charges: {rate: 0.12}\n", ""),
        (CHARGING + "statute: FR\n", ""),
    ],
)
def test_charges_that_no_law_or_contract_states_are_told(text: str, expected: str) -> None:
    found = warnings(text)
    assert len(found) == bool(expected)
    assert all(warning.startswith(expected) for warning in found)


def test_steps_and_conditions_of_a_policy_are_listed_with_their_place() -> None:
    text = (
        f"{HEAD}{SEGMENT}ladders: {{a: [{{step: one, after_due_days: 1, when: bounced, channel: email}}]}}\n"
    )
    policy = load_policy(text, "p.yaml")
    assert [(path, when) for path, when, *_ in conditions_of(policy)] == [("ladders.a[0].when", "bounced")]
    assert [(name, index, step.step) for name, index, step in steps_of(policy)] == [("a", 0, "one")]
