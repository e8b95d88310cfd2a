"""Which e-mail addresses can be written to: one rule, for the holds of many rows and for the mail itself.

One address in one cell: a dot-atom of ASCII, one `@`, a domain with a dot whose labels a name server takes. Spaces
around it don't count; a line break, a comma or a second address make the cell unusable.
"""

import re

import polars as pl

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ALNUM = r"[A-Za-z0-9\u0080-\U0010ffff]"
_LABEL = rf"{_ALNUM}(?:[A-Za-z0-9\u0080-\U0010ffff-]{{0,61}}{_ALNUM})?"
USABLE_EMAIL = rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+"
"""A whole address; of a domain beyond ASCII it says only that it may have a form for name servers."""

_PATTERN = re.compile(USABLE_EMAIL)
_LONGEST = 254  # RFC 5321


def mail_address(text: str) -> str:
    """Return the address as a mail server takes it, nothing where the text is none.

    >>> mail_address(" ap@société.example "), mail_address("a@x.example, b@y.example")
    ('ap@xn--socit-esab.example', '')
    """
    stripped = text.strip(" ")
    if len(stripped) > _LONGEST or not _PATTERN.fullmatch(stripped):
        return ""
    local, _, domain = stripped.partition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""
    # The form for name servers can gain characters that no name has, or lose a label.
    return address if len(address) <= _LONGEST and _PATTERN.fullmatch(address) else ""


def is_same_address(one: str, other: str) -> bool:
    """Return whether two texts are the same address that mail can go to, whatever their case.

    >>> is_same_address(" AP@x.example", "ap@X.example "), is_same_address("", "")
    (True, False)
    """
    address = mail_address(one).lower()
    return bool(address) and address == mail_address(other).lower()


def has_mail_address(name: str) -> pl.Expr:
    """Return whether the text of a column is an address that `mail_address` takes; null is none."""
    text = pl.col(name).fill_null("").str.strip_chars(" ")
    return text.map_batches(_are_usable, return_dtype=pl.Boolean)


def _are_usable(texts: pl.Series) -> pl.Series:
    is_usable = texts.str.contains(f"^(?:{USABLE_EMAIL})$") & (texts.str.len_chars() <= _LONGEST)
    beyond_ascii = texts.filter(is_usable & (texts.str.len_chars() != texts.str.len_bytes())).unique()
    refused = [text for text in beyond_ascii if not mail_address(text)]
    return is_usable & ~texts.is_in(refused) if refused else is_usable
