"""What conditions say of each other: that one holds only where another does, or that none holds beside another.

Each is read as alternatives, and each alternative as comparisons that all hold. What is not understood is kept as it
stands: a proof given here is one, and where none is given nothing is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import product

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_MOST_ALTERNATIVES = 64
_SHORT_LIST = 8
"""A list of so many values is read as alternatives, so that conditions above it may cover it together."""
_BOUNDS = (">", ">=", "<", "<=")
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "in": "in", "not in": "not in"}
_NEGATED = {
    ">": "<=", "<=": ">", "<": ">=", ">=": "<", "in": "not in", "not in": "in", "null": "known", "known": "null",
    "holds": "fails", "fails": "holds",
}  # fmt: skip
_SIGNS: dict[type[exp.Expr], str] = {
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.EQ: "in",
    exp.NEQ: "not in",
}

Value = Decimal | str | date | bool


@dataclass(frozen=True)
class Comparison:
    """One fact against constants.

    `sign` is one of > >= < <= (one value), in, not in (some), null, known (none); `holds` and `fails` are about a part
    of a condition that is kept as it stands, with its text for a fact.
    """

    fact: str
    sign: str
    values: tuple[Value, ...] = ()


Alternative = tuple[Comparison, ...]


def implies(narrow: str, wide: str) -> bool:
    """Return whether it is proved that the first condition is true only where the second is.

    >>> implies("overdue_amount >= 50000 and currency = 'EUR'", "overdue_amount >= 10000")
    True
    >>> implies("overdue_amount >= 10000", "overdue_amount >= 50000")
    False
    """
    first, second = _alternatives(narrow), _alternatives(wide)
    return bool(second) and all(
        is_empty(one) or any(_lies_within(one, other) for other in second) for one in first or ((),)
    )


def exclude_each_other(*conditions: str) -> bool:
    """Return whether it is proved that no row meets all of these conditions.

    >>> exclude_each_other("days_past_due >= 30", "days_past_due < 20 or currency = 'USD'", "currency = 'EUR'")
    True
    """
    read = [_alternatives(condition) or ((),) for condition in conditions]
    if _count(read) > _MOST_ALTERNATIVES:
        return False
    return all(is_empty(tuple(part for one in chosen for part in one)) for chosen in product(*read))


def compared(condition: str) -> Iterator[tuple[str, Value]]:
    """Yield every constant that a fact is compared with as equal or unequal."""
    for alternative in _alternatives(condition):
        for part in alternative:
            if part.sign in ("in", "not in"):
                yield from ((part.fact, value) for value in part.values)


def is_empty(alternative: Alternative) -> bool:
    """Return whether it is proved that these comparisons never hold together."""
    return any(
        _excludes(one, other)
        for index, one in enumerate(alternative)
        for other in alternative[index + 1 :]
        if one.fact == other.fact
    )


def _lies_within(narrow: Alternative, wide: Alternative) -> bool:
    return all(any(_is_stricter(one, other) for one in narrow) for other in wide)


def _is_stricter(one: Comparison, other: Comparison) -> bool:
    """Whether the first comparison holds only where the second does."""
    if one.fact != other.fact or one == other:
        return one == other
    if one.sign == "in":
        return all(_admits(other, value) for value in one.values)
    if other.sign == "known":
        return one.sign not in ("null", "holds", "fails")
    if other.sign == "not in":
        is_apart = one.sign in _BOUNDS and not any(_admits(one, value) for value in other.values)
        return is_apart or (one.sign == "not in" and set(other.values) <= set(one.values))
    return one.sign in _BOUNDS and one.sign[0] == other.sign[0] and _admits(other, one.values[0])


def _excludes(one: Comparison, other: Comparison) -> bool:
    """Whether two comparisons of one fact never hold together."""
    signs = {one.sign, other.sign}
    if "null" in signs:
        return signs != {"null"}
    if signs == {"holds", "fails"}:
        return True
    for listed, against in ((one, other), (other, one)):
        if listed.sign == "in":
            return not any(_admits(against, value) for value in listed.values)
    if {one.sign[0], other.sign[0]} != {"<", ">"}:
        return False
    lower, upper = (one, other) if one.sign[0] == ">" else (other, one)
    least, most = lower.values[0], upper.values[0]
    return _is_less(most, least) or (most == least and {one.sign, other.sign} != {"<=", ">="})


def _admits(part: Comparison, value: Value) -> bool:
    """Whether a comparison lets a value through; values of two kinds are never compared."""
    if part.sign == "known":
        return True
    if part.sign in ("in", "not in"):
        return (value in part.values) is (part.sign == "in")
    if part.sign not in _MIRRORED:
        return False
    bound = part.values[0]
    if value == bound:
        return part.sign in (">=", "<=")
    return _is_less(bound, value) if part.sign[0] == ">" else _is_less(value, bound)


def _is_less(first: Value, second: Value) -> bool:
    return type(first) is type(second) and first < second  # type: ignore[operator]  # of one type, as just asked


@lru_cache(maxsize=1024)
def _alternatives(condition: str) -> tuple[Alternative, ...]:
    """Return a condition as alternatives; none when it can't be read, or has more than are looked at."""
    try:
        tree = sqlglot.parse_one(condition, dialect="postgres")
        return tuple(_spread(tree, is_true=True))
    except (SqlglotError, RecursionError, _TooManyError):
        return ()


