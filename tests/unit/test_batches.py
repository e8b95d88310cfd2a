"""Which items travel together, and the names of actions and messages."""

from datetime import date

from policies.batches import action_id, message_id
from policies.escalation import decide
from tests.builders import Row, history, policy

AS_OF = date(2026, 3, 10)
STEPS = [
    {"step": "courtesy", "after_due_days": -7, "channel": "email"},
    {"step": "reminder", "after_due_days": 1, "channel": "email"},
    {"step": "call", "after_due_days": 20, "channel": "call", "by": "supervisor"},
    {"step": "notice", "after_due_days": 40, "channel": "registered_letter", "approval": "required"},
    {"step": "placement", "after_due_days": 60, "channel": "agency", "agency": "north"},
    {"step": "suit", "after_due_days": 90, "channel": "court"},
]


def travelling(**days_late: int) -> dict[str, tuple[str, str, str, str]]:
    """Return (step, carrier, message_step, message_channel) of each item by its name."""
    invoices: list[Row] = [
        {
            "invoice_number": name,
            "invoice_date": date(2025, 6, 1),
            "due_date": date.fromordinal(AS_OF.toordinal() - late),
            "amount": 100,
            "currency": "USD" if name.startswith("usd") else "EUR",
        }
        for name, late in days_late.items()
    ]
    decisions = decide(history(invoices=invoices), policy(*STEPS, entry="start_by_age"), AS_OF)
    columns = ("invoice_number", "step", "carrier", "message_step", "message_channel")
    return {row[0]: row[1:] for row in decisions.filter("act").select(columns).rows()}


def test_items_of_a_customer_travel_in_the_tone_and_channel_of_the_highest_step() -> None:
    assert travelling(early=2, late=25) == {
        "early": ("reminder", "creditor", "call", "call"),
        "late": ("call", "creditor", "call", "call"),
    }


def test_what_is_not_yet_due_needs_approval_or_goes_to_others_travels_by_itself() -> None:
    assert travelling(not_due=-3, early=2, approved=45, agency=70, court=95, usd=2) == {
        "not_due": ("courtesy", "creditor", "courtesy", "email"),
        "early": ("reminder", "creditor", "reminder", "email"),
        "approved": ("notice", "creditor", "notice", "registered_letter"),
        "agency": ("placement", "agency", "placement", "agency"),
        "court": ("suit", "court", "suit", "court"),
        "usd": ("reminder", "creditor", "reminder", "email"),
    }


def test_an_action_has_one_name_whatever_the_day() -> None:
    name = action_id("C1", "A", "1", "reminder", 1)
    assert name == action_id("C1", "A", "1", "reminder", 1)
    others = [
        action_id("C1", "A", "1", "reminder", 2),
        action_id("C1", "A", "1", "call", 1),
        action_id("C1", "A", "2", "reminder", 1),
        action_id("C1", "A1", "", "reminder", 1),
        action_id("C2", "A", "1", "reminder", 1),
    ]
    assert len({name, *others}) == 6
    assert len(name) == 32


def test_a_message_is_named_by_what_it_carries_in_any_order() -> None:
    assert message_id(["a", "b"]) == message_id(["b", "a"])
    assert message_id(["a", "b"]) != message_id(["ab"])
