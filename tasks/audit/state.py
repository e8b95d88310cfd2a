"""Whether the store holds what the log says: each intake, batch and other group of rows against its last seal.

What was recorded before seals were kept is told as not covered. Digests are made in `tasks.store.seals`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.explanations import counted
from tasks.store.audit import (
    find_missing_personal,
    find_untold_dispatches,
    read_runs_before,
    read_sealing_events,
)
from tasks.store.connection import Connection
from tasks.store.schema import differences_from_schema
from tasks.store.seals import GROUPS, Seal, read_runs, read_seals

_NAMES = {
    "intake_id": "intake",
    "batch_id": "batch",
    "standing_id": "look at accounts",
    "return_id": "returned mail",
    "mailbox": "mailbox",
}


@dataclass(frozen=True)
class Sealed:
    """The last seal of a group, and the event that holds it."""

    event: str
    seal: Seal


@dataclass(frozen=True)
class StateCheck:
    """What is wrong, and what nothing can be said of because it is older than seals."""

    problems: list[str]
    not_covered: list[str]


def verify_state(connection: Connection) -> StateCheck:
    """Compare all that the store holds with the log."""
    problems = differences_from_schema(connection)
    not_covered: list[str] = []
    if any("missing" in problem for problem in problems):
        return StateCheck(problems, not_covered)
    events = read_sealing_events(connection)
    last = _last_seals(events.iter_rows(named=True))
    earlier = read_runs_before(connection, events["sequence"][0] if events.height else 2**62)
    for key in GROUPS:
        sealed = {name: one for (of_key, name), one in last.items() if of_key == key}
        found, runs = read_seals(connection, key), read_runs(connection, key)
        unsealed = [name for name in found if name not in sealed]
        old = [name for name in unsealed if runs.get(name) in earlier]
        problems += [
            f"{_NAMES[key]} {name}: no event tells of it; its rows in {', '.join(found[name])} were added"
            for name in unsealed
            if name not in old
        ]
        for name, one in sealed.items():
            problems += _compare(f"{_NAMES[key]} {name}", one, found.get(name, {}))
        if old:
            not_covered.append(counted(len(old), _NAMES[key].partition(" ")[0]))
    problems += _missing_personal(connection)
    problems += _untold_dispatches(connection)
    return StateCheck(problems, not_covered)


def _last_seals(events: Iterator[dict[str, Any]]) -> dict[tuple[str, str], Sealed]:
    last = {}
    for event in events:
        payload = _read(event["payload"])
        about = payload.get("file") or payload.get("batch_id")
        name = f"event {event['sequence']} ({event['kind']}{f' {about}' if about else ''})"
        for key, groups in payload.get("sealed", {}).items():
            for group, seal in groups.items():
                last[key, group] = Sealed(name, seal)
    return last


def _compare(name: str, sealed: Sealed, found: Seal) -> Iterator[str]:
    for table in sorted({*sealed.seal, *found}):
        stated, now = sealed.seal.get(table), found.get(table)
        if stated == now:
            continue
        before, after = (int(str(one["rows"])) if one else 0 for one in (stated, now))
        if before == after:
            rows = counted(after, "row")
            yield f"{sealed.event}: {table} of {name} was changed: {rows} there, and not those logged"
        else:
            verb = "added" if after > before else "removed"
            yield (
                f"{sealed.event}: rows of {table} of {name} were {verb}: "
                f"{counted(before, 'row')} logged, {after} in the store"
            )


def _missing_personal(connection: Connection) -> list[str]:
    return [
        f"event {row['sequence']}: its personal field {row['field']} was removed, and no event tells of an erasure"
        for row in find_missing_personal(connection).iter_rows(named=True)
    ]


def _untold_dispatches(connection: Connection) -> Iterator[str]:
    """Yield what store and log say differently of what left; both are written in one transaction."""
    for row in find_untold_dispatches(connection).iter_rows(named=True):
        action = f"action {row['action_id'][:16]}"
        if row["told_times"] is None:
            yield f"{action} left on {row['stated_date']} says the store, and no event action_dispatched tells of it"
        elif row["stated_times"] is None:
            yield f"event {row['sequence']}: {action} left on {row['told_date']}, and the store does not know of it"
        elif row["told_times"] > 1 or row["stated_times"] > 1:
            yield f"event {row['sequence']}: {action} left {max(row['told_times'], row['stated_times'])} times"
        else:
            yield (
                f"event {row['sequence']}: {action} left on {row['told_date']}, "
                f"and the store says {row['stated_date']}"
            )


def _read(payload: str) -> Mapping[str, Any]:
    """Return what an event tells; one that was changed into something else tells nothing, and is found elsewhere."""
    try:
        stated = json.loads(payload)
    except ValueError:
        return {}
    return stated if isinstance(stated, dict) else {}
