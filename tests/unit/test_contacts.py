"""Steps dispatched, letters that came back, contacts and answers."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from policies.balances import index_items
from policies.contacts import contact_days, contact_facts, dispatched_steps, unanswered_contacts
from tests.builders import Row, history

INVOICE = {"invoice_number": "A", "invoice_date": date(2026, 1, 1), "amount": 1}


def march(day: int) -> date:
    return date(2026, 3, day)


def sent(day: int, channel: str | None = "registered_letter", step: str = "notice", **row: object) -> Row:
    return {"invoice_number": "A", "step": step, "channel": channel, "dispatch_date": march(day), **row}


def done_days(
    actions: Sequence[Row], returns: Sequence[int] = (), as_of: int = 31, receipts: Sequence[int] = ()
) -> list[int]:
    told = {"letter_returned": returns, "letter_received": receipts}
    events = [{"kind": kind, "event_date": march(day)} for kind, days in told.items() for day in days]
    known = history(invoices=[INVOICE], actions=actions, events=events)
    items = index_items(known, march(as_of))
    steps = dispatched_steps(known.dispatches, items, known.events, march(as_of))
    return [day.day for day in steps.filter("is_done")["dispatch_date"]]


@pytest.mark.parametrize(
    ("returns", "done"),
    [
        ([], [2, 10]),
        ([1], [2, 10]),
        ([2], [10]),
        ([9], [10]),
        ([10], [10]),
        ([11], [2]),
        ([9, 20], []),
    ],
)
def test_a_returned_letter_is_the_last_one_sent_before_that_day(returns: list[int], done: list[int]) -> None:
    assert done_days([sent(2), sent(10, attempt=2)], returns) == done


@pytest.mark.parametrize(
    ("returns", "receipts", "done"),
    [
        ([5], [6], [2, 10]),
        ([5], [5], [10]),
        ([5], [4], [10]),
        ([5], [10], [2, 10]),
        ([5], [11], [10]),
        ([5, 8], [6], [10]),
        ([5, 12], [6, 13], [2, 10]),
    ],
)
def test_a_letter_that_was_received_after_it_came_back_was_delivered(
    returns: list[int], receipts: list[int], done: list[int]
) -> None:
    assert done_days([sent(2), sent(10, attempt=2)], returns, receipts=receipts) == done


def test_only_registered_letters_must_arrive() -> None:
    assert done_days([sent(2, "letter"), sent(3, "email"), sent(4, None)], [9]) == [2, 3, 4]


@pytest.mark.parametrize(("outcome", "done"), [("returned", []), ("delivered", [2]), (None, [2])])
def test_the_outcome_of_the_time_before_says_whether_a_letter_arrived(
    outcome: str | None, done: list[int]
) -> None:
    assert done_days([sent(2, outcome=outcome)]) == done


def test_a_dispatch_of_the_day_itself_is_not_seen() -> None:
    assert done_days([sent(2)], as_of=2) == []
    assert done_days([sent(2)], as_of=3) == [2]


def test_all_messages_of_a_day_are_one_contact_and_third_parties_are_none() -> None:
    actions = [sent(2, "email"), sent(2, "call"), sent(4, None), sent(5, "agency"), sent(6, "court"), sent(9)]
    contacts = contact_days(history(actions=actions).dispatches, march(9))
    assert contacts["contact_date"].sort().to_list() == [march(2), march(4)]
    assert contact_facts(contacts, march(9)).row(0, named=True) == {
        "customer_id": "C1",
        "last_contact": march(4),
        "days_since_last_contact": 5,
    }


@pytest.mark.parametrize(
    ("last_payment", "events", "unanswered"),
    [
        (None, [], 3),
        (march(1), [], 3),
        (march(2), [], 2),
        (march(9), [], None),
        (None, [("answer", 4)], 1),
        (None, [("dispute", 2)], 2),
        (None, [("promise", 2)], 2),
        (None, [("payment_plan", 2)], 2),
        (None, [("bounce", 9)], 3),
        (march(2), [("answer", 4)], 1),
    ],
)
def test_an_answer_or_a_payment_ends_a_row_of_contacts_without_answer(
    last_payment: date | None, events: list[tuple[str, int]], unanswered: int | None
) -> None:
    known = history(
        actions=[sent(2), sent(4), sent(6)],
        events=[{"kind": kind, "event_date": march(day)} for kind, day in events],
    )
    accounts = pl.DataFrame(
        {"customer_id": ["C1"], "currency": ["EUR"], "last_payment": [last_payment]},
        schema_overrides={"last_payment": pl.Date},
    )
    contacts = contact_days(known.dispatches, march(9))
    found = unanswered_contacts(accounts, contacts, known.events)["contacts_without_answer"].to_list()
    assert found == ([] if unanswered is None else [unanswered])
