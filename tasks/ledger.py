"""The audit chain: each event carries the hash of the one before, so that no past one can be changed unseen.

A hash is SHA-256 over the canonical JSON (RFC 8785) of {sequence, recorded_at, actor, run_id, kind, action_id,
customer_id, payload, previous_hash}, where payload is the text of the canonical JSON of what happened and
recorded_at is UTC with microseconds. An event that tells of an intake, a batch, a mail that came back seals what the
store holds of it (`tasks.store.seals`). Rows are kept by `tasks.store.audit`; the copy for people is `tasks.publish`.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import polars as pl
import rfc8785

from policies.errors import AuditBrokenError
from tasks.store.audit import (
    EVENT_ROWS,
    PERSONAL_ROWS,
    Head,
    append_rows,
    count_events,
    page_events,
    read_head,
    read_heads,
)
from tasks.store.connection import Connection
from tasks.store.last_seals import BROKEN
from tasks.store.sealing import find_all_changed, last_places, refusal, seal

START = Head(0, "")
HAPPENED = frozenset(
    {
        "action_dispatched",
        "action_failed",
        "action_refused",
        "action_uncertain",
        "batch_closed",
        "delivery_resolved",
        "mail_returned",
        "mailbox_read",
    }
)
"""Kinds of events that tell of what has happened outside the store: they are recorded come what may."""

_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"
_HASHED = tuple(name for name in EVENT_ROWS if name != "hash")
_FIRST_SURROGATE = "\ud800"
_LARGEST_NUMBER = 2**53 - 1
# For records of texts, whole numbers and nulls this is RFC 8785 exactly, as long as no character lies beyond the
# surrogates, and ten times faster than a general encoder; a test holds the two equal.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True)
class NewEvent:
    """Something that happened.

    `personal` holds fields of a person: kept beside the log, where they can be erased; the payload gets only
    their names, under `personal`, and their salted hashes, under `<field>_hash`. A payload that names an
    `intake_id`, a `batch_id` or another key of `tasks.store.seals.GROUPS` (or `batch_ids` ...) also gets, under
    `sealed`, the digests of their rows.
    """

    kind: str
    payload: Mapping[str, object]
    action_id: str | None = None
    customer_id: str | None = None
    personal: Mapping[str, str] = field(default_factory=dict)


def append_events(
    connection: Connection, events: Sequence[NewEvent], *, recorded_at: datetime, actor: str, run_id: str
) -> Head:
    """Add events to the chain, in the caller's transaction, and return its new head.

    What the events tell of is in the store already: the last that names an intake, a batch or another group seals it
    as it stands now. Before, the group as it stood when the transaction began is compared with its last seal, so that
    a change made by hand is not sealed with it. Where one was made, events of what has happened (HAPPENED) are
    recorded all the same, after one that tells of it, `seal_broken`.

    Raises:
        AuditBrokenError: a group was changed by hand, and nothing has happened yet: the transaction must fail.
    """
    head = read_head(connection)
    if not events:
        return head
    named = last_places(event.payload for event in events)
    if broken := _find_broken(connection, events, named):
        events = [*broken, *events]
        named = last_places(event.payload for event in events)
    sealed = seal(connection, named)
    rows: list[dict[str, object]] = []
    personal: list[dict[str, object]] = []
    last: tuple[Mapping[str, object], str] = ({}, "{}")
    instant = recorded_at.astimezone(UTC).strftime(_INSTANT)
    for place, event in enumerate(events):
        sequence = head.sequence + 1
        salted = {name: (secrets.token_hex(16), value) for name, value in event.personal.items()}
        personal += [
            {"sequence": sequence, "field": name, "salt": salt, "value": value}
            for name, (salt, value) in salted.items()
        ]
        beside: dict[str, object] = {
            f"{name}_hash": salted_hash(salt, value) for name, (salt, value) in salted.items()
        }
        if salted:
            beside["personal"] = sorted(salted)
        if place in sealed:
            beside["sealed"] = sealed[place]
        # The actions of one message often share what happened: it is put into words once.
        if beside:
            last = ({}, canonical({**event.payload, **beside}))
        elif event.payload is not last[0]:
            last = (event.payload, canonical(event.payload))
        row: dict[str, object] = {
            "sequence": sequence,
            "recorded_at": instant,
            "actor": actor,
            "run_id": run_id,
            "kind": event.kind,
            "action_id": event.action_id,
            "customer_id": event.customer_id,
            "payload": last[1],
            "previous_hash": head.hash,
        }
        head = Head(sequence, hash_of(row))
        rows.append({**row, "recorded_at": recorded_at, "hash": head.hash})
    append_rows(
        connection, pl.DataFrame(rows, schema=EVENT_ROWS), pl.DataFrame(personal, schema=PERSONAL_ROWS), head
    )
    return head


def canonical(payload: Mapping[str, object]) -> str:
    """Return the canonical JSON of a payload; amounts and dates become text, floats are refused."""
    plain = _plain(payload)
    text = _encode(plain)
    # Names are sorted by UTF-16 there and by code point here: the same order, as long as nothing lies beyond both.
    if max(text) < _FIRST_SURROGATE:
        return text
    return rfc8785.dumps(plain).decode("utf-8")  # type: ignore[arg-type]  # its type is private


def record_of(row: Mapping[str, object]) -> str:
    """Return what is hashed of an event given as plain texts and whole numbers."""
    return _encode({name: row[name] for name in _HASHED})


def hash_of(row: Mapping[str, object]) -> str:
    """Return the hash of an event given as plain texts and whole numbers."""
    return _sha256(record_of(row))


def records_of(events: pl.DataFrame) -> list[str]:
    """Return what is hashed of each event, as `record_of` does of one; a test holds the two equal."""
    instant = pl.col("recorded_at").dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    fields = [instant if name == "recorded_at" else pl.col(name) for name in sorted(_HASHED)]
    return events.select(pl.struct(fields).struct.json_encode()).to_series().to_list()


def lines_of(events: pl.DataFrame) -> str:
    """Return events as lines of JSON: of each what is hashed, and its hash as the last field."""
    records = zip(records_of(events), events["hash"], strict=True)
    return "".join(f'{record[:-1]},"hash":"{hashed}"}}\n' for record, hashed in records)


def salted_hash(salt: str, value: str) -> str:
    """Return what a payload says of a personal field."""
    return _sha256(salt + value)


def verify_store(connection: Connection) -> list[str]:
    """Return all that is wrong with the chain in the store, the events named; nothing means it holds."""
    heads = read_heads(connection)
    if len(heads) != 1:
        return [f"the head of the log stands {len(heads)} times in table meta, not once"]
    chain = Chain()
    problems: list[str] = []
    followed = 0
    for page in page_events(connection):
        problems += chain.follow(page)
        followed += page.height
    if (count := count_events(connection)) != followed:
        problems.append(
            f"{count - followed} of {count} events were added under numbers that are no place in the chain"
        )
    if problem := compare_head(chain.head, heads[0], "the store"):
        problems.append(problem)
    return problems


def verify_from(connection: Connection, first: int) -> str | None:
    """Return what is wrong with the chain in the store from an event on, or nothing; what stands before is believed."""
    chain: Chain | None = None
    for page in page_events(connection, first - 1):
        chain = chain or Chain(Head(first - 1, page["previous_hash"][0]))
        if problems := chain.follow(page):
            return problems[0]
    return compare_head(chain.head if chain else START, read_head(connection), "the store")


class Chain:
    """Follows events in order and remembers how far the chain goes; after a wrong event it goes on from there."""

    def __init__(self, known: Head = START) -> None:
        """Start before the first event, or after one that is known to hold."""
        self.head = known

    def follow(self, events: pl.DataFrame) -> list[str]:
        """Follow the next events; return what is wrong with each wrong one."""
        problems: list[str] = []
        stated = (events[name] for name in ("sequence", "previous_hash", "hash"))
        for sequence, previous, hashed, record in zip(*stated, records_of(events), strict=True):
            is_changed = _sha256(record) != hashed
            if is_changed or (sequence, previous) != (self.head.sequence + 1, self.head.hash):
                problems += self._problems_with(sequence, previous, is_changed=is_changed)
            self.head = Head(sequence, hashed)
        return problems

    def _problems_with(self, found: int, previous: str, *, is_changed: bool) -> Iterator[str]:
        expected = self.head.sequence + 1
        if found != expected:
            after = f"after {self.head.sequence}" if self.head.sequence else "at the beginning"
            yield f"event {expected} is missing or out of order: {after} comes event {found}"
        if is_changed:
            yield f"event {found} was changed: its hash does not fit its content"
        elif found == expected and previous != self.head.hash:
            yield f"event {found} does not follow on event {expected - 1}: one of them was replaced"


def compare_head(found: Head, stated: Head, where: str) -> str | None:
    """Return how the end of a chain differs from the head that is stated beside it, or nothing."""
    if found.sequence < stated.sequence:
        return (
            f"event {found.sequence + 1} is missing: the events end with {found.sequence}, "
            f"{where} states {stated.sequence}"
        )
    if found.sequence > stated.sequence:
        return f"event {stated.sequence + 1} was added: {where} states {stated.sequence} as the last"
    if found.hash != stated.hash:
        return f"event {found.sequence} was replaced: {where} states another hash for it"
    return None


def _find_broken(
    connection: Connection, events: Sequence[NewEvent], named: Mapping[tuple[str, str], int]
) -> list[NewEvent]:
    """Return an event of each group that was changed by hand before this transaction; raise when none may follow."""
    changed = find_all_changed(connection, named)
    # What names who told of it (`told_by`: a journal, a mail) has happened too.
    if changed and not any(event.kind in HAPPENED or "told_by" in event.payload for event in events):
        raise AuditBrokenError(refusal(*changed.values()))
    return [NewEvent(BROKEN, {key: group, "problems": told}) for (key, group), told in changed.items()]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise TypeError(f"an audit event holds whole numbers up to 2^53 - 1, not {value}: write it as text")
    if value is None or isinstance(value, str | int):
        return value
    return _as_text(value)


def _as_text(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).strftime(_INSTANT)
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"an audit event cannot hold {type(value).__name__}: {value!r}")
