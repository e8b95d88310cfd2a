"""What a mail server's answer means: come back later, a bad address, a bad message, or a mistake of ours.

Reply codes are those of RFC 5321, enhanced status codes those of RFC 3463 and its register. The first rule of the
table that fits counts. A customer's address is blamed only where a rule says so.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """To what the server answered."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"


class AnswerMeaning(StrEnum):
    """What follows from an answer that is no consent."""

    # 4yz: the same message may be taken later.
    LATER = "later"
    # For good, and because of the recipient's address: it counts as bounced.
    BAD_ADDRESS = "bad_address"
    # For good, and because of what was sent, its size or the recipient's rules: the address is as good as before.
    BAD_MESSAGE = "bad_message"
    # We are not let in, may not send as who we say, or speak wrongly: the message waits until that is mended.
    OUR_MISTAKE = "our_mistake"


@dataclass(frozen=True)
class AnswerRule:
    """Fits an answer by its enhanced status (`5.1.1`), else by its reply code (`550`), in some phases."""

    pattern: str
    meaning: AnswerMeaning
    phases: frozenset[Phase] = frozenset(Phase)


_SENDER = frozenset({Phase.SENDER})
_RECIPIENT = frozenset({Phase.RECIPIENT})

RULES_BY_STATUS = (
    AnswerRule(r"5\.1\.[78]", AnswerMeaning.OUR_MISTAKE),  # the sender's mailbox or domain
    AnswerRule(r"5\.1\.\d+", AnswerMeaning.BAD_ADDRESS, frozenset({Phase.RECIPIENT, Phase.DATA})),
    AnswerRule(r"5\.2\.1", AnswerMeaning.BAD_ADDRESS, frozenset({Phase.RECIPIENT, Phase.DATA})),  # disabled
    AnswerRule(r"5\.7\.(0|8|9|1[1-4])", AnswerMeaning.OUR_MISTAKE),  # signing in, encryption
    AnswerRule(r"5\.5\.\d+", AnswerMeaning.OUR_MISTAKE),  # the protocol
    AnswerRule(r"5\.\d+\.\d+", AnswerMeaning.OUR_MISTAKE, _SENDER),
    AnswerRule(r"5\.\d+\.\d+", AnswerMeaning.BAD_MESSAGE),
)
RULES_BY_CODE = (
    AnswerRule(r"53[0458]", AnswerMeaning.OUR_MISTAKE),  # signing in, encryption
    AnswerRule(r"5\d\d", AnswerMeaning.OUR_MISTAKE, _SENDER),
    AnswerRule(r"501|55[013]|556", AnswerMeaning.BAD_ADDRESS, _RECIPIENT),
    AnswerRule(r"55[02-4]|521", AnswerMeaning.BAD_MESSAGE),
    AnswerRule(r"5\d\d", AnswerMeaning.OUR_MISTAKE),
)

_STATUS = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")
_FIRST_PERMANENT = 500


def read_answer(phase: Phase, code: int, text: str) -> AnswerMeaning:
    """Return what follows from an answer other than consent.

    >>> read_answer(Phase.RECIPIENT, 550, "5.1.1 no such mailbox")
    <AnswerMeaning.BAD_ADDRESS: 'bad_address'>
    >>> read_answer(Phase.RECIPIENT, 550, "5.7.1 relaying denied")
    <AnswerMeaning.BAD_MESSAGE: 'bad_message'>

    Args:
        phase: to what the server answered.
        code: three digits, 400 or more; what is no answer at all asks to come back later.
        text: what follows the code, an enhanced status first where the server gives one.
    """
    if code < _FIRST_PERMANENT:
        return AnswerMeaning.LATER
    status = _STATUS.match(text)
    rules, found = (RULES_BY_STATUS, status[1]) if status else (RULES_BY_CODE, str(code))
    fitting = (rule for rule in rules if phase in rule.phases and re.fullmatch(rule.pattern, found))
    return next((rule.meaning for rule in fitting), AnswerMeaning.OUR_MISTAKE)
