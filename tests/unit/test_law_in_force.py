"""The law a policy names, with the rates of one date looked up."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from policies.law_in_force import LawInForce, law_in_force
from policies.phrasebook import load_phrasebook
from policies.rates import load_rates
from policies.statutes import load_statute

RULES = Path(__file__).parents[2] / "policies"
STATUTES = {
    one.statute: one
    for one in (load_statute(path.read_text("utf-8"), path.name) for path in (RULES / "statutes").glob("*.yaml"))
}  # fmt: skip
RATES = {
    one.rate: one
    for one in (load_rates(path.read_text("utf-8"), path.name) for path in (RULES / "rates").glob("*.yaml"))
}


def in_force(name: str | None, as_of: date = date(2024, 3, 1)) -> list[LawInForce]:
    return law_in_force(name, STATUTES, RATES, as_of)


def test_the_law_of_france_has_the_rate_of_the_bank_plus_ten_and_one_of_its_own_for_public_buyers() -> None:
    private, public = in_force("FR")
    assert (private.statute.statute, public.statute.statute) == ("FR", "FR_public")
    assert (private.customer_types, public.customer_types) == (("business",), ("public",))
    assert (private.half_year, private.series_percent, private.annual_percent) == (
        "2024-H1", Decimal("4.50"), Decimal("14.50"),
    )  # fmt: skip
    assert private.floor_percent == Decimal("5.07") * 3


def test_a_half_year_without_a_value_has_no_rate() -> None:
    law = in_force("FR", date(2099, 1, 1))[0]
    assert (law.series_percent, law.annual_percent, law.floor_percent) == (None, None, None)


@pytest.mark.parametrize(("name", "percent"), [("CA", Decimal(5)), ("US", None)])
def test_a_fixed_rate_needs_no_series_and_some_laws_have_none(name: str, percent: Decimal | None) -> None:
    (law,) = in_force(name)
    assert (law.series_percent, law.annual_percent) == (None, percent)


@pytest.mark.parametrize("name", [None, "ATLANTIS"])
def test_without_a_known_law_there_is_none(name: str | None) -> None:
    assert in_force(name) == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_rate_series_has_a_name_in_words(language: str) -> None:
    path = RULES.parent / "templates" / "policy" / language / "words.yaml"
    assert set(load_phrasebook(path.read_text("utf-8"), path.name).rates) == set(RATES)
