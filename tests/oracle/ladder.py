"""Which step of its ladder is next for an item, and whether it is due (docs/semantics.md 3)."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policies.policy import Policy, Step
from tests.oracle.accounts import Account, Day, Item, item_facts
from tests.oracle.conditions import Facts, holds
from tests.oracle.events import concerns, has_event_since
from tests.oracle.history import Dispatch

NO_POSITION = -1
UNDELIVERED = ("undelivered", "returned", "bounced", "failed")
DELIVERED = ("delivered", "received")


@dataclass(frozen=True)
class Climb:
    """An item on its ladder: where it stands, and the dates its clocks count from."""

    day: Day
    item: Item
    account: Account
    ladder: Sequence[Step]
    facts: Facts
    due_date: date
    invoice_date: date
    counted: list[Dispatch]

    @property
    def position(self) -> int:
        """Return the place of the furthest step dispatched, on this ladder."""
        names = [step.step for step in self.ladder]
        reached = [names.index(dispatch.step) for dispatch in self.counted if dispatch.step in names]
        return max(reached, default=NO_POSITION)

    @property
    def position_step(self) -> Step | None:
        """Return the step the item stands on."""
        return None if self.position == NO_POSITION else self.ladder[self.position]

    def last_dispatch_of(self, step: str) -> date:
        """Return the day a step last left for this item."""
        return max(dispatch.dispatch_date for dispatch in self.counted if dispatch.step == step)


def climb(day: Day, item: Item, account: Account, ladder: Sequence[Step]) -> Climb:
    """Return an item with a due date on the ladder of its account."""
    assert item.due_date is not None
    due_date, invoice_date = item.due_date, item.document.invoice_date
    if day.policy.anchor == "oldest_item" and item.is_overdue:
        overdue = [other for other in day.items_of(account.key) if other.is_overdue]
        due_date, invoice_date = min(
            (other.due_date or date.max, other.document.invoice_date) for other in overdue
        )
    return Climb(
        day=day,
        item=item,
        account=account,
        ladder=ladder,
        facts=item_facts(day, item, account),
        due_date=due_date,
        invoice_date=invoice_date,
        counted=[dispatch for dispatch in item.dispatches if not _came_back(day, item, dispatch)],
    )


def _came_back(day: Day, item: Item, dispatch: Dispatch) -> bool:
    """Return whether this letter came back: a return is of the last one sent before that day, or of the first."""
    if dispatch.channel == "registered_letter" and dispatch.outcome in UNDELIVERED:
        return True
    letters = sorted(d.dispatch_date for d in item.dispatches if d.channel == "registered_letter")
    returns, receipts = (
        [
            event.event_date
            for event in day.past.events_until(day.as_of, kind)
            if concerns(event, item.document)
        ]
        for kind in ("letter_returned", "letter_received")
    )
    returned = set()
    for came_back in returns:
        if not letters or came_back < letters[0]:
            continue
        letter = max((sent for sent in letters if sent < came_back), default=letters[0])
        following = min((sent for sent in letters if sent > letter), default=date.max)
        if not any(came_back < received <= following for received in receipts):
            returned.add(letter)
    return dispatch.channel == "registered_letter" and dispatch.dispatch_date in returned


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _due_days(on: Climb, step: Step) -> Iterator[date]:
    """Yield, for each timing key of a step, the first day on which it holds."""
    for start, days in (
        (on.due_date, step.after_due_days),
        (on.invoice_date, step.after_invoice_days),
    ):
        if days is not None:
            reached = start + timedelta(days=days)
            yield _end_of_month(reached) if step.end_of_month else reached
    if step.after_previous_days is not None:
        previous = max((d.dispatch_date for d in on.item.dispatches), default=on.due_date)
        yield previous + timedelta(days=step.after_previous_days)


def timing_holds(on: Climb, step: Step) -> bool:
    """Return whether all timing keys of a step hold; a step that may be answered delays the ones after it."""
    position = on.position_step
    delay = timedelta(days=position.answer_within_days if position else 0)
    return all(on.day.as_of >= reached + delay for reached in _due_days(on, step))


def is_left_out(on: Climb, step: Step) -> bool:
    """Return whether a step is passed over today: its `when`, its minimum, or it comes too late."""
    too_late = step.is_pre_due and on.item.due_date is not None and on.day.as_of > on.item.due_date
    total = on.account.open_amount if step.is_pre_due else on.account.overdue_amount
    minimum = step.minimum_amount.get(on.item.document.currency)
    too_small = minimum is not None and total + on.account.unapplied < minimum
    return too_late or too_small or not holds(step.when, on.facts)


def _left(on: Climb) -> list[int]:
    """Return the places of the steps that could still come today."""
    return [
        place for place, step in enumerate(on.ladder) if place > on.position and not is_left_out(on, step)
    ]


def _by_clock(on: Climb) -> int | None:
    """Return the place of the step that the ladder's own timing asks for."""
    left = _left(on)
    due = [place for place in left if timing_holds(on, on.ladder[place])]
    policy = on.day.policy
    enters_by_age = policy.entry == "start_by_age" and on.position == NO_POSITION
    if policy.ladder_mode == "most_severe" or enters_by_age:
        return due[-1] if due else None
    return left[0] if left and left[0] in due else None


