"""No mail stops the reading of mail: whatever it holds, it costs a moment and says what can be said of it."""

import base64
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.return_matching import find_message
from policies.return_phrases import load_phrases
from policies.returned_mail import Evidence
from tasks.returns.facts import read_facts
from tests.conventions.source_tree import ROOT, text_of

PHRASES = load_phrases(text_of("policies/returns/phrases.yaml"), "phrases.yaml")
FOLDER = ROOT / "tests" / "data" / "returned_mail"
SAMPLE = (FOLDER / "dsn_postfix_user_unknown.eml").read_bytes()
NUMBER = "01a1b2c3d4e5f60718293a4b5c6d7e8f"
MOST_SECONDS = 10
"""Of processor time; a sound mail takes a hundredth of a second, a library without limits minutes or for ever."""


def nested(kind: bytes, depth: int) -> bytes:
    return b"".join(b"Content-Type: %s; boundary=b%d\n\n--b%d\n" % (kind, n, n) for n in range(depth))


def part(text: str) -> bytes:
    return f"--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{text}\n".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no header": lambda: b"\n\n\n",
    "noise": lambda: bytes(range(256)) * 4_000,
    "a thousand multiparts": lambda: nested(b"multipart/mixed", 1_000),
    "fifty multiparts": lambda: nested(b"multipart/mixed", 50) + b"x\n" * 100_000,
    "messages in messages": lambda: b"Content-Type: message/rfc822\n\n" * 30_000,
    "a line of a megabyte": lambda: b"Subject: " + b"x" * 1_000_000,
    "a header of semicolons": lambda: b"Content-Type: multipart/mixed" + b";" * 900_000 + b"\n\n",
    "a folded header of semicolons": lambda: b"Content-Type: text/plain\n" + b" ;a=b;\n" * 120_000 + b"\n",
    "many headers": lambda: b"X-A: 1\n" * 140_000,
    "many recipients": lambda: b"To: " + b"a+" + b"b" * 60 + b"@x.example,\n " * 60_000,
    "many parts": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "many reports": lambda: SAMPLE.replace(
        b"Action: failed", b"Action: failed\n\n" + b"Action: failed\n\n" * 50_000
    ),
    "a codec that is none": lambda: b"Content-Type: text/plain; charset=zlib_codec\n\n\xff\xfe",
    "a slow codec": lambda: b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" + b"z9" * 400_000,
    "a slow codec in a header": lambda: b"Subject: =?idna?q?" + b"a" * 1_000 + b"?=\n\n",
    "a large text in base64": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + part(base64.b64encode(b"no mailbox here " * 40_000).decode())
    ),
    "words without end": lambda: (
        b"From: MAILER-DAEMON\n\nYour message could not be delivered to\n" + (b"x" * 999 + b"\n") * 1_000
    ),
    "html without end": lambda: b"Content-Type: text/html\n\n" + b"<div " * 200_000,
    "bad base64 of a report": lambda: SAMPLE.replace(
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_costs_a_moment(name: str) -> None:
    content = HOSTILE[name]()
    begun = time.process_time()
    facts = read_facts(content, PHRASES)
    assert time.process_time() - begun < MOST_SECONDS
    assert len(facts.text) <= 20_000


@given(cut=st.integers(0, len(SAMPLE)), at=st.integers(0, len(SAMPLE)), noise=st.binary(max_size=40))
def test_a_damaged_mail_is_read_as_far_as_it_goes(cut: int, at: int, noise: bytes) -> None:
    facts = read_facts((SAMPLE[:at] + noise + SAMPLE[at:])[:cut], PHRASES)
    evidence, number = find_message(facts, {NUMBER})
    assert (evidence is Evidence.NONE) == (number == "")


def test_a_large_mail_is_read_up_to_its_first_megabyte() -> None:
    facts = read_facts(SAMPLE + b"x" * 30_000_000, PHRASES)
    assert find_message(facts, {NUMBER}) == (Evidence.ENVELOPE_ADDRESS, NUMBER)
