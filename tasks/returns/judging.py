"""Judges mail that came back: which of it is new, which message and customer of ours it is about, and what it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from policies.creditor import Creditor
from policies.mail_addresses import mail_address
from policies.return_kinds import Verdict, classify
from policies.return_matching import candidates, find_message
from policies.return_phrases import ReturnPhrases, load_phrases
from policies.returned_mail import Evidence, ReturnedMail, ReturnKind
from tasks.returns.facts import read_facts
from tasks.returns.incoming import Incoming
from tasks.run import Run
from tasks.store.connection import open_to_read
from tasks.store.returns import find_messages, known_returns
from tasks.workspace import find_file, read_creditor

_SAME_MAIL = ("message-id", "date", "from", "subject")
_PHRASES = "policies/returns/phrases.yaml"


@dataclass(frozen=True)
class Judged:
    """One mail, with the message (a row of `find_messages`, or nothing) and the customer it is about."""

    incoming: Incoming
    return_id: str
    headers_hash: str
    facts: ReturnedMail
    evidence: Evidence
    verdict: Verdict
    customer_id: str
    message: Mapping[str, str]


@dataclass(frozen=True)
class _Read:
    """One mail as it was read, with the two hashes it is known by again."""

    incoming: Incoming
    return_id: str
    headers_hash: str
    facts: ReturnedMail


def read_phrases(run: Run) -> ReturnPhrases:
    """Return the words of mail systems: the workspace's own file before the shipped one."""
    path = find_file(run.workspace, _PHRASES)
    if path is None:
        raise FileNotFoundError(_PHRASES)
    return load_phrases(path.read_text(encoding="utf-8"), path.name)


class Judge:
    """Judges mails, with what is the same for all of them."""

    def __init__(self, run: Run, phrases: ReturnPhrases, addresses: Mapping[str, str]) -> None:
        self.run = run
        self.phrases = phrases
        self.customers_at = _customers_by_address(addresses)
        self.own = _own_addresses(read_creditor(run.workspace))

    def judge(self, mails: Sequence[Incoming]) -> tuple[list[Judged], int]:
        """Return the mails that are new, each once, and how many were known."""
        seen = [self._read(mail) for mail in mails]
        named = {number for one in seen for _, number in candidates(one.facts)}
        with open_to_read(self.run.workspace) as connection:
            found = find_messages(connection, named)
            known = known_returns(
                connection, [one.return_id for one in seen], [one.headers_hash for one in seen]
            )
        messages = {row["message_id"]: row for row in found.iter_rows(named=True)}
        judged = []
        for one in seen:
            if not known & {one.return_id, one.headers_hash}:
                judged.append(self._judged(one, messages))
                known |= {one.return_id, one.headers_hash}
        return judged, len(mails) - len(judged)

    def _read(self, mail: Incoming) -> _Read:
        digest = hashlib.sha256(mail.content).hexdigest()
        facts = read_facts(mail.content, self.phrases)
        return _Read(mail, digest, _headers_hash(facts, digest), facts)

    def _judged(self, one: _Read, messages: Mapping[str, Mapping[str, str]]) -> Judged:
        evidence, number = find_message(one.facts, messages)
        message = messages.get(number, {})
        customer = message.get("customer_id", "")
        if not customer and (at := self.customers_at.get(_sender(one.facts))):
            evidence, customer = Evidence.CUSTOMER_ADDRESS, at
        verdict = classify(one.facts, evidence, message.get("written_to", ""), self.phrases, self.own)
        # An address alone ties nothing but what its owner wrote.
        if evidence is Evidence.CUSTOMER_ADDRESS and verdict.kind is not ReturnKind.REPLY:
            evidence, customer = Evidence.NONE, ""
        return Judged(
            one.incoming, one.return_id, one.headers_hash, one.facts, evidence, verdict, customer, message
        )


def _own_addresses(creditor: Creditor) -> frozenset[str]:
    """Return the addresses that we send from, are answered at, and send copies to."""
    smtp, sender = creditor.smtp, creditor.sender
    stated = (sender.email, sender.reply_to, smtp.from_ if smtp else None, smtp.copy_to if smtp else None)
    return frozenset(mail_address(one).lower() for one in stated if one)


def _customers_by_address(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return whose each address is; one that several customers share is nobody's."""
    owners: dict[str, list[str]] = {}
    for customer, text in addresses.items():
        if address := mail_address(text).lower():
            owners.setdefault(address, []).append(customer)
    return {address: customers[0] for address, customers in owners.items() if len(customers) == 1}


def _sender(facts: ReturnedMail) -> str:
    return mail_address(parseaddr(facts.header("from"))[1]).lower()


def _headers_hash(facts: ReturnedMail, digest: str) -> str:
    """Return what a mail is known by again that comes by another way.

    Some programs give one Message-ID to many mails; so its date, sender, subject and the numbers it names count too.
    """
    values = [facts.header(name) for name in _SAME_MAIL]
    named = sorted({number for _, number in candidates(facts)})
    stated = json.dumps([*values, *named], ensure_ascii=False) if values[0] else digest
    return hashlib.sha256(stated.encode("utf-8", "surrogatepass")).hexdigest()
