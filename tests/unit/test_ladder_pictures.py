"""The time line of a ladder: where each step stands, and what is said beside it."""

from pathlib import Path

from policies.ladder_pictures import draw_ladder, height_of, text_lines
from policies.phrasebook import load_phrasebook
from policies.policy import Step

WORDS = load_phrasebook(
    (Path(__file__).parents[2] / "templates" / "policy" / "en" / "words.yaml").read_text(encoding="utf-8"),
    "words.yaml",
)


def step(name: str, **keys: object) -> Step:
    return Step.model_validate({"step": name, "channel": "email", **keys})


def test_the_due_date_stands_between_the_steps_before_and_after_it() -> None:
    marks = draw_ladder([step("early", after_due_days=-7), step("late", after_due_days=3)], WORDS)
    assert [(mark.name, mark.day, mark.is_due_date) for mark in marks] == [
        ("early", "D−7", False),
        ("", "D", True),
        ("late", "D+3", False),
    ]


def test_a_step_counted_from_the_one_before_stands_at_its_earliest_day_with_the_time_to_answer() -> None:
    marks = draw_ladder(
        [step("a", after_due_days=30, answer_within_days=8), step("b", after_previous_days=15)], WORDS
    )
    assert [(mark.day, mark.wait, mark.is_fixed) for mark in marks[1:]] == [
        ("D+30", "", True),
        ("≥ D+53", "8 d to answer, +15 d", False),
    ]


def days_of(*steps: Step, passes_over: bool) -> list[str]:
    return [mark.day for mark in draw_ladder(steps, WORDS, passes_over=passes_over) if mark.name]


def test_a_step_that_may_be_passed_over_gives_no_time_to_answer() -> None:
    first = step("a", after_due_days=30, answer_within_days=8)
    on_condition = step("b", after_due_days=40, answer_within_days=5, when="bounced")
    last = step("c", after_due_days=45)
    after = step("c", after_previous_days=10)
    assert days_of(first, last, passes_over=False) == ["D+30", "≥ D+53"]
    assert days_of(first, last, passes_over=True) == ["D+30", "≥ D+45"]
    assert days_of(first, after, passes_over=True) == ["D+30", "≥ D+10"]
    assert days_of(step("a", after_due_days=1), on_condition, last, passes_over=False) == [
        "D+1", "D+40", "≥ D+45",
    ]  # fmt: skip


def test_a_step_that_the_invoice_date_sets_says_so() -> None:
    steps = [
        step("hello", before_due=True),
        step("first", after_invoice_days=35),
        step("next", after_previous_days=2),
    ]
    marks = [mark for mark in draw_ladder(steps, WORDS) if mark.name]
    assert [(mark.day, mark.wait) for mark in marks] == [("before D", ""), ("invoice +35", ""), ("", "+2 d")]


def test_what_a_reader_must_not_miss_stands_beside_the_step() -> None:
    marks = draw_ladder(
        [
            step("a", after_due_days=0, when="bounced", end_of_month=True),
            step("b", after_due_days=5, repeat_every_days=7, approval="required", minimum_amount={"EUR": 5}),
            step("c", after_due_days=9, approval="required", approvers=2),
        ],
        WORDS,
    )
    assert [mark.notes for mark in marks[1:]] == [
        ("on condition", "end of the month"),
        ("on condition", "again every 7 d", "approval required"),
        ("2 approvals required",),
    ]
    assert [mark.day for mark in marks[1:]] == ["≥ D", "D+5", "D+9"]


def test_longer_waits_are_drawn_longer_within_limits() -> None:
    near, far, farthest = (
        height_of(draw_ladder([step("a", after_due_days=1), step("b", after_due_days=1 + days)], WORDS))
        for days in (1, 20, 2000)
    )
    assert near < far < farthest < far + 40


def test_the_picture_fits_a_terminal_of_100_columns() -> None:
    steps = [
        step("a_rather_long_name_of_a_step_for_large_accounts", after_due_days=1, approval="required", when="bounced"),
        step(
            "b", after_due_days=2, end_of_month=True, approval="required", approvers=2, when="bounced",
            repeat_every_days=30, channel="registered_letter",
        ),
        step("c", after_previous_days=1),
    ]  # fmt: skip
    lines = text_lines(draw_ladder(steps, WORDS), WORDS)
    assert max(map(len, lines)) <= 100
    assert any("+1 d" in line and "┊" in line for line in lines)
