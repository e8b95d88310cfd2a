"""Which items an event concerns, and which end closes which start."""

from datetime import date

import pytest

from policies.balances import index_items
from policies.happenings import concerning, events_until, of_kind, still_running
from policies.model import EventKind
from tests.builders import Row, history


def march(day: int) -> date:
    return date(2026, 3, day)


ITEMS = [
    {"invoice_number": "A", "installment": "1"},
    {"invoice_number": "A", "installment": "2"},
    {"invoice_number": "B", "installment": "1"},
    {"customer_id": "C2", "invoice_number": "A", "installment": "1"},
]


@pytest.mark.parametrize(
    ("about", "items"),
    [
        ({}, [0, 1, 2]),
        ({"invoice_number": "A"}, [0, 1]),
        ({"invoice_number": "A", "installment": "2"}, [1]),
        ({"invoice_number": "C"}, []),
        ({"customer_id": "C2"}, [3]),
    ],
)
def test_an_event_concerns_what_it_names_and_all_below(about: Row, items: list[int]) -> None:
    known = history(
        invoices=[{"invoice_date": march(1), "amount": 1, **item} for item in ITEMS],
        events=[{"kind": "dispute", "event_date": march(2), **about}],
    )
    found = concerning(known.events, index_items(known, march(9)))
    assert sorted(found["item"].to_list()) == items


def test_events_are_chosen_by_date_and_kind() -> None:
    known = history(events=[{"kind": kind, "event_date": march(2)} for kind in ("dispute", "answer", "hold")])
    assert of_kind(known.events, EventKind.DISPUTE, EventKind.HOLD)["kind"].to_list() == ["dispute", "hold"]
    assert events_until(known.events, march(1)).is_empty()
    assert events_until(known.events, march(2)).height == 3


@pytest.mark.parametrize(
    ("start", "end", "runs"),
    [
        ({}, None, True),
        ({}, {}, False),
        ({}, {"event_date": march(4)}, True),
        ({}, {"event_date": march(5)}, False),
        ({}, {"customer_id": "C2"}, True),
        ({"invoice_number": "A"}, {}, False),
        ({"invoice_number": "A"}, {"invoice_number": "A"}, False),
        ({"invoice_number": "A"}, {"invoice_number": "B"}, True),
        ({}, {"invoice_number": "A"}, True),
        ({"invoice_number": "A", "installment": "2"}, {"invoice_number": "A"}, False),
        ({"invoice_number": "A"}, {"invoice_number": "A", "installment": "2"}, True),
        ({"reference": "R1"}, {}, False),
        ({"reference": "R1"}, {"reference": "R1"}, False),
        ({"reference": "R1"}, {"reference": "R2"}, True),
        ({}, {"reference": "R2"}, True),
    ],
)
def test_an_end_closes_what_is_about_the_same_or_less(start: Row, end: Row | None, runs: bool) -> None:
    events = [{"kind": "dispute", "event_date": march(5), **start}]
    events += [] if end is None else [{"kind": "dispute_closed", "event_date": march(9), **end}]
    running = still_running(history(events=events).events, EventKind.DISPUTE, EventKind.DISPUTE_CLOSED)
    assert running.height == runs


def test_of_one_day_what_was_known_later_counts() -> None:
    events = [{"kind": kind, "event_date": march(5)} for kind in ("hold_released", "hold")]
    assert still_running(history(events=events).events, EventKind.HOLD, EventKind.HOLD_RELEASED).height == 1
