"""The rate series: what a file may say, what is missing, and how the shipped series hold together."""

from datetime import date
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise

import pytest

from policies.errors import PolicyInvalidError
from policies.interest import by_law
from policies.rates import MissingRateError, load_rates
from policies.statutes import LateInterest
from tests.unit.law import RATES, SHIPPED, STATUTES

HALF_YEARS = [date(year, month, 1) for year in range(2019, 2027) for month in (1, 7)]

SERIES = """
description: A series for the tests.
rate: sample
checked: 2026-11-22
sources: {gazette: "The gazette"}
values:
"""


def percent(rate: str, day: date) -> Decimal:
    return RATES[rate].rate_on(day).annual_percent


def interest_of(statute: str) -> LateInterest:
    interest = STATUTES[statute].late_interest
    assert interest is not None
    return interest


@pytest.mark.parametrize("rate", sorted(RATES))
def test_a_shipped_series_bears_the_name_of_its_file_and_knows_every_half_year_since_2019(rate: str) -> None:
    assert RATES[rate].rate == rate
    assert [value.from_date for value in RATES[rate].values] == HALF_YEARS


@pytest.mark.parametrize("rate", sorted(RATES))
def test_every_value_of_a_shipped_series_stands_in_quotes_with_two_digits(rate: str) -> None:
    text = (SHIPPED / "rates" / f"{rate}.yaml").read_text("utf-8")
    assert all(f'annual_percent: "{value.annual_percent:.2f}"' in text for value in RATES[rate].values)


def test_values_with_weak_evidence_say_so() -> None:
    weak = {
        (table.rate, str(value.from_date))
        for table in RATES.values()
        for value in table.values
        if value.weak_spot
    }
    newest = {(rate, "2026-07-01") for rate in ("ecb_mro", "fr_legal", "de_base", "boe")}
    belgian = "2019-01 2019-07 2021-07 2022-01 2022-07 2023-07 2025-07 2026-07"
    unseen = {("be", f"{month}-01") for month in belgian.split()}
    assert weak == newest | unseen | {("fr_legal", "2024-01-01")}


def test_the_belgian_rate_is_the_european_one_plus_eight_points_rounded_up_to_the_next_half() -> None:
    for day in HALF_YEARS:
        halves = (2 * (percent("ecb_mro", day) + 8)).to_integral_value(ROUND_CEILING)
        assert percent("be", day) == halves / 2, day


def test_the_rate_of_french_law_is_two_points_above_that_of_the_union_in_every_half_year() -> None:
    for day in HALF_YEARS:
        rates = [by_law(interest_of(name), day, RATES) for name in ("FR", "EU", "NL", "IE")]
        french, *others = [running.terms_on(day).annual_percent for running in rates]
        assert [french - other for other in others] == [Decimal("2.00")] * 3, day


def test_the_german_base_rate_moves_as_the_european_rate_does() -> None:
    for before, after in pairwise(HALF_YEARS):
        european = percent("ecb_mro", after) - percent("ecb_mro", before)
        assert percent("de_base", after) - percent("de_base", before) == european, after


@pytest.mark.parametrize(
    ("day", "default_percent", "floor_percent"),
    [
        (date(2023, 1, 1), "12.50", "6.18"),
        (date(2024, 6, 30), "14.50", "15.21"),
        (date(2024, 12, 31), "14.25", "14.76"),
        (date(2025, 7, 1), "12.15", "8.28"),
        (date(2026, 8, 31), "12.40", "8.25"),
    ],
)
def test_the_french_default_rate_and_the_floor_of_contract_rates_are_those_published(
    day: date, default_percent: str, floor_percent: str
) -> None:
    assert percent("ecb_mro", day) + 10 == Decimal(default_percent)
    assert 3 * percent("fr_legal", day) == Decimal(floor_percent)


def test_a_half_year_without_a_value_is_named_and_never_extrapolated() -> None:
    with pytest.raises(MissingRateError) as caught:
        RATES["ecb_mro"].rate_on(date(2027, 1, 1))
    assert str(caught.value) == (
        "rates/ecb_mro.yaml: no value for 2027-H1 (the newest is 2026-H2). "
        "Add the published value with its source, from 2027-01-01."
    )
    assert (caught.value.rate, caught.value.half_year) == ("ecb_mro", "2027-H1")
    with pytest.raises(MissingRateError, match="no value for 2018-H2"):
        RATES["ecb_mro"].rate_on(date(2018, 12, 31))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ('  - {from: 2026-04-01, annual_percent: "1.00", source: gazette}', "begins on 1 January or 1 July"),
        (
            """
  - {from: 2025-01-01, annual_percent: "1.00", source: gazette}
  - {from: 2026-01-01, annual_percent: "1.00", source: gazette}
            """,
            "2026-01-01: the value from 2025-07-01 should stand here",
        ),
        (
            '  - {from: 2026-01-01, annual_percent: "1.00", source: hearsay}',
            r"'hearsay' is not one of \['gazette'\]",
        ),
        ('  - {from: 2026-01-01, annual_percent: "1.00"}', "source"),
        ('  - {from: 2026-01-01, annual_percent: "many", source: gazette}', "annual_percent"),
        ("  []", "values"),
    ],
)
def test_a_series_with_gaps_or_without_sources_is_refused(values: str, told: str) -> None:
    with pytest.raises(PolicyInvalidError, match=told):
        load_rates(SERIES + values, "sample.yaml")
