"""One mistake of a policy doesn't hide the next, and none is told that isn't there."""

import pytest

from policies.policy import list_errors, read_policy

SOUND = {
    "description": "description: A policy.",
    "policy": "policy: p",
    "segments": "segments: [{segment: all, ladder: a}]",
    "ladders": "ladders: {a: [{step: one, after_due_days: 1, channel: email}]}",
}


def told(text: str) -> list[str]:
    """Return place and kind of every error: the first words after the line."""
    return [
        f"{problem.key_path}: {problem.what}"
        for problem in list_errors(read_policy(text, "p.yaml"), "p.yaml")
    ]


def policy(*more: str, **instead: str) -> str:
    """Return a sound policy in which some keys are written otherwise, and some added."""
    return "\n".join([*{**SOUND, **instead}.values(), *more, ""])


def steps(*rows: str) -> str:
    return "ladders:\n  a:\n" + "\n".join(f"    - {row}" for row in rows)


def test_a_sound_policy_has_no_errors() -> None:
    assert told(policy()) == []


def test_conditions_and_names_are_checked_beside_misspelt_keys() -> None:
    text = policy(
        "accelerate: [{when: bounced, to: nowhere}]",
        segments="segments: [{segment: all, when: days > 3, ladder: b}]",
        ladders=steps("{step: one, after_due_days: 1, chanel: email, wen: amount}"),
    )
    nothing_called_days = (
        'the condition "days > 3" is refused at character 1: '
        "no fact is called 'days' here; text stands in single quotes"
    )
    assert told(text) == [
        "segments[0].ladder: there is no ladder 'b'",
        f"segments[0].when: {nothing_called_days}",
        "ladders.a[0].chanel: unknown key 'chanel'; did you mean 'channel'? It is missing",
        "ladders.a[0].wen: unknown key 'wen'; did you mean 'when'?",
        'ladders.a[0].when: the condition "amount" is refused at character 1: it yields amount',
        "accelerate[0].to: no ladder has a step 'nowhere'",
    ]


def test_what_rests_on_a_wrong_value_is_not_told_as_well() -> None:
    text = policy(
        "small_balance: 15",
        "give_up: {cost_limit: {EUR: 25}, recovery_odds: 3}",
        "calendar: {blackouts: [{from: 2026-01-01, to: 2026-01-02}]}",
        "risk: [{class: high, when: 1}, {class: rest}]",
        ladders=steps(
            "{step: one, after_due_days: '1', channel: email}",
            "{step: two, after_due_days: -1, channel: email, approvers: 2, approval: yess}",
            "{step: 3, after_due_days: 5, channel: email, charges: [fees], before_due: 1}",
        ),
    )
    assert [one.split(":")[0] for one in told(text)] == [
        "ladders.a[0].after_due_days",
        "ladders.a[1].approval",
        "ladders.a[2].step",
        "ladders.a[2].before_due",
        "ladders.a[2].charges[0]",
        "small_balance",
        "give_up.recovery_odds",
        "calendar.blackouts[0].why",
        "risk[0].when",
    ]


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ({"ladders": "ladders: letters"}, ["ladders: 'letters' is one value, where keys are needed"]),
        ({"ladders": "ladders: {a: one}"}, ["ladders.a: 'one' is one value, where a list is needed"]),
        ({"ladders": "ladders: {a: [one]}"}, ["ladders.a[0]: 'one' is one value, where keys are needed"]),
        ({"ladders": "ladders: {a: []}"}, ["ladders.a: nothing stands here, and at least one is needed"]),
        ({"ladders": "ladders:"}, ["ladders: nothing stands here"]),
        ({"ladders": ""}, ["ladders: this key is missing"]),
        ({"segments": "segments: all"}, ["segments: 'all' is one value, where a list is needed"]),
        ({"segments": "segments: [{ladder: a}]"}, ["segments[0].segment: this key is missing"]),
        ({"segments": "segments: [a, a]"}, [
            "segments[0]: 'a' is one value, where keys are needed",
            "segments[1]: 'a' is one value, where keys are needed",
        ]),
        ({"description": ""}, ["description: this key is missing"]),
    ],
)  # fmt: skip
def test_a_block_of_the_wrong_shape_is_told_once(instead: dict[str, str], expected: list[str]) -> None:
    text = policy("accelerate: [{when: bounced, to: one}]", **instead)
    assert told(text) == expected


