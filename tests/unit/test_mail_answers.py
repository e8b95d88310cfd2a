"""What a mail server's answer means, and whom it blames."""

import re

import pytest

from policies.mail_answers import (
    OUR_FAULTS,
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
    (RECIPIENT, "550 5.7.54 refused", OURS),
    (DATA, "550 5.7.23 refused", OURS),
    (SENDER, "550 5.1.1 no such sender", OURS),
    (SENDER, "550 sender refused", OURS),
    (SENDER, "553 5.7.1 not allowed to send as", OURS),
    (DATA, "500 what?", OURS),
    (DATA, "999 nonsense", OURS),
]

FAULTS_OF_OURS = [
    "550 relay not permitted",  # Exim
    "554 5.7.1 <c@x.example>: Relay access denied",  # Postfix
    "550 5.7.1 Unable to relay",  # Exchange
    "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",  # qmail
    "550 5.7.1 <c@x.example>... Relaying denied. IP name lookup failed",  # Sendmail
    "551 we do not relay",
    "550 authentication required",
    "550 5.1.0 please authenticate before you send",
    "530 5.7.1 Client was not authenticated",
    "550 Your IP is blacklisted",
    "554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org",
    "550 5.7.1 192.0.2.1 is listed in our block list",
    "553 rejected, see https://www.spamcop.net/w3m?action=checkblock",
    "554 5.7.1 <mail.x.example[192.0.2.1]>: Client host rejected: Access denied",
    "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
    "553 5.7.1 <us@x.example>: Sender address rejected: not owned by user us",
    "550 5.1.0 sender rejected: AUP",
    "550 Sender verify failed",
    "550 you are not allowed to send as this user",
    "550 5.7.26 this mail has been blocked because the sender is unauthenticated",
    "550 SPF: 192.0.2.1 may not send for us.example",
    "554 message rejected by DMARC policy of us.example",
    "550 5.4.5 Daily user sending limit exceeded",
    "552 5.2.2 outgoing quota exceeded",
]
FAULTS_OF_THEIRS = [
    "550 5.1.1 <c@x.example>: Recipient address rejected: User unknown in relay recipient table",
    "550 5.1.1 User (c@x.example) not listed in Domino Directory",
    "550 <relay-denied@x.example> unknown",
    "550 no such domain spf.x.example",
    "550 no mailbox spf-conseil here",
    "550 recipient rejected",
]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("answer", FAULTS_OF_OURS)
def test_a_server_that_refuses_us_condemns_neither_address_nor_message(phase: Phase, answer: str) -> None:
    code, _, text = answer.partition(" ")
    assert read_answer(phase, int(code), text) is OURS


@pytest.mark.parametrize("answer", FAULTS_OF_THEIRS)
def test_an_unknown_mailbox_counts_as_one_whatever_its_name(answer: str) -> None:
    code, _, text = answer.partition(" ")
    assert read_answer(RECIPIENT, int(code), text) is ADDRESS


@pytest.mark.parametrize("words", OUR_FAULTS)
def test_all_words_of_the_table_stand_in_one_of_these_answers(words: str) -> None:
    assert any(re.search(words, answer, re.IGNORECASE) for answer in FAULTS_OF_OURS)


def test_words_behind_the_beginning_of_an_endless_answer_do_not_count() -> None:
    assert read_answer(RECIPIENT, 550, f"{'unknown ' * 200} relaying denied") is ADDRESS


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
