"""The statutes: what the shipped ones say, which one applies, and what a file may not say."""

from datetime import date
from decimal import Decimal

import pytest

from policies.errors import PolicyInvalidError
from policies.statutes import (
    AcrossHalfYears,
    RecoveryCharge,
    find_ceiling_problems,
    find_law_problems,
    load_statute,
    series_of,
    statute_for,
)
from tests.unit.law import RATES, SHIPPED, STATUTES

LATE = date(2026, 5, 1)


@pytest.mark.parametrize("name", sorted(STATUTES))
def test_a_shipped_statute_bears_the_name_of_its_file_and_its_charge_is_in_a_currency_it_covers(
    name: str,
) -> None:
    statute = STATUTES[name]
    assert statute.statute == name
    tiers = statute.recovery_charge.tiers if statute.recovery_charge else {}
    assert set(tiers) <= set(statute.currencies)


def test_every_name_in_the_shipped_statutes_stands_for_something() -> None:
    assert find_law_problems(list(STATUTES.values()), RATES) == []


def test_french_law_adds_ten_points_that_move_with_the_half_years_and_forty_euros() -> None:
    interest, fixed = STATUTES["FR"].late_interest, STATUTES["FR"].recovery_charge
    assert interest is not None
    assert (interest.rate, interest.margin_points, interest.across_half_years, interest.day_count_days) == (
        "ecb_mro",
        Decimal(10),
        AcrossHalfYears.FLOATS,
        365,
    )
    assert fixed is not None
    assert fixed.amount_for("EUR", Decimal("12000.00")) == Decimal("40.00")
    assert fixed.amount_for("GBP", Decimal(100)) == 0


def test_a_public_buyer_in_france_is_under_a_statute_of_its_own_with_a_frozen_rate() -> None:
    public = statute_for("FR", "public", STATUTES)
    assert public.late_interest is not None
    assert (public.statute, public.late_interest.margin_points) == ("FR_public", Decimal(8))
    assert public.late_interest.across_half_years is AcrossHalfYears.FROZEN
    assert statute_for("FR", "business", STATUTES).statute == "FR"
    assert statute_for("FR", "consumer", STATUTES).statute == "FR"
    assert statute_for("UK", "public", STATUTES).statute == "UK"
    assert statute_for("DE", "consumer", STATUTES).statute == "DE_consumer"


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
    fixed = STATUTES["UK"].recovery_charge
    assert fixed is not None
    assert fixed.amount_for("GBP", Decimal(debt)) == Decimal(charge)


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
    allowed = "allowed: be, boe, de_base, ecb_mro, fr_legal"
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


WAYS = "late_interest:\n  from: 2020-01-01\n  day_count_days: 365\n  source: x\n"
HEAD = (
    "description: A law for the tests.\nstatute: T\nchecked: 2026-11-22\nlegal_basis: x\n"
    "currencies: [EUR]\ncustomer_types: [business]\n"
)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "either a rate series"),
        ('  rate: ecb_mro\n  fixed_percent: "5"\n', "either a rate series"),
        ("  rate: ecb_mro\n  compounds: yearly\n  across_half_years: per_payment\n", "cannot compound"),
    ],
)
def test_a_way_to_bear_interest_that_makes_no_sense_is_refused(more: str, told: str) -> None:
    with pytest.raises(PolicyInvalidError, match=told):
        load_statute(HEAD + WAYS + more, "T.yaml")


def test_a_law_without_interest_of_its_own_names_no_series_and_is_in_force_on_any_day() -> None:
    us = STATUTES["US"]
    assert series_of(us) == []
    assert us.covers("USD", "business", date(1990, 1, 1))


@pytest.mark.parametrize(
    ("statute", "percent", "as_of", "is_wrong"),
    [
        ("CA_QC", "35", date(2026, 1, 1), False),
        ("CA_QC", "35.01", date(2026, 1, 1), True),
        ("CA_QC", "36", date(2024, 12, 31), False),
        ("CA_QC", None, date(2026, 1, 1), False),
        ("FR", "60", date(2026, 1, 1), False),
    ],
)
def test_a_contract_rate_above_the_ceiling_of_the_law_is_told(
    statute: str, percent: str | None, as_of: date, is_wrong: bool
) -> None:
    rate = Decimal(percent) if percent else None
    found = find_ceiling_problems(STATUTES[statute], rate, as_of, "policy.yaml")
    told = (
        "policy.yaml: charges.rate: 35.01 % a year is above the ceiling of statute CA_QC "
        "(Criminal Code, section 347) (allowed: up to 35 %, stated as a fraction)"
    )
    assert [problem.sentence() for problem in found] == ([told] if is_wrong else [])
