"""What a mail server's answer means, and whom it blames."""

import re

import pytest

from policies.mail_answers import (
    RULES_BY_CODE,
    RULES_BY_STATUS,
    AnswerMeaning,
    AnswerRule,
    Phase,
    read_answer,
)

LATER, ADDRESS = AnswerMeaning.LATER, AnswerMeaning.BAD_ADDRESS
MESSAGE, OURS = AnswerMeaning.BAD_MESSAGE, AnswerMeaning.OUR_MISTAKE
SENDER, RECIPIENT, DATA = Phase.SENDER, Phase.RECIPIENT, Phase.DATA

ANSWERS = [
    (RECIPIENT, "450 4.2.0 greylisted", LATER),
    (RECIPIENT, "451 try again", LATER),
    (DATA, "452 4.3.1 no space", LATER),
    (SENDER, "421 4.7.0 too many connections", LATER),
    (RECIPIENT, "550 5.1.1 no such mailbox", ADDRESS),
    (RECIPIENT, "550 5.1.2 no such domain", ADDRESS),
    (RECIPIENT, "556 5.1.10 null MX", ADDRESS),
    (RECIPIENT, "550 5.2.1 mailbox disabled", ADDRESS),
    (RECIPIENT, "550 no such user", ADDRESS),
    (RECIPIENT, "551 has moved", ADDRESS),
    (RECIPIENT, "553 no such name", ADDRESS),
    (DATA, "550 5.1.1 no such mailbox, found late", ADDRESS),
    (RECIPIENT, "552 5.2.2 mailbox full", MESSAGE),
    (RECIPIENT, "552 mailbox full", MESSAGE),
    (RECIPIENT, "554 not from you", MESSAGE),
    (RECIPIENT, "550 5.7.1 blocked by policy", MESSAGE),
    (RECIPIENT, "550 5.4.1 access denied", MESSAGE),
    (DATA, "550 rejected", MESSAGE),
    (DATA, "552 5.3.4 too large", MESSAGE),
    (DATA, "554 5.7.1 looks like spam", MESSAGE),
    (DATA, "554 5.6.0 cannot be read", MESSAGE),
    (RECIPIENT, "530 5.7.0 sign in first", OURS),
    (RECIPIENT, "530 sign in first", OURS),
    (RECIPIENT, "550 5.1.8 domain of the sender does not exist", OURS),
    (RECIPIENT, "550 5.7.8 wrong password", OURS),
    (RECIPIENT, "503 5.5.1 MAIL first", OURS),
    (RECIPIENT, "502 not here", OURS),
    (SENDER, "550 5.1.1 no such sender", OURS),
    (SENDER, "550 sender refused", OURS),
    (SENDER, "553 5.7.1 not allowed to send as", OURS),
    (DATA, "500 what?", OURS),
    (DATA, "999 nonsense", OURS),
]


@pytest.mark.parametrize(("phase", "answer", "meaning"), ANSWERS)
def test_an_answer_blames_whom_it_should(phase: Phase, answer: str, meaning: AnswerMeaning) -> None:
    code, _, text = answer.partition(" ")
    assert read_answer(phase, int(code), text) is meaning


def test_an_enhanced_status_of_another_class_than_its_code_does_not_count() -> None:
    assert read_answer(RECIPIENT, 550, "4.7.1 says both") is ADDRESS


@pytest.mark.parametrize("rule", [*RULES_BY_STATUS, *RULES_BY_CODE])
def test_every_rule_of_the_table_fits_one_of_these_answers(rule: AnswerRule) -> None:
    def fits(phase: Phase, answer: str, meaning: AnswerMeaning) -> bool:
        code, text = answer.split(" ", 1)
        shown = text.split()[0] if rule in RULES_BY_STATUS else code
        return phase in rule.phases and bool(re.fullmatch(rule.pattern, shown)) and meaning is rule.meaning

    assert any(fits(*answer) for answer in ANSWERS)
