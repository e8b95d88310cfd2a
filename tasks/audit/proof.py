"""What was done by one action, and the proof that its document, and the address given, are those that it left with.

The proof is against the hash that the log holds of the moment when the message left. A document that was erased, or
from which another customer was taken out, is followed through the events that say so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import AuditBrokenError, WrongUseError
from policies.money import format_plain
from tasks.audit.shared_files import ERASED, FILES_LOGGED, changed_prints
from tasks.ledger import salted_hash
from tasks.manifest import hash_file
from tasks.published_tables import query_published
from tasks.store.audit import read_personal_fields
from tasks.store.connection import load_query, open_to_read
from tasks.workspace import Workspace

_COMPOSED = ("action_composed", "document_replaced")
_LEFT = ("action_dispatched", "action_uncertain")
Row = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """One action with its events, payloads read, in order; `row` is that of the published actions."""

    row: Row
    events: list[Row]

    @property
    def action_id(self) -> str:
        """Return its number."""
        return str(self.row["action_id"])


@dataclass(frozen=True)
class Proof:
    """What can be said of a document.

    Attributes:
        holds: false where it is not the one that left, or is gone without an event that says so.
        sentence: says it.
        path: where it lies, when it holds.
        is_whole: false where others were taken out of it since it left.
    """

    holds: bool
    sentence: str
    path: Path | None = None
    is_whole: bool = True


def find_action(workspace: Workspace, number: str) -> Action:
    """Return the action whose number begins so.

    Raises:
        WrongUseError: there is none, or more than one.
    """
    begins = number.strip()
    found = _ask(workspace, "found_actions", begins=begins, customer=None)
    if not begins or found["action_id"].n_unique() != 1:
        raise WrongUseError(_unclear(begins, found))
    [action] = _with_events(workspace, found.tail(1), action=found["action_id"][0])
    return action


def actions_of(workspace: Workspace, customer_id: str) -> list[Action]:
    """Return the actions of a customer with their events, in the order in which they were proposed."""
    found = _ask(workspace, "found_actions", begins=None, customer=customer_id)
    return _with_events(workspace, found, customer=customer_id)


def read_erasures(workspace: Workspace) -> list[Row]:
    """Return the events that say which documents were erased or rewritten, in order."""
    return _read_events(workspace, kinds=list(ERASED))


def _with_events(workspace: Workspace, actions: pl.DataFrame, **wanted: str) -> list[Action]:
    events: dict[str, list[Row]] = {}
    for event in _read_events(workspace, **wanted):
        events.setdefault(event["action_id"], []).append(event)
    return [
        Action(row, [event for event in events.get(row["action_id"], []) if _is_about(event, row)])
        for row in actions.iter_rows(named=True)
    ]


def _is_about(event: Row, row: Row) -> bool:
    """Return whether an event tells of the action in this batch: one withdrawn may stand in a later batch again."""
    return event["payload"].get("batch_id") in (None, row["batch_id"])


def _read_events(workspace: Workspace, **wanted: object) -> list[Row]:
    found = _ask(workspace, "found_events", **{"action": None, "customer": None, "kinds": None, **wanted})
    return [{**event, "payload": json.loads(event["payload"])} for event in found.iter_rows(named=True)]


def _ask(workspace: Workspace, query: str, **wanted: object) -> pl.DataFrame:
    return query_published(workspace, load_query(f"audit/{query}"), wanted)


def tell_action(action: Action) -> list[str]:
    """Return what an action was, in sentences."""
    row = action.row
    since = f" since {row['dispatch_date']}" if row["dispatch_date"] else ""
    demanded = f"{format_plain(row['amount_demanded'], row['currency'])} {row['currency']}"
    item = f"invoice {row['invoice_number']} of customer {row['customer_id']}"
    return [
        f"Action {action.action_id}: {row['step']} (attempt {row['attempt']}) for {item}.",
        f"Demanded {demanded} by {row['channel']}; it is {row['status']}{since}.",
    ]


def prove_document(
    workspace: Workspace,
    action: Action,
    erasures: Sequence[Row] | None = None,
    outbox: dict[str, Path] | None = None,
) -> Proof:
    """Say whether the document in the outbox is the one that the action left with.

    Args:
        workspace: whose.
        action: the action.
        erasures: of `read_erasures`, for who proves many; read when left out.
        outbox: for who proves many: what lies in the outbox by its hash, filled with the first document that is gone.
    """
    outbox = {} if outbox is None else outbox
    logged = _logged(action)
    if logged is None:
        return Proof(holds=True, sentence="No document was made of it.")
    document = f"Document {logged.document}"
    said = f"Event {logged.sequence} holds its hash {logged.moment}: {logged.sha256}."
    now = _followed(read_erasures(workspace) if erasures is None else erasures, action, logged)
    if now.sha256 is None:
        return Proof(holds=True, sentence=f"{document} was erased. {now.story} {said}")
    path = workspace.root / logged.document
    found = hash_file(path) if path.is_file() else None
    if found is None and not logged.has_left and action.row["status"] in ("withdrawn", "rejected"):
        return Proof(holds=True, sentence=f"It never left, and its document was taken away. {said}")
    if found != now.sha256:
        is_what = (
            f"is NOT the one that {logged.verb}: it has the hash {found}"
            if found
            else "is gone, and no event says so"
        )
        return Proof(
            holds=False, sentence=f"{document} {is_what}. {said} {_elsewhere(workspace, now.sha256, outbox)}"
        )
    if now.story:
        sentence = f"{document} is what remains of the one that {logged.verb}. {said} {now.story}"
        return Proof(holds=True, sentence=sentence, path=path, is_whole=False)
    return Proof(holds=True, sentence=f"{document} is the one that {logged.verb}. {said}", path=path)


def prove_prints(workspace: Workspace, action: Action) -> list[str]:
    """Say how the print run and the list that left with a letter differ from those composed; nothing when they hold."""
    logged = _read_events(workspace, kinds=list(FILES_LOGGED))
    return changed_prints(workspace, action.row, logged, read_erasures(workspace))


def read_document(workspace: Workspace, action: Action) -> tuple[bytes, Proof]:
    """Return the bytes of the document that an action left with, and the proof.

    Raises:
        AuditBrokenError: it was changed, or is gone without an event that says so.
        WrongUseError: it was erased, or never made.
    """
    proof = prove_document(workspace, action)
    if not proof.holds:
        raise AuditBrokenError(proof.sentence)
    if proof.path is None:
        raise WrongUseError(proof.sentence)
    return proof.path.read_bytes(), proof


def prove_address(workspace: Workspace, action: Action, address: str) -> str:
    """Say whether a message went to this address: an e-mail address, a phone number, or a postal address in one line.

    The log holds a salted hash of the address; the salt stands in the store until the customer's data is erased.
    """
    composed = [event for event in action.events if event["kind"] in _COMPOSED]
    if not composed or "address_hash" not in composed[-1]["payload"]:
        return "The log holds no address of this action: its channel needs none, or the customer had none."
    event = composed[-1]
    with open_to_read(workspace) as connection:
        salts = read_personal_fields(connection, action.action_id).filter(
            (pl.col("sequence") == event["sequence"]) & (pl.col("field") == "address")
        )
    where = f"event {event['sequence']} holds the salted hash {event['payload']['address_hash']}"
    if salts.is_empty():
        return f"Nobody can say any more: {where}, and its salt was erased with the customer's personal data."
    if salted_hash(salts["salt"][0], address.strip()) == event["payload"]["address_hash"]:
        return f"Yes, this is the address it was made for: {where}, and this address gives the same."
    return f"No, this is not the address it was made for: {where}, and this address gives another."


@dataclass(frozen=True)
class _Logged:
    """The hash of a document that the log holds, and of which moment."""

    document: str
    sha256: str
    sequence: int
    has_left: bool

    @property
    def moment(self) -> str:
        return "when it left" if self.has_left else "as composed"

    @property
    def verb(self) -> str:
        return "left" if self.has_left else "was composed"


@dataclass(frozen=True)
class _Now:
    """The hash that a document must have by now, none once it was erased, and the events that made it so."""

    sha256: str | None
    story: str


def _logged(action: Action) -> _Logged | None:
    composed = [event for event in action.events if event["kind"] in _COMPOSED]
    left = [
        event for event in action.events if event["kind"] in _LEFT and event["payload"].get("document_sha256")
    ]
    if not composed:
        return None
    last = (left or composed)[-1]
    return _Logged(
        document=composed[-1]["payload"]["document"],
        sha256=last["payload"]["document_sha256"],
        sequence=last["sequence"],
        has_left=bool(left),
    )


def _followed(erasures: Sequence[Row], action: Action, logged: _Logged) -> _Now:
    """Follow a document through the erasures that touched it, from the hash it left with."""
    digest: str | None = logged.sha256
    told = []
    for event in erasures:
        for entry in event["payload"].get("documents", []):
            if entry["document"] == logged.document and entry["sha256"] == digest:
                digest = entry["sha256_after"]
                told.append(_told(event, digest, is_own=event["customer_id"] == action.row["customer_id"]))
    return _Now(digest, " ".join(told))


def _told(event: Row, after: str | None, *, is_own: bool) -> str:
    who = f"Event {event['sequence']} of {event['payload']['on']}, by {event['actor']},"
    if after is None:
        return f"{who} erased it."
    return (
        f"{who} took {'this' if is_own else 'another'} customer out of it; what remains has the hash {after}."
    )


def _elsewhere(workspace: Workspace, digest: str, outbox: dict[str, Path]) -> str:
    """Say where in the outbox a file with this hash lies, when it was moved; all its files are hashed once."""
    if not outbox:
        outbox |= {hash_file(path): path for path in sorted(workspace.outbox.rglob("*")) if path.is_file()}
    if path := outbox.get(digest):
        return f"A file with that hash lies at {path.relative_to(workspace.root)}: put it back."
    return "Put it back from a backup."


def _unclear(number: str, found: pl.DataFrame) -> str:
    numbers: Sequence[str] = found["action_id"].unique().sort().to_list()
    if not number or not numbers:
        return (
            f"no action has a number that begins with {number!r}; "
            "`relance audit query left-on DAY --format csv` lists those of a day."
        )
    shown = ", ".join(numbers[:5]) + (", …" if len(numbers) > 5 else "")
    return f"{len(numbers)} actions have a number that begins with {number}: {shown}. Give more of it."
