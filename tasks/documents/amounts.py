"""Amounts, dates and rates as a reader of the language expects them; never used to calculate."""

from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_percent

from policies.money import currency_digits, round_money

# English of Europe: the day before the month, so that no date can be read two ways.
_LOCALES = {"en": "en_GB", "fr": "fr_FR", "de": "de_DE", "pt": "pt_PT"}


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Return the locale of a language tag (`fr`, `fr-CA`); an unknown one prints as English does."""
    tag = _LOCALES.get(language.lower(), language.replace("-", "_"))
    try:
        return Locale.parse(tag)
    except (UnknownLocaleError, ValueError):
        base = language.lower().replace("_", "-").partition("-")[0]
        return Locale.parse(_LOCALES["en"]) if base == language.lower() else locale_of(base)


def print_money(amount: Decimal, currency: str, language: str) -> str:
    """Return the amount with its currency, in the currency's own digits.

    >>> print_money(Decimal("1234.5"), "EUR", "en")
    '€1,234.50'
    """
    return format_currency(
        round_money(amount, currency),
        currency,
        format=_money_pattern(language, currency_digits(currency)),
        locale=locale_of(language),
        currency_digits=False,
    )


@lru_cache(maxsize=128)
def _money_pattern(language: str, digits: int) -> str:
    pattern: str = locale_of(language).currency_formats["standard"].pattern
    return pattern.replace("0.00", f"0.{'0' * digits}" if digits else "0")


def print_day(day: date, language: str) -> str:
    """Return a date in words.

    >>> print_day(date(2026, 3, 12), "en"), print_day(date(2026, 3, 1), "fr")
    ('12 March 2026', '1er mars 2026')
    """
    text = format_date(day, format="long", locale=locale_of(language))
    return text.replace("1 ", "1er ", 1) if day.day == 1 and locale_of(language).language == "fr" else text


def print_short_day(day: date, language: str) -> str:
    """Return a date for a column of a table.

    >>> print_short_day(date(2026, 3, 12), "fr"), print_short_day(date(2026, 3, 12), "en")
    ('12/03/2026', '12 Mar 2026')
    """
    locale = locale_of(language)
    if locale.language == "en":
        return format_date(day, format="d MMM yyyy", locale=locale)
    return format_date(day, format="dd/MM/yyyy" if locale.language == "fr" else "medium", locale=locale)


def print_rate(rate: Decimal, language: str) -> str:
    """Return a fraction as a percentage.

    >>> print_rate(Decimal("0.1215"), "en")
    '12.15%'
    """
    return format_percent(rate, format=_percent_pattern(language), locale=locale_of(language))


def _percent_pattern(language: str) -> str:
    pattern: str = locale_of(language).percent_formats[None].pattern
    return pattern.replace("0", "0.00##", 1) if "0." not in pattern else pattern


def country_name(country: str, language: str) -> str:
    """Return the name of a country in a language; a code nobody knows stays as it is.

    >>> country_name("DE", "fr")
    'Allemagne'
    """
    return str(locale_of(language).territories.get(country.strip().upper(), country.strip()))
