"""Mail is tied to a message by its number alone, the strongest place first."""

import pytest

from policies.return_matching import find_message
from policies.returned_mail import Evidence, ReturnedMail

ONE, OTHER = "1" * 32, "2" * 32
DOMAIN = "creditor.example"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (ReturnedMail(headers={"to": (f"accounts+{ONE}@{DOMAIN}",)}), Evidence.ENVELOPE_ADDRESS),
        (
            ReturnedMail(headers={"delivered-to": ("x@y.example", f"A <a+{ONE}@{DOMAIN}>")}),
            Evidence.ENVELOPE_ADDRESS,
        ),
        (ReturnedMail(envelope_id=ONE), Evidence.ENVELOPE_ID),
        (ReturnedMail(envelope_id=f"<{ONE}@{DOMAIN}>"), Evidence.ENVELOPE_ID),
        (ReturnedMail(returned_ids=(f"<{ONE}@{DOMAIN}>",)), Evidence.RETURNED_MESSAGE),
        (ReturnedMail(returned_senders=(f"<a+{ONE}@{DOMAIN}>",)), Evidence.RETURNED_MESSAGE),
        (ReturnedMail(headers={"in-reply-to": (f"<{ONE}@{DOMAIN}>",)}), Evidence.IN_REPLY_TO),
        (
            ReturnedMail(headers={"references": (f"<{OTHER}@{DOMAIN}> <{ONE}@{DOMAIN}>",)}),
            Evidence.REFERENCES,
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_number_of_ours_ties_a_mail_to_its_message(mail: ReturnedMail, expected: Evidence) -> None:
    assert find_message(mail, {ONE, OTHER}) == (expected, ONE)


def test_the_envelope_stands_before_what_the_mail_quotes() -> None:
    mail = ReturnedMail(
        headers={"to": (f"a+{ONE}@{DOMAIN}",), "in-reply-to": (f"<{OTHER}@{DOMAIN}>",)},
        returned_ids=(f"<{OTHER}@{DOMAIN}>",),
    )
    assert find_message(mail, {ONE, OTHER}) == (Evidence.ENVELOPE_ADDRESS, ONE)


def test_numbers_that_are_not_ours_and_addresses_tie_nothing() -> None:
    mail = ReturnedMail(
        headers={"to": ("accounts@creditor.example",), "x-failed-recipients": ("ana@client.example",)},
        envelope_id=OTHER,
    )
    assert find_message(mail, {ONE}) == (Evidence.NONE, "")