def test_a_misspelt_block_is_told_once_and_read_as_meant() -> None:
    text = policy(
        "accelerate: [{when: bounced, to: one}, {when: bounced, to: two}]",
        segments="segment: [{segment: all, ladder: b}]",
        ladders="ladder: {a: [{step: one, after_due_days: 1, channel: email}]}",
    )
    assert [one.split("; ")[0] for one in told(text)] == [
        "segment: unknown key 'segment'",
        "segments[0].ladder: there is no ladder 'b'",
        "ladder: unknown key 'ladder'",
        "accelerate[1].to: no ladder has a step 'two'",
    ]


def test_what_stands_in_a_misspelt_block_is_told_beside_its_name() -> None:
    text = policy("contct: {minimum_gap_days: seven, maximum: yes}", "review_bi: soon", "entri: yes")
    assert [one.split(";")[0] for one in told(text)] == [
        "contct.maximum: 'yes' is read as true or false by some programs and as text by others",
        "contct: unknown key 'contct'",
        "contct.minimum_gap_days: 'seven' is no whole number",
        "review_bi: unknown key 'review_bi'",
        "review_bi: 'soon' is no date",
        "entri: 'yes' is read as true or false by some programs and as text by others",
        "entri: unknown key 'entri'",
    ]


def test_a_blackout_that_ends_before_it_begins_is_told_beside_another_without_a_reason() -> None:
    days = "{from: 2026-12-24, to: 2026-12-02}, {from: 2026-05-04, to: 2026-05-01, why: x}, {from: 2026-05-04, to: May}"
    assert [one.split(" (")[0] for one in told(policy(f"calendar: {{blackouts: [{days}]}}"))] == [
        "calendar.blackouts[0].why: this key is missing",
        "calendar.blackouts[2].to: 'May' is no date",
        "calendar.blackouts[2].why: this key is missing",
        "calendar.blackouts[0]: a blackout ends",
        "calendar.blackouts[1]: a blackout ends",
    ]


def test_an_acceleration_that_leads_nowhere_is_told_beside_a_step_whose_name_is_none() -> None:
    text = policy(
        "accelerate: [{when: bounced, to: zzz}, {when: overdue_items > 3, to: relance_n_2}]",
        ladders=steps("{step: Relance n° 2, after_due_days: 1, channel: email}"),
    )
    assert [one.split(": ")[0] for one in told(text)] == ["ladders.a[0].step", "accelerate[0].to"]
    nameless = text.replace("Relance n° 2", "'!'")
    assert [one.split(": ")[0] for one in told(nameless)] == ["ladders.a[0].step"]


def test_all_that_is_wrong_in_a_condition_is_told_at_once() -> None:
    text = policy(
        segments="segments: [{segment: all, when: overdue_items > 'x' and "
        "(overdue_amout > 5 or not (bounced + 1 > 2 or currency)), ladder: a}]"
    )
    refused = 'the condition "..." is refused at character'
    shown = [one.replace(text.split("when: ")[1].split(", ladder")[0], "...") for one in told(text)]
    assert [one.removeprefix("segments[0].when: ") for one in shown] == [
        f"{refused} 26: no fact is called 'overdue_amout' here; did you mean 'overdue_amount'?",
        f"{refused} 1: it mixes number (overdue_items) and text ('x')",
        f"{refused} 52: 'bounced + 1' calculates with true or false",
        f"{refused} 71: 'currency' is text, and and/or/not join what is true or false",
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("calendar: {country: NO}", "'NO' in quotes"),
        ("charges: {survive: yes}", "true, false"),
        ("promise_grace_days: 010", "digits without quotes, such as 7"),
        ("review_by: 2027-6-30", "a date without quotes, such as 2027-06-30"),
        ("ladder_mode: on", "one_step_at_a_time, most_severe"),
        ("small_balance: {EUR: 1_000}", "digits only, or quotes"),
    ],
)
def test_what_is_allowed_depends_on_the_key(key: str, expected: str) -> None:
    (problem,) = list_errors(read_policy(policy(key), "p.yaml"), "p.yaml")
    assert problem.allowed == expected


