"""Says in plain words what a model refuses in a YAML file: file, key path, line, what is allowed.

Reading the text is the business of `policies.strict_yaml`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import Annotated, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from policies.errors import Problem
from policies.yaml_wording import TRUE_FALSE_OR, Saying, did_you_mean, find_near, say_value

_UNKNOWN = "unknown key"


class Lines(dict[object, object]):
    """A mapping that remembers the line of each of its keys, for messages."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.lines: dict[object, int] = {}


class Items(list[object]):
    """A list that remembers the line of each of its entries, for messages."""

    def __init__(self, items: Iterable[object], lines: Iterable[int]) -> None:
        """Keep the entries and their lines."""
        super().__init__(items)
        self.lines = list(lines)


def explain(
    error: ValidationError, model: type[BaseModel], data: Mapping[object, object], file: str
) -> list[Problem]:
    """Return one problem per thing the model refuses in `data`."""
    found = list_details(error)
    meant = {
        (*one["loc"][:-1], find_near(str(one["loc"][-1]), known_keys(model, one["loc"][:-1])))
        for one in found
        if one["type"] == "extra_forbidden"
    }
    lacking = {one["loc"] for one in found if one["type"] == "missing"}
    # A key that is missing because it is misspelt is told once.
    return [
        _problem(one, model, data, file, lacking)
        for one in found
        if not (one["type"] == "missing" and one["loc"] in meant)
    ]


def reconcile(
    read: Iterable[Problem], error: ValidationError | None, model: type[BaseModel], data: Lines, file: str
) -> list[Problem]:
    """Return what the reader and the model refuse, each place once, with what is allowed for its kind of value.

    Args:
        read: what was wrong in the text by itself.
        error: what the model refuses, if it does.
        model: what the file should be.
        data: the content, with words as text where they were refused.
        file: for messages.
    """
    known = [_of_kind(problem, error, data) for problem in read]
    told = {problem.key_path for problem in known}
    more = explain(error, model, data, file) if error else []
    return [*known, *(one for one in more if one.key_path not in told or one.what.startswith(_UNKNOWN))]


def rename_misspelt(error: ValidationError, model: type[BaseModel], data: Lines) -> dict[str, str]:
    """Give misspelt keys the name that was meant, and take out those that mean nothing.

    Returns the key paths under the new name, each with the one that stands in the file.
    """
    renamed = {}
    unknown = [one for one in list_details(error) if one["type"] == "extra_forbidden"]
    for place, location in [(tuple(places_of(one, data)), one["loc"]) for one in unknown]:
        holder = _holder(data, place)
        value, line = holder.pop(place[-1]), holder.lines[place[-1]]
        near = find_near(str(place[-1]), known_keys(model, location[:-1]))
        if near is not None and near not in holder:
            holder[near], holder.lines[near] = value, line
            renamed[join_path((*place[:-1], near))] = join_path(place)
    return renamed


def explain_renamed(
    error: ValidationError | None,
    model: type[BaseModel],
    data: Lines,
    renamed: Mapping[str, str],
    told: Iterable[Problem],
    file: str,
) -> list[Problem]:
    """Return what is wrong inside misspelt keys, now that they are read; what is told already is left out."""
    paths = {problem.key_path for problem in told if not problem.what.startswith(_UNKNOWN)}
    found = []
    for problem in explain(error, model, data, file) if error else []:
        for meant, written in renamed.items():
            if problem.key_path == meant or problem.key_path.startswith((f"{meant}.", f"{meant}[")):
                path = written + problem.key_path.removeprefix(meant)
                found += [replace(problem, key_path=path)] if path not in paths else []
    return found


def _holder(data: Lines, place: Sequence[object]) -> Lines:
    holder: object = data
    for part in place[:-1]:
        holder = holder[part]  # type: ignore[index]  # the model found a key there
    return cast(Lines, holder)


def _of_kind(problem: Problem, error: ValidationError | None, data: Lines) -> Problem:
    """Return the problem of a word with what its key allows: quotes don't help where no text may stand."""
    for details in list_details(error) if error else ():
        is_here = join_path(places_of(details, data)) == problem.key_path
        if is_here and details["type"] not in ("extra_forbidden", "missing"):
            return replace(problem, allowed=say_value(details)[1] or problem.allowed)
    return replace(problem, allowed=problem.allowed.removeprefix(TRUE_FALSE_OR))


