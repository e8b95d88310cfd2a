"""Reads a policy as far as it can be read, so that one mistake doesn't hide the next.

What is wrong is taken out, and what is missing stands in by a name of its own; both are doubts, and nothing is said
about what is in doubt but the first mistake. What ties the keys together is checked in `policies.policy_check`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import cast

from pydantic import BaseModel, ValidationError

from policies.errors import Problem
from policies.policy_check import NAMELESS
from policies.policy_keys import Accelerate, Blackout, Policy, RiskClass, Segment, Step, Watch
from policies.strict_yaml import NO_KEYS, read
from policies.yaml_problems import (
    Items,
    Lines,
    explain_renamed,
    join_path,
    list_details,
    places_of,
    reconcile,
    rename_misspelt,
)

Place = tuple[object, ...]
"""The keys and positions that lead to a value."""

_BLOCKS: dict[str, type[BaseModel]] = {
    "risk": RiskClass,
    "segments": Segment,
    "accelerate": Accelerate,
    "watch": Watch,
}
_STAND_INS: dict[type[BaseModel], dict[str, object]] = {
    RiskClass: {"class": NAMELESS},
    Segment: {"segment": NAMELESS, "ladder": NAMELESS},
    Accelerate: {"when": "false", "to": NAMELESS},
    Watch: {"watch": NAMELESS, "when": "false"},
    Step: {"step": NAMELESS, "channel": "email"},
    Blackout: {"from": date.max, "to": date.max, "why": NAMELESS},
}
_TOP_STAND_INS: dict[str, object] = {
    "policy": NAMELESS,
    "description": NAMELESS,
    "segments": [{"segment": NAMELESS, "ladder": NAMELESS}],
    "ladders": {NAMELESS: [{"step": NAMELESS, "channel": "email"}]},
}
_INSIDE = {"segments": "[0].ladder", "ladders": f".{NAMELESS}[0]"}


@dataclass(frozen=True)
class Reading:
    """What could be read of a policy file: no policy at all when it is no YAML or holds no keys.

    `doubts` are the key paths of what was taken out or stands in; `content` knows the lines.
    """

    policy: Policy | None
    problems: tuple[Problem, ...]
    doubts: frozenset[str]
    content: object


def read_policy(text: str, file: str) -> Reading:
    """Return what can be read of a policy, with everything wrong in the shape of its file."""
    content, problems = read(text, file)
    if not isinstance(content, Lines):
        return Reading(None, tuple(problems) or (Problem(file, "", *NO_KEYS),), frozenset(), content)
    mended = _copy(content)
    doubts = {problem.key_path for problem in problems}
    policy, error = _validate(mended)
    problems = reconcile(problems, error, Policy, mended, file)
    while error is not None:
        refused = [(details["type"], tuple(places_of(details, mended))) for details in list_details(error)]
        renamed = rename_misspelt(error, Policy, mended)
        doubts |= {*_mend(mended, refused), *_fill(mended)}
        policy, error = _validate(mended)
        problems += explain_renamed(error, Policy, mended, renamed, problems, file)
    return Reading(policy, tuple(problems), frozenset(doubts), mended)


def _validate(content: Lines) -> tuple[Policy | None, ValidationError | None]:
    try:
        return Policy.model_validate(content), None
    except ValidationError as error:
        return None, error


def _copy(content: Lines) -> Lines:
    """Return a copy to be mended; its keys are text, whatever they look like."""
    copy = Lines()
    for key, value in content.items():
        copy[_key(key)] = _copy_value(value)
    copy.lines = {_key(key): line for key, line in content.lines.items()}
    return copy


def _copy_value(value: object) -> object:
    if isinstance(value, Lines):
        return _copy(value)
    if isinstance(value, Items):
        return Items(map(_copy_value, value), value.lines)
    return value


def _key(key: object) -> str:
    return "" if key is None else str(key)


def _mend(content: Lines, refused: list[tuple[str, Place]]) -> Iterator[str]:
    """Take out what is refused, misspelt keys aside; yield the key paths that are in doubt since."""
    for kind, place in refused:
        is_missing = kind == "missing"
        if is_missing and (len(place) == 1 or _is_block(place[:-1])):
            # What stands in for it is put there by `_fill`, unless a misspelt key was meant.
            yield from () if place[-1] in _at(content, place[:-1]) else (join_path(place),)
        elif kind == "string_pattern_mismatch" and place[-1] == "step":
            yield join_path(place)
            _name_step(cast(Lines, _at(content, place[:-1])))
        elif kind != "extra_forbidden":
            yield join_path(place)
            yield _drop(content, place[:-1] if is_missing else place)


def _name_step(step: Lines) -> None:
    """Give a step the name that was meant, so that rules which lead to another one can still be told."""
    plain = unicodedata.normalize("NFKD", str(step["step"]).lower()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    step["step"] = name if name[:1].isalpha() else NAMELESS


def _drop(content: Lines, place: Place) -> str:
    """Take out the innermost key that holds what stands at a place; an entry of a list of blocks is emptied."""
    while isinstance(place[-1], int) and not _is_block(place):
        place = place[:-1]
    holder = _at(content, place[:-1])
    if isinstance(holder, Items):
        holder[cast(int, place[-1])] = Lines()
    else:
        holder.pop(place[-1], None)
    return join_path(place)


def _at(content: Lines, place: Place) -> Lines | Items:
    """Return the mapping or list at a place; an empty one if something before has taken it out."""
    holder: Lines | Items = content
    for part in place:
        inner = holder.get(part) if isinstance(holder, Lines) else holder[cast(int, part)]
        holder = inner if isinstance(inner, Lines | Items) else Lines()
    return holder


def _is_block(place: Place) -> bool:
    """Whether a place is an entry of a list of blocks, such as a step."""
    is_listed = (
        (len(place) == 2 and place[0] in _BLOCKS)
        or (len(place) == 3 and place[0] == "ladders")
        or (len(place) == 3 and place[:2] == ("calendar", "blackouts"))
    )
    return is_listed and isinstance(place[-1], int)


def _fill(content: Lines) -> Iterator[str]:
    """Let something stand in for what must be there; yield its key paths."""
    for key, stand_in in _TOP_STAND_INS.items():
        if key not in content:
            content[key] = stand_in
            yield key
            yield f"{key}{_INSIDE.get(key, '')}"
    for path, kind, blocks in _block_lists(content):
        for index, block in enumerate(blocks):
            missing = {key: value for key, value in _STAND_INS[kind].items() if key not in block}
            block.update(missing)
            yield from (f"{path}[{index}].{key}" for key in missing)


def _block_lists(content: Lines) -> Iterator[tuple[str, type[BaseModel], list[dict[object, object]]]]:
    """Yield the lists of blocks; what had another shape was taken out before."""
    for key, kind in _BLOCKS.items():
        yield key, kind, cast(list[dict[object, object]], content.get(key, []))
    calendar = cast(dict[str, list[dict[object, object]]], content.get("calendar") or {})
    yield "calendar.blackouts", Blackout, calendar.get("blackouts", [])
    ladders = cast(dict[str, list[dict[object, object]]], content["ladders"])
    for name, blocks in ladders.items():
        yield f"ladders.{name}", Step, blocks