def _accelerated(on: Climb, policy: Policy) -> int | None:
    if not on.item.is_overdue:
        return None
    names = [step.step for step in on.ladder]
    for rule in policy.accelerate:
        if rule.to not in names or not holds(rule.when, on.facts):
            continue
        place = names.index(rule.to)
        if place > on.position and not is_left_out(on, on.ladder[place]):
            return place
    return None


def _repeated(on: Climb) -> int | None:
    step = on.position_step
    if step is None or step.repeat_every_days is None or is_left_out(on, step) or not _may_repeat(on, step):
        return None
    waited = (on.day.as_of - on.last_dispatch_of(step.step)).days
    return on.position if waited >= step.repeat_every_days else None


def _may_repeat(on: Climb, step: Step) -> bool:
    times = sum(dispatch.step == step.step for dispatch in on.counted)
    return step.repeat_every_days is not None and (
        step.repeat_at_most is None or times <= step.repeat_at_most
    )


def _waits(on: Climb, step: Step) -> bool:
    """Return whether the next step waits for the outcome of a call or for the proof of a delivery."""
    position = on.position_step
    if position is not None:
        sent = [dispatch for dispatch in on.counted if dispatch.step == position.step]
        last = max(sent, key=lambda dispatch: dispatch.dispatch_date)
        is_proved = any(dispatch.outcome in DELIVERED for dispatch in sent)
        if position.needs_delivery_proof and not is_proved and not _has_since(on, "letter_received", last):
            return True
        # What left by another channel than a call has no outcome to wait for.
        was_call = last.channel in (None, "call")
        if position.requires_outcome and was_call and not _has_since(on, "call_outcome", last):
            return True
    calls = [dispatch for dispatch in on.item.dispatches if dispatch.channel == "call"]
    last_call = max(calls, key=lambda dispatch: dispatch.dispatch_date, default=None)
    return step.requires_outcome and last_call is not None and not _has_since(on, "call_outcome", last_call)


def _has_since(on: Climb, kind: str, dispatch: Dispatch) -> bool:
    """Return whether something happened to the item on the day of a dispatch or later."""
    return has_event_since(on.day.past, on.item.document, kind, dispatch.dispatch_date, on.day.as_of)


def step_due(on: Climb) -> Step | str:
    """Return the one step due today, else the reason why there is none."""
    places = [place for place in (_by_clock(on), _accelerated(on, on.day.policy)) if place is not None]
    place = max(places) if places else _repeated(on)
    if place is not None:
        return "no_step_due" if _waits(on, on.ladder[place]) else on.ladder[place]
    position = on.position_step
    finished = not _left(on) and not (position is not None and _may_repeat(on, position))
    return "ladder_finished" if finished else "no_step_due"
