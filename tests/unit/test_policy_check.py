"""What a person should look at in a valid policy."""

from datetime import date

import pytest

from policies.policy import load_policy
from policies.policy_check import conditions_of, steps_of
from policies.policy_warnings import Surroundings, find_warnings
from policies.strict_yaml import YamlInvalidError

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
        "risk[1].when: whoever meets this already meets 'a' above, so it is never reached",
        "ladders.b: no segment climbs this ladder",
    ]


def test_ladders_without_a_common_step_are_told() -> None:
    found = warnings(
        "segments: [{segment: big, when: overdue_items > 5, ladder: a}, {segment: rest, ladder: b}]\n"
        "ladders:\n"
        "  a: [{step: one, after_due_days: 1, channel: email}]\n"
        "  b: [{step: two, after_due_days: 1, channel: email}]\n"
    )
    assert [warning.split(" (")[0] for warning in found] == [
        "ladders: 'a', 'b' share no step with any other ladder: a customer who changes between them starts again"
    ]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("one one one two", ["ladders.d: 'd' shares no step with any other ladder"]),
        ("one two three four", ["ladders: 'a', 'b', 'c', 'd' share no step with any other ladder"]),
        ("one two two one", ["ladders.a: it shares no step with 'b', 'c'", "ladders.b: it shares no step with 'd'",
                             "ladders.c: it shares no step with 'd'"]),
        ("one one two three", ["ladders: 'c', 'd' share no step with any other ladder"]),
    ],
)  # fmt: skip
def test_ladders_that_stand_apart_are_told_once(steps: str, expected: list[str]) -> None:
    names = dict(zip("abcd", steps.split(), strict=True))
    segments = "".join(
        f"  - {{segment: {ladder}, when: overdue_items > {9 - place}, ladder: {ladder}}}\n"
        for place, ladder in enumerate("abc")
    )
    ladders = "".join(
        f"  {ladder}: [{{step: {step}, after_due_days: 1, channel: email}}]\n"
        for ladder, step in names.items()
    )
    found = warnings(f"segments:\n{segments}  - {{segment: d, ladder: d}}\nladders:\n{ladders}")
    assert [warning.split(": a customer")[0] for warning in found] == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("channel: call, by: boss", ["ladders.a[0].by: the sheet will say 'boss'; the templates know only supervisor"]),
        ("channel: call, by: supervisor", []),
        ("channel: registered_letter, approval: required",
         ["ladders.a[0]: 'one' is a formal notice and gives no time to answer"]),
        ("channel: email, template: final_demand",
         ["ladders.a[0]: 'one' is a formal notice and gives no time to answer"]),
        ("channel: email, template: formal_notice, answer_within_days: 8", []),
        ("channel: registered_letter", []),
        ("channel: call, template: formal_notice", []),
        ("channel: email, when: \"tags = 'vip'\"",
         ["ladders.a[0].when: tags is one text of all tags: only who has no other is 'vip'"]),
        ("channel: email, when: \"tags = '' or tags like '%vip%'\"", []),
    ],
)  # fmt: skip
def test_what_is_allowed_and_seldom_meant_of_a_step_is_told(keys: str, expected: list[str]) -> None:
    found = warnings(f"{SEGMENT}ladders: {{a: [{{step: one, after_due_days: 1, {keys}}}]}}\n")
    assert [warning.split(" (")[0] for warning in found] == expected


@pytest.mark.parametrize(
    ("contact", "better"),
    [
        ("maximum: {contacts: 30, days: 3}", "contacts: 2 or fewer, or more days"),
        ("maximum: {contacts: 3, days: 3}", "contacts: 2 or fewer, or more days"),
        ("maximum: {contacts: 2, days: 3}", None),
        ("minimum_gap_days: 7, maximum: {contacts: 5, days: 30}", "contacts: 4 or fewer, or more days"),
        ("minimum_gap_days: 7, maximum: {contacts: 4, days: 30}", None),
        ("minimum_gap_days: 0, maximum: {contacts: 1, days: 1}", "more days"),
    ],
)
def test_a_cap_that_nobody_reaches_is_told(contact: str, better: str | None) -> None:
    found = warnings(f"{SEGMENT}{LADDER}contact: {{{contact}}}\n")
    assert [warning.split("(allowed: ")[1] for warning in found] == ([f"{better})"] if better else [])


@pytest.mark.parametrize(
    ("keys", "last", "expected"),
    [
        ("entry: start_by_age", "after_previous_days: 15",
         "(entry: start_by_age): after 15 days past due, before 'two' (30)"),
        ("ladder_mode: most_severe", "after_previous_days: 15", "(ladder_mode: most_severe): after 15 days"),
        ("entry: start_by_age", "after_previous_days: 15, after_due_days: 45", ""),
        ("entry: start_by_age", "after_previous_days: 30", ""),
        ("entry: start_at_first_step", "after_previous_days: 15", ""),
    ],
)  # fmt: skip
def test_a_step_that_an_item_first_seen_late_may_leap_to_is_told(keys: str, last: str, expected: str) -> None:
    found = warnings(
        f"{SEGMENT}{keys}\nladders:\n  a:\n    - {{step: one, after_due_days: 1, channel: email}}\n"
        "    - {step: two, after_due_days: 30, channel: letter}\n"
        f"    - {{step: three, {last}, channel: agency}}\n"
    )
    assert len(found) == bool(expected)
    assert all(
        one.startswith("ladders.a[2].after_previous_days: 'three' may be the first") and expected in one
        for one in found
    )


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


