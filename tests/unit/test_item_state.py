"""What events and earlier releases say of each item."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.escalation import gather_facts
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)
ITEMS = [("A", "1", 60), ("A", "2", 40), ("B", "1", 50)]


def march(day: int) -> date:
    return date(2026, 3, day)


def event(kind: str, day: int = 2, **row: object) -> Row:
    return {"kind": kind, "event_date": march(day), **row}


def states(
    column: str, *events: Row, actions: Sequence[Row] = (), proposals: Sequence[Row] = ()
) -> list[Any]:
    """Return a column of the items A/1 (60), A/2 (40) and B/1 (50)."""
    invoices = [
        {
            "invoice_number": number,
            "installment": installment,
            "invoice_date": date(2026, 1, 1),
            "due_date": date(2026, 2, int(installment)),
            "amount": amount,
        }
        for number, installment, amount in ITEMS
    ]
    known = history(invoices=invoices, events=events, actions=actions, proposals=proposals)
    return gather_facts(known, policy(), AS_OF).open_items[column].to_list()


def about(number: str, installment: str | None = None) -> dict[str, Any]:
    return {"invoice_number": number, "installment": installment}


@pytest.mark.parametrize(
    ("events", "disputed"),
    [
        ([], (0, 0, 0)),
        ([event("dispute")], (60, 40, 50)),
        ([event("dispute", amount=10)], (60, 40, 50)),
        ([event("dispute", **about("A"))], (60, 40, 0)),
        ([event("dispute", **about("A"), amount=70)], (60, 10, 0)),
        ([event("dispute", **about("A"), amount=30), event("dispute", **about("A"), amount=50)], (60, 20, 0)),
        ([event("dispute", **about("A", "1"), amount=20)], (20, 0, 0)),
        (
            [event("dispute", **about("A", "1"), amount=20), event("dispute", **about("A"), amount=50)],
            (60, 10, 0),
        ),
        ([event("dispute", **about("A", "2"), amount=90)], (0, 40, 0)),
        ([event("dispute", **about("B"), amount=20), event("dispute_closed", 3, **about("B"))], (0, 0, 0)),
        ([event("dispute", **about("B"), amount=20, until=march(5))], (0, 0, 20)),
    ],
)
def test_disputes_add_up_oldest_installment_first_and_never_exceed_what_is_open(
    events: list[Row], disputed: tuple[int, ...]
) -> None:
    assert states("amount_disputed", *events) == [Decimal(amount) for amount in disputed]
    demanded = [Decimal(amount) - part for (_, _, amount), part in zip(ITEMS, disputed, strict=True)]
    assert states("amount_demanded", *events) == demanded


@pytest.mark.parametrize(
    ("events", "demanded"),
    [
        ([event("reduction", **about("B"), amount=20)], (60, 40, 30)),
        ([event("reduction", **about("A"), amount=70)], (0, 30, 50)),
        (
            [event("reduction", **about("B"), amount=20), event("dispute", **about("B"), amount=40)],
            (60, 40, 0),
        ),
        ([event("reduction", amount=20)], (60, 40, 50)),
        ([event("reduction", **about("B"))], (60, 40, 50)),
    ],
)
def test_a_reduction_lowers_what_is_demanded(events: list[Row], demanded: tuple[int, ...]) -> None:
    assert states("amount_demanded", *events) == [Decimal(amount) for amount in demanded]


@pytest.mark.parametrize(
    ("events", "held"),
    [
        ([event("hold", until=march(10))], True),
        ([event("hold", until=march(9))], False),
        ([event("hold"), event("hold_released", 3)], False),
        ([event("hold"), event("hold", 4), event("hold_released", 3)], True),
        ([event("hold", **about("A"))], False),
    ],
)
def test_a_hold_lasts_until_its_date_or_its_release(events: list[Row], held: bool) -> None:
    assert (states("hold_since", *events)[2] is not None) is held


def test_of_several_holds_the_first_is_told_and_the_last_end_counts() -> None:
    events = [
        event("hold", 3, reason="why", until=march(20)),
        event("hold", 2, reason="first", until=march(15)),
    ]
    assert states("hold_since", *events)[2] == march(2)
    assert states("hold_why", *events)[2] == "first"
    assert states("hold_until", *events)[2] == march(20)
    assert states("hold_until", *events, event("hold", 5))[2] is None


def test_insolvency_is_of_the_whole_customer() -> None:
    assert states("insolvent_since", event("insolvency", **about("B"))) == [march(2)] * 3
    assert states("insolvent_since", event("insolvency"), event("insolvency_closed", 5)) == [None] * 3


@pytest.mark.parametrize(("amount", "written_off"), [(None, True), (50, True), (49, False)])
def test_a_write_off_of_less_than_is_open_leaves_the_item(amount: int | None, written_off: bool) -> None:
    found = states("written_off_on", event("write_off", **about("B"), amount=amount))
    assert found == [None, None, march(2) if written_off else None]


@pytest.mark.parametrize(
    ("events", "written_off"),
    [
        (
            [event("write_off", 3, **about("B"), amount=20), event("write_off", 5, **about("B"), amount=30)],
            "B",
        ),
        (
            [event("write_off", 3, **about("B"), amount=20), event("write_off", 5, **about("B"), amount=29)],
            "",
        ),
        ([event("write_off", 5, **about("A"), amount=60)], "1"),
        ([event("write_off", 5, **about("A"), amount=99)], "1"),
        (
            [event("write_off", 3, **about("A"), amount=70), event("write_off", 5, **about("A"), amount=30)],
            "12",
        ),
        (
            [
                event("write_off", 3, **about("A"), amount=50),
                event("write_off", 5, **about("A", "1"), amount=10),
            ],
            "1",
        ),
        ([event("write_off", 5, amount=50)], "2B"),
        ([event("write_off", 5, amount=39)], ""),
        ([event("write_off", 5)], "12B"),
        ([event("write_off", 5, **about("B")), event("write_off", 8, **about("B"), amount=50)], "B"),
    ],
)
def test_write_offs_of_one_item_add_up(events: list[Row], written_off: str) -> None:
    expected = [march(5) if name in written_off else None for name in ("1", "2", "B")]
    assert states("written_off_on", *events) == expected


@pytest.mark.parametrize(
    ("events", "demanded"),
    [
        ([event("write_off", **about("B"), amount=20)], (60, 40, 30)),
        (
            [event("write_off", **about("B"), amount=20), event("write_off", 3, **about("B"), amount=5)],
            (60, 40, 25),
        ),
        (
            [event("write_off", **about("A"), amount=70), event("reduction", **about("A"), amount=10)],
            (0, 20, 50),
        ),
        (
            [event("write_off", **about("B"), amount=20), event("dispute", **about("B"), amount=40)],
            (60, 40, 0),
        ),
        ([event("write_off", **about("B"), amount=99)], (60, 40, 0)),
        ([event("write_off", amount=39)], (60, 40, 50)),
    ],
)
def test_what_is_written_off_in_part_is_not_demanded(events: list[Row], demanded: tuple[int, ...]) -> None:
    assert states("amount_demanded", *events) == [Decimal(amount) for amount in demanded]


@pytest.mark.parametrize(("recalled_on", "placed_on"), [(None, 5), (4, 5), (5, None), (7, None)])
def test_an_item_is_placed_until_it_is_called_back(recalled_on: int | None, placed_on: int | None) -> None:
    placed = {"invoice_number": "B", "step": "placement", "channel": "agency", "dispatch_date": march(5)}
    events = [] if recalled_on is None else [event("recall", recalled_on)]
    found = states("placed_on", *events, actions=[placed])
    assert found == [None, None, placed_on and march(placed_on)]


def test_broken_promises_are_counted_by_item() -> None:
    events = [
        event("promise", **about("A"), amount=10, until=march(4)),
        event("promise", amount=10, until=march(5)),
        event("promise", **about("B"), amount=10, until=march(12)),
    ]
    assert states("item_broken_promises", *events) == [2, 2, 1]
    assert states("promise_until", *events) == [None, None, march(12)]


@pytest.mark.parametrize(
    ("proposed", "ended", "uncertain", "awaiting", "unsure"),
    [
        (9, None, None, True, False),
        (10, None, None, False, False),
        (9, 9, None, False, False),
        (9, 10, None, True, False),
        (8, None, 9, False, True),
        (8, None, 10, True, False),
    ],
)
def test_a_batch_is_seen_from_the_day_after(
    proposed: int, ended: int | None, uncertain: int | None, awaiting: bool, unsure: bool
) -> None:
    proposal = {
        "invoice_number": "B",
        "step": "reminder_1",
        "proposed_date": march(proposed),
        "ended_date": ended and march(ended),
        "uncertain_date": uncertain and march(uncertain),
    }
    assert (states("awaiting_since", proposals=[proposal])[2] is not None) is awaiting
    assert (states("uncertain_since", proposals=[proposal])[2] is not None) is unsure