def list_details(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic refuses, each once."""
    # A default that rests on another key is not wrong by itself: that key is told already.
    return [one for one in error.errors(include_url=False) if one["type"] != "default_factory_not_called"]


def line_of(data: object, parts: Iterable[object]) -> int | None:
    """Return the line of the innermost part of the way that is known to stand in the file."""
    line = None
    for part in parts:
        if isinstance(data, Lines):
            line = data.lines.get(part, _first_line(data, line))
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            line = data.lines[part] if isinstance(data, Items) else line
            data = data[part]
    return line


def _first_line(data: object, otherwise: int | None) -> int | None:
    return min(data.lines.values(), default=otherwise) if isinstance(data, Lines) else otherwise


def add_lines(problems: Iterable[Problem], data: object) -> list[Problem]:
    """Return the problems with the line of the key they speak of."""
    return [_add_line(problem, data) for problem in problems]


def _add_line(problem: Problem, data: object) -> Problem:
    words = re.findall(r"[^.\[\]]+", problem.key_path)
    line = line_of(data, [int(word) if word.isdigit() else word for word in words])
    return replace(problem, line=line) if line else problem


def join_path(parts: Iterable[object]) -> str:
    """Return keys and positions as people write them: `ladders.standard[1].when`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _problem(
    details: ErrorDetails,
    model: type[BaseModel],
    data: object,
    file: str,
    lacking: Collection[tuple[int | str, ...]],
) -> Problem:
    what, allowed = _say(details, model, lacking)
    places = list(places_of(details, data))
    return Problem(file, join_path(places), what, allowed, line_of(data, places))


def places_of(details: ErrorDetails, data: object) -> Iterator[object]:
    """Yield the keys and positions that stand in the file; pydantic mixes names of types among them."""
    for part in details["loc"]:
        is_position = isinstance(data, list) and isinstance(part, int)
        if isinstance(data, list | Mapping) and (is_position or part in data):
            data = data[part]  # type: ignore[index]  # a position of a list or a key of a mapping, as just asked
            yield part
    if details["type"] == "missing":
        yield details["loc"][-1]


def _say(details: ErrorDetails, model: type[BaseModel], lacking: Collection[tuple[int | str, ...]]) -> Saying:
    """Return what is wrong and what is allowed."""
    if details["type"] == "extra_forbidden":
        known = known_keys(model, details["loc"][:-1])
        key = str(details["loc"][-1])
        is_missing = (*details["loc"][:-1], find_near(key, known)) in lacking
        also = " It is missing" if is_missing else ""
        return f"{_UNKNOWN} '{key}'{did_you_mean(key, known)}{also}", ", ".join(known)
    if details["type"] == "missing":
        return "this key is missing", ""
    return say_value(details)


def known_keys(model: type[BaseModel], location: Sequence[object]) -> list[str]:
    """Return the keys the mapping at `location` may have, sorted as the model declares them."""
    inner: object = model
    for part in location:
        inner = _step_into(inner, part)
    return [field.alias or name for found in _models_in(inner) for name, field in found.model_fields.items()]


def _step_into(annotation: object, part: object) -> object:
    """Return the annotation of what stands at `part` inside something annotated so."""
    for found in _models_in(annotation):
        if found.__name__ == part:
            return found
        for name, field in found.model_fields.items():
            if part == (field.alias or name):
                return field.annotation
    inner = [
        get_args(choice)[-1 if get_origin(choice) is dict else 0]
        for choice in _choices(annotation)
        if get_args(choice)
    ]
    return inner[0] if inner else annotation


def _models_in(annotation: object) -> list[type[BaseModel]]:
    choices = (choice for choice in _choices(annotation) if get_origin(choice) is None)
    return [choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)]


def _choices(annotation: object) -> tuple[object, ...]:
    """Return the types an annotation allows, without what only refines them."""
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(choice for part in get_args(annotation) for choice in _choices(part))
    return (annotation,)
