"""A ladder as a time line: one mark per step, with its days from the due date, in text and for drawing.

Steps fixed by the due date stand at their day; those counted from the step before or from the invoice stand at the
earliest day that can be told, and say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policies.phrasebook import Phrasebook
from policies.policy_keys import Step

_NAME_WIDTH, _LINE_WIDTH = 24, 100
_DAY_COLUMN = 18
_TOP, _ROW, _DUE_ROW, _MOST_EXTRA = 34, 56, 46, 44
_POINTS_PER_DAY = 1.6
_NO_STEP = -1


@dataclass(frozen=True)
class Mark:
    """One rung of the picture.

    Attributes:
        name: of the step; empty for the due date itself.
        day: where it stands, in words: `D+30`.
        wait: the time given to answer before and the days counted from the step before, in words; mostly empty.
        is_fixed: whether the due date alone says when.
        channel: in words.
        notes: what a reader should see at once: condition, approval, repeats.
        needs_approval: whether a person must agree.
        y: where it is drawn.
    """

    name: str
    day: str
    wait: str
    is_fixed: bool
    channel: str
    notes: tuple[str, ...]
    needs_approval: bool
    y: int

    @property
    def is_due_date(self) -> bool:
        """Whether this is the due date and no step."""
        return not self.name


def draw_ladder(steps: Sequence[Step], words: Phrasebook, *, passes_over: bool = False) -> list[Mark]:
    """Return the marks of a ladder from top to bottom, the due date among them.

    Args:
        steps: of the ladder.
        words: of the reader's language.
        passes_over: whether any step may be passed over, by the ladder's mode or entry rule.
    """
    before = [list(_steps_before(steps, index, passes_over=passes_over)) for index in range(len(steps))]
    days = _days(steps, before)
    pre_due = sum(step.is_pre_due for step in steps)
    answers = [0, *(step.answer_within_days for step in steps)]
    is_sure = [not any(_answer(steps, place) for place in places) for places in before]
    told = [
        _mark(step, day, answer, words, is_sure=sure)
        for step, day, answer, sure in zip(steps, days, answers, is_sure, strict=False)
    ]
    due = Mark("", words.picture.day, "", True, words.picture.due_date, (), False, 0)
    marks = [*told[:pre_due], due, *told[pre_due:]]
    known = [*days[:pre_due], 0, *days[pre_due:]]
    return _placed(marks, known)


def height_of(marks: Sequence[Mark]) -> int:
    """Return how high the drawing is."""
    return marks[-1].y + _TOP


def text_lines(marks: Sequence[Mark], words: Phrasebook) -> list[str]:
    """Return the picture as lines of text, no wider than 100 columns."""
    lines = []
    for index, mark in enumerate(marks):
        if index:
            lines.append(" " * _DAY_COLUMN + (f"┊  {mark.wait}" if mark.wait else "│"))
        lines.extend(_due_line(mark) if mark.is_due_date else _step_lines(mark))
    return [*lines, "", f"   ● {words.picture.fixed}", f"   ○ {words.picture.earliest}"]


def _due_line(mark: Mark) -> list[str]:
    left = f"━━ {mark.day} ".ljust(_DAY_COLUMN - 1, "━")
    return [f" {left}┿━━ {mark.channel} ".ljust(_LINE_WIDTH - 30, "━")]


def _step_lines(mark: Mark) -> list[str]:
    day = mark.day.rjust(_DAY_COLUMN - 3)
    first = f"{day}   {'●' if mark.is_fixed else '○'}  {mark.name.ljust(_NAME_WIDTH)} {mark.channel}"
    notes = " · ".join(mark.notes)
    if not notes:
        return [first]
    one = f"{first} · {notes}"
    return [one] if len(one) <= _LINE_WIDTH else [first, " " * _DAY_COLUMN + f"│    {notes}"]


def _steps_before(steps: Sequence[Step], index: int, *, passes_over: bool) -> Iterator[int]:
    """Yield the places of the steps that may be the last one sent when this one comes; -1 for none."""
    for place in reversed(range(index)):
        yield place
        if not (passes_over or steps[place].when is not None or steps[place].minimum_amount):
            return
    yield _NO_STEP


def _answer(steps: Sequence[Step], place: int) -> int:
    return 0 if place == _NO_STEP else steps[place].answer_within_days


def _days(steps: Sequence[Step], before: Sequence[Sequence[int]]) -> list[int | None]:
    """Return the earliest day of each step, from the due date; nothing where only the invoice date tells.

    Only a step that was sent gives time to answer.
    """
    days: list[int | None] = []
    for step, places in zip(steps, before, strict=True):
        known = [_day(step, _sent_on(days, place), _answer(steps, place)) for place in places]
        days.append(min((day for day in known if day is not None), default=None))
    return days


def _sent_on(days: Sequence[int | None], place: int) -> int | None:
    """Return the earliest day of a step, or of the last one before whose day can be told; without any, the due date."""
    if place == _NO_STEP:
        return 0
    return next((day for day in reversed(days[: place + 1]) if day is not None), None)


def _day(step: Step, before: int | None, answer: int) -> int | None:
    known = [] if step.after_due_days is None else [step.after_due_days]
    if step.after_previous_days is not None and before is not None:
        known.append(before + step.after_previous_days)
    return max(known) + answer if known else None


def _mark(step: Step, day: int | None, answer: int, words: Phrasebook, *, is_sure: bool) -> Mark:
    picture = words.picture
    is_fixed = (
        is_sure
        and step.after_due_days is not None
        and step.after_due_days == day
        and not step.end_of_month
        and step.after_previous_days is None
        and step.after_invoice_days is None
    )
    waits = [picture.answer.replace("{n}", str(answer))] if answer else []
    if step.after_previous_days is not None:
        waits.append(picture.wait.replace("{n}", str(step.after_previous_days)))
    return Mark(
        step.step,
        _day_label(step, day, is_fixed, words),
        ", ".join(waits),
        is_fixed,
        words.channels[step.channel],
        tuple(_notes(step, words)),
        step.approval is not None,
        0,
    )


def _day_label(step: Step, day: int | None, is_fixed: bool, words: Phrasebook) -> str:
    picture = words.picture
    if day is None:
        if step.after_invoice_days is not None:
            return picture.invoice.replace("{n}", str(step.after_invoice_days))
        return picture.before if step.is_pre_due else ""
    label = picture.day if day == 0 else f"{picture.day}{'+' if day > 0 else '−'}{abs(day)}"
    return label if is_fixed else picture.about.replace("{a}", label)


def _notes(step: Step, words: Phrasebook) -> Iterator[str]:
    picture = words.picture
    if step.when is not None or step.minimum_amount:
        yield picture.conditional
    if step.end_of_month:
        yield picture.end_of_month
    if step.repeat_every_days is not None:
        yield picture.repeated.replace("{n}", str(step.repeat_every_days))
    if step.approval is not None:
        many = picture.approvals.replace("{n}", str(step.approvers))
        yield picture.approval if step.approvers == 1 else many


def _placed(marks: Sequence[Mark], days: Sequence[int | None]) -> list[Mark]:
    """Give each mark its height: longer waits are drawn longer, within limits."""
    places = [_TOP]
    for (before, after), mark in zip(pairwise(days), marks[1:], strict=True):
        far = max(0, after - before) if before is not None and after is not None else 0
        step = _DUE_ROW if mark.is_due_date else _ROW
        places.append(places[-1] + step + min(_MOST_EXTRA, round(far * _POINTS_PER_DAY)))
    return [Mark(**{**vars(mark), "y": place}) for mark, place in zip(marks, places, strict=True)]
