"""What is wrong with the words of a command, in a sentence: the word, what may stand there, and an example."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from math import inf
from typing import get_args

from cyclopts import Argument, CoercionError, CycloptsError, MissingArgumentError, UnusedCliTokensError
from cyclopts import ValidationError as RefusedValueError

_FORMS: Mapping[type, tuple[str, str]] = {
    datetime: ("no instant", "Write it like 2026-12-31T18:00."),
    date: ("no day of the calendar", "Write it like 2026-12-31: year, month, day."),
    Decimal: (
        "no amount",
        "Write it like 1250.00: a dot before the decimals, no thousands mark, no currency.",
    ),
    int: ("no whole number", "Write it like 20."),
    float: ("no number", "Write it like 2.5."),
    bool: ("a word too many", "The option stands alone."),
}

_FIRST_YEAR, _LAST_YEAR = 1950, 2150
"""The years that files may name too."""
_ODD_YEAR = ("of a year that cannot be meant", f"Correct it: {_FIRST_YEAR} to {_LAST_YEAR} is accepted.")
_ODD: Mapping[type, tuple[str, str]] = {
    **_FORMS,
    datetime: _ODD_YEAR,
    date: _ODD_YEAR,
    int: ("no count", "Write one from 0 on, like 20."),
    float: ("no length of time", "Write one from 0 on, like 2.5."),
}
"""Of values that have the right form, and are refused for what they say."""


def refuse_odd_values(_: object, value: object) -> None:
    """Refuse a day of a year that nobody means, and a count below 0: the validator of every option."""
    if isinstance(value, date) and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"a year before {_FIRST_YEAR} or after {_LAST_YEAR}")
    if isinstance(value, (int, float)) and not 0 <= value < inf:
        raise ValueError("less than nothing, or without end")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("no number")


def tell_wrong_words(error: CycloptsError) -> str:
    """Return what is wrong with a command line, what is allowed, and where to read more."""
    command = " ".join(["relance", *(error.command_chain or ())])
    return f"{_what(error)} `{command} --help` shows what it takes."


def _what(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument:
        return _missing(error.argument, error.keyword)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"more words than the command takes: {' '.join(error.unused_tokens)}."
    if isinstance(error, (CoercionError, RefusedValueError)) and error.argument:
        token = getattr(error, "token", None) or next(iter(error.argument.tokens), None)
        forms = _ODD if isinstance(error, RefusedValueError) else _FORMS
        form = _form(error.argument, forms)
        if token and form:
            is_what, how = form
            return f"{token.keyword or error.argument.name}: '{token.value}' is {is_what}. {how}"
    return str(error)


def _missing(argument: Argument, keyword: str | None) -> str:
    if keyword is None:
        return f"{argument.name} is missing."
    form = _form(argument, _FORMS)
    return f"the value of {keyword} is missing.{f' {form[1]}' if form else ''}"


def _form(argument: Argument, forms: Mapping[type, tuple[str, str]]) -> tuple[str, str] | None:
    """Return what is said of a value that the argument's type refuses, and how one is written."""
    kinds = get_args(argument.hint) or (argument.hint,)
    return next((form for kind, form in forms.items() if kind in kinds), None)
