"""Rounding and plain printing of amounts, one by one and as columns."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.model import MONEY, TOTAL
from policies.money import (
    CURRENCY_DIGITS,
    currency_digits,
    format_plain,
    is_currency,
    plain_amounts,
    round_amounts,
    round_money,
)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded", "printed"),
    [
        ("1.005", "EUR", "1.01", "1.01"),
        ("-1.005", "EUR", "-1.01", "-1.01"),
        ("2.665", "USD", "2.67", "2.67"),
        ("1234.5", "EUR", "1234.50", "1234.50"),
        ("0.5", "JPY", "1", "1"),
        ("-0.4", "JPY", "0", "0"),
        ("-0.001", "EUR", "0.00", "0.00"),
        ("1234567.891", "TND", "1234567.891", "1234567.891"),
        ("10", "KWD", "10.000", "10.000"),
        ("1E+3", "JPY", "1000", "1000"),
    ],
)
def test_an_amount_is_rounded_away_from_zero_to_the_digits_of_its_currency(
    amount: str, currency: str, rounded: str, printed: str
) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded
    assert format_plain(Decimal(amount), currency) == printed


def test_a_code_that_is_not_in_use_is_no_currency_and_prints_with_two_digits() -> None:
    assert not is_currency("ZZZ")
    assert currency_digits("ZZZ") == 2
    assert is_currency("MGA")


def test_every_code_has_three_letters_and_stands_once_in_the_table() -> None:
    assert all(len(code) == 3 and code.isupper() for code in CURRENCY_DIGITS)
    assert set(CURRENCY_DIGITS.values()) == {0, 2, 3}
    assert sum(digits == 0 for digits in CURRENCY_DIGITS.values()) == 17
    assert sum(digits == 3 for digits in CURRENCY_DIGITS.values()) == 7


def test_a_null_amount_stays_null_and_column_names_may_be_given_as_text() -> None:
    frame = pl.DataFrame(
        {"due": [Decimal("12.5"), None], "currency": ["EUR", "JPY"]},
        schema={"due": MONEY, "currency": pl.String},
    )
    assert frame.select(plain_amounts("due")).to_series().to_list() == ["12.50", None]


MILLIS = st.integers(min_value=-(10**14), max_value=10**14)
CURRENCIES = st.sampled_from(["EUR", "JPY", "TND", "ZZZ"])


@given(rows=st.lists(st.tuples(MILLIS, CURRENCIES), min_size=1, max_size=30))
def test_a_column_is_rounded_and_printed_as_each_of_its_amounts(rows: list[tuple[int, str]]) -> None:
    amounts = [Decimal(millis).scaleb(-3) for millis, _ in rows]
    currencies = [currency for _, currency in rows]
    frame = pl.DataFrame(
        {"amount": amounts, "currency": currencies}, schema={"amount": MONEY, "currency": pl.String}
    )
    rounded = frame.select(
        amount=round_amounts(pl.col("amount"), pl.col("currency")),
        printed=plain_amounts(pl.col("amount"), pl.col("currency")),
    )
    assert rounded.schema["amount"] == TOTAL
    assert rounded["amount"].to_list() == [
        round_money(a, c) for a, c in zip(amounts, currencies, strict=True)
    ]
    assert rounded["printed"].to_list() == [
        format_plain(a, c) for a, c in zip(amounts, currencies, strict=True)
    ]


def test_a_total_is_rounded_too() -> None:
    frame = pl.DataFrame({"amount": [Decimal("1.005")], "currency": ["EUR"]}).select(
        round_amounts(pl.col("amount").cast(TOTAL), pl.col("currency"))
    )
    assert frame.item() == Decimal("1.010")
