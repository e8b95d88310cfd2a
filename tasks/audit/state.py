"""Whether the store holds what the log says: each intake, batch and other group of rows against its last seal.

What was recorded before seals were kept is told as not covered. Digests are made in `tasks.store.seals`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.explanations import counted
from tasks.store.audit import (
    find_composed_otherwise,
    find_missing_personal,
    find_untold_dispatches,
    read_runs_before,
    read_sealing_events,
)
from tasks.store.connection import Connection
from tasks.store.last_seals import (
    Sealed,
    compare,
    name_group,
    name_kind,
    no_event_tells,
    seals_of,
    told_broken,
)
from tasks.store.schema import differences_from_schema
from tasks.store.seals import GROUPS, read_runs, read_seals

_FIRST_OF_A_GROUP = {
    ("batch_drafted", "batch_id"),
    ("file_loaded", "intake_id"),
    ("mail_returned", "return_id"),
    ("standings_recorded", "standing_id"),
}
"""What tells of a group for the first time: told twice, the rows of before were removed in between."""


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
    last: dict[tuple[str, str], Sealed] = {}
    for key, group, one, kind in seals_of(events.iter_rows(named=True)):
        if (kind, key) in _FIRST_OF_A_GROUP and (before := last.get((key, group))):
            problems.append(
                f"{one.event}: {name_group(key, group)} is told as new, and {before.event} had told of it"
            )
        last[key, group] = one
    earlier = read_runs_before(connection, events["sequence"][0] if events.height else 2**62)
    for key in GROUPS:
        sealed = {name: one for (of_key, name), one in last.items() if of_key == key}
        found, runs = read_seals(connection, key), read_runs(connection, key)
        unsealed = [name for name in found if name not in sealed]
        old = {name for name in unsealed if runs.get(name) in earlier}
        problems += [no_event_tells(key, name, found[name]) for name in unsealed if name not in old]
        for name, one in sealed.items():
            problems += compare(key, name, one, found.get(name, {}))
        if old:
            not_covered.append(counted(len(old), name_kind(key)))
    problems += told_broken(connection)
    problems += _missing_personal(connection)
    problems += _untold_dispatches(connection)
    problems += _composed_otherwise(connection)
    return StateCheck(problems, not_covered)


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


def _composed_otherwise(connection: Connection) -> Iterator[str]:
    """Yield where amounts, documents or recipients are not those that were composed."""
    for row in find_composed_otherwise(connection).iter_rows(named=True):
        yield (
            f"event {row['sequence']} ({row['kind']} {row['batch_id']}): action {row['action_id'][:16]} stands in the "
            f"store with another {', '.join(row['differing'])}"
        )
