"""What each customer is told, demanded and informed of."""

from datetime import date
from decimal import Decimal

from policies.batches import action_id, message_id
from tests.unit.composed import CLAIMING, composed, invoice


def test_nothing_is_composed_where_nothing_acts() -> None:
    assert composed(invoices=[invoice(due=date(2026, 4, 1))]) == []


def test_a_message_demands_what_acts_and_says_what_it_follows() -> None:
    (message,) = composed(
        invoices=[
            invoice(
                "A",
                description="Nets",
                purchase_order="PO 7",
                delivery_place="Brest",
                delivery_reference="D1",
                delivery_date=date(2026, 1, 2),
            )
        ],
        payments=[{"invoice_number": "A", "amount": 40, "payment_date": date(2026, 2, 1)}],
        events=[{"kind": "dispute", "event_date": date(2026, 3, 1), "invoice_number": "A", "amount": 10}],
        actions=[{"invoice_number": "A", "step": "reminder_1", "dispatch_date": date(2026, 2, 9)}],
    )
    (item,) = message.items
    name = action_id("C1", "A", "1", "reminder_2", 1)
    assert (item.action_id, item.step, item.attempt, message.message_id) == (
        name,
        "reminder_2",
        1,
        message_id([name]),
    )
    assert (item.amount, item.amount_paid, item.amount_open) == (Decimal(100), Decimal(40), Decimal(60))
    assert (item.amount_disputed, item.amount_demanded) == (Decimal(10), Decimal(50))
    assert (message.total_principal, message.total, message.language) == (Decimal(50), Decimal(50), "fr")
    assert (item.description, item.purchase_order, item.delivery_place) == ("Nets", "PO 7", "Brest")
    assert (item.delivery_reference, item.delivery_date) == ("D1", date(2026, 1, 2))
    assert [(step.step, step.dispatch_date) for step in message.past_steps] == [
        ("reminder_1", date(2026, 2, 9))
    ]
    assert (message.batch_id, message.answer_by) == ("reminder_2, approval False", None)


def test_the_recipient_is_the_customer_as_known() -> None:
    known = {"address_line_2": "", "address_line_3": "BP 12", "language": "en", "customer_type": "public"}
    (message,) = composed(invoices=[invoice()], customers=[known])
    assert message.customer.address_lines == ("1 rue du Port", "BP 12")
    assert (message.customer.customer_type, message.language) == ("public", "en")
    assert message.customer.vat_id == ""


def test_a_customer_of_whom_nothing_is_known_is_named_by_number_and_written_to_in_our_language() -> None:
    bare = dict.fromkeys(("customer_name", "language", "customer_type", "country"))
    (message,) = composed(invoices=[invoice()], customers=[bare])
    assert (message.customer.customer_name, message.customer.customer_type) == ("C1", "business")
    assert message.language == "fr"


def test_other_overdue_items_are_mentioned_unless_they_are_disputed_or_elsewhere() -> None:
    placed = {"invoice_number": "PLACED", "step": "x", "channel": "agency", "dispatch_date": date(2026, 3, 1)}
    (message,) = composed(
        invoices=[
            invoice("A"),
            invoice("WAITS"),
            invoice("DISPUTED"),
            invoice("PLACED"),
            invoice("NOT_DUE", date(2026, 4, 1)),
            invoice("CREDIT", amount=-5),
            invoice("OTHER", customer_id="C2", currency="USD", due=date(2026, 4, 1)),
        ],
        events=[{"kind": "dispute", "event_date": date(2026, 3, 1), "invoice_number": "DISPUTED"}],
        actions=[
            placed,
            {"invoice_number": "WAITS", "step": "reminder_1", "dispatch_date": date(2026, 3, 9)},
        ],
    )
    assert [item.invoice_number for item in message.items] == ["A"]
    assert [(item.invoice_number, item.reason) for item in message.information_items] == [
        ("WAITS", "no_step_due")
    ]
    assert message.unapplied_amount == Decimal(-5)


def test_what_goes_to_an_agency_or_is_not_yet_due_mentions_nothing_else() -> None:
    steps = [
        {"step": "courtesy", "after_due_days": -7, "channel": "email"},
        {"step": "reminder", "after_due_days": 1, "channel": "email"},
        {
            "step": "placement",
            "after_due_days": 60,
            "channel": "agency",
            "agency": "north",
            "approval": "required",
        },
    ]
    messages = composed(
        *steps,
        keys={"entry": "start_by_age"},
        invoices=[invoice("A"), invoice("OLD", date(2026, 1, 2)), invoice("SOON", date(2026, 3, 12))],
    )
    told = {m.step: [other.invoice_number for other in m.information_items] for m in messages}
    assert told == {"courtesy": [], "reminder": ["OLD"], "placement": []}
    (placement,) = [message for message in messages if message.step == "placement"]
    assert (placement.agency, placement.approval_required) == ("north", True)
    assert placement.batch_id == "placement, approval True"


def test_each_currency_has_its_own_message_and_digits() -> None:
    messages = composed(invoices=[invoice("A", amount="100.5"), invoice("B", amount=100, currency="JPY")])
    assert {message.currency: str(message.total) for message in messages} == {"EUR": "100.50", "JPY": "100"}


def test_time_to_answer_is_told_as_a_date() -> None:
    (message,) = composed({**CLAIMING, "charges": [], "answer_within_days": 8}, invoices=[invoice()])
    assert message.answer_by == date(2026, 3, 18)
