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


def draw_ladder(steps: Sequence[Step], words: Phrasebook) -> list[Mark]:
    """Return the marks of a ladder from top to bottom, the due date among them."""
    days = list(_days(steps))
    pre_due = sum(step.is_pre_due for step in steps)
    answers = [0, *(step.answer_within_days for step in steps)]
    told = [_mark(step, day, answer, words) for step, day, answer in zip(steps, days, answers, strict=False)]
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


def _days(steps: Sequence[Step]) -> Iterator[int | None]:
    """Yield the earliest day of each step, from the due date; nothing where only the invoice date tells."""
    before, answer = None, 0
    for step in steps:
        known = [] if step.after_due_days is None else [step.after_due_days]
        if step.after_previous_days is not None and before is not None:
            known.append(before + step.after_previous_days)
        day = max(known) + answer if known else None
        yield day
        before = day if day is not None else before
        answer = step.answer_within_days


def _mark(step: Step, day: int | None, answer: int, words: Phrasebook) -> Mark:
    picture = words.picture
    is_fixed = (
        step.after_due_days is not None
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
