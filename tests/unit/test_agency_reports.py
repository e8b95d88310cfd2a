"""What agencies report, as events; money that they report is no cash."""

from datetime import date
from decimal import Decimal

import polars as pl

from policies.agency_reports import REPORTED, AgencyStatus, reported_events
from policies.model import EVENTS, MONEY

DAY = date(2026, 3, 5)
ROW = {
    "case_id": "K1",
    "customer_id": "C1",
    "invoice_number": "F1",
    "installment": None,
    "status_date": DAY,
    "amount": Decimal("100.000"),
    "until": date(2026, 3, 20),
    "reference": None,
    "note": "said so",
    "line_number": 2,
}


def events(*statuses: AgencyStatus, **other: object) -> list[dict[str, object]]:
    schema: dict[str, pl.DataType] = {"amount": MONEY, "installment": pl.String(), "reference": pl.String()}
    rows = [{**ROW, "status": status.value, **other} for status in statuses]
    made = reported_events(pl.DataFrame(rows, schema_overrides=schema))
    assert made.columns == EVENTS.names()
    return made.to_dicts()


def test_every_status_means_events_in_the_order_of_the_rows() -> None:
    assert set(REPORTED) == set(AgencyStatus)
    assert [(row["kind"], row["reason"]) for row in events(*AgencyStatus)] == [
        ("answer", "payment_reported"),
        ("promise", "promise"),
        ("dispute", "dispute"),
        ("insolvency", "insolvency"),
        ("recall", "uncollectible"),
        ("hold", "uncollectible"),
        ("recall", "closed"),
    ]


def test_amounts_and_dates_stay_where_they_mean_something() -> None:
    promise, dispute, closed = events(AgencyStatus.PROMISE, AgencyStatus.DISPUTE, AgencyStatus.CLOSED)
    assert (promise["amount"], promise["until"]) == (Decimal(100), date(2026, 3, 20))
    assert (dispute["amount"], dispute["until"]) == (Decimal(100), None)
    assert (closed["amount"], closed["until"]) == (None, None)
    assert {(row["reference"], row["actor"], row["note"]) for row in (promise, dispute, closed)} == {
        ("K1", "agency", "said so")
    }
    assert events(AgencyStatus.CLOSED, reference="R7")[0]["reference"] == "R7"
