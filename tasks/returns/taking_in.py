"""Takes mail that came back into store and log: each mail once, with what follows from it, in one transaction a chunk.

What a mail is and what follows is decided in `policies`; an uncertain message that a mail proves to have left is
settled first, by whom the flow hands in.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr

import polars as pl

from policies.creditor import Returns
from policies.mail_addresses import mail_address
from policies.model import EVENTS
from policies.return_effects import ARRIVED, SETTLING, Effects, PastReturn, Rules, effects_of
from policies.return_kinds import Verdict, classify
from policies.return_matching import candidates, find_message
from policies.return_phrases import ReturnPhrases, load_phrases
from policies.returned_mail import Evidence, ReturnedMail, ReturnKind
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.returns.facts import read_facts
from tasks.returns.incoming import Chunk, Incoming
from tasks.returns.outcome import Returned, add_up
from tasks.run import Run
from tasks.store.batch_lists import list_actions_of
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.history import read_customers
from tasks.store.returns import (
    StoredReturn,
    add_returns,
    find_messages,
    known_returns,
    list_past_returns,
    save_position,
)
from tasks.workspace import find_file

Settle = Callable[[str, str], None]
"""Settles an uncertain message that left: its number, and the evidence."""

_SAME_MAIL = ("message-id", "date", "from", "subject")
_PHRASES = "policies/returns/phrases.yaml"


@dataclass(frozen=True)
class _Judged:
    """One mail, with the message and the customer it is about."""

    incoming: Incoming
    return_id: str
    headers_hash: str
    facts: ReturnedMail
    evidence: Evidence
    verdict: Verdict
    customer_id: str
    message: Mapping[str, str]


def take_in_mail(run: Run, chunks: Iterable[Chunk], settings: Returns, settle: Settle) -> Returned:
    """Take the mail of one place in, chunk by chunk; the same mail again changes nothing.

    Args:
        run: the run.
        chunks: the mail, and how far its mailbox is read with it.
        settings: of the creditor.
        settle: settles an uncertain message that a mail proves to have left.
    """
    phrases = read_phrases(run)
    with open_to_read(run.workspace) as connection:
        customers = read_customers(connection)
    addresses = dict(customers.select("customer_id", pl.col("email").fill_null("")).iter_rows())
    taker = _Taker(replace(run, actor="relance"), settings, settle, phrases, addresses)
    return add_up(taker.take(chunk) for chunk in chunks)


def read_phrases(run: Run) -> ReturnPhrases:
    """Return the words of mail systems: the workspace's own file before the shipped one."""
    path = find_file(run.workspace, _PHRASES)
    if path is None:
        raise FileNotFoundError(_PHRASES)
    return load_phrases(path.read_text(encoding="utf-8"), path.name)