def step(**keys: str) -> str:
    """Return the text of a policy whose only step has these keys."""
    inner = ", ".join(
        f"{key}: {value}"
        for key, value in {"step": "one", "after_due_days": "1", "channel": "email", **keys}.items()
    )
    return f"{SEGMENT}ladders: {{a: [{{{inner}}}]}}\n"


def test_a_policy_that_is_called_otherwise_than_its_file_is_told() -> None:
    policy = load_policy(HEAD + SEGMENT + LADDER, "q.yaml")
    (warning,) = find_warnings(policy, "q.yaml", AROUND)
    assert warning.sentence() == (
        "q.yaml: policy: the file is called q.yaml, and creditor.yaml names a policy by its file (allowed: q)"
    )


@pytest.mark.parametrize(("to", "count"), [("2026-11-21", 1), ("2026-11-22", 0)])
def test_blackouts_that_have_all_passed_are_told(to: str, count: int) -> None:
    found = warnings(f"{SEGMENT}{LADDER}calendar: {{blackouts: [{{from: 2026-01-01, to: {to}, why: x}}]}}\n")
    assert len(found) == count
    assert all(warning.startswith("calendar.blackouts: all of them have passed") for warning in found)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("risk = 'hgih'", "risk is never 'hgih'; did you mean 'high'? (allowed: high, rest)"),
        ("risk <> 'high' and segment in ('all')", ""),
        ("segment = 'key'", "segment is never 'key' (allowed: all)"),
        (
            "customer_type = 'private'",
            "customer_type is never 'private' (allowed: business, public, consumer)",
        ),
        ("aging_bucket in ('days_31_60', 'no_due_date')", ""),
        ("aging_bucket = '31-60'", "aging_bucket is never '31-60' (allowed: not_due, days_1_30, "),
        ("currency = 'eur'", "currency is never 'eur' (allowed: three capital letters, such as 'EUR')"),
        ("country = 'France'", "country is never 'France' (allowed: two capital letters, such as 'FR')"),
        ("language = 'FR'", "language is never 'FR' (allowed: two small letters, such as 'fr')"),
        ("currency = 'EUR' and country = 'FR' and language = 'fr' and bounced and overdue_items = 3", ""),
    ],
)
def test_words_that_a_fact_never_has_are_told(when: str, expected: str) -> None:
    text = "risk: [{class: high, when: bounced}, {class: rest}]\n" + step(when=f'"{when}"')
    found = [warning for warning in warnings(text) if "is never '" in warning]
    assert len(found) == bool(expected)
    assert all(warning.startswith(f"ladders.a[0].when: {expected}") for warning in found)


def test_a_risk_that_no_policy_defines_is_told() -> None:
    (found,) = warnings(step(when="\"risk = 'high'\""))
    assert found == "ladders.a[0].when: risk is never 'high' (allowed: a policy with the key risk)"


def test_a_currency_without_a_threshold_is_told_where_others_have_one() -> None:
    around = Surroundings(AROUND.as_of, currencies=("USD", "EUR"))
    told = "small_balance: no threshold for USD: every balance is demanded"
    assert warnings(f"{SEGMENT}{LADDER}small_balance: {{EUR: 15}}\n", around) == [told]
    assert warnings(f"{SEGMENT}{LADDER}", around) == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"fee": "{EUR: 10}"}, []),
        ({"fee": "{EUR: 10}", "channel": "agency"}, ["fee: a step by agency goes to no customer"]),
        (
            {"fee": "{EUR: 10}", "charges": "[late_interest]", "after_due_days": "-3"},
            ["fee: nothing is late before the due date", "charges: nothing is late before the due date"],
        ),
    ],
)
def test_claims_that_nobody_hears_of_or_owes_yet_are_told(keys: dict[str, str], expected: list[str]) -> None:
    found = [warning for warning in warnings("statute: FR\n" + step(**keys)) if "ladders" in warning]
    assert [warning.split(",")[0] for warning in found] == [f"ladders.a[0].{one}" for one in expected]


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ("after_previous_days: 3, channel: email", 1),
        ("after_previous_days: 7, channel: email", 0),
        ("after_previous_days: 3, after_due_days: 30, channel: email", 0),
        ("after_previous_days: 3, channel: agency", 0),
        ("after_due_days: 3, channel: email", 0),
    ],
)
def test_a_step_that_the_contact_gap_delays_is_told(keys: str, count: int) -> None:
    found = warnings(
        f"{SEGMENT}contact: {{minimum_gap_days: 7}}\nladders:\n  a:\n"
        f"    - {{step: one, after_due_days: 1, channel: email}}\n    - {{step: two, {keys}}}\n"
    )
    assert len(found) == count
    assert all("nobody is contacted again within 7 days" in warning for warning in found)


def test_a_stand_in_for_a_channel_that_no_step_uses_is_told() -> None:
    text = f"{SEGMENT}{LADDER}contact: {{fallback: {{email: letter, letter: call, call: letter}}}}\n"
    with pytest.raises(YamlInvalidError, match="leads back"):
        warnings(text)
    text = f"{SEGMENT}{LADDER}contact: {{fallback: {{email: letter, call: letter}}}}\n"
    assert warnings(text) == ["contact.fallback.call: no step goes by call (allowed: one of email)"]


def test_steps_and_conditions_of_a_policy_are_listed_with_their_place() -> None:
    text = (
        f"{HEAD}{SEGMENT}ladders: {{a: [{{step: one, after_due_days: 1, when: bounced, channel: email}}]}}\n"
    )
    policy = load_policy(text, "p.yaml")
    assert [(path, when) for path, when, *_ in conditions_of(policy)] == [("ladders.a[0].when", "bounced")]
    assert [(name, index, step.step) for name, index, step in steps_of(policy)] == [("a", 0, "one")]
