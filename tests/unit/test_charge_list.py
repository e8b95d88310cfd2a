"""The list of all charges claimed: running, due or waived, with what they rest on."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from policies.charge_list import CHARGES, list_charges, with_plain_periods
from policies.escalation import gather_facts
from policies.statutes import Law
from tests.builders import Row, history, policy
from tests.unit.law import RATES, STATUTES

AS_OF = date(2026, 8, 31)
STEPS: list[Row] = [
    {"step": "courtesy", "after_due_days": -5, "channel": "email"},
    {
        "step": "reminder_1",
        "after_due_days": 1,
        "channel": "email",
        "charges": ["late_interest", "recovery_charge"],
        "fee": {"EUR": "5.00"},
    },
]


def listed(
    *, keys: Mapping[str, object] | None = None, steps: Sequence[Row] = STEPS, **tables: Sequence[Row]
) -> pl.DataFrame:
    known, rules = history(**tables), policy(*steps, **{"statute": "FR", **(keys or {})})
    return list_charges(known, gather_facts(known, rules, AS_OF), rules, Law(STATUTES, RATES))


def invoice(number: str = "A", **row: object) -> Row:
    return {
        "invoice_number": number,
        "invoice_date": date(2026, 4, 1),
        "due_date": date(2026, 4, 30),
        "amount": 10_000,
        **row,
    }


def sent(number: str = "A", step: str = "reminder_1", on: date = date(2026, 5, 4), **row: object) -> Row:
    fee = "5.00" if step == "reminder_1" else None
    return {
        "invoice_number": number,
        "step": step,
        "dispatch_date": on,
        "channel": "email",
        "fee": fee,
        **row,
    }


def paid(number: str = "A", on: date = date(2026, 6, 30), amount: int = 10_000) -> Row:
    return {"invoice_number": number, "payment_date": on, "amount": amount}


def test_a_charge_runs_while_the_principal_is_open_and_explains_itself() -> None:
    (row,) = listed(invoices=[invoice()], actions=[sent()]).to_dicts()
    assert (row["status"], row["since"], row["claimed_since"]) == (
        "running",
        date(2026, 5, 1),
        date(2026, 5, 4),
    )
    assert [row[name] for name in ("late_interest", "recovery_charge", "fees", "waived", "total")] == [
        Decimal(text) for text in ("413.68", "40.00", "5.00", "0", "458.68")
    ]
    assert row["basis"] == "61 d at 12.15 % on 10000.00, 62 d at 12.4 % on 10000.00"
    assert [(period["days"], period["amount"], period["source"]) for period in row["periods"]] == [
        (61, Decimal("203.05"), "ecb_mro 2026-H1: 2.15 % + 10"),
        (62, Decimal("210.63"), "ecb_mro 2026-H2: 2.40 % + 10"),
    ]


@pytest.mark.parametrize(("survive", "status", "total"), [(True, "due", "248.05"), (False, "waived", "0")])
def test_once_the_principal_is_paid_a_charge_is_due_or_waived_since_that_day(
    survive: bool, status: str, total: str
) -> None:
    charges = {"charges": {"survive": survive}}
    (row,) = listed(keys=charges, invoices=[invoice()], actions=[sent()], payments=[paid()]).to_dicts()
    assert (row["status"], row["since"], row["total"]) == (status, date(2026, 6, 30), Decimal(total))
    assert (row["late_interest"], row["recovery_charge"]) == (Decimal("203.05"), Decimal("40.00"))


def test_what_a_person_waived_is_waived_since_that_day() -> None:
    said = {"kind": "charge_waived", "event_date": date(2026, 7, 1), "invoice_number": "A"}
    (row,) = listed(invoices=[invoice()], actions=[sent()], events=[said]).to_dicts()
    assert (row["status"], row["since"], row["waived"], row["total"]) == (
        "waived",
        date(2026, 7, 1),
        Decimal("458.68"),
        0,
    )
    (row,) = listed(invoices=[invoice()], actions=[sent()], events=[{**said, "amount": 40}]).to_dicts()
    assert (row["status"], row["waived"], row["total"]) == ("running", Decimal(40), Decimal("418.68"))


def test_only_what_was_claimed_of_a_late_item_is_listed() -> None:
    rows = listed(
        invoices=[
            invoice(),
            invoice("MILD"),
            invoice("EARLY"),
            invoice("RETURNED"),
            invoice("TODAY"),
            invoice("NOTHING"),
        ],
        actions=[
            sent("A"),
            sent("MILD", "courtesy"),
            sent("EARLY", on=date(2026, 4, 29)),
            sent("RETURNED", channel="registered_letter", outcome="returned"),
            sent("TODAY", on=AS_OF),
        ],
    )
    assert rows["invoice_number"].to_list() == ["A", "TODAY"]
    assert listed(invoices=[invoice()]).schema == CHARGES


def test_what_was_credited_in_full_was_never_owed() -> None:
    credit = invoice(
        "N",
        document_type="credit_note",
        amount=-10_000,
        credited_invoice_number="A",
        invoice_date=date(2026, 6, 1),
    )
    (row,) = listed(invoices=[invoice(), credit], actions=[sent()]).to_dicts()
    assert (row["late_interest"], row["recovery_charge"], row["status"]) == (0, 0, "waived")


def test_the_fixed_charge_of_an_invoice_is_listed_once() -> None:
    rows = listed(
        invoices=[invoice(installment="1"), invoice(installment="2", due_date=date(2026, 5, 31))],
        actions=[sent(installment="1"), sent(installment="2", on=date(2026, 6, 4))],
        payments=[{**paid(), "installment": "1"}],
    )
    assert rows.select("installment", "recovery_charge", "status").rows() == [
        ("1", Decimal(0), "waived"),
        ("2", Decimal(40), "running"),
    ]


def test_why_charges_are_left_out_is_noted() -> None:
    steps = [{**STEPS[1], "fee": {}}]
    (row,) = listed(
        keys={"statute": "US"}, steps=steps, invoices=[invoice(currency="USD")], actions=[sent(fee=0)]
    ).to_dicts()
    assert row["note"] == "charges left out: statute US gives nothing unless a contract states a rate"
    assert (row["periods"], row["total"]) == ([], 0)


def test_interest_by_demand_is_listed_from_the_day_of_the_demand() -> None:
    steps = [{**STEPS[1], "channel": "registered_letter", "fee": {}}]
    (row,) = listed(
        keys={"statute": "CA_QC"},
        steps=steps,
        invoices=[invoice(currency="CAD")],
        actions=[sent(channel="registered_letter", on=date(2026, 8, 1))],
    ).to_dicts()
    # 10000.00 x 5 x 30 / 36500
    assert row["late_interest"] == Decimal("41.10")


def test_the_amounts_of_periods_are_printed_in_the_digits_of_their_currency() -> None:
    frame = listed(
        invoices=[invoice(), invoice("B", due_date=date(2026, 8, 30), currency="USD")],
        actions=[sent(), sent("B", on=AS_OF)],
    )
    first, second = with_plain_periods(frame)["periods"].to_list()
    assert [(period["base"], period["amount"], period["annual_percent"]) for period in first] == [
        ("10000.00", "203.05", "12.15"),
        ("10000.00", "210.63", "12.4"),
    ]
    assert second == []
    assert with_plain_periods(CHARGES.to_frame()).is_empty()


WAIVED: Row = {"kind": "charge_waived", "event_date": date(2026, 7, 1)}


def test_an_amount_waived_of_an_invoice_passes_from_what_is_paid_to_what_bears_its_charges_now() -> None:
    rows = listed(
        invoices=[invoice(installment="1"), invoice(installment="2", due_date=date(2026, 5, 31))],
        actions=[sent(installment="1"), sent(installment="2", on=date(2026, 6, 4))],
        payments=[{**paid(), "installment": "1"}],
        events=[{**WAIVED, "invoice_number": "A", "amount": 50}],
    )
    assert rows["waived"].to_list() == [0, 50]


def test_the_fixed_charge_stands_with_an_open_installment_that_was_never_demanded() -> None:
    rows = listed(
        invoices=[invoice(installment="1"), invoice(installment="2", due_date=date(2026, 5, 31))],
        actions=[sent(installment="2", on=date(2026, 6, 4))],
    )
    assert rows.select("installment", "recovery_charge").rows() == [("2", Decimal(0))]


def test_a_payment_plan_changes_nothing_of_what_has_run() -> None:
    plan = {
        "kind": "payment_plan",
        "event_date": date(2026, 8, 1),
        "invoice_number": "A",
        "until": date(2026, 10, 1),
        "amount": 10_000,
        "reference": "PLAN",
    }
    (row,) = listed(invoices=[invoice()], actions=[sent()], events=[plan]).to_dicts()
    assert (row["late_interest"], row["since"]) == (Decimal("413.68"), date(2026, 5, 1))


def test_what_was_credited_in_full_bears_no_fee_either() -> None:
    credit = invoice(
        "N",
        document_type="credit_note",
        amount=-10_000,
        credited_invoice_number="A",
        invoice_date=date(2026, 6, 1),
    )
    (row,) = listed(
        keys={"charges": {"survive": True}}, invoices=[invoice(), credit], actions=[sent()]
    ).to_dicts()
    assert (row["fees"], row["total"]) == (0, 0)


@pytest.mark.parametrize(("on", "fixed"), [(date(2026, 5, 4), Decimal(40)), (date(2026, 6, 30), Decimal(0))])
def test_an_insolvency_stops_interest_and_bars_the_fixed_charge_not_yet_claimed(
    on: date, fixed: Decimal
) -> None:
    opened = {"kind": "insolvency", "event_date": date(2026, 6, 30)}
    (row,) = listed(invoices=[invoice()], actions=[sent(on=on)], events=[opened]).to_dicts()
    assert (row["late_interest"], row["recovery_charge"]) == (Decimal("203.05"), fixed)
    assert (row["status"], row["since"]) == ("due", date(2026, 6, 30))


@pytest.mark.parametrize(("survive", "status"), [(True, "due"), (False, "waived")])
def test_a_write_off_stops_interest_even_if_cash_comes_later(survive: bool, status: str) -> None:
    given_up = {"kind": "write_off", "event_date": date(2026, 6, 30), "invoice_number": "A"}
    (row,) = listed(
        keys={"charges": {"survive": survive}},
        invoices=[invoice()],
        actions=[sent()],
        events=[given_up],
        payments=[paid(on=date(2026, 7, 31), amount=4_000)],
    ).to_dicts()
    assert (row["late_interest"], row["status"], row["since"]) == (
        Decimal("203.05"),
        status,
        date(2026, 6, 30),
    )


def test_what_was_paid_on_its_due_date_bears_nothing_whenever_that_became_known() -> None:
    rows = listed(
        keys={"charges": {"survive": True}},
        invoices=[invoice()],
        actions=[sent()],
        payments=[paid(on=date(2026, 4, 30))],
    )
    assert rows.is_empty()