def test_of_two_keys_that_may_mean_the_same_the_first_is_taken() -> None:
    text = policy(ladders=steps("{step: one, after_due_days: 1, chanel: email, channell: letter}"))
    assert [one.split(";")[0] for one in told(text)] == [
        "ladders.a[0].chanel: unknown key 'chanel'",
        "ladders.a[0].channell: unknown key 'channell'",
    ]


def test_what_is_no_text_for_a_key_is_told_as_unknown() -> None:
    assert [one.split(" (")[0] for one in told(policy("1: x", "? \n: y", "small_balance: {1: 2}"))] == [
        "1: unknown key '1'",
        ": unknown key ''",
        "small_balance.1: '1' is no currency",
    ]


def test_a_word_that_programs_read_differently_is_told_once_beside_the_rest() -> None:
    text = policy(
        "calendar: {country: NO, contact_on: weekdays}",
        ladders=steps("{step: one, after_due_days: 010, channel: email, before_due: no, when: days > 1}"),
    )
    assert [one.split(": ")[0] for one in told(text)] == [
        "ladders.a[0].after_due_days",
        "ladders.a[0].before_due",
        "ladders.a[0].when",
        "calendar.country",
        "calendar.contact_on",
    ]


def test_a_key_that_stands_twice_is_told_beside_the_rest() -> None:
    assert [one.split(",")[0] for one in told(policy("policy: q", "risk: []", "laders: {}"))] == [
        "policy: the key stands twice",
        "laders: unknown key 'laders'; did you mean 'ladders'?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file holds no keys"),
        ("Dear all\n", "the file holds no keys"),
        ("- a\n- b\n", "the file holds no keys"),
        ("policy: p\n\tladders: 1\n", "a tab stands at the beginning of the line"),
        ("policy: p\nsegments: [{segment: all\nladders: 1\n", "a comma, or the closing bracket, is missing"),
        ("policy: 'p\n", "a quote is opened and not closed"),
        ("policy: p\n  segments: x\n", "a second ': ' in one line, or a line further in than the one above"),
        ("policy: p\nladders\nsegments: 1\n", "is no `key: value`"),
        ("ladders:\n   - a: 1\n  - b: 2\n", "begins in another column"),
        ("policy: @p\n", "text that begins with @ needs quotes"),
        ("policy: &p x\n", "anchors are not read"),
        ("\x00\x01PK", "not readable as YAML"),
    ],
)
def test_what_is_no_yaml_of_keys_has_one_error(text: str, expected: str) -> None:
    (error,) = told(text)
    assert expected in error


def test_a_repeated_name_is_told_where_it_could_be_read() -> None:
    text = policy(
        "watch: [{watch: w, when: bounced}, {watch: w, when: bounced}, {when: bounced}, {when: bounced}]"
    )
    assert sorted(told(text)) == [
        "watch[1].watch: 'w' stands twice",
        "watch[2].watch: this key is missing",
        "watch[3].watch: this key is missing",
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("give_up: {}", ["give_up: nothing says when a write-off is proposed"]),
        ("give_up: {when: days_past_due > 900}", []),
        ("give_up: {limitation_within_days: 90}", []),
        (
            "give_up: {cost_limit: {EUR: 25}}",
            ["give_up.cost_limit: nothing says how much can still be expected"],
        ),
        ("give_up: {cost_limit: {EUR: 25}, recovery_odds: x}", []),
        (
            "give_up: {limitation_within_days: 90, recovery_odds: x}",
            ["give_up.recovery_odds: there is no limit to compare it with"],
        ),
        ("give_up: {when: risk > 5}", ['give_up.when: the condition "risk > 5" is refused at character 1']),
        (
            "watch: [{watch: w, when: amount_open > 5}]",
            ['watch[0].when: the condition "amount_open > 5" is refused'],
        ),
        ("contact: {fallback: {email: letter, call: email}}", []),
        ("contact: {fallback: {email: email}}", ["contact.fallback.email: it leads back to where it began"]),
        (
            "contact: {fallback: {email: letter, letter: email, call: email}}",
            ["contact.fallback.email: it leads back to where it began: email to letter to email"],
        ),
        (
            "small_balance: {ERU: 15, EUR: 15}",
            ["small_balance.ERU: 'ERU' is no currency in use; did you mean "],
        ),
    ],
)
def test_the_keys_of_a_block_fit_together(block: str, expected: list[str]) -> None:
    found = told(policy(block))
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))