class _Taker:
    """Takes chunks in, with what is the same for all of them."""

    def __init__(
        self,
        run: Run,
        settings: Returns,
        settle: Settle,
        phrases: ReturnPhrases,
        addresses: Mapping[str, str],
    ) -> None:
        self.run = run
        self.settle = settle
        self.phrases = phrases
        self.rules = Rules(settings.reply_hold_days, settings.soft_bounces)
        self.addresses = addresses
        self.customers_at = _customers_by_address(addresses)

    def take(self, chunk: Chunk) -> Returned:
        """Take one chunk in."""
        judged, known = self._judge(chunk.mails)
        uncertain = {
            str(
                one.message["message_id"]
            ): f"{one.verdict.kind.value} by {one.evidence.value}, mail {one.return_id}"
            for one in judged
            if one.message.get("status") == "uncertain" and one.verdict.kind in SETTLING
        }
        for message_id, evidence in uncertain.items():
            self.settle(message_id, evidence)
        with open_to_write(self.run.workspace) as connection:
            told = [(one, self._follow(connection, one)) for one in judged]
            self._log(connection, told)
            if chunk.position:
                save_position(connection, chunk.position, self.run.clock())
        persons = [
            f"{effects.person} ({one.incoming.place})"
            for one, effects in told
            if effects.person and one.customer_id
        ]
        odd = [self._oddity(one) for one in judged if one.message.get("status") in _NOT_LEFT]
        return Returned(
            counts=Counter(effects.outcome for _, effects in told),
            known=known,
            settled=tuple(uncertain),
            persons=(*persons, *odd),
            unmatched=tuple(
                one.incoming.place for one, effects in told if effects.person and not one.customer_id
            ),
        )

    def _judge(self, mails: Sequence[Incoming]) -> tuple[list[_Judged], int]:
        """Return the mails that are new, each once, and how many were known."""
        seen = [
            (mail, hashlib.sha256(mail.content).hexdigest(), read_facts(mail.content, self.phrases))
            for mail in mails
        ]
        named = {number for _, _, facts in seen for _, number in candidates(facts)}
        hashes = [_headers_hash(facts, digest) for _, digest, facts in seen]
        with open_to_read(self.run.workspace) as connection:
            messages = {
                row["message_id"]: row for row in find_messages(connection, named).iter_rows(named=True)
            }
            known = known_returns(connection, [digest for _, digest, _ in seen], hashes)
        judged = []
        for (mail, digest, facts), headers in zip(seen, hashes, strict=True):
            if not known & {digest, headers}:
                judged.append(self._judged(mail, digest, headers, facts, messages))
                known |= {digest, headers}
        return judged, len(mails) - len(judged)

    def _judged(
        self,
        mail: Incoming,
        digest: str,
        headers: str,
        facts: ReturnedMail,
        messages: Mapping[str, Mapping[str, str]],
    ) -> _Judged:
        evidence, number = find_message(facts, messages)
        message = messages.get(number, {})
        customer = message.get("customer_id", "")
        if not customer and (at := self.customers_at.get(_sender(facts))):
            evidence, customer = Evidence.CUSTOMER_ADDRESS, at
        verdict = classify(facts, evidence, message.get("written_to", ""), self.phrases)
        # An address alone ties nothing but what its owner wrote.
        if evidence is Evidence.CUSTOMER_ADDRESS and verdict.kind is not ReturnKind.REPLY:
            evidence, customer = Evidence.NONE, ""
        return _Judged(mail, digest, headers, facts, evidence, verdict, customer, message)

    def _follow(self, connection: Connection, one: _Judged) -> Effects:
        """Record what follows from one mail, and the mail itself."""
        past = list_past_returns(connection, [one.customer_id]) if one.customer_id else None
        written_to = one.message.get("written_to", "")
        effects = effects_of(
            one.verdict,
            message_id=one.message.get("message_id", ""),
            customer_id=one.customer_id,
            is_current_address=_is_same(written_to, self.addresses.get(one.customer_id, "")),
            past=_of_address(past, written_to),
            as_of=self.run.as_of,
            rules=self.rules,
        )
        add_returns(connection, [self._stored(one, effects)], self.run.run_id, self.run.clock())
        if effects.events:
            blank = dict.fromkeys(EVENTS.names())
            rows = [
                {
                    **blank,
                    "kind": event.kind.value,
                    "customer_id": one.customer_id,
                    "reason": event.reason,
                    "until": event.until,
                }
                for event in effects.events
            ]
            add_events(connection, self.run, pl.DataFrame(rows, schema=EVENTS))
        return effects

    def _stored(self, one: _Judged, effects: Effects) -> StoredReturn:
        return StoredReturn(
            return_id=one.return_id,
            headers_hash=one.headers_hash,
            source=one.incoming.source,
            kind=one.verdict.kind.value,
            rule=one.verdict.rule,
            status=one.verdict.status,
            evidence=one.evidence.value,
            message_id=one.message.get("message_id"),
            customer_id=one.customer_id or None,
            outcome=effects.outcome,
            as_of=self.run.as_of,
        )

    def _log(self, connection: Connection, told: Sequence[tuple[_Judged, Effects]]) -> None:
        """Log each mail: once for each action of the message it is about."""
        numbers = {one.message["message_id"] for one, _ in told if one.message}
        actions: dict[str, list[str]] = {}
        for message_id, action_id in list_actions_of(connection, numbers).iter_rows():
            actions.setdefault(message_id, []).append(action_id)
        events = [
            NewEvent(
                "mail_returned",
                _payload(self.run, one, effects),
                action_id=action_id,
                customer_id=one.customer_id or None,
                personal=_personal(one, effects) if number == 0 else {},
            )
            for one, effects in told
            for number, action_id in enumerate(actions.get(one.message.get("message_id", ""), [None]))
        ]
        append_events(
            connection, events, recorded_at=self.run.clock(), actor=self.run.actor, run_id=self.run.run_id
        )

    def _oddity(self, one: _Judged) -> str:
        return (
            f"message {one.message['message_id']} is {one.message['status']}, and yet a mail about it came back: "
            f"it may have left ({one.incoming.place})"
        )


_NOT_LEFT = ("planned", "composed", "withdrawn", "rejected")


def _customers_by_address(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return whose each address is; one that several customers share is nobody's."""
    owners: dict[str, list[str]] = {}
    for customer, text in addresses.items():
        if address := mail_address(text).lower():
            owners.setdefault(address, []).append(customer)
    return {address: customers[0] for address, customers in owners.items() if len(customers) == 1}


def _sender(facts: ReturnedMail) -> str:
    return mail_address(parseaddr(facts.header("from"))[1]).lower()


def _is_same(written_to: str, current: str) -> bool:
    one, other = mail_address(written_to).lower(), mail_address(current).lower()
    return bool(one) and one == other


def _of_address(past: pl.DataFrame | None, written_to: str) -> list[PastReturn]:
    if past is None:
        return []
    kinds = [kind.value for kind in (ReturnKind.HARD_BOUNCE, ReturnKind.SOFT_BOUNCE, *ARRIVED)]
    return [
        PastReturn(row["message_id"], ReturnKind(row["kind"]))
        for row in past.filter(pl.col("kind").is_in(kinds)).iter_rows(named=True)
        if _is_same(row["written_to"], written_to)
    ]


def _headers_hash(facts: ReturnedMail, digest: str) -> str:
    """Return what a mail is known by again that comes by another way: some programs give one id to many."""
    values = [facts.header(name) for name in _SAME_MAIL]
    stated = json.dumps(values, ensure_ascii=False) if values[0] else digest
    return hashlib.sha256(stated.encode("utf-8", "surrogatepass")).hexdigest()


def _payload(run: Run, one: _Judged, effects: Effects) -> dict[str, object]:
    return {
        "mail": one.return_id,
        "source": one.incoming.source,
        "kind": one.verdict.kind.value,
        "rule": one.verdict.rule,
        "status": one.verdict.status,
        "evidence": one.evidence.value,
        "message_id": one.message.get("message_id"),
        "batch_id": one.message.get("batch_id"),
        "outcome": effects.outcome,
        "on": run.as_of,
    }


def _personal(one: _Judged, effects: Effects) -> dict[str, str]:
    """Return what helps a person to find the mail; of mail that nobody needs to look at nothing is kept."""
    if not effects.person:
        return {}
    named = {"from": one.facts.header("from"), "subject": one.facts.header("subject")}
    return {name: value for name, value in named.items() if value}
