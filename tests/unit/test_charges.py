"""Late interest and the fixed recovery charge, on the published examples and at the edges."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.charges import Omission, charge_item
from policies.interest import LateItem
from policies.messages import ItemCharges
from policies.statutes import AcrossHalfYears, statute_for
from tests.unit.law import RATES, STATUTES

FR = STATUTES["FR"]
ZERO = Decimal(0)


def euros(amount: str, due_date: date, as_of: date) -> LateItem:
    return LateItem(amount=Decimal(amount), currency="EUR", due_date=due_date, as_of=as_of)


TEN_THOUSAND = euros("10000.00", due_date=date(2026, 4, 30), as_of=date(2026, 8, 31))


def test_french_interest_is_split_at_the_half_year_and_the_parts_add_up() -> None:
    charges = charge_item(TEN_THOUSAND, FR, RATES).charges
    assert [
        (str(p.from_date), str(p.to_date), p.days, str(p.annual_rate), str(p.amount), p.source)
        for p in charges.periods
    ] == [
        ("2026-05-01", "2026-06-30", 61, "0.1215", "203.05", "ecb_mro 2026-H1: 2.15 % + 10"),
        ("2026-07-01", "2026-08-31", 62, "0.1240", "210.63", "ecb_mro 2026-H2: 2.40 % + 10"),
    ]
    assert charges.late_interest == Decimal("413.68")
    assert charges.recovery_charge == Decimal("40.00")
    assert TEN_THOUSAND.amount + charges.late_interest + charges.recovery_charge == Decimal("10453.68")
    assert charges.daily_interest == Decimal("3.40")
    assert charges.legal_basis == "articles L441-10 II et D441-5 du code de commerce"


def test_a_contract_rate_of_fifteen_percent_over_thirty_days_makes_184_93() -> None:
    item = euros("15000.00", due_date=date(2026, 6, 15), as_of=date(2026, 7, 15))
    charges = charge_item(item, FR, RATES, contract_percent=Decimal(15)).charges
    assert [(p.days, p.amount, p.source) for p in charges.periods] == [
        (30, Decimal("184.93"), "contract: 15 %")
    ]


def test_british_interest_keeps_the_rate_of_the_day_it_began() -> None:
    item = LateItem(Decimal("10000.00"), "GBP", due_date=date(2025, 12, 1), as_of=date(2026, 1, 30))
    charges = charge_item(item, STATUTES["UK"], RATES).charges
    assert [(p.days, p.source) for p in charges.periods] == [(60, "boe 2025-H2: 4.25 % + 8")]
    later = LateItem(Decimal("10000.00"), "GBP", due_date=date(2026, 3, 1), as_of=date(2026, 4, 30))
    charges = charge_item(later, STATUTES["UK"], RATES).charges
    assert (charges.late_interest, charges.recovery_charge) == (Decimal("193.15"), Decimal("100.00"))


def test_german_interest_moves_with_the_half_years() -> None:
    item = euros("1190.00", due_date=date(2026, 6, 15), as_of=date(2026, 7, 15))
    charges = charge_item(item, STATUTES["DE"], RATES).charges
    assert [(p.days, str(p.annual_rate)) for p in charges.periods] == [(15, "0.1027"), (15, "0.1052")]
    # Rounded one by one the parts would be 5.02 and 5.14; together they are 10.167.
    assert [p.amount for p in charges.periods] == [Decimal("5.02"), Decimal("5.15")]
    assert charges.late_interest == Decimal("10.17")


def test_a_public_buyer_pays_the_rate_of_the_half_year_in_which_it_was_late() -> None:
    item = LateItem(
        Decimal("1000.00"), "EUR", date(2026, 6, 29), date(2027, 3, 1), customer_type="public", payments=()
    )
    charges = charge_item(item, statute_for("FR", "public", STATUTES), RATES).charges
    assert [(p.days, p.source) for p in charges.periods] == [(245, "ecb_mro 2026-H1: 2.15 % + 8")]


def test_the_due_day_bears_no_interest_and_the_next_day_does() -> None:
    due = date(2026, 9, 30)
    assert charge_item(euros("1000.00", due, due), FR, RATES).charges == ItemCharges()
    first = charge_item(euros("1000.00", due, due + timedelta(days=1)), FR, RATES).charges
    assert [(p.from_date, p.to_date, p.days) for p in first.periods] == [
        (date(2026, 10, 1), date(2026, 10, 1), 1)
    ]
    assert first.recovery_charge == Decimal("40.00")


def test_a_partial_payment_lowers_the_base_from_the_day_after_it() -> None:
    item = LateItem(
        amount=Decimal("600.00"),
        currency="EUR",
        due_date=date(2026, 8, 31),
        as_of=date(2026, 9, 30),
        payments=[(date(2026, 9, 10), Decimal("300.00")), (date(2026, 9, 10), Decimal("100.00"))],
    )
    charges = charge_item(item, FR, RATES).charges
    assert [(p.to_date.day, p.days, p.base) for p in charges.periods] == [
        (10, 10, Decimal("1000.00")),
        (30, 20, Decimal("600.00")),
    ]
    assert charges.late_interest == Decimal("7.47")
    assert charges.daily_interest == Decimal("0.20")


def test_payments_before_the_item_was_late_or_after_as_of_change_nothing() -> None:
    payments = [(TEN_THOUSAND.due_date, Decimal(500)), (date(2026, 9, 1), Decimal(70))]
    item = LateItem(TEN_THOUSAND.amount, "EUR", TEN_THOUSAND.due_date, TEN_THOUSAND.as_of, payments=payments)
    assert charge_item(item, FR, RATES) == charge_item(TEN_THOUSAND, FR, RATES)


def test_a_payment_on_the_last_day_still_bore_interest_that_day() -> None:
    item = LateItem(
        Decimal(0), "EUR", date(2026, 8, 1), date(2026, 8, 31), payments=[(date(2026, 8, 31), Decimal(1000))]
    )
    charges = charge_item(item, FR, RATES).charges
    assert [(p.days, p.base) for p in charges.periods] == [(30, Decimal(1000))]
    assert charges.daily_interest == 0


def test_the_fixed_charge_of_an_invoice_is_claimed_on_one_of_its_installments() -> None:
    second = LateItem(
        Decimal(100), "EUR", TEN_THOUSAND.due_date, TEN_THOUSAND.as_of, recovery_charge_already=True
    )
    charges = charge_item(second, FR, RATES).charges
    assert charges.recovery_charge == 0
    assert charges.late_interest > 0


def test_only_what_the_step_claims_is_claimed() -> None:
    assert charge_item(TEN_THOUSAND, FR, RATES, claim=()).charges == ItemCharges()
    fixed = charge_item(TEN_THOUSAND, FR, RATES, claim=["recovery_charge"]).charges
    assert (fixed.late_interest, fixed.periods, fixed.daily_interest, fixed.recovery_charge) == (
        ZERO,
        (),
        ZERO,
        Decimal(40),
    )
    interest = charge_item(TEN_THOUSAND, FR, RATES, claim=["late_interest"]).charges
    assert (interest.late_interest, interest.recovery_charge) == (Decimal("413.68"), ZERO)


def test_a_half_year_without_a_rate_leaves_the_charges_out_and_says_so() -> None:
    outcome = charge_item(euros("100.00", date(2026, 12, 1), date(2027, 1, 15)), FR, RATES)
    assert outcome.charges == ItemCharges()
    assert outcome.omission is Omission.MISSING_RATE
    assert outcome.note == "charges left out: ecb_mro has no value for 2027-H1"


@pytest.mark.parametrize(
    ("currency", "customer_type", "what"),
    [
        ("USD", "business", "USD owed by a business customer"),
        ("EUR", "consumer", "EUR owed by a consumer customer"),
    ],
)
def test_charges_are_left_out_where_the_statute_does_not_reach(
    currency: str, customer_type: str, what: str
) -> None:
    item = LateItem(Decimal(100), currency, TEN_THOUSAND.due_date, TEN_THOUSAND.as_of, customer_type)
    outcome = charge_item(item, FR, RATES)
    assert (outcome.charges, outcome.omission) == (ItemCharges(), Omission.NOT_COVERED)
    assert outcome.note == f"charges left out: statute FR does not cover {what}"


def test_charges_are_left_out_of_debts_from_before_the_law() -> None:
    outcome = charge_item(euros("100.00", date(2008, 1, 31), date(2008, 3, 31)), FR, RATES)
    assert outcome.note == "charges left out: statute FR does not cover what was due on 2008-01-31"


def test_a_policy_without_a_statute_claims_no_charges_unless_a_contract_gives_a_rate() -> None:
    outcome = charge_item(TEN_THOUSAND, None, RATES)
    assert (outcome.charges, outcome.omission) == (ItemCharges(), Omission.NO_STATUTE)
    assert outcome.note == "charges left out: the policy names no statute"
    given_rate = charge_item(TEN_THOUSAND, None, RATES, contract_percent=Decimal(10)).charges
    assert (given_rate.late_interest, given_rate.recovery_charge) == (Decimal("336.99"), ZERO)
    assert (given_rate.statute, given_rate.legal_basis) == ("", "")


def test_a_contract_rate_reaches_a_currency_the_statute_does_not_cover() -> None:
    item = LateItem(Decimal("10000.00"), "USD", TEN_THOUSAND.due_date, TEN_THOUSAND.as_of)
    charges = charge_item(item, FR, RATES, contract_percent=Decimal(5)).charges
    assert [p.source for p in charges.periods] == ["contract: 5 %"]
    assert (charges.recovery_charge, charges.statute) == (ZERO, "")


def test_a_contract_rate_below_three_times_the_legal_rate_is_raised_to_it() -> None:
    item = euros("1000.00", due_date=date(2024, 12, 1), as_of=date(2025, 1, 31))
    charges = charge_item(item, FR, RATES, contract_percent=Decimal(12)).charges
    assert [(str(p.annual_rate), p.source) for p in charges.periods] == [
        ("0.1476", "contract, raised to 3 x fr_legal 2024-H2: 14.76 %"),
        ("0.12", "contract: 12 %"),
    ]


def test_the_floor_of_contract_rates_never_raises_the_rate_of_the_law() -> None:
    item = euros("1000.00", due_date=date(2024, 1, 31), as_of=date(2024, 2, 29))
    assert [str(p.annual_rate) for p in charge_item(item, FR, RATES).charges.periods] == ["0.1450"]


def test_debts_older_than_the_fixed_charge_do_not_bear_it() -> None:
    assert FR.recovery_charge is not None
    old = FR.model_copy(
        update={"recovery_charge": FR.recovery_charge.model_copy(update={"from_date": date(2026, 5, 2)})}
    )
    assert charge_item(TEN_THOUSAND, old, RATES).charges.recovery_charge == 0


DAYS = st.dates(min_value=date(2019, 1, 1), max_value=date(2026, 12, 31))
CENTS = st.integers(min_value=1, max_value=10**9)


@given(
    due=DAYS,
    late_days=st.integers(min_value=1, max_value=900),
    open_cents=CENTS,
    paid=st.lists(st.tuples(st.integers(min_value=-30, max_value=1000), CENTS), max_size=4),
)
def test_interest_periods_cover_every_late_day_once_and_the_base_never_rises(
    due: date, late_days: int, open_cents: int, paid: list[tuple[int, int]]
) -> None:
    as_of = min(due + timedelta(days=late_days), date(2026, 12, 31))
    payments = [(due + timedelta(days=after), Decimal(cents).scaleb(-2)) for after, cents in paid]
    item = LateItem(Decimal(open_cents).scaleb(-2), "EUR", due, as_of, payments=payments)
    periods = charge_item(item, FR, RATES).charges.periods
    days = [p.from_date + timedelta(days=n) for p in periods for n in range(p.days)]
    assert days == [due + timedelta(days=n) for n in range(1, (as_of - due).days + 1)]
    bases = [p.base for p in periods]
    assert bases == sorted(bases, reverse=True)
    assert not bases or bases[-1] >= item.amount


def test_a_law_with_a_fixed_sum_alone_claims_no_interest() -> None:
    fixed_only = FR.model_copy(update={"late_interest": None})
    charges = charge_item(TEN_THOUSAND, fixed_only, RATES).charges
    assert (charges.late_interest, charges.daily_interest, charges.recovery_charge) == (
        ZERO,
        ZERO,
        Decimal(40),
    )


def test_a_floor_may_stay_as_it_was_when_the_item_became_late() -> None:
    interest = FR.late_interest
    assert interest is not None
    assert interest.contract_floor is not None
    floor = interest.contract_floor.model_copy(update={"across_half_years": AcrossHalfYears.FROZEN})
    frozen = FR.model_copy(update={"late_interest": interest.model_copy(update={"contract_floor": floor})})
    item = euros("1000.00", due_date=date(2024, 12, 1), as_of=date(2025, 1, 31))
    charges = charge_item(item, frozen, RATES, contract_percent=Decimal(12)).charges
    # 3 x 4.92 of the second half of 2024 for all 61 days: 1000.00 x 14.76 x 61 / 36500.
    assert [(period.days, period.amount) for period in charges.periods] == [(61, Decimal("24.67"))]


def test_of_payments_with_a_rate_each_only_those_while_late_count() -> None:
    payments = [(TEN_THOUSAND.due_date, Decimal(500)), (date(2026, 9, 1), Decimal(70))]
    item = LateItem(TEN_THOUSAND.amount, "EUR", TEN_THOUSAND.due_date, TEN_THOUSAND.as_of, payments=payments)
    assert charge_item(item, STATUTES["IE"], RATES) == charge_item(TEN_THOUSAND, STATUTES["IE"], RATES)


@pytest.mark.parametrize(
    ("waived", "left"),
    [
        ("0", ("12", "40", "5")),
        ("3", ("12", "40", "2")),
        ("10", ("12", "35", "0")),
        ("50", ("7", "0", "0")),
    ],
)
def test_what_is_waived_is_taken_off_fees_then_the_fixed_charge_then_interest(
    waived: str, left: tuple[str, str, str]
) -> None:
    charges = ItemCharges(
        late_interest=Decimal(12), recovery_charge=Decimal(40), fees=Decimal(5), waived=Decimal(waived)
    )
    net = charges.net()
    assert (net.late_interest, net.recovery_charge, net.fees) == tuple(map(Decimal, left))
    assert (net.total, net.waived) == (charges.total, ZERO)


@pytest.mark.parametrize("as_of", [date(2026, 4, 30), date(2026, 5, 1)])
def test_one_more_day_costs_interest_on_what_is_left_and_on_what_has_joined_it(as_of: date) -> None:
    item = LateItem(
        Decimal("100.00"),
        "EUR",
        due_date=date(2024, 4, 30),
        as_of=as_of,
        payments=[(as_of, Decimal("9900.00"))],
    )
    charges = charge_item(item, STATUTES["NL"], RATES).charges
    # 9,900.00 came that very day; two years' interest of 2,347.81 has joined the 100.00 left: at 10.15 %.
    assert charges.daily_interest == Decimal("0.68")


def test_on_the_eve_of_an_anniversary_one_more_day_costs_interest_on_the_year() -> None:
    eve = LateItem(Decimal("10000.00"), "EUR", due_date=date(2025, 4, 30), as_of=date(2026, 4, 30))
    charges = charge_item(eve, STATUTES["NL"], RATES).charges
    base = eve.amount + charges.late_interest
    assert charges.daily_interest == (base * Decimal("0.1015") / 365).quantize(Decimal("0.01"))
    day_before = charge_item(replace(eve, as_of=date(2026, 4, 29)), STATUTES["NL"], RATES).charges
    assert day_before.daily_interest == Decimal("2.78")
