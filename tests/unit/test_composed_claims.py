"""What a message claims beside the debt: interest, the fixed charge, fees, and what was waived of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.messages import Message
from policies.statutes import Law
from tests.builders import Row
from tests.unit.composed import AS_OF, CLAIMING, composed, invoice
from tests.unit.law import RATES, STATUTES

ZERO = Decimal(0)


def test_charges_stand_beside_the_debt_and_the_recovery_charge_once_per_invoice() -> None:
    (message,) = composed(
        CLAIMING,
        keys={"statute": "FR"},
        invoices=[invoice("A", installment="1"), invoice("A", installment="2"), invoice("B")],
    )
    assert [item.charges.recovery_charge for item in message.items] == [Decimal(40), Decimal(0), Decimal(40)]
    interest = sum((item.charges.late_interest for item in message.items), Decimal(0))
    assert interest > 0
    assert (message.total_principal, message.total_recovery_charge) == (Decimal(300), Decimal(80))
    assert (message.total_late_interest, message.total) == (interest, Decimal(380) + interest)


def test_interest_ran_on_what_was_paid_late() -> None:
    half = {"invoice_number": "A", "amount": 50}
    (late,) = composed(
        CLAIMING,
        keys={"charges": {"rate": "0.10"}},
        invoices=[invoice()],
        payments=[{**half, "payment_date": AS_OF}],
    )
    (in_time,) = composed(
        CLAIMING,
        keys={"charges": {"rate": "0.10"}},
        invoices=[invoice()],
        payments=[{**half, "payment_date": date(2026, 2, 8)}],
    )
    # 30 days at 10 %: of 100 and of 50.
    assert (late.total_late_interest, in_time.total_late_interest) == (Decimal("0.82"), Decimal("0.41"))
    assert (late.total_principal, in_time.total_principal) == (Decimal(50), Decimal(50))


@pytest.mark.parametrize(
    ("keys", "row", "customer"),
    [
        ({}, {}, {}),
        ({"statute": "FR"}, {}, {"customer_type": "consumer"}),
        ({"statute": "FR"}, {"currency": "JPY"}, {}),
    ],
)
def test_charges_that_no_statute_grants_are_left_out_and_noted(
    keys: dict[str, object], row: dict[str, Any], customer: Row
) -> None:
    (message,) = composed(CLAIMING, keys=keys, invoices=[invoice(**row)], customers=[customer])
    assert (message.total_recovery_charge, message.total) == (Decimal(0), message.total_principal)


FEES = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email", "fee": {"EUR": "5.00"}},
    {"step": "reminder_2", "after_previous_days": 7, "channel": "email", "fee": {"EUR": "12.00"}},
    {"step": "reminder_3", "after_previous_days": 7, "channel": "letter"},
]


def claims_of(messages: Sequence[Message]) -> list[tuple[str, str, str, str]]:
    return [
        (item.invoice_number, item.step, str(item.charges.fees), str(item.charges.waived))
        for message in messages
        for item in message.items
    ]


def test_the_fee_of_a_message_stands_once_with_the_item_due_first_of_those_at_its_step() -> None:
    (message,) = composed(
        *FEES,
        invoices=[
            invoice("OLD", date(2026, 1, 31)),
            invoice("A"),
            invoice("B"),
            invoice("NEW", date(2026, 3, 1)),
        ],
        actions=[
            {
                "invoice_number": name,
                "step": "reminder_1",
                "dispatch_date": date(2026, 2, 9 + place),
                "fee": 5,
            }
            for place, name in enumerate(("OLD", "A", "B"))
        ],
    )
    assert message.step == "reminder_2"
    # Each had the fee of its own earlier message; the new one of 12.00 comes once.
    assert claims_of([message]) == [
        ("OLD", "reminder_2", "17.00", "0"),
        ("A", "reminder_2", "5.00", "0"),
        ("B", "reminder_2", "5.00", "0"),
        ("NEW", "reminder_1", "0", "0"),
    ]
    assert (message.total_fees, message.total) == (Decimal("27.00"), Decimal("427.00"))


def test_a_later_message_states_the_fees_again_of_items_that_are_still_open() -> None:
    sent = [
        {"invoice_number": name, "step": step, "dispatch_date": day, "fee": fee if name == "PAID" else 0}
        for name in ("A", "PAID")
        for step, day, fee in (("reminder_1", date(2026, 2, 9), 5), ("reminder_2", date(2026, 2, 20), 17))
    ]
    (message,) = composed(
        *FEES,
        invoices=[invoice("A"), invoice("PAID", date(2026, 2, 1))],
        payments=[{"invoice_number": "PAID", "amount": 100, "payment_date": date(2026, 3, 1)}],
        actions=sent,
    )
    # The fees of both days stood with PAID, which was due first.
    assert claims_of([message]) == [("A", "reminder_3", "0", "0")]
    (message,) = composed(
        *FEES,
        invoices=[invoice("A")],
        actions=[{**row, "invoice_number": "A"} for row in sent if row["invoice_number"] == "PAID"],
    )
    assert claims_of([message]) == [("A", "reminder_3", "17.00", "0")]


def test_no_fee_before_the_due_date_in_another_currency_or_from_a_consumer() -> None:
    courtesy = {"step": "courtesy", "after_due_days": -7, "channel": "email", "fee": {"EUR": "5.00"}}
    (message,) = composed(courtesy, FEES[0], invoices=[invoice(due=date(2026, 3, 12))])
    assert (message.step, message.total_fees) == ("courtesy", ZERO)
    (message,) = composed(*FEES, invoices=[invoice(currency="USD")])
    assert message.total_fees == 0
    consumer = [{"customer_type": "consumer"}]
    (message,) = composed(*FEES, invoices=[invoice()], customers=consumer)
    assert (message.total_fees, message.charges_note) == (
        ZERO,
        "fees left out: no statute of the policy covers consumers",
    )
    (message,) = composed(*FEES, keys={"statute": "DE"}, invoices=[invoice()], customers=consumer)
    assert message.total_fees == Decimal("5.00")


def test_without_its_rate_a_message_claims_the_principal_alone() -> None:
    future = {**CLAIMING, "fee": {"EUR": "5.00"}}
    law = Law(
        STATUTES, {name: RATES[name].model_copy(update={"values": RATES[name].values[:2]}) for name in RATES}
    )
    (message,) = composed(future, keys={"statute": "FR"}, law=law, invoices=[invoice()])
    assert message.total == message.total_principal
    assert message.charges_note == "charges left out: ecb_mro has no value for 2026-H1"


@pytest.mark.parametrize(
    ("events", "waived", "total"),
    [
        # 30 days of 12.15 % on 100.00 are 1.00, and 40.00 are fixed.
        ([], "0", "141.00"),
        ([{"amount": None}], "0", "100.00"),
        ([{"amount": 40}], "40", "101.00"),
        ([{"amount": 40, "installment": "1"}], "40", "101.00"),
        ([{"amount": 40, "invoice_number": None}], "40", "101.00"),
        ([{"amount": 30}, {"amount": 9}], "39", "102.00"),
        ([{"amount": 50}], "41.00", "100.00"),
        ([{"amount": -5}], "0", "141.00"),
        ([{"amount": 40, "invoice_number": "OTHER"}], "0", "141.00"),
        ([{"amount": 40, "event_date": date(2026, 3, 11)}], "0", "141.00"),
    ],
)
def test_what_was_waived_is_no_longer_claimed(events: list[Row], waived: str, total: str) -> None:
    said = [
        {"kind": "charge_waived", "event_date": date(2026, 3, 1), "invoice_number": "A", **event}
        for event in events
    ]
    (message,) = composed(CLAIMING, keys={"statute": "FR"}, invoices=[invoice()], events=said)
    assert (message.total_waived, message.total) == (Decimal(waived), Decimal(total))


def test_an_amount_waived_of_an_invoice_begins_with_the_installment_that_bears_its_charges() -> None:
    rows = [invoice(installment=str(n), due=date(2026, 2, 8 + n)) for n in (1, 2)]
    said = [{"kind": "charge_waived", "event_date": date(2026, 3, 1), "invoice_number": "A", "amount": 41}]
    (message,) = composed(CLAIMING, keys={"statute": "FR"}, invoices=rows, events=said)
    # 29 days are 0.97 and 28 days 0.93: the first claims 40.97, so 0.03 are left for the second.
    assert [item.charges.waived for item in message.items] == [Decimal("40.97"), Decimal("0.03")]
    assert message.total == Decimal("200.90")
    promised = {
        "kind": "promise",
        "event_date": date(2026, 3, 9),
        "invoice_number": "A",
        "installment": "1",
        "until": date(2026, 3, 31),
    }
    (alone,) = composed(CLAIMING, keys={"statute": "FR"}, invoices=rows, events=[*said, promised])
    # The first installment bears the fixed charge, and what was waived of it, in its own message.
    assert (alone.total_recovery_charge, alone.total_waived) == (ZERO, Decimal("0.03"))


def test_an_amount_waived_waits_for_the_message_of_the_installment_that_bears_the_charges() -> None:
    steps = [
        {**CLAIMING, "after_due_days": 1, "step": "reminder", "charges": ["recovery_charge"]},
        {
            **CLAIMING,
            "after_due_days": 30,
            "step": "notice",
            "approval": "required",
            "charges": ["recovery_charge"],
        },
    ]
    rows = [invoice(installment="1"), invoice(installment="2", due=date(2026, 2, 28))]
    said = {"kind": "charge_waived", "event_date": date(2026, 3, 1), "invoice_number": "A", "amount": 30}
    messages = composed(
        *steps,
        keys={"statute": "FR", "entry": "start_by_age"},
        invoices=rows,
        events=[said],
    )
    told = {message.step: (message.total_recovery_charge, message.total_waived) for message in messages}
    assert told == {"reminder": (ZERO, ZERO), "notice": (Decimal(40), Decimal(30))}


def waived_of(*acting: str, invoices: Sequence[Row], amount: int) -> dict[str, Decimal]:
    """Return what is waived of the customer's items that act; the others wait for what was promised."""
    promised = [
        {
            "kind": "promise",
            "event_date": date(2026, 3, 9),
            "invoice_number": row["invoice_number"],
            "until": date(2026, 3, 31),
        }
        for row in invoices
        if row["invoice_number"] not in acting
    ]
    messages = composed(
        {**CLAIMING, "charges": ["recovery_charge"]},
        keys={"statute": "FR"},
        invoices=invoices,
        events=[{"kind": "charge_waived", "event_date": date(2026, 3, 1), "amount": amount}, *promised],
    )
    return {item.invoice_number: item.charges.waived for message in messages for item in message.items}


