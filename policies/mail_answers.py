"""What a mail server's answer means: come back later, a bad address, a bad message, or a mistake of ours.

Reply codes are those of RFC 5321, enhanced status codes those of RFC 3463, its register, and what Exchange Online adds.
Words that name a fault of ours count before any number: servers refuse whoever may not relay, has not signed in or is
on a blocklist under the very numbers of an unknown mailbox. Else the first rule that fits counts.
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
    """Fits an answer for good by its enhanced status (`5.1.1`), else by its reply code (`550`), in some phases."""

    pattern: str
    meaning: AnswerMeaning
    phases: frozenset[Phase] = frozenset(Phase)


_SENDER = frozenset({Phase.SENDER})
_RECIPIENT = frozenset({Phase.RECIPIENT})

_REFUSED = r"(?:denied|refused|rejected|blocked|prohibited|forbidden|disallowed|disabled|banned)"
_NOT_ALLOWED = r"(?:not|n't) (?:been )?(?:permitted|allowed|authori[sz]ed)"

OUR_FAULTS = (
    # May not hand mail on. A "relay recipient table" is where Postfix looks mailboxes up.
    rf"relay(?:ing)?(?! recipient)\b.{{0,20}}\b(?:{_REFUSED}|{_NOT_ALLOWED})",
    rf"(?:{_NOT_ALLOWED}|unable|cannot|can't|don't|do(?:es)? not|no) (?:to )?relay(?:ing)?",
    r"(?:allowed )?rcpthosts",
    # Has not signed in.
    r"auth(?:entication|orization)? (?:is )?(?:required|needed|failed|unsuccessful)|unauthenticated",
    r"(?:must|need to|please|should) (?:first )?(?:authenticate|log ?in|sign in|issue a starttls)",
    r"(?:not|requires?|without) (?:been )?(?:authenticated|authentication|logged in)",
    # Has a bad name among servers.
    r"(?:black|block|deny)[- ]?list(?:ed|s|ing)?|\S*(?:spamhaus|spamcop|barracudacentral|dnsbl)\S*|rbl",
    r"blocked using|is (?:currently )?listed (?:in|at|by|on)|(?:poor|bad|low) reputation|reverse (?:dns|lookup)",
    rf"(?:your|client|sending|connecting) (?:ip|host|server)\b.{{0,60}}\b(?:{_REFUSED}|{_NOT_ALLOWED})",
    # May not send as who we say, or so much.
    rf"sender(?: address| domain)?(?: is| was)? (?:{_REFUSED}|{_NOT_ALLOWED}|unknown)|not owned by user",
    rf"{_NOT_ALLOWED} to send (?:as|from)|sender (?:verify|verification|callout) failed",
    r"spf|dkim|dmarc",
    r"(?:sending|daily|hourly|outgoing|message rate) (?:\S+ ){0,2}(?:quota|limit)s? (?:\S+ )?(?:exceeded|reached)",
)
"""What servers write, in whatever phase, when they refuse us and not the recipient or the message; case does not count.

Each must stand alone, and no address counts: `spf-conseil.example` is a domain, and `relay@client.example` a mailbox.
"""

RULES_BY_STATUS = (
    AnswerRule(r"5\.1\.[78]", AnswerMeaning.OUR_MISTAKE),  # the sender's mailbox or domain
    AnswerRule(r"5\.1\.\d+", AnswerMeaning.BAD_ADDRESS, frozenset({Phase.RECIPIENT, Phase.DATA})),
    AnswerRule(r"5\.2\.1", AnswerMeaning.BAD_ADDRESS, frozenset({Phase.RECIPIENT, Phase.DATA})),  # disabled
    AnswerRule(r"5\.7\.([089]|1[1-4])", AnswerMeaning.OUR_MISTAKE),  # signing in, encryption
    AnswerRule(r"5\.7\.2\d", AnswerMeaning.OUR_MISTAKE),  # DKIM, SPF, reverse DNS, DMARC (RFC 7372)
    # Exchange Online: relaying, signing in, sending as another; senders and addresses of servers it has banned.
    AnswerRule(r"5\.7\.(5[47]|6[04]|5[01]\d|6[0-4]\d|70[58]|750)", AnswerMeaning.OUR_MISTAKE),
    AnswerRule(r"5\.5\.\d+", AnswerMeaning.OUR_MISTAKE),  # the protocol
    AnswerRule(r"5\.\d+\.\d+", AnswerMeaning.OUR_MISTAKE, _SENDER),
    AnswerRule(r"5\.\d+\.\d+", AnswerMeaning.BAD_MESSAGE),
)
RULES_BY_CODE = (
    AnswerRule(r"5\d\d", AnswerMeaning.OUR_MISTAKE, _SENDER),
    AnswerRule(r"501|55[013]|556", AnswerMeaning.BAD_ADDRESS, _RECIPIENT),
    AnswerRule(r"55[02-4]|521", AnswerMeaning.BAD_MESSAGE),
    AnswerRule(r"5\d\d", AnswerMeaning.OUR_MISTAKE),
)

_STATUS = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")
_OUR_FAULT = re.compile(rf"(?<![\w.-])(?:{'|'.join(OUR_FAULTS)})(?![\w-]|\.\w)", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*@\S*")
_NOT_SIGNED_IN = frozenset({530, 534, 535, 538})
_FIRST_PERMANENT = 500
_MOST_READ = 1_000


def read_answer(phase: Phase, code: int, text: str) -> AnswerMeaning:
    """Return what follows from an answer other than consent.

    >>> read_answer(Phase.RECIPIENT, 550, "5.1.1 no such mailbox")
    <AnswerMeaning.BAD_ADDRESS: 'bad_address'>
    >>> read_answer(Phase.RECIPIENT, 550, "5.7.1 blocked by policy")
    <AnswerMeaning.BAD_MESSAGE: 'bad_message'>
    >>> read_answer(Phase.RECIPIENT, 550, "relay not permitted")
    <AnswerMeaning.OUR_MISTAKE: 'our_mistake'>

    Args:
        phase: to what the server answered.
        code: three digits, 400 or more; what is no answer at all asks to come back later.
        text: what follows the code, an enhanced status first where the server gives one.
    """
    if code < _FIRST_PERMANENT:
        return AnswerMeaning.LATER
    if code in _NOT_SIGNED_IN or _OUR_FAULT.search(_ADDRESS.sub(" ", text[:_MOST_READ])):
        return AnswerMeaning.OUR_MISTAKE
    status = _STATUS.match(text)
    rules, found = (RULES_BY_STATUS, status[1]) if status else (RULES_BY_CODE, str(code))
    fitting = (rule for rule in rules if phase in rule.phases and re.fullmatch(rule.pattern, found))
    return next((rule.meaning for rule in fitting), AnswerMeaning.OUR_MISTAKE)
