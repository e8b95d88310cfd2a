"""Money: how many digits a currency has, and the one place where amounts are rounded and printed plainly.

Rounding is half up, away from zero (1.005 EUR is 1.01, -1.005 EUR is -1.01), the same for one amount and
for a column. Amounts as a reader of a letter sees them (1 234,50 EUR) are wording: see `templates/`.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import polars as pl

from policies.model import TOTAL

USUAL_DIGITS: Final = 2

# ISO 4217: the currencies in use by their minor unit (funds of four digits are not money of invoices).
_WITHOUT_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_TWO_DIGITS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU "
    "UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_WITH_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"

CURRENCY_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(_WITHOUT_DIGITS.split(), 0),
    **dict.fromkeys(_WITH_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_WITH_THREE_DIGITS.split(), 3),
}
"""Digits after the decimal mark of every currency in use."""

_UNITS: Final = {digits: Decimal(1).scaleb(-digits) for digits in (0, 2, 3)}
_UNUSUAL: Final = {0: _WITHOUT_DIGITS.split(), 3: _WITH_THREE_DIGITS.split()}


def is_currency(currency: str) -> bool:
    """Return whether the text is the ISO 4217 code of a currency in use.

    >>> is_currency("EUR"), is_currency("eur"), is_currency("EURO")
    (True, False, False)
    """
    return currency in CURRENCY_DIGITS


def currency_digits(currency: str) -> int:
    """Return how many digits amounts of the currency have; a code not in use has two.

    >>> currency_digits("EUR"), currency_digits("JPY"), currency_digits("TND")
    (2, 0, 3)
    """
    return CURRENCY_DIGITS.get(currency, USUAL_DIGITS)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Return the amount rounded half away from zero to the digits of its currency.

    >>> round_money(Decimal("1.005"), "EUR"), round_money(Decimal("-2.5"), "JPY")
    (Decimal('1.01'), Decimal('-3'))
    """
    unit = _UNITS[currency_digits(currency)]
    return amount.quantize(unit, rounding=ROUND_HALF_UP) + 0  # + 0: never a negative zero


def format_plain(amount: Decimal, currency: str) -> str:
    """Return the amount as files and tables print it: a dot, all digits of the currency, no grouping.

    >>> format_plain(Decimal("1234.5"), "EUR")
    '1234.50'
    """
    return f"{round_money(amount, currency):f}"


def round_amounts(amounts: pl.Expr, currencies: pl.Expr) -> pl.Expr:
    """Return a column of amounts as `round_money` rounds one, as Decimal(38, 3)."""
    return (
        pl.when(currencies.is_in(_UNUSUAL[0]))
        .then(_rounded(amounts, 0).cast(TOTAL))
        .when(currencies.is_in(_UNUSUAL[3]))
        .then(_rounded(amounts, 3).cast(TOTAL))
        .otherwise(_rounded(amounts, USUAL_DIGITS).cast(TOTAL))
    )


def plain_amounts(amounts: pl.Expr | str, currencies: pl.Expr | str = "currency") -> pl.Expr:
    """Return a column of amounts as `format_plain` prints one; null stays null.

    Args:
        amounts: decimals, by expression or column name.
        currencies: the currency of each row, by expression or column name.
    """
    amount = pl.col(amounts) if isinstance(amounts, str) else amounts
    currency = pl.col(currencies) if isinstance(currencies, str) else currencies
    return (
        pl.when(currency.is_in(_UNUSUAL[0]))
        .then(_printed(amount, 0))
        .when(currency.is_in(_UNUSUAL[3]))
        .then(_printed(amount, 3))
        .otherwise(_printed(amount, USUAL_DIGITS))
    )


def with_plain_amounts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its money columns as text, printed with the digits of their currency."""
    amounts = [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Decimal) and dtype.scale == TOTAL.scale
    ]
    return frame.with_columns(plain_amounts(pl.col(name), pl.col("currency")).alias(name) for name in amounts)


def _rounded(amounts: pl.Expr, digits: int) -> pl.Expr:
    return amounts.round(digits, mode="half_away_from_zero")


def _printed(amounts: pl.Expr, digits: int) -> pl.Expr:
    return _rounded(amounts, digits).cast(pl.Decimal(38, digits)).cast(pl.String)
