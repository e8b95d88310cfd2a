"""What follows from a mail that came back: events of the customer, a message settled, a line for a person.

A hard bounce counts against the address only while it is still the customer's. A person's reply, and a complaint, pause
the customer. Everything else is noted in the log and changes nothing, unless soft bounces come several times in a row;
a refusal that blames something else than the address never counts against it, and a person is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from policies.explanations import counted
from policies.model import EventKind
from policies.return_kinds import OWN_COPY, OWN_COPY_ARRIVED, Verdict
from policies.returned_mail import ReturnKind

_FAILED = (ReturnKind.HARD_BOUNCE, ReturnKind.SOFT_BOUNCE)
ARRIVED = (
    ReturnKind.DELIVERED,
    ReturnKind.REPLY,
    ReturnKind.READ_RECEIPT,
    ReturnKind.AUTO_REPLY,
    ReturnKind.COMPLAINT,
)
"""These show that an address takes mail, so that soft bounces before them no longer count."""

SETTLING = (*_FAILED, *ARRIVED, ReturnKind.CHALLENGE)
"""These come only of messages that left."""

REFUSED = "refused_by_receiver"
"""Outcome: a message was refused for a cause that is not the address."""


@dataclass(frozen=True)
class PastReturn:
    """A mail that came back earlier for the same customer and address."""

    message_id: str
    kind: ReturnKind
    spares_address: bool = False


@dataclass(frozen=True)
class Rules:
    """The keys of `returns:` in creditor.yaml that decide."""

    reply_hold_days: int
    soft_bounces: int


@dataclass(frozen=True)
class NewFact:
    """An event to record."""

    kind: EventKind
    reason: str
    until: date | None = None


@dataclass(frozen=True)
class Effects:
    """What is to be recorded, and what a person is to be told; `outcome` is a word for the log."""

    outcome: str
    events: tuple[NewFact, ...] = ()
    person: str = ""


def effects_of(
    verdict: Verdict,
    *,
    message_id: str,
    customer_id: str,
    is_current_address: bool,
    past: Sequence[PastReturn],
    as_of: date,
    rules: Rules,
) -> Effects:
    """Return what follows from one mail.

    Args:
        verdict: what the mail is.
        message_id: of the message it is about; blank where none is known.
        customer_id: whom it concerns; blank where nobody is known.
        is_current_address: whether the message went to the address that the customer has now.
        past: what came back earlier of messages to the same address, oldest first.
        as_of: the day of the run.
        rules: of the creditor.
    """
    if not customer_id:
        return Effects("unmatched", person=_unmatched(verdict))
    if verdict.kind in _FAILED:
        is_old = not is_current_address and not verdict.spares_address
        return Effects("old_address") if is_old else _failed(verdict, message_id, past, rules)
    if verdict.kind in (ReturnKind.REPLY, ReturnKind.COMPLAINT):
        follow = _replied if verdict.kind is ReturnKind.REPLY else _complained
        return follow(customer_id, as_of + timedelta(days=rules.reply_hold_days))
    if verdict.kind is ReturnKind.CHALLENGE:
        what = (
            f"customer {customer_id}: the mail system asks for a confirmation before it hands a message over"
        )
        return Effects("kept_by_receiver", person=what)
    if verdict.kind is ReturnKind.UNRELATED:
        return _unrelated(verdict, customer_id)
    return Effects(verdict.kind.value)


def _failed(verdict: Verdict, message_id: str, past: Sequence[PastReturn], rules: Rules) -> Effects:
    """Several messages in a row that did not arrive are one bounce for good."""
    if verdict.spares_address:
        return Effects(
            REFUSED, person="the receiver's mail system refused it, and the address is not to blame"
        )
    if verdict.kind is ReturnKind.HARD_BOUNCE:
        return Effects("bounced", (NewFact(EventKind.BOUNCE, f"bounced: {in_words(verdict)}"),))
    in_a_row = {message_id}
    for earlier in reversed(past):
        if earlier.kind in ARRIVED:
            break
        if earlier.kind is ReturnKind.SOFT_BOUNCE and not earlier.spares_address:
            in_a_row.add(earlier.message_id)
    if len(in_a_row) < rules.soft_bounces:
        return Effects("bounced_for_now")
    return Effects(
        "bounced",
        (NewFact(EventKind.BOUNCE, f"{counted(len(in_a_row), 'message')} in a row did not arrive"),),
    )


def _replied(customer_id: str, until: date) -> Effects:
    events = (
        NewFact(EventKind.ANSWER, "replied by e-mail"),
        NewFact(EventKind.HOLD, "the customer replied by e-mail: read it", until),
    )
    return Effects(
        "replied", events, f"customer {customer_id} replied: read it; {_paused(customer_id, until)}"
    )


def _complained(customer_id: str, until: date) -> Effects:
    """A complaint says nothing about the invoice, so that it is no answer."""
    hold = NewFact(EventKind.HOLD, "the customer reported an e-mail as spam: speak with them", until)
    what = (
        f"customer {customer_id} reported a message as spam: speak with them, and write by letter if they wish; "
        f"{_paused(customer_id, until)}"
    )
    return Effects("complained", (hold,), what)


def _paused(customer_id: str, until: date) -> str:
    return (
        f"nothing leaves to them up to and with {until}, or until "
        f"`relance record hold_released --customer {customer_id}`"
    )


def _unrelated(verdict: Verdict, customer_id: str) -> Effects:
    if verdict.rule == OWN_COPY_ARRIVED:
        return Effects(OWN_COPY_ARRIVED)
    if verdict.rule == OWN_COPY:
        what = (
            "the copy to our own address did not arrive, or not yet; nothing is said against the address of "
            f"customer {customer_id}. See to our own mailbox, or to smtp.copy_to in creditor.yaml"
        )
        return Effects(OWN_COPY, person=what)
    what = f"customer {customer_id}: a mail system says of a message what no rule knows: read it"
    return Effects("not_understood", person=what)


def in_words(verdict: Verdict) -> str:
    """Return the rule that a mail was judged by, and the status code that it gives."""
    return verdict.rule.replace("_", " ") + (f" {verdict.status}" if verdict.status else "")


def _unmatched(verdict: Verdict) -> str:
    """Return what a person is told of a mail that names no message and no customer of ours."""
    if verdict.kind is ReturnKind.UNRELATED and verdict.rule == "mailing":
        return ""
    return f"a mail that names no message of ours ({verdict.kind.value.replace('_', ' ')})"
