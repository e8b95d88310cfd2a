"""Takes mail that came back into store and log: each mail once, with what follows from it, in one transaction a chunk.

What a mail is and what follows is decided in `policies`; an uncertain message that a mail proves to have left is
settled first, by whom the flow hands in.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace

import polars as pl

from policies.creditor import Returns
from policies.mail_addresses import is_same_address, mail_address
from policies.model import EVENTS
from policies.return_effects import REFUSED, SETTLING, Effects, PastReturn, Rules, effects_of, in_words
from policies.return_phrases import ReturnPhrases
from policies.returned_mail import ReturnKind
from tasks.ledger import NewEvent, append_events
from tasks.record import add_events
from tasks.returns.incoming import Chunk
from tasks.returns.judging import Judge, Judged, read_phrases
from tasks.returns.outcome import Returned, add_up
from tasks.run import Run
from tasks.store.batch_lists import list_actions_of, name_messages
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.history import read_customers
from tasks.store.returns import (
    Position,
    StoredReturn,
    add_returns,
    list_past_returns,
    save_position,
)

Settle = Callable[[Mapping[str, str]], None]
"""Settles messages that left, though the store holds them uncertain or ready: the evidence by their numbers."""


def take_in_mail(run: Run, chunks: Iterable[Chunk], settings: Returns, settle: Settle) -> Returned:
    """Take the mail of one place in, chunk by chunk; the same mail again changes nothing.

    Args:
        run: the run.
        chunks: the mail, and how far its mailbox is read with it.
        settings: of the creditor.
        settle: settles messages that mail proves to have left.
    """
    phrases = read_phrases(run)
    with open_to_read(run.workspace) as connection:
        customers = read_customers(connection)
    addresses = dict(customers.select("customer_id", pl.col("email").fill_null("")).iter_rows())
    taker = _Taker(replace(run, actor="relance"), settings, settle, phrases, addresses)
    return add_up(taker.take(chunk) for chunk in chunks)


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
        self.rules = Rules(settings.reply_hold_days, settings.soft_bounces)
        self.addresses = addresses
        self.judge = Judge(run, phrases, addresses)

    def take(self, chunk: Chunk) -> Returned:
        """Take one chunk in."""
        judged, known = self.judge.judge(chunk.mails)
        left = {
            one.message["message_id"]: f"{one.verdict.kind} by {one.evidence}, mail {one.return_id}"
            for one in judged
            if one.message.get("status") in _MAY_LEAVE and one.verdict.kind in SETTLING
        }
        if left:
            self.settle(left)
        with open_to_write(self.run.workspace) as connection:
            told = self._follow(connection, judged)
            if chunk.position:
                save_position(connection, chunk.position, self.run.clock())
            self._log(connection, told, chunk.position)
            names = name_messages(connection, {one.message["message_id"] for one in judged if one.message})
        persons = [
            f"{effects.person} ({_about(one, names)}{one.incoming.place})"
            for one, effects in told
            if effects.person and one.customer_id and effects.outcome != REFUSED
        ]
        odd = [self._oddity(one, names) for one in judged if one.message.get("status") in _NOT_LEFT]
        return Returned(
            counts=Counter(effects.outcome for _, effects in told),
            known=known,
            settled=tuple(f"{one} ({names[one]})" for one in left),
            bounced=tuple(
                names.get(one.message.get("message_id", ""), f"customer {one.customer_id}")
                for one, effects in told
                if effects.outcome == "bounced"
            ),
            refused=tuple(
                f"{names[one.message['message_id']]}: {in_words(one.verdict)}"
                for one, effects in told
                if effects.outcome == REFUSED
            ),
            persons=(*persons, *odd),
            unmatched=tuple(
                one.incoming.place for one, effects in told if effects.person and not one.customer_id
            ),
        )

    def _follow(self, connection: Connection, judged: Sequence[Judged]) -> list[tuple[Judged, Effects]]:
        """Record mails in their order, and what follows from each; those before count for those after."""
        past: dict[str, list[PastReturn]] = {}
        listed = list_past_returns(connection, {one.customer_id for one in judged if one.customer_id})
        for row in listed.iter_rows(named=True):
            key = _address_key(row["customer_id"], row["written_to"])
            earlier = PastReturn(row["message_id"], ReturnKind(row["kind"]), row["outcome"] == REFUSED)
            past.setdefault(key, []).append(earlier)
        told = []
        for one in judged:
            written_to = one.message.get("written_to", "")
            number = one.message.get("message_id", "")
            of_address = past.setdefault(_address_key(one.customer_id, written_to), [])
            effects = effects_of(
                one.verdict,
                message_id=number,
                customer_id=one.customer_id,
                is_current_address=is_same_address(written_to, self.addresses.get(one.customer_id, "")),
                past=of_address,
                as_of=self.run.as_of,
                rules=self.rules,
            )
            of_address.append(PastReturn(number, one.verdict.kind, one.verdict.spares_address))
            told.append((one, effects))
        stored = [self._stored(one, effects) for one, effects in told]
        add_returns(connection, stored, self.run.run_id, self.run.clock())
        if rows := [row for one, effects in told for row in _event_rows(one.customer_id, effects)]:
            add_events(connection, self.run, pl.DataFrame(rows, schema=EVENTS))
        return told

    def _stored(self, one: Judged, effects: Effects) -> StoredReturn:
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

    def _log(
        self, connection: Connection, told: Sequence[tuple[Judged, Effects]], position: Position | None
    ) -> None:
        """Log each mail, once for each action of the message it is about, and how far its mailbox is read."""
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
        if position:
            events.append(NewEvent("mailbox_read", asdict(position)))
        append_events(
            connection, events, recorded_at=self.run.clock(), actor=self.run.actor, run_id=self.run.run_id
        )

    def _oddity(self, one: Judged, names: Mapping[str, str]) -> str:
        number = one.message["message_id"]
        what = "it left, and does not leave again" if self._is_settled(one) else "it may have left"
        return (
            f"message {number} ({names[number]}) is {one.message['status']}, and yet a mail about it came back: "
            f"{what} ({one.incoming.place})"
        )

    def _is_settled(self, one: Judged) -> bool:
        return one.message["status"] in _MAY_LEAVE and one.verdict.kind in SETTLING


_MAY_LEAVE = ("uncertain", "planned", "composed")
"""Of these a mail that came back settles that they left."""
_NOT_LEFT = ("planned", "composed", "withdrawn", "rejected")


def _about(one: Judged, names: Mapping[str, str]) -> str:
    """Return which message a mail is about, with its invoices; nothing where only the customer is known."""
    number = one.message.get("message_id", "")
    invoices = names[number].partition(", ")[2] if number else ""
    return f"about message {number}, {invoices}; " if number else ""


def _address_key(customer_id: str, written_to: str) -> str:
    return f"{customer_id}\n{mail_address(written_to).lower()}"


def _event_rows(customer_id: str, effects: Effects) -> list[dict[str, object]]:
    blank = dict.fromkeys(EVENTS.names())
    return [
        {
            **blank,
            "kind": event.kind.value,
            "customer_id": customer_id,
            "reason": event.reason,
            "until": event.until,
        }
        for event in effects.events
    ]


def _payload(run: Run, one: Judged, effects: Effects) -> dict[str, object]:
    return {
        "return_id": one.return_id,
        "source": one.incoming.source,
        "kind": one.verdict.kind.value,
        "rule": one.verdict.rule,
        "status": one.verdict.status,
        "evidence": one.evidence.value,
        "message_id": one.message.get("message_id"),
        "batch_id": one.message.get("batch_id"),
        "outcome": effects.outcome,
        "on": run.as_of,
        **({"sha256": one.incoming.sha256} if one.incoming.sha256 else {}),
    }


def _personal(one: Judged, effects: Effects) -> dict[str, str]:
    """Return what helps a person to find the mail; of mail that nobody needs to look at nothing is kept."""
    if not effects.person:
        return {}
    named = {"from": one.facts.header("from"), "subject": one.facts.header("subject")}
    return {name: value for name, value in named.items() if value}
