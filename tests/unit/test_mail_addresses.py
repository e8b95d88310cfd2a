"""One rule says which addresses mail can go to; the set-based form and the mail itself agree on every text."""

from email.headerregistry import Address

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.mail_addresses import has_mail_address, mail_address
from tests.oracle.channels import is_mail_address

LETTERS = "aZ09.-_@ ,;<>'()é\u00df\u3002\u0130\u0627\u05d0\u200d\u00ad\u1e9e\n\r\t\0\u00a0\U0001f600"
TEXTS = st.text(st.sampled_from(LETTERS), max_size=80)
ADDRESSES = st.builds("{}@{}.{}".format, TEXTS, TEXTS, TEXTS)


def is_usable(text: str | None) -> bool:
    frame = pl.DataFrame({"email": [text, "known@x.example"]}, schema={"email": pl.String})
    first, known = frame.lazy().select(has_mail_address("email")).collect().to_series().to_list()
    assert known is True
    return bool(first)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@x.example", "a@x.example"),
        ("  a.b+c@x-y.example ", "a.b+c@x-y.example"),
        ("a@société.example", "a@xn--socit-esab.example"),
        ("a@Straße.example", "a@strasse.example"),
        ("o'neil@x.example", "o'neil@x.example"),
    ],
)
def test_an_address_is_taken_as_a_server_wants_it(text: str, address: str) -> None:
    assert is_usable(text)
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "not an email", "none", "a@x", "a..b@x.example", ".a@x.example", "a.@x.example", "@x.example",
        "a@.example", "a@x..example", "a@x.example.", "a@-x.example", "a@x_y.example", "a b@x.example",
        "a@x.example\n", "a@x.example\nBcc: b@y.example", "a@x.example\r\nBcc: b@y.example", "a@x.example\t",
        "a@x.example, b@y.example", "a@x.example;b@y.example", "a@b@x.example", "<a@x.example>", "é@x.example",
        '"a b"@x.example', "a@[127.0.0.1]", "x" * 10_000 + "@x.example", "a@" + "x" * 64 + ".example",
        "a@" + "é" * 62 + ".example", "a@é\u200e\u05d0b.example", "a@\u00ad.example", "a@\u2100.example",
    ],
)  # fmt: skip
def test_what_no_mail_can_go_to_is_not_usable(text: str) -> None:
    assert not is_usable(text)
    assert mail_address(text) == ""


def test_no_address_is_not_usable() -> None:
    assert not is_usable(None)


@given(
    TEXTS
    | ADDRESSES
    | st.text()
    | st.from_regex(r"[a-z.]{1,4}@[a-zé\u00df.-]{1,9}\.[a-z]{2}", fullmatch=True)
)
def test_the_rule_is_the_same_for_many_rows_for_the_mail_and_in_plain_words(text: str) -> None:
    address = mail_address(text)
    assert is_usable(text) is bool(address) is is_mail_address(text)
    if address:
        assert Address("A", addr_spec=address).addr_spec == address
