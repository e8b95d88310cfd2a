"""What became of letters, as events of their items."""

from datetime import date

import polars as pl

from policies.letter_tracking import LetterStatus, letter_events
from policies.model import EVENTS


def test_a_letter_handed_in_says_nothing_yet_and_all_that_come_back_count_alike() -> None:
    rows = [
        {
            "event_id": status.value,
            "customer_id": "C1",
            "invoice_number": "F1",
            "installment": "1",
            "status": status.value,
            "status_date": date(2026, 3, 4),
            "tracking_number": "1A",
            "line_number": number,
        }
        for number, status in enumerate(LetterStatus)
    ]
    made = letter_events(pl.DataFrame(rows))
    assert made.columns == EVENTS.names()
    assert made.select("kind", "reason", "reference", "actor").rows() == [
        ("letter_received", "delivered", "1A", "post"),
        ("letter_returned", "returned", "1A", "post"),
        ("letter_returned", "unclaimed", "1A", "post"),
        ("letter_returned", "refused", "1A", "post"),
        ("letter_returned", "wrong_address", "1A", "post"),
    ]
