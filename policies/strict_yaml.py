"""Reads every YAML file of the project, strictly: nothing is guessed, and all problems are told together.

Here: what a plain word may mean, duplicate keys, and how a wrong value is explained. What keys a file has
is said by its own model (`policies.policy`, `policies.creditor`, `policies.sources` and others).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from policies.errors import PolicyInvalidError, Problem
from policies.yaml_problems import Items, Lines, explain, reconcile
from policies.yaml_wording import TRUE_FALSE_OR, say_syntax

Scalar: TypeAlias = str | int | bool | Decimal | date | None

M = TypeVar("M", bound=BaseModel)

MAXIMUM_DEPTH = 40
_KEY = re.compile(r"^[ \t]*([\w-]+ *:(\s|$)|[-\[{?&])", re.MULTILINE)
NO_KEYS = ("the file holds no keys", "lines of the form key: value")

_TRUTH_WORD = re.compile(r"(?i)^(yes|no|on|off|true|false)$")
_INTEGER = re.compile(r"^[-+]?(0|[1-9][0-9]*)$")
_DECIMAL = re.compile(r"^[-+]?(0|[1-9][0-9]*)\.[0-9]+$")
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_TRAPS = (
    (
        re.compile(r"^[-+]?0[0-9_]+$"),
        "begins with a zero, so some programs read it as octal",
        "the number without the zero; '{}' in quotes if it is text",
    ),
    (
        re.compile(r"(?i)^[-+]?0[xob][0-9a-f_]+$"),
        "is a hexadecimal, octal or binary number",
        "a decimal number, or quotes",
    ),
    (
        re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$"),
        "has digits with colons, which some programs read as a number to the base 60",
        "'{}' in quotes",
    ),
    (re.compile(r"^[-+]?[0-9]+_[0-9_.]*$"), "is a number with underscores", "digits only, or quotes"),
    (
        re.compile(r"(?i)^[-+]?([0-9]+\.|\.[0-9]+|[0-9]*\.?[0-9]+e[-+]?[0-9]+|\.inf|\.nan)$"),
        "is a number in an unusual form",
        "digits, or digits.digits; text in quotes",
    ),
    (
        re.compile(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|\s+)[0-9].*$"),
        "is a date with a time",
        "a date as 2027-06-30, or quotes",
    ),
    (
        re.compile(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$"),
        "is a date in short form",
        "a date as 2027-06-30, or quotes",
    ),
)
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})


class YamlInvalidError(PolicyInvalidError):
    """A YAML file of the user is wrong; `problems` lists everything found, the text says it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems and say them one a line."""
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.sentence() for problem in self.problems))


class _Loader(yaml.SafeLoader):
    """Composes nodes without guessing types; refuses anchors, which make a rule mean another place."""

    # No word is turned into anything by PyYAML: `_read_word` does it, so that each refusal has a message.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in PyYAML

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # so in its type stubs
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors are not read; write it out", event.start_mark
            )
        return super().compose_node(parent, index)


class _FastLoader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # either
    """Composes the same nodes in C, ten times faster; what it does not take is read again by `_Loader`."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in PyYAML


def load(text: str, file: str) -> object:
    """Return the content of a YAML text; raise one error that lists all its problems.

    Whole numbers come back as `int`, numbers with a point as `Decimal`, ISO dates as `date`.
    """
    content, problems = read(text, file)
    if problems:
        raise YamlInvalidError(problems)
    return content


def read(text: str, file: str) -> tuple[object, list[Problem]]:
    """Return the content of a YAML text as far as it can be read, and all its problems."""
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax_problem(error, file) if _KEY.search(text) else Problem(file, "", *NO_KEYS)]
    except yaml.YAMLError as error:
        what = f"not readable as YAML: {' '.join(str(error).split())}"
        return None, [Problem(file, "", what, "a plain text file, saved as UTF-8")]
    except RecursionError:
        return None, [Problem(file, "", "nested far too deep")]
    reader = _Reader(file)
    content = reader.read(node, "", 0) if node is not None else None
    return content, reader.problems


def validate(model: type[M], data: object, file: str) -> M:
    """Return `data` as the model; raise one error that lists every wrong key with what is allowed."""
    if not isinstance(data, Mapping):
        raise YamlInvalidError([Problem(file, "", *NO_KEYS)])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise YamlInvalidError(explain(error, model, data, file)) from error


