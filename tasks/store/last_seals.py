"""The last seal of each group in the log, and how the store differs from it: what nobody told was done by hand.

`tasks.ledger` compares a group before an event seals it anew; `tasks.audit.state` compares all of them.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.explanations import counted
from tasks.store.audit import read_head, read_log, read_runs_before
from tasks.store.connection import Connection, fetch, load_query
from tasks.store.seals import Seal, read_runs, read_seals

BROKEN = "seal_broken"
"""The kind of the event which says that a group had been changed before something was recorded of it."""

_NAMES = {
    "intake_id": "intake",
    "batch_id": "batch",
    "standing_id": "look at accounts",
    "return_id": "returned mail",
    "mailbox": "mailbox",
}
_FIRST_STRETCH = 4096
_GROWTH = 8


@dataclass(frozen=True)
class Sealed:
    """The last seal of a group; `event` names the event that holds it for people."""

    event: str
    seal: Seal
    sequence: int = 0


def name_group(key: str, group: str) -> str:
    """Return what people call a group of rows."""
    return f"{_NAMES[key]} {group}"


def name_kind(key: str) -> str:
    """Return what one group of a kind is counted as."""
    return _NAMES[key].partition(" ")[0]


def seals_of(events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, Sealed, str]]:
    """Yield what events seal: the key, the group, the seal, and the kind of the event."""
    for event in events:
        payload = read_payload(event["payload"])
        about = payload.get("file") or payload.get("batch_id")
        name = f"event {event['sequence']} ({event['kind']}{f' {about}' if about else ''})"
        for key, groups in payload.get("sealed", {}).items():
            for group, seal in groups.items():
                yield key, group, Sealed(name, seal, event["sequence"]), event["kind"]


def compare(key: str, group: str, sealed: Sealed, found: Seal) -> Iterator[str]:
    """Yield how the rows of a group differ from its seal, table by table."""
    name = name_group(key, group)
    for table in sorted({*sealed.seal, *found}):
        stated, now = sealed.seal.get(table), found.get(table)
        if stated == now:
            continue
        before, after = (int(str(one["rows"])) if one else 0 for one in (stated, now))
        if before == after:
            yield f"{sealed.event}: {table} of {name} was changed: {counted(after, 'row')} there, and not those logged"
        else:
            verb = "added" if after > before else "removed"
            yield (
                f"{sealed.event}: rows of {table} of {name} were {verb}: "
                f"{counted(before, 'row')} logged, {after} in the store"
            )


def no_event_tells(key: str, group: str, found: Seal) -> str:
    """Say that a group stands in the store of which the log knows nothing."""
    return f"{name_group(key, group)}: no event tells of it; its rows in {', '.join(found)} were added"


def find_changed(connection: Connection, key: str, groups: Collection[str]) -> dict[str, list[str]]:
    """Return how groups were changed before this transaction, by hand; one that holds is left out.

    What another transaction has not committed cannot be seen: so the rows as they stood are read beside the caller's
    own, however much of them it has changed. A group that it has sealed already was compared then; one that is new
    costs only the look for its rows.
    """
    before = connection.cursor()
    try:
        found = read_seals(before, key, groups)
        # How far a mailbox is read has one row that is written again; all others are new where they have no row.
        asked = set(groups) if key == "mailbox" else set(found)
        committed = read_head(before).sequence
        last = _last_seals(connection, key, asked)
        told = _told_broken(before, key, asked) if asked else {}
        unsealed = _unsealed(before, key, found, asked - set(last))
    finally:
        before.close()
    changed = {group: [problem] for group, problem in {**unsealed, **told}.items()}
    for group, sealed in last.items():
        if sealed.sequence <= committed and group not in changed:
            changed[group] = list(compare(key, group, sealed, found.get(group, {})))
    return {group: problems for group, problems in changed.items() if problems}


def _last_seals(connection: Connection, key: str, groups: Collection[str]) -> dict[str, Sealed]:
    """Return the last seal of each group, looked for from the end of the log in stretches that grow."""
    missing = set(groups)
    [*only] = missing if len(missing) == 1 else ()
    told = f"{json.dumps(only[0], ensure_ascii=False)}:{{" if only else '"sealed":{'
    last, length = read_head(connection).sequence, _FIRST_STRETCH
    found: dict[str, Sealed] = {}
    while missing and last > 0:
        first = last - length + 1
        events = fetch(connection, load_query("seals_between"), first=first, last=last, told=told)
        for of_key, group, sealed, _ in seals_of(events.iter_rows(named=True)):
            if of_key == key and group in missing:
                found[group] = sealed
                missing.remove(group)
        last, length = last - length, length * _GROWTH
    return found


def told_broken(connection: Connection) -> list[str]:
    """Return what events say of groups that were changed by hand: for good, as what followed was built on it."""
    return [told for _, told in _broken(connection)]


def _broken(connection: Connection) -> Iterator[tuple[Mapping[str, Any], str]]:
    for event in read_log(connection, kind=BROKEN).iter_rows(named=True):
        payload = read_payload(event["payload"])
        yield (
            payload,
            f"event {event['sequence']} ({BROKEN}) tells of {'; '.join(payload.get('problems', []))}",
        )


def _told_broken(connection: Connection, key: str, groups: Collection[str]) -> dict[str, str]:
    return {
        str(payload[key]): told for payload, told in _broken(connection) if str(payload.get(key)) in groups
    }


def _unsealed(
    connection: Connection, key: str, found: Mapping[str, Seal], names: Collection[str]
) -> dict[str, str]:
    """Return of which groups no event tells, though they are not older than the first seal."""
    if not names or not (of_store := [name for name in names if name in found]):
        return {}
    first = connection.execute(load_query("first_seal")).fetchall()[0][0]
    earlier = read_runs_before(connection, first or 2**62)
    runs = read_runs(connection, key)
    return {
        name: no_event_tells(key, name, found[name]) for name in of_store if runs.get(name) not in earlier
    }


def read_payload(payload: str) -> Mapping[str, Any]:
    """Return what an event tells; one that was changed into something else tells nothing, and is found elsewhere."""
    try:
        stated = json.loads(payload)
    except ValueError:
        return {}
    return stated if isinstance(stated, dict) else {}