def test_an_amount_waived_of_a_customer_is_laid_once_whatever_acts() -> None:
    rows = [invoice("A"), invoice("B", date(2026, 2, 20))]
    assert waived_of("A", "B", invoices=rows, amount=30) == {"A": 30, "B": 0}
    assert waived_of("A", invoices=rows, amount=30) == {"A": 30}
    assert waived_of("B", invoices=rows, amount=30) == {"B": 0}


def test_an_amount_waived_of_a_customer_is_laid_once_over_all_currencies() -> None:
    messages = composed(
        {**CLAIMING, "fee": {"EUR": 9, "GBP": 9}, "charges": []},
        invoices=[invoice("A"), invoice("B", date(2026, 2, 1), currency="GBP")],
        events=[{"kind": "charge_waived", "event_date": date(2026, 3, 1), "amount": 8}],
    )
    assert {message.currency: message.total_waived for message in messages} == {
        "EUR": Decimal(8),
        "GBP": ZERO,
    }


def test_an_amount_of_one_invoice_is_laid_before_one_of_the_customer() -> None:
    rows = [invoice("A"), invoice("B", date(2026, 2, 20))]
    events = [
        {"kind": "charge_waived", "event_date": date(2026, 3, 1), "amount": 40, "invoice_number": number}
        for number in (None, "A")
    ]
    (message,) = composed(
        {**CLAIMING, "charges": ["recovery_charge"]}, keys={"statute": "FR"}, invoices=rows, events=events
    )
    assert message.total == message.total_principal


