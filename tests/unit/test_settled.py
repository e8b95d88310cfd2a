"""Which invoices are left out of what is known, once nothing more will happen to them."""

from datetime import date

import pytest

from policies.settled import leave_out_settled
from tests.builders import history

PAST = history(
    invoices=[
        {
            "invoice_number": number,
            "invoice_date": date(2026, 1, 5),
            "due_date": date(2026, 2, 4),
            "amount": 100,
        }
        for number in ("PAID", "REMINDED", "OPEN")
    ],
    payments=[
        {"invoice_number": number, "payment_date": date(2026, 2, 20), "amount": 100}
        for number in ("PAID", "REMINDED")
    ],
    actions=[{"invoice_number": "REMINDED", "step": "reminder_1", "dispatch_date": date(2026, 2, 9)}],
)


@pytest.mark.parametrize(("keep_dispatched", "kept"), [(False, ["OPEN"]), (True, ["OPEN", "REMINDED"])])
def test_what_is_paid_is_left_out_and_what_was_asked_for_is_kept_where_amounts_are_waived(
    keep_dispatched: bool, kept: list[str]
) -> None:
    day = date(2026, 3, 2)
    few = leave_out_settled(PAST, day, day, keep_dispatched=keep_dispatched)
    assert sorted(few.documents["invoice_number"]) == kept
    assert few.settled is not None
    assert few.settled.invoices.height == 3 - len(kept)