class _TooManyError(Exception):
    """There are more alternatives than are looked at."""


def _spread(node: exp.Expr, *, is_true: bool) -> list[Alternative]:
    """Return the alternatives of a part of a condition, or of its opposite."""
    node = node.unnest()
    if node.args.get("negate"):
        node, is_true = node.copy(), not is_true
        node.set("negate", None)
    if isinstance(node, exp.Not):
        return _spread(node.this, is_true=not is_true)
    if isinstance(node, exp.And | exp.Or):
        first, second = (_spread(part, is_true=is_true) for part in (node.this, node.expression))
        if isinstance(node, exp.Or) is is_true:
            return first + second
        if len(first) * len(second) > _MOST_ALTERNATIVES:
            raise _TooManyError
        return [one + other for one in first for other in second]
    if isinstance(node, exp.Between):
        low, high = (
            _read_comparison(node.this, sign, [node.args[end]])
            for sign, end in ((">=", "low"), ("<=", "high"))
        )
        if low is not None and high is not None:
            return [(low, high)] if is_true else [(_negated(low),), (_negated(high),)]
    if isinstance(node, exp.In) and is_true and len(node.expressions) <= _SHORT_LIST:
        each = [_read_comparison(node.this, "in", [value]) for value in node.expressions]
        return [(one,) for one in each if one is not None]
    read = _read(node) or Comparison(node.sql(dialect="postgres", comments=False), "holds")
    return [(read if is_true else _negated(read),)]


def _negated(part: Comparison) -> Comparison:
    return Comparison(part.fact, _NEGATED[part.sign], part.values)


def _read(node: exp.Expr) -> Comparison | None:
    """Return a comparison of a fact with constants, or nothing for any other part."""
    if isinstance(node, exp.Column):
        return Comparison(node.name, "in", (True,))
    if (
        isinstance(node, exp.Is)
        and isinstance(node.this, exp.Column)
        and isinstance(node.expression, exp.Null)
    ):
        return Comparison(node.this.name, "null")
    if isinstance(node, exp.In):
        return _read_comparison(node.this, "in", node.expressions)
    if (sign := _SIGNS.get(type(node))) is None:
        return None
    return _read_comparison(node.this, sign, [node.expression]) or _read_comparison(
        node.expression, _MIRRORED[sign], [node.this]
    )


def _read_comparison(fact: exp.Expr, sign: str, constants: list[exp.Expr]) -> Comparison | None:
    values = [_value(constant.unnest()) for constant in constants]
    known = tuple(value for value in values if value is not None)
    if not isinstance(fact.unnest(), exp.Column) or len(known) < len(values):
        return None
    return Comparison(fact.unnest().name, sign, known)


def _value(node: exp.Expr) -> Value | None:
    """Return the constant that a part is, or nothing."""
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else Decimal(node.name)
    if isinstance(node, exp.Neg):
        inner = _value(node.this.unnest())
        return -inner if isinstance(inner, Decimal) else None
    if isinstance(node, exp.Cast):
        try:
            return date.fromisoformat(node.this.name)
        except ValueError:
            return None
    return None


def _count(read: list[tuple[Alternative, ...]]) -> int:
    count = 1
    for alternatives in read:
        count *= len(alternatives)
    return count
