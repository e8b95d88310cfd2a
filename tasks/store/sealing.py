"""What events of a transaction seal, and the look before: what was changed by hand is not sealed with the rest."""

from collections.abc import Iterable, Mapping, Sequence

from policies.errors import AuditBrokenError
from tasks.store.connection import Connection
from tasks.store.last_seals import find_changed
from tasks.store.seals import GROUPS, Seal, read_seals

Places = Mapping[tuple[str, str], int]
"""Of each group that events name, by key and name, the place of the last event that names it."""


def last_places(payloads: Iterable[Mapping[str, object]]) -> Places:
    """Return which groups events name, given what each tells."""
    last: dict[tuple[str, str], int] = {}
    seen: Mapping[str, object] = {}
    named: list[tuple[str, str]] = []
    for place, payload in enumerate(payloads):
        # The actions of one message often share what happened: it is looked through once.
        if payload is not seen:
            seen = payload
            named = [(key, group) for key in GROUPS for group in _named(payload, key)]
        last.update(dict.fromkeys(named, place))
    return last


def seal(connection: Connection, named: Places) -> dict[int, dict[str, dict[str, Seal]]]:
    """Return what events seal, by their place: key -> name of the group -> its seal."""
    sealed: dict[int, dict[str, dict[str, Seal]]] = {}
    for key in {key for key, _ in named}:
        of_key = {group: place for (one, group), place in named.items() if one == key}
        for group, one_seal in read_seals(connection, key, of_key).items():
            sealed.setdefault(of_key[group], {}).setdefault(key, {})[group] = one_seal
    return sealed


def find_all_changed(connection: Connection, named: Places) -> dict[tuple[str, str], list[str]]:
    """Return how the groups were changed by hand before this transaction; one that was not is left out."""
    groups: dict[str, list[str]] = {}
    for key, group in named:
        groups.setdefault(key, []).append(group)
    return {
        (key, group): problems
        for key in groups
        for group, problems in find_changed(connection, key, groups[key]).items()
    }


def require_unchanged(connection: Connection, key: str, group: str) -> None:
    """Raise AuditBrokenError when the store does not hold what the log says of a group, before anything is done."""
    if changed := find_changed(connection, key, [group]):
        raise AuditBrokenError(refusal(*changed.values()))


def refusal(*changed: Sequence[str]) -> str:
    """Say that nothing is done with what was changed by hand."""
    told = "; ".join(problem for problems in changed for problem in problems)
    return (
        f"{told[:1].upper()}{told[1:]}. This was changed by hand or by another program: nothing was done, and nothing "
        "of it leaves. `relance audit verify` tells everything; then restore the newest backup that it finds good."
    )


def _named(payload: Mapping[str, object], key: str) -> list[str]:
    one, many = payload.get(key), payload.get(f"{key}s")
    groups = [one] if one is not None else []
    return [str(group) for group in [*groups, *(many if isinstance(many, list | tuple) else [])]]
