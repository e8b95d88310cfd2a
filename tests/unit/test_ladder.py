"""Which step of its ladder each item takes."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest

from policies.escalation import decide
from policies.ladder import step_table
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)


def email(name: str, **keys: object) -> Row:
    return {"step": name, "channel": "email", **keys}


def sent(step: str, day: date, channel: str = "email", **row: object) -> Row:
    return {"invoice_number": "A", "step": step, "dispatch_date": day, "channel": channel, **row}


def step_at(
    as_of: date,
    *steps: Row,
    due: date = date(2026, 3, 1),
    actions: Sequence[Row] = (),
    events: Sequence[Row] = (),
    keys: Mapping[str, object] | None = None,
    **invoice: object,
) -> str:
    """Return the step that the one item takes, else the reason why it takes none."""
    row = {
        "invoice_number": "A",
        "invoice_date": date(2026, 2, 10),
        "due_date": due,
        "amount": 100,
        **invoice,
    }
    known = history(invoices=[row], actions=actions, events=events)
    decision = decide(known, policy(*steps, **(keys or {})), as_of).row(0, named=True)
    return str(decision["step"] if decision["act"] else decision["reason"])


@pytest.mark.parametrize(
    ("timing", "first_day"),
    [
        ({"after_due_days": 9}, date(2026, 3, 10)),
        ({"after_invoice_days": 28}, date(2026, 3, 10)),
        ({"after_due_days": 9, "after_invoice_days": 30}, date(2026, 3, 12)),
        ({"after_due_days": 9, "end_of_month": True}, date(2026, 3, 31)),
        ({"after_invoice_days": 28, "end_of_month": True}, date(2026, 3, 31)),
        ({"after_invoice_days": 5, "end_of_month": True}, date(2026, 2, 28)),
    ],
)
def test_a_step_is_due_from_the_day_on_which_all_its_timing_holds(
    timing: dict[str, object], first_day: date
) -> None:
    step = email("only", **timing)
    assert step_at(first_day - timedelta(days=1), step) == "no_step_due"
    assert step_at(first_day, step) == "only"


FIRST = email("first", after_due_days=1)


def test_the_next_step_counts_from_the_last_dispatch_of_any_ladder() -> None:
    second = email("second", after_previous_days=7)
    actions = [sent("first", date(2026, 3, 2)), sent("elsewhere", date(2026, 3, 5))]
    assert step_at(date(2026, 3, 11), FIRST, second, actions=actions) == "no_step_due"
    assert step_at(date(2026, 3, 12), FIRST, second, actions=actions) == "second"


def test_time_to_answer_delays_the_next_step() -> None:
    first = email("first", after_due_days=1, answer_within_days=4)
    second = email("second", after_due_days=6)
    actions = [sent("first", date(2026, 3, 2))]
    assert step_at(date(2026, 3, 10), first, second, actions=actions) == "no_step_due"
    assert step_at(date(2026, 3, 11), first, second, actions=actions) == "second"


THREE = [FIRST, email("second", after_due_days=5), email("third", after_due_days=9)]


@pytest.mark.parametrize(
    ("keys", "actions", "step"),
    [
        ({}, [], "first"),
        ({"entry": "start_by_age"}, [], "third"),
        ({"entry": "start_by_age"}, [sent("first", date(2026, 3, 2))], "second"),
        ({"ladder_mode": "most_severe"}, [], "third"),
        ({"ladder_mode": "most_severe"}, [sent("first", date(2026, 3, 2))], "third"),
        ({"ladder_mode": "most_severe"}, [sent("third", date(2026, 3, 2))], "ladder_finished"),
        ({}, [sent("third", date(2026, 3, 2)), sent("first", date(2026, 3, 5))], "ladder_finished"),
        ({}, [sent("of_another_ladder", date(2026, 3, 2))], "first"),
    ],
)
def test_the_mode_and_the_entry_choose_among_the_steps_ahead(
    keys: dict[str, object], actions: list[Row], step: str
) -> None:
    assert step_at(AS_OF, *THREE, keys=keys, actions=actions) == step


def test_a_step_whose_condition_fails_is_left_out_until_it_holds() -> None:
    vip = email("vip", after_due_days=1, when="tags like '%vip%'")
    assert step_at(AS_OF, vip, email("rest", after_due_days=1)) == "rest"
    assert step_at(AS_OF, vip) == "ladder_finished"


@pytest.mark.parametrize(
    ("minimum", "step"),
    [({"EUR": "100"}, "only"), ({"EUR": "100.01"}, "ladder_finished"), ({"USD": "999"}, "only")],
)
def test_a_step_with_a_minimum_is_left_out_below_it(minimum: dict[str, str], step: str) -> None:
    assert step_at(AS_OF, email("only", after_due_days=1, minimum_amount=minimum)) == step


@pytest.mark.parametrize(
    ("as_of", "timing", "step"),
    [
        (date(2026, 2, 26), {"after_due_days": -2}, "no_step_due"),
        (date(2026, 2, 27), {"after_due_days": -2}, "courtesy"),
        (date(2026, 3, 1), {"after_due_days": -2}, "courtesy"),
        (date(2026, 3, 2), {"after_due_days": -2}, "first"),
        (date(2026, 2, 10), {"before_due": True}, "courtesy"),
        (date(2026, 2, 14), {"before_due": True, "after_invoice_days": 5}, "no_step_due"),
        (date(2026, 2, 15), {"before_due": True, "after_invoice_days": 5}, "courtesy"),
        (date(2026, 3, 2), {"before_due": True}, "first"),
    ],
)
def test_a_step_before_due_is_due_up_to_the_due_date(
    as_of: date, timing: dict[str, object], step: str
) -> None:
    assert step_at(as_of, email("courtesy", **timing), FIRST) == step


@pytest.mark.parametrize(
    ("rules", "actions", "step"),
    [
        ([{"when": "amount >= 100", "to": "third"}], [], "third"),
        ([{"when": "amount > 100", "to": "third"}], [], "first"),
        ([{"when": "amount >= 100", "to": "second"}, {"when": "amount >= 100", "to": "third"}], [], "second"),
        ([{"when": "amount >= 100", "to": "second"}], [sent("second", date(2026, 3, 9))], "no_step_due"),
        ([{"when": "amount >= 100", "to": "late"}], [], "late"),
    ],
)
def test_the_first_rule_that_accelerates_leads_to_a_step_ahead(
    rules: list[Row], actions: list[Row], step: str
) -> None:
    steps = [
        FIRST,
        email("second", after_due_days=12),
        email("third", after_due_days=20),
        email("late", after_due_days=60),
    ]
    keys = {"accelerate": rules}
    assert step_at(AS_OF, *steps, keys=keys, actions=actions) == step


def test_only_overdue_items_are_accelerated_and_only_on_ladders_that_have_the_step() -> None:
    keys = {"accelerate": [{"when": "amount >= 100", "to": "first"}]}
    late_first = email("first", after_due_days=5)
    assert step_at(date(2026, 3, 2), late_first, keys=keys) == "first"
    assert step_at(date(2026, 3, 1), late_first, keys=keys) == "no_step_due"
    ladders = {"standard": [FIRST], "other": [email("other", after_due_days=20)]}
    segments = [{"segment": "all", "ladder": "other"}]
    two = {"ladders": ladders, "segments": segments, "accelerate": [{"when": "amount >= 100", "to": "first"}]}
    assert step_at(AS_OF, keys=two) == "no_step_due"


REPEATED = email("again", after_due_days=1, repeat_every_days=3)


@pytest.mark.parametrize(
    ("step", "days", "expected"),
    [
        (REPEATED, [7], "again"),
        (REPEATED, [8], "no_step_due"),
        (REPEATED, [2, 5, 7], "again"),
        ({**REPEATED, "repeat_at_most": 1}, [7], "again"),
        ({**REPEATED, "repeat_at_most": 1}, [4, 7], "ladder_finished"),
        ({**REPEATED, "when": "amount > 100"}, [7], "no_step_due"),
    ],
)
def test_a_step_is_repeated_while_nothing_later_is_due(step: Row, days: list[int], expected: str) -> None:
    actions = [sent("again", date(2026, 3, day), attempt=n) for n, day in enumerate(days, 1)]
    assert step_at(AS_OF, step, actions=actions) == expected


def test_a_later_step_goes_before_a_repeat() -> None:
    actions = [sent("again", date(2026, 3, 7))]
    assert step_at(AS_OF, REPEATED, email("later", after_due_days=9), actions=actions) == "later"


@pytest.mark.parametrize(
    ("step", "later", "sentence"),
    [
        (REPEATED, 40, "Next step again again on 2026-03-11."),
        (REPEATED, 11, "Next step again again on 2026-03-11."),
        (REPEATED, 10, "Next step later on 2026-03-11."),
        ({**REPEATED, "when": "amount > 100"}, 40, "Next step later on 2026-04-10."),
        (REPEATED, None, "Next step again again on 2026-03-11."),
        ({**REPEATED, "when": "amount > 100"}, None, "Next step again again, once its condition holds."),
    ],
)
def test_what_is_said_to_come_next_is_what_comes_first(step: Row, later: int | None, sentence: str) -> None:
    steps = [step, *([] if later is None else [email("later", after_due_days=later)])]
    invoice = {
        "invoice_number": "A", "invoice_date": date(2026, 2, 10), "due_date": date(2026, 3, 1), "amount": 100,
    }  # fmt: skip
    past = history(invoices=[invoice], actions=[sent("again", date(2026, 3, 8))])
    (row,) = decide(past, policy(*steps), AS_OF).to_dicts()
    assert (row["reason"], row["sentence"]) == ("no_step_due", sentence)


CALLED = [sent("call", date(2026, 3, 4), "call")]
CALL = {"step": "call", "channel": "call", "after_due_days": 1}


@pytest.mark.parametrize(
    ("call_waits", "next_waits", "outcome", "step"),
    [
        (False, False, None, "next"),
        (True, False, None, "no_step_due"),
        (True, False, 3, "no_step_due"),
        (True, False, 4, "next"),
        (False, True, None, "no_step_due"),
        (False, True, 3, "no_step_due"),
        (False, True, 4, "next"),
    ],
)
def test_a_step_waits_for_the_outcome_of_a_call(
    call_waits: bool, next_waits: bool, outcome: int | None, step: str
) -> None:
    steps = [
        {**CALL, "requires_outcome": call_waits},
        email("next", after_due_days=5, requires_outcome=next_waits),
    ]
    events = [] if outcome is None else [{"kind": "call_outcome", "event_date": date(2026, 3, outcome)}]
    assert step_at(AS_OF, *steps, actions=CALLED, events=events) == step


@pytest.mark.parametrize("channel", ["email", "letter", "registered_letter", "court"])
def test_a_call_that_left_by_another_channel_has_no_outcome_to_wait_for(channel: str) -> None:
    steps = [{**CALL, "requires_outcome": True}, email("next", after_due_days=5)]
    assert step_at(AS_OF, *steps, actions=[{**CALLED[0], "channel": channel}]) == "next"


def test_a_step_that_waits_for_outcomes_waits_for_none_where_nobody_was_called() -> None:
    assert step_at(AS_OF, email("first", after_due_days=1, requires_outcome=True)) == "first"


NOTICE = {"step": "notice", "channel": "registered_letter", "after_due_days": 1, "needs_delivery_proof": True}


@pytest.mark.parametrize(
    ("outcome", "received", "step"),
    [
        (None, None, "no_step_due"),
        ("delivered", None, "next"),
        ("other", None, "no_step_due"),
        (None, 3, "no_step_due"),
        (None, 4, "next"),
    ],
)
def test_a_step_may_wait_for_the_proof_that_the_letter_arrived(
    outcome: str | None, received: int | None, step: str
) -> None:
    actions = [sent("notice", date(2026, 3, 4), "registered_letter", outcome=outcome)]
    events = [] if received is None else [{"kind": "letter_received", "event_date": date(2026, 3, received)}]
    assert step_at(AS_OF, NOTICE, email("next", after_due_days=5), actions=actions, events=events) == step


def test_a_returned_letter_is_sent_again_and_still_starts_the_clock() -> None:
    actions = [sent("notice", date(2026, 3, 4), "registered_letter")]
    events = [{"kind": "letter_returned", "event_date": date(2026, 3, 8)}]
    notice = {"step": "notice", "channel": "registered_letter", "after_due_days": 1}
    assert step_at(AS_OF, notice, actions=actions, events=events) == "notice"
    assert step_at(AS_OF, notice, actions=actions) == "ladder_finished"
    second = email("second", after_previous_days=7)
    assert (
        step_at(AS_OF, {**FIRST, "when": "amount > 100"}, second, actions=actions, events=events)
        == "no_step_due"
    )


def test_the_table_of_steps_numbers_each_ladder_by_itself() -> None:
    ladders = {"standard": [FIRST, NOTICE], "other": [CALL]}
    table = step_table(policy(ladders=ladders))
    assert table.select("ladder", "step_index", "step").rows() == [
        ("standard", 0, "first"),
        ("standard", 1, "notice"),
        ("other", 0, "call"),
    ]
