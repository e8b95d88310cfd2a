"""What a person is shown before deciding on a batch: what would leave, how it differs from last time, samples.

Only reads. How it is laid out is told in `flows.review_page`; what an answer does, in `tasks.approval`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default

import polars as pl

from policies.errors import WrongUseError
from policies.messages import Message
from policies.model import Channel
from policies.money import format_plain
from policies.person_names import is_same_person
from policies.policy import Policy
from tasks.documents.content import build_content, message_language, placeholder_values
from tasks.documents.wording import Labels, piece_path, render_lines
from tasks.rules import Rules, read_rules
from tasks.run import Run
from tasks.store.approvals import digest_shown, names_that_count
from tasks.store.batch_lists import StoredMessage, list_batches, read_messages
from tasks.store.batches import BatchStatus, MessageStatus, read_batch
from tasks.store.connection import Connection, open_to_read
from tasks.workspace import shipped_root

SAMPLES = 3
LARGEST = 5
_LINES_OF_SAMPLE = 40
_PATIENCE_SECONDS = 60
_LIVE = (MessageStatus.PLANNED, MessageStatus.COMPOSED)


@dataclass(frozen=True)
class Sample:
    """One document of a batch: where it is, and what it says."""

    customer_id: str
    step: str
    channel: str
    amount: str
    file: str
    text: str


@dataclass(frozen=True)
class Change:
    """One figure of a batch beside the last batch of its kind."""

    what: str
    before: str
    now: str


@dataclass(frozen=True)
class Review:
    """A batch as a person sees it before deciding.

    Attributes:
        batch_id: the batch.
        status: its state; only a draft can be decided on.
        told: who decided it, when it is no draft any more.
        guards: sentences of the guards that keep it.
        names: who has approved so far.
        approvers: how many persons are asked for.
        messages: how many messages would leave.
        customers: to how many customers.
        amounts: rows of step, channel, currency, messages, items, demanded.
        largest: rows of customer, step, demanded.
        before: name of the last batch of its kind, empty when there is none.
        changes: beside that batch.
        samples: the largest, the middle and the smallest document.
        expires_on: the last day on which it can be decided; None = it waits for ever.
        customer_ids: numbers of the customers it holds messages for.
        digest: of what is shown; an answer counts for that alone.
    """

    batch_id: str
    status: BatchStatus
    told: str
    guards: tuple[str, ...]
    names: tuple[str, ...]
    approvers: int
    messages: int
    customers: int
    amounts: tuple[tuple[str, ...], ...]
    largest: tuple[tuple[str, ...], ...]
    before: str
    changes: tuple[Change, ...]
    samples: tuple[Sample, ...]
    expires_on: date | None
    customer_ids: frozenset[str]
    digest: str

    @property
    def waits(self) -> bool:
        """Whether a person is asked for."""
        return self.status is BatchStatus.DRAFT

    def has_said(self, name: str) -> bool:
        """Return whether somebody of this name has approved already."""
        return any(is_same_person(name, one) for one in self.names)


def look_at(run: Run, batch_id: str) -> Review:
    """Return what a person is shown of a batch."""
    rules = read_rules(run.workspace)
    with open_to_read(run.workspace, _PATIENCE_SECONDS) as connection:
        batch = read_batch(connection, batch_id)
        if batch is None:
            raise WrongUseError(f"there is no batch {batch_id}; `relance batches list` shows them.")
        names, digest = names_that_count(connection, batch_id), digest_shown(connection, batch_id)
        stored = [one for one in read_messages(connection, batch_id) if one.status in _LIVE]
        before, earlier = _last_of_kind(connection, batch)
    messages = sorted((one.message for one in stored), key=_by_size, reverse=True)
    return Review(
        batch_id=batch_id,
        status=BatchStatus(str(batch["status"])),
        told=_told(batch),
        guards=tuple(str(batch["guard_sentence"] or "").splitlines()),
        names=tuple(names),
        approvers=int(str(batch["approvers"])),
        messages=len(messages),
        customers=len({message.customer.customer_id for message in messages}),
        amounts=_amounts(messages),
        largest=tuple(_largest(message) for message in messages[:LARGEST]),
        before=before,
        changes=_changes(earlier, messages) if before else (),
        samples=tuple(_sample(run, rules, one) for one in _chosen(stored)),
        expires_on=_expires_on(batch, rules.policy),
        customer_ids=frozenset(message.customer.customer_id for message in messages),
        digest=digest,
    )


def _last_of_kind(connection: Connection, batch: dict[str, object]) -> tuple[str, list[Message]]:
    earlier = list_batches(connection).filter(
        (pl.col("kind") == batch["kind"])
        & (pl.col("batch_id") != batch["batch_id"])
        & (pl.col("recorded_at") < batch["recorded_at"])
    )
    if earlier.is_empty():
        return "", []
    name = str(earlier.sort("recorded_at")["batch_id"][-1])
    return name, [one.message for one in read_messages(connection, name)]


def _told(batch: dict[str, object]) -> str:
    match BatchStatus(str(batch["status"])):
        case BatchStatus.DRAFT:
            return ""
        case BatchStatus.REJECTED:
            return (
                f"It was rejected by {batch['rejected_by']} on {batch['rejected_on']}: {batch['reject_why']}."
            )
        case BatchStatus.APPROVED:
            return f"It was approved by {batch['approved_by']} on {batch['approved_on']}; the next release takes it."
        case BatchStatus.RELEASED | BatchStatus.CLOSED:
            word = f"approved by {batch['approved_by']}" if batch["approved_by"] else "given up or let leave"
            return f"It is {batch['status']}: it was {word} before."


def _amounts(messages: Sequence[Message]) -> tuple[tuple[str, ...], ...]:
    rows = [
        (item.step, message.channel, message.currency, message.message_id, item.amount_demanded)
        for message in messages
        for item in message.items
    ]
    if not rows:
        return ()
    table = (
        pl.DataFrame(rows, ["step", "channel", "currency", "message", "demanded"], orient="row")
        .group_by("step", "channel", "currency")
        .agg(messages=pl.col("message").n_unique(), items=pl.len(), demanded=pl.col("demanded").sum())
        .sort("step", "channel", "currency")
    )
    return tuple(
        (step, channel, currency, str(count), str(items), format_plain(demanded, currency))
        for step, channel, currency, count, items, demanded in table.iter_rows()
    )


def _largest(message: Message) -> tuple[str, ...]:
    return (message.customer.customer_id, message.step, _principal(message))


def _changes(earlier: Sequence[Message], now: Sequence[Message]) -> tuple[Change, ...]:
    before_customers = {message.customer.customer_id for message in earlier}
    customers = {message.customer.customer_id for message in now}
    totals = [
        Change(f"demanded in {currency}", _sum(earlier, currency), _sum(now, currency))
        for currency in sorted({message.currency for message in (*earlier, *now)})
    ]
    return (
        Change("messages", str(len(earlier)), str(len(now))),
        Change("customers", str(len(before_customers)), str(len(customers))),
        Change(
            "customers that are in one of both",
            str(len(before_customers - customers)),
            str(len(customers - before_customers)),
        ),
        *totals,
    )


def _sum(messages: Sequence[Message], currency: str) -> str:
    amounts = [message.total_principal for message in messages if message.currency == currency]
    return format_plain(sum(amounts, Decimal(0)), currency)


def _chosen(stored: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Return the largest, the middle and the smallest message, each once."""
    by_size = sorted(stored, key=lambda one: _by_size(one.message), reverse=True)
    places = dict.fromkeys((0, len(by_size) // 2, len(by_size) - 1)) if by_size else {}
    return [by_size[place] for place in places][:SAMPLES]


def _sample(run: Run, rules: Rules, one: StoredMessage) -> Sample:
    message = one.message
    text = _text_of(run, rules, one)
    lines = text.strip().splitlines()
    kept = lines[:_LINES_OF_SAMPLE]
    return Sample(
        customer_id=message.customer.customer_id,
        step=message.step,
        channel=message.channel,
        amount=_principal(message),
        file=str(run.workspace.root / one.document_path) if one.document_path else "not made yet",
        text="\n".join([*kept, "…"] if len(lines) > len(kept) else kept),
    )


def _text_of(run: Run, rules: Rules, one: StoredMessage) -> str:
    """Return the words of a document: those in the file of an e-mail, else those it was set from."""
    message, roots = one.message, (run.workspace.templates, shipped_root() / "templates")
    path = run.workspace.root / (one.document_path or "")
    if message.channel == Channel.EMAIL and path.is_file():
        mail = message_from_bytes(path.read_bytes(), policy=default)
        body = mail.get_body(("plain",))
        return f"{mail['Subject']}\n\n{body.get_content() if body else ''}"
    if message.channel == Channel.CALL:
        language = message_language(message, rules.creditor, roots)
        values = placeholder_values(
            message, rules.creditor, language, Labels(roots, language), has_enclosures=False
        )
        return "\n".join(
            render_lines(roots, piece_path(message.template, language, "talking_points"), values)
        )
    content = build_content(message, rules.creditor, roots)
    items = [f"{item.invoice}  {item.due_date}  {item.demanded}" for item in content.items]
    totals = [f"{name}  {amount}" for name, amount in content.totals]
    return "\n\n".join([content.subject, *content.opening, "\n".join([*items, *totals]), *content.closing])


def _expires_on(batch: dict[str, object], policy: Policy) -> date | None:
    days, since = policy.approvals.expire_after_days, batch["waits_since"] or batch["as_of"]
    return since + timedelta(days=days) if days is not None and isinstance(since, date) else None


def _principal(message: Message) -> str:
    return f"{format_plain(message.total_principal, message.currency)} {message.currency}"


def _by_size(message: Message) -> Decimal:
    return message.total_principal
