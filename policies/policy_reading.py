"""Reads a policy as far as it can be read, so that one mistake doesn't hide the next.

What is wrong is taken out, and what is missing stands in by a name of its own; both are doubts, and nothing is said
about what is in doubt but the first mistake. What ties the keys together is checked in `policies.policy_check`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policies.errors import Problem
from policies.policy_keys import Accelerate, Policy, RiskClass, Segment, Step, Watch
from policies.strict_yaml import NO_KEYS, read
from policies.yaml_problems import (
    Items,
    Lines,
    explain,
    join_path,
    known_keys,
    list_details,
    places_of,
)
from policies.yaml_wording import find_near

Place = tuple[object, ...]
"""The keys and positions that lead to a value."""

_BLOCKS: dict[str, type[BaseModel]] = {
    "risk": RiskClass,
    "segments": Segment,
    "accelerate": Accelerate,
    "watch": Watch,
}
_STAND_INS: dict[type[BaseModel], dict[str, str]] = {
    RiskClass: {"class": "unnamed"},
    Segment: {"segment": "unnamed", "ladder": "unnamed"},
    Accelerate: {"when": "false", "to": "unnamed"},
    Watch: {"watch": "unnamed", "when": "false"},
    Step: {"step": "unnamed", "channel": "email"},
}
_TOP_STAND_INS: dict[str, object] = {
    "policy": "unnamed",
    "description": "unnamed",
    "segments": [{"segment": "unnamed", "ladder": "unnamed"}],
    "ladders": {"unnamed": [{"step": "unnamed", "channel": "email"}]},
}
_INSIDE = {"segments": "[0].ladder", "ladders": ".unnamed[0]"}


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
    told = {problem.key_path for problem in problems}
    doubts = set(told)
    is_first = True
    while True:
        try:
            policy = Policy.model_validate(mended)
        except ValidationError as error:
            if is_first:
                found = explain(error, Policy, mended, file)
                problems += [problem for problem in found if problem.key_path not in told]
                is_first = False
            doubts |= {*_mend(mended, error), *_fill(mended)}
        else:
            return Reading(policy, tuple(problems), frozenset(doubts), mended)


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


def _mend(content: Lines, error: ValidationError) -> Iterator[str]:
    """Give misspelt keys their name, and take out what is refused; yield the key paths that are in doubt since."""
    found = [(details, tuple(places_of(details, content))) for details in list_details(error)]
    for details, place in found:
        if details["type"] == "extra_forbidden":
            _rename(content, details, place)
    for details, place in found:
        is_missing = details["type"] == "missing"
        if is_missing and (len(place) == 1 or _is_block(place[:-1])):
            # What stands in for it is put there by `_fill`, unless a misspelt key was meant.
            yield from () if place[-1] in _at(content, place[:-1]) else (join_path(place),)
        elif details["type"] != "extra_forbidden":
            yield join_path(place)
            yield _drop(content, place[:-1] if is_missing else place)


def _rename(content: Lines, details: ErrorDetails, place: Place) -> None:
    holder = cast(Lines, _at(content, place[:-1]))
    value = holder.pop(place[-1])
    near = find_near(str(place[-1]), known_keys(Policy, details["loc"][:-1]))
    if near is not None and near not in holder:
        holder[near] = value
        holder.lines[near] = holder.lines[place[-1]]


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
    is_listed = (len(place) == 2 and place[0] in _BLOCKS) or (len(place) == 3 and place[0] == "ladders")
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
    ladders = cast(dict[str, list[dict[object, object]]], content["ladders"])
    for name, blocks in ladders.items():
        yield f"ladders.{name}", Step, blocks
