"""The audit chain: each event carries the hash of the one before, so that no past one can be changed unseen.

A hash is SHA-256 over the canonical JSON (RFC 8785) of {sequence, recorded_at, actor, run_id, kind, action_id,
customer_id, payload, previous_hash}, where payload is the text of the canonical JSON of what happened and
recorded_at is UTC with microseconds. Rows are kept by `tasks.store.audit`; the copy for people is `tasks.publish`.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import polars as pl
import rfc8785

from tasks.store.audit import (
    EVENT_ROWS,
    PERSONAL_ROWS,
    Head,
    append_rows,
    count_events,
    page_events,
    page_personal_fields,
    read_head,
)
from tasks.store.connection import Connection

START = Head(0, "")
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
    their salted hashes, under `<field>_hash`.
    """

    kind: str
    payload: Mapping[str, object]
    action_id: str | None = None
    customer_id: str | None = None
    personal: Mapping[str, str] = field(default_factory=dict)


def append_events(
    connection: Connection, events: Sequence[NewEvent], *, recorded_at: datetime, actor: str, run_id: str
) -> Head:
    """Add events to the chain, in the caller's transaction, and return its new head."""
    head = read_head(connection)
    if not events:
        return head
    rows: list[dict[str, object]] = []
    personal: list[dict[str, object]] = []
    last: tuple[Mapping[str, object], str] = ({}, "{}")
    for sequence, event in enumerate(events, start=head.sequence + 1):
        salted = {name: (secrets.token_hex(16), value) for name, value in event.personal.items()}
        personal += [
            {"sequence": sequence, "field": name, "salt": salt, "value": value}
            for name, (salt, value) in salted.items()
        ]
        hashes = {f"{name}_hash": salted_hash(salt, value) for name, (salt, value) in salted.items()}
        # The actions of one message often share what happened: it is put into words once.
        if hashes:
            last = ({}, canonical({**event.payload, **hashes}))
        elif event.payload is not last[0]:
            last = (event.payload, canonical(event.payload))
        row: dict[str, object] = {
            "sequence": sequence,
            "recorded_at": recorded_at.astimezone(UTC).strftime(_INSTANT),
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


def hash_of(record: Mapping[str, object]) -> str:
    """Return the hash of an event given as plain texts and whole numbers."""
    return hashlib.sha256(_encode({name: record[name] for name in _HASHED}).encode("utf-8")).hexdigest()


def salted_hash(salt: str, value: str) -> str:
    """Return what a payload says of a personal field."""
    return hashlib.sha256((salt + value).encode("utf-8")).hexdigest()


def verify_store(connection: Connection) -> list[str]:
    """Return what is wrong with the chain in the store; the first wrong event is named, nothing means it holds."""
    head = read_head(connection)
    chain = Chain()
    for page in page_events(connection):
        if problem := chain.follow(page):
            return [problem]
    if chain.head.sequence != count_events(connection):
        return [
            f"there are {count_events(connection)} events under {chain.head.sequence} numbers: some stand twice"
        ]
    if problem := compare_head(chain.head, head, "the store"):
        return [problem]
    return list(_wrong_personal_fields(page_personal_fields(connection)))


def verify_from(connection: Connection, first: int) -> str | None:
    """Return what is wrong with the chain in the store from an event on, or nothing; what stands before is believed."""
    chain: Chain | None = None
    for page in page_events(connection, first - 1):
        chain = chain or Chain(Head(first - 1, page["previous_hash"][0]))
        if problem := chain.follow(page):
            return problem
    return compare_head(chain.head if chain else START, read_head(connection), "the store")


class Chain:
    """Follows events in order and remembers how far the chain holds."""

    def __init__(self, known: Head = START) -> None:
        """Start before the first event, or after one that is known to hold."""
        self.head = known

    def follow(self, events: pl.DataFrame) -> str | None:
        """Follow the next events; return what is wrong with the first wrong one, or nothing."""
        plain = events.with_columns(
            pl.col("recorded_at").dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        )
        for row in plain.iter_rows(named=True):
            if problem := self._problem_with(row):
                return problem
            self.head = Head(row["sequence"], row["hash"])
        return None

    def _problem_with(self, row: Mapping[str, object]) -> str | None:
        expected, found = self.head.sequence + 1, row["sequence"]
        if found != expected:
            after = f"after {self.head.sequence}" if self.head.sequence else "at the beginning"
            return f"event {expected} is missing or out of order: {after} comes event {found}"
        if hash_of(row) != row["hash"]:
            return f"event {found} was changed: its hash does not fit its content"
        if row["previous_hash"] != self.head.hash:
            return f"event {found} does not follow on event {expected - 1}: one of them was replaced"
        return None


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


def _wrong_personal_fields(pages: Iterable[pl.DataFrame]) -> Iterator[str]:
    for page in pages:
        for row in page.iter_rows(named=True):
            payload = json.loads(row["payload"]) if row["payload"] else {}
            if payload.get(f"{row['field']}_hash") != salted_hash(row["salt"], row["value"]):
                yield f"event {row['sequence']}: its personal field {row['field']} was changed"


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
