"""Text of customers made harmless for the place it goes to: a line, a file name, a cell of a spreadsheet."""

import re
import unicodedata

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PHONE_OR_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?|\+[0-9][0-9 .()]*")


def one_line(text: str) -> str:
    r"""Return the text without control characters or direction overrides, on one line.

    >>> one_line("Acme\r\nBcc: x@example.com\x00")
    'Acme Bcc: x@example.com'
    """
    if text.isprintable():
        # Nothing to take out, as in nearly every text: looking at each character is a hundred times slower.
        return re.sub(r" {2,}", " ", text).strip(" ")
    spaced = "".join(
        " " if character in "\t\r\n\v\f\x85\u2028\u2029" else character
        for character in text
        if character in "\t\r\n\v\f\x85"
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return re.sub(r" {2,}", " ", spaced).strip(" ")


def file_name(text: str, suffix: str = "") -> str:
    """Return a name that is safe on every system and never leaves its folder.

    >>> file_name("../FA/2026 001", ".pdf")
    'FA_2026_001.pdf'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return (re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._") or "document")[:100] + suffix


def plain_cell(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula; numbers and phone numbers stay.

    >>> plain_cell("=cmd()"), plain_cell("+33 1 23 45 67 89"), plain_cell("-5.00")
    ("'=cmd()", '+33 1 23 45 67 89', '-5.00')
    """
    is_formula = text.lstrip(" \u00a0").startswith(_FORMULA_STARTS) and not _PHONE_OR_NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text