def load_model(model: type[M], text: str, file: str) -> M:
    """Return what a YAML text says as the model; raise one error that lists all that either refuses."""
    content, problems = read(text, file)
    if not isinstance(content, Lines):
        raise YamlInvalidError(problems or [Problem(file, "", *NO_KEYS)])
    try:
        loaded = model.model_validate(content)
    except ValidationError as error:
        raise YamlInvalidError(reconcile(problems, error, model, content, file)) from error
    if problems:
        raise YamlInvalidError(reconcile(problems, None, model, content, file))
    return loaded


def _compose(text: str) -> yaml.Node | None:
    """Return the nodes of a text; whatever is unusual is left to the slow loader, which says it best."""
    try:
        if _is_plain(text):
            return yaml.compose(text, Loader=_FastLoader)
    except yaml.YAMLError:
        pass
    return yaml.compose(text, Loader=_Loader)


def _is_plain(text: str) -> bool:
    """Return whether a text has no anchors and is not nested beyond what the C loader's stack bears."""
    depth = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAXIMUM_DEPTH or getattr(event, "anchor", None):
            return False
    return True


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = say_syntax(error.context or "", error.problem or "")
    where = f"at column {mark.column + 1}: " if mark else ""
    return Problem(file, "", f"not readable as YAML {where}{said}", line=mark.line + 1 if mark else None)


class _Reader:
    """Turns composed nodes into values, collecting every problem on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def refuse(self, node: yaml.Node, path: str, what: str, allowed: str = "") -> None:
        self.problems.append(Problem(self.file, path, what, allowed, node.start_mark.line + 1))

    def read(self, node: yaml.Node, path: str, depth: int) -> object:
        if depth > MAXIMUM_DEPTH:
            self.refuse(node, path, "nested too deep", f"{MAXIMUM_DEPTH} levels")
            return None
        if node.tag not in _PLAIN_TAGS:
            self.refuse(node, path, f"the tag {node.tag} is not read", "values without a tag")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.read_mapping(node, path, depth)
        if isinstance(node, yaml.ScalarNode):
            return self.read_scalar(node, path)
        items = [self.read(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(node.value)]
        return Items(items, (item.start_mark.line + 1 for item in node.value))

    def read_mapping(self, node: yaml.MappingNode, path: str, depth: int) -> Lines:
        content = Lines()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, path, "a key is a list or a mapping", "a word")
                continue
            key = self.read_scalar(key_node, path)
            inner = f"{path}.{key_node.value}" if path else str(key_node.value)
            if key in content.lines:
                self.refuse(
                    key_node,
                    inner,
                    f"the key stands twice, first on line {content.lines[key]}",
                    "each key once",
                )
            content.lines.setdefault(key, key_node.start_mark.line + 1)
            content[key] = self.read(value_node, inner, depth + 1)
        return content

    def read_scalar(self, node: yaml.ScalarNode, path: str) -> Scalar:
        word = str(node.value)
        if node.style:
            return word
        trap = _find_trap(word)
        if trap is None:
            return _read_word(word)
        what, allowed = trap
        self.refuse(node, path, f"'{word}' {what}", allowed)
        return word


def _find_trap(word: str) -> tuple[str, str] | None:
    """Return what is wrong with an unquoted word, and what may stand there."""
    if _TRUTH_WORD.match(word) and word not in ("true", "false"):
        return (
            "is read as true or false by some programs and as text by others",
            f"{TRUE_FALSE_OR}'{word}' in quotes",
        )
    if _DATE.match(word):
        return None if _as_date(word) else ("is no day of the calendar", "a date as 2027-06-30")
    return next(((what, allowed.format(word)) for shape, what, allowed in _TRAPS if shape.match(word)), None)


def _read_word(word: str) -> Scalar:
    if word in ("", "null", "~"):
        return None
    if word in ("true", "false"):
        return word == "true"
    if _INTEGER.match(word):
        return int(word)
    if _DECIMAL.match(word):
        return Decimal(word)
    return _as_date(word) or word


def _as_date(word: str) -> date | None:
    if not _DATE.match(word):
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None