def test_a_fee_is_only_stated_again_where_it_was_claimed() -> None:
    ladders = {
        "with": [FEES[0], FEES[2]],
        "without": [{**FEES[0], "fee": {}}, dict(FEES[2])],
    }
    (message,) = composed(
        keys={"ladders": ladders, "segments": [{"segment": "all", "ladder": "without"}]},
        invoices=[invoice()],
        actions=[{"invoice_number": "A", "step": "reminder_1", "dispatch_date": date(2026, 2, 9)}],
    )
    assert (message.step, message.total_fees) == ("reminder_3", ZERO)


@pytest.mark.parametrize(
    ("received", "interest"),
    [([], "0.33"), ([date(2026, 2, 18)], "0.27"), ([date(2026, 2, 10)], "0.33")],
)
def test_interest_by_demand_begins_with_the_registered_letter(received: list[date], interest: str) -> None:
    claiming = {**CLAIMING, "channel": "letter"}
    notice = {"step": "notice", "channel": "registered_letter", "dispatch_date": date(2026, 2, 14)}
    (message,) = composed(
        claiming,
        keys={"statute": "CA_QC"},
        invoices=[invoice(due=date(2026, 1, 31), currency="CAD")],
        actions=[{"invoice_number": "A", **notice}],
        events=[{"kind": "letter_received", "event_date": day, "invoice_number": "A"} for day in received],
    )
    # 24 days of 5 % on 100.00 since 14 February, 20 days since 18 February.
    assert message.total_late_interest == Decimal(interest)


def test_a_payment_that_bounced_is_not_owed_twice() -> None:
    payments = [
        {"invoice_number": "A", "amount": amount, "payment_date": day}
        for amount, day in ((100, date(2026, 2, 20)), (-100, date(2026, 2, 25)))
    ]
    (message,) = composed(CLAIMING, keys={"statute": "FR"}, invoices=[invoice()], payments=payments)
    # 12 days before and 13 days after: 100.00 x 12.15 x 25 / 36500.
    assert message.total_late_interest == Decimal("0.83")
