"""The statutes: what the shipped ones say, which one applies, and what a file may not say."""

from datetime import date
from decimal import Decimal

import pytest

from policies.errors import PolicyInvalidError
from policies.statutes import AcrossHalfYears, RecoveryCharge, find_law_problems, load_statute, statute_for
from tests.unit.law import RATES, SHIPPED, STATUTES

LATE = date(2026, 5, 1)


@pytest.mark.parametrize("name", sorted(STATUTES))
def test_a_shipped_statute_bears_the_name_of_its_file_and_its_charge_is_in_a_currency_it_covers(
    name: str,
) -> None:
    statute = STATUTES[name]
    assert statute.statute == name
    assert set(statute.recovery_charge.tiers) <= set(statute.currencies)


def test_every_name_in_the_shipped_statutes_stands_for_something() -> None:
    assert find_law_problems(list(STATUTES.values()), RATES) == []


def test_french_law_adds_ten_points_that_move_with_the_half_years_and_forty_euros() -> None:
    interest = STATUTES["FR"].late_interest
    assert (interest.rate, interest.margin_points, interest.across_half_years, interest.day_count_days) == (
        "ecb_mro",
        Decimal(10),
        AcrossHalfYears.FLOATS,
        365,
    )
    assert STATUTES["FR"].recovery_charge.amount_for("EUR", Decimal("12000.00")) == Decimal("40.00")


def test_a_public_buyer_in_france_is_under_a_statute_of_its_own_with_a_frozen_rate() -> None:
    public = statute_for("FR", "public", STATUTES)
    assert (public.statute, public.late_interest.margin_points) == ("FR_public", Decimal(8))
    assert public.late_interest.across_half_years is AcrossHalfYears.FROZEN
    assert statute_for("FR", "business", STATUTES).statute == "FR"
    assert statute_for("FR", "consumer", STATUTES).statute == "FR"
    assert statute_for("UK", "public", STATUTES).statute == "UK"


@pytest.mark.parametrize(
    ("currency", "customer_type", "late_from", "is_covered"),
    [
        ("EUR", "business", LATE, True),
        ("USD", "business", LATE, False),
        ("EUR", "consumer", LATE, False),
        ("EUR", "business", date(2008, 12, 31), False),
    ],
)
def test_a_statute_covers_its_currencies_and_customers_from_the_day_it_is_in_force(
    currency: str, customer_type: str, late_from: date, is_covered: bool
) -> None:
    assert STATUTES["FR"].covers(currency, customer_type, late_from) is is_covered


@pytest.mark.parametrize(
    ("debt", "charge"),
    [("999.99", "40.00"), ("1000.00", "70.00"), ("9999.99", "70.00"), ("10000.00", "100.00")],
)
def test_the_british_fixed_sum_grows_with_the_debt(debt: str, charge: str) -> None:
    assert STATUTES["UK"].recovery_charge.amount_for("GBP", Decimal(debt)) == Decimal(charge)


def test_a_currency_without_a_fixed_sum_has_none() -> None:
    assert STATUTES["FR"].recovery_charge.amount_for("GBP", Decimal(100)) == 0


@pytest.mark.parametrize(
    ("tiers", "told"),
    [
        ([], "the last tier"),
        ([{"amount": "40", "debt_below_amount": "10"}], "the last tier"),
        ([{"amount": "40"}, {"amount": "70"}], "the last tier"),
        (
            [
                {"amount": "40", "debt_below_amount": "10"},
                {"amount": "70", "debt_below_amount": "10"},
                {"amount": "100"},
            ],
            "from the smallest debt",
        ),
    ],
)
def test_tiers_of_the_fixed_sum_are_refused_unless_they_rise_and_end_open(
    tiers: list[dict[str, str]], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        RecoveryCharge.model_validate({"from": "2013-01-01", "source": "x", "tiers": {"EUR": tiers}})


def test_names_that_stand_for_nothing_are_all_told_at_once() -> None:
    text = (SHIPPED / "statutes" / "FR.yaml").read_text("utf-8")
    wrong = (
        text.replace("ecb_mro", "libor").replace("fr_legal", "fr_ilegal").replace("FR_public", "FR_puplic")
    )
    allowed = "allowed: boe, de_base, ecb_mro, fr_legal"
    problems = find_law_problems([load_statute(wrong, "FR.yaml")], RATES)
    assert [problem.sentence() for problem in problems] == [
        f"statutes/FR.yaml: late_interest.rate: unknown rate series 'libor' ({allowed})",
        f"statutes/FR.yaml: late_interest.contract_floor.rate: unknown rate series 'fr_ilegal' ({allowed})",
        "statutes/FR.yaml: other_statutes.public: unknown statute 'FR_puplic' (allowed: FR)",
    ]


def test_a_statute_with_an_unknown_key_is_refused() -> None:
    text = (SHIPPED / "statutes" / "FR.yaml").read_text("utf-8")
    with pytest.raises(PolicyInvalidError, match=r"FR\.yaml"):
        load_statute(text + "grace_days: 3\n", "FR.yaml")


@pytest.mark.parametrize(
    ("name", "due", "last_day"),
    [
        ("FR", date(2024, 2, 29), date(2029, 2, 28)),
        ("UK", date(2026, 5, 1), date(2032, 5, 1)),
        ("DE", date(2026, 5, 1), date(2029, 12, 31)),
    ],
)
def test_a_claim_can_be_sued_for_until_the_limitation_period_ends(
    name: str, due: date, last_day: date
) -> None:
    limitation = STATUTES[name].limitation
    assert limitation is not None
    assert limitation.last_day(due) == last_day


def test_a_claim_in_a_french_insolvency_is_declared_within_two_months_of_its_publication() -> None:
    claim = STATUTES["FR"].insolvency_claim
    assert claim is not None
    assert claim.last_day(date(2026, 12, 31)) == date(2027, 2, 28)
