"""Says in plain words what is wrong with one value of a YAML file, and what may stand there.

For people who never heard of types: no word of pydantic or of YAML's grammar reaches them.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping

from pydantic_core import ErrorDetails

Saying = tuple[str, str]
"""What is wrong, what is allowed."""

TRUE_FALSE_OR = "true, false, or "
"""Begins what may stand for a word that some programs take for true or false, as long as its kind is unknown."""

_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": (
        "is no name",
        "small letters without accents, digits and _, beginning with a letter, such as reminder_1",
    ),
    r"^[A-Z]{3}$": ("is no currency", "three capital letters, such as EUR"),
    r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$": (
        "is no country",
        "two capital letters, such as FR, or with a region, CA-QC",
    ),
}
_AMOUNT = 'digits with a point, such as 15.00 or "15.00"'
_WHOLE = "digits without quotes, such as 7"
_SIMPLE: dict[str, Saying] = {
    "int_type": ("is no whole number", _WHOLE),
    "int_parsing": ("is no whole number", _WHOLE),
    "int_from_float": ("is no whole number", _WHOLE),
    "bool_type": ("is neither true nor false", "true, false"),
    "bool_parsing": ("is neither true nor false", "true, false"),
    "date_type": ("is no date", "a date without quotes, such as 2027-06-30"),
    "date_parsing": ("is no date", "a date without quotes, such as 2027-06-30"),
    "date_from_datetime_parsing": ("is no date", "a date without quotes, such as 2027-06-30"),
    "decimal_type": ("is no number", _AMOUNT),
    "decimal_parsing": ("is no number", _AMOUNT),
    "string_type": ("is no text", "text; in quotes where it looks like a number or a date"),
    "dict_type": ("is one value, where keys are needed", "{key: value}, such as {EUR: 15.00}"),
    "model_type": ("is one value, where keys are needed", "key: value"),
    "tuple_type": ("is one value, where a list is needed", "[a, b], or one line for each beginning with -"),
    "list_type": ("is one value, where a list is needed", "[a, b], or one line for each beginning with -"),
}
_BOUNDED: dict[str, tuple[str, Callable[[Mapping[str, object]], str]]] = {
    "greater_than_equal": ("is too small", lambda bounds: f"{bounds['ge']} or more"),
    "greater_than": ("is too small", lambda bounds: f"more than {bounds['gt']}"),
    "less_than_equal": ("is too large", lambda bounds: f"{bounds['le']} or less"),
    "less_than": ("is too large", lambda bounds: f"less than {bounds['lt']}"),
    "decimal_max_places": (
        "has too many decimals",
        lambda bounds: f"{bounds['decimal_places']} decimals at most",
    ),
    "decimal_max_digits": ("is too large", lambda bounds: f"{bounds['max_digits']} digits"),
    "decimal_whole_digits": (
        "is too large",
        lambda bounds: f"{bounds['whole_digits']} digits before the point",
    ),
}
_SYNTAX: tuple[tuple[str, str], ...] = (
    (r"found '<stream end>'", "a bracket is opened and not closed"),
    (r"found character '\\t'", "a tab stands at the beginning of the line; use spaces"),
    (r"found character '(.)' that cannot start any token", "text that begins with {} needs quotes"),
    (
        r"mapping values are not allowed here",
        "a second ': ' in one line, or a line further in than the one above it; put text with ': ' in quotes",
    ),
    (
        r"while parsing a flow (sequence|mapping)",
        "a comma, or the closing bracket, is missing here or before",
    ),
    (
        r"could not find expected ':'",
        "this line, or the one before it, is no `key: value`; is the colon or the space after it missing?",
    ),
    (r"while scanning a quoted scalar", "a quote is opened and not closed"),
    (
        r"while parsing a block (mapping|collection)",
        "this line begins in another column than those it belongs to",
    ),
)


def say_value(details: ErrorDetails) -> Saying:
    """Return what is wrong with a value that pydantic refuses."""
    kind, context = details["type"], details.get("ctx", {})
    value = details["input"]
    if kind == "value_error":
        return str(context["error"]), ""
    what, allowed = _say_kind(kind, context, value)
    if value is None or kind in ("string_too_short", "too_short"):
        return "nothing stands here", allowed
    if what:
        return f"{shorten(_show(value))} {what}", allowed
    return f"{shorten(_show(value))}: {details['msg'][:1].lower()}{details['msg'][1:]}", ""


def _say_kind(kind: str, context: Mapping[str, object], value: object) -> Saying:
    """Return the end of the sentence that begins with the value, and what is allowed; two blanks if unknown."""
    if kind in ("enum", "literal_error"):
        choices = re.findall(r"'([^']*)'", str(context["expected"]))
        return f"is not known here{did_you_mean(str(value), choices)}", ", ".join(choices)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), ("", ""))
    if kind in _BOUNDED:
        what, say_bound = _BOUNDED[kind]
        return what, say_bound(context)
    return _SIMPLE.get(kind, ("", ""))


def say_syntax(context: str, problem: str) -> str:
    """Return what is wrong with the grammar of a file, from the words of the YAML reader."""
    said = " ".join(f"{context} {problem}".split())
    for pattern, sentence in _SYNTAX:
        if found := re.search(pattern, said):
            return sentence.format(*found.groups())
    return said


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` when a known word is near, else nothing."""
    near = find_near(word, known)
    return f"; did you mean '{near}'?" if near else ""


def find_near(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one, if any is."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def shorten(text: str) -> str:
    """Return a text cut to what fits in a message."""
    return text if len(text) <= 80 else f"{text[:77]}..."


def _show(value: object) -> str:
    """Return a value as it is written in YAML."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_show(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_show, value))}]"
    return str(value)
