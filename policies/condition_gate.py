"""What may stand in a condition, and which types fit together: a walk over the parsed predicate.

Everything not listed in `_CHECKS` is refused: functions, windows, subqueries, casts, clocks, parameters.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum

import polars as pl
from sqlglot import exp

from policies.facts import DAY, TEXT, YES_NO
from policies.model import TOTAL

ALLOWED = (
    "facts, numbers, 'text', DATE '2026-01-31', true, false, = <> < <= > >=, and, or, not, in (...), "
    "between, like, ilike, is null, is distinct from, + - * /, case, coalesce, parentheses"
)
_NUMBER = re.compile(r"^\d{1,15}(\.\d{1,6})?$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


class Kind(StrEnum):
    """The kind of a value inside a condition; an amount may not be multiplied by an amount."""

    TEXT = "text"
    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    YES_NO = "true or false"
    NOTHING = "null"


_UNMIXED = {
    Kind.TEXT: "a number without quotes, DATE '2026-01-31', or true and false without quotes",
    Kind.NUMBER: "two numbers; text in single quotes; days by facts such as days_past_due",
    Kind.AMOUNT: "two amounts; text in single quotes",
    Kind.DATE: "two dates, as DATE '2026-01-31'",
    Kind.YES_NO: "true or false on both sides",
}


class RefusedError(Exception):
    """One reason why a condition is refused, and the part of it that is to blame."""

    def __init__(self, what: str, node: exp.Expr | None = None, allowed: str = "") -> None:
        """Keep the words; `node` tells the position."""
        super().__init__(what)
        self.what = what
        self.node = node
        self.allowed = allowed


def refusals_of(node: exp.Expr, facts: pl.Schema, *, is_joined: bool = False) -> list[RefusedError]:
    """Return why parts of a condition are refused: each part that and, or, not join is judged by itself.

    A part with an unknown fact is left out: nothing is known of its kinds.
    """
    inner = node.unnest()
    if isinstance(inner, exp.And | exp.Or | exp.Not):
        parts = [part for part in (inner.this, inner.args.get("expression")) if part is not None]
        return [refused for part in parts for refused in refusals_of(part, facts, is_joined=True)]
    if any(column.name and column.name not in facts for column in node.find_all(exp.Column)):
        return []
    try:
        kind = kind_of(node, facts)
    except RefusedError as error:
        return [error]
    if kind is Kind.YES_NO:
        return []
    if is_joined:
        return [_not_joinable(node, kind)]
    return [RefusedError(f"it yields {kind}", node, "what is true or false, such as a comparison")]


def _not_joinable(node: exp.Expr, kind: Kind) -> RefusedError:
    return RefusedError(f"{_name(node)} is {kind}, and and/or/not join what is true or false", node)


def kind_of(node: exp.Expr, facts: pl.Schema) -> Kind:
    """Return the kind of value a part of a condition yields; refuse what may not stand there.

    Every column in it is one of `facts`.
    """
    check = _CHECKS.get(type(node))
    if check is None:
        raise RefusedError(f"{_name(node)} {_why_refused(node)}", node, ALLOWED)
    return check(node, facts)


def _why_refused(node: exp.Expr) -> str:
    if isinstance(node, exp.Alias):
        return f"is followed by '{node.alias}', and nothing joins them"
    if isinstance(node, exp.Func):
        return "is a function, and a condition has none but coalesce; days are facts, such as days_past_due"
    return "may not stand in a condition"


def _name(node: exp.Expr) -> str:
    text = node.sql(dialect="postgres", comments=False)
    return f"'{text if len(text) <= 40 else text[:37] + '...'}'"


def _column(node: exp.Expr, facts: pl.Schema) -> Kind:
    if set(_given(node)) != {"this"} or not isinstance(node.this, exp.Identifier):
        raise RefusedError(f"{_name(node)} is more than the name of a fact", node, "the bare name of a fact")
    dtype = facts[node.name]
    return {TEXT: Kind.TEXT, DAY: Kind.DATE, YES_NO: Kind.YES_NO, TOTAL: Kind.AMOUNT}.get(dtype, Kind.NUMBER)


def _given(node: exp.Expr) -> list[str]:
    return [name for name, value in node.args.items() if value not in (None, False, [])]


def _literal(node: exp.Expr, _facts: pl.Schema) -> Kind:
    if node.args["is_string"]:
        return Kind.TEXT
    if not _NUMBER.match(node.name):
        raise RefusedError(
            f"the number {node.name} is not written plainly",
            node,
            "up to 15 digits and 6 decimals, as 1500.25",
        )
    return Kind.NUMBER


def _date_literal(node: exp.Expr, _facts: pl.Schema) -> Kind:
    text = node.this
    is_text = isinstance(text, exp.Literal) and text.is_string
    if not (is_text and node.args["to"].sql() == "DATE" and set(_given(node)) == {"this", "to"}):
        raise RefusedError(f"{_name(node)} converts one type into another", node, ALLOWED)
    try:
        date.fromisoformat(text.name if _DATE.match(text.name) else "")
    except ValueError as error:
        raise RefusedError(
            f"'{text.name}' is no date", node, "a date of the calendar, as DATE '2026-01-31'"
        ) from error
    return Kind.DATE


def _same(node: exp.Expr, parts: Sequence[exp.Expr], facts: pl.Schema) -> Kind:
    """Return the one kind all parts have, nulls aside; refuse a mixture."""
    kinds = {kind: part for part in parts if (kind := kind_of(part, facts)) is not Kind.NOTHING}
    if Kind.AMOUNT in kinds:
        kinds.pop(Kind.NUMBER, None)
    if len(kinds) > 1:
        first, second, *_ = kinds
        shown = [
            f"{kind} ({kinds[kind].sql(dialect='postgres', comments=False)})" for kind in (first, second)
        ]
        raise RefusedError(f"it mixes {' and '.join(shown)}", node, _UNMIXED[second])
    return next(iter(kinds), Kind.NOTHING)


def _comparison(node: exp.Expr, facts: pl.Schema) -> Kind:
    parts = [node.this, node.expression]
    if any(isinstance(part.unnest(), exp.Null) for part in parts):
        raise RefusedError(f"{_name(node)} is never true: nothing equals null", node, "is null, is not null")
    _same(node, parts, facts)
    return Kind.YES_NO


def _null_safe(node: exp.Expr, facts: pl.Schema) -> Kind:
    _same(node, [node.this, node.expression], facts)
    return Kind.YES_NO


def _between(node: exp.Expr, facts: pl.Schema) -> Kind:
    if set(_given(node)) != {"this", "low", "high"}:
        raise RefusedError(f"{_name(node)} is an unusual between", node, "x between low and high")
    _same(node, [node.this, node.args["low"], node.args["high"]], facts)
    return Kind.YES_NO


def _in(node: exp.Expr, facts: pl.Schema) -> Kind:
    values = node.expressions
    if set(_given(node)) != {"this", "expressions"} or not all(_is_constant(value) for value in values):
        raise RefusedError(f"{_name(node)} needs a list of constants", node, "in ('a', 'b') or in (1, 2)")
    _same(node, [node.this, *values], facts)
    return Kind.YES_NO


def _is_constant(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal | exp.Cast | exp.Boolean)


def _like(node: exp.Expr, facts: pl.Schema) -> Kind:
    pattern = node.expression
    if (
        not (isinstance(pattern, exp.Literal) and pattern.is_string)
        or kind_of(node.this, facts) is not Kind.TEXT
    ):
        raise RefusedError(f"{_name(node)} needs a text and a pattern in quotes", node, "tags like '%vip%'")
    return Kind.YES_NO


def _is_null(node: exp.Expr, facts: pl.Schema) -> Kind:
    if not isinstance(node.expression, exp.Null):
        raise RefusedError(
            f"{_name(node)} asks for more than null", node, "is null, is not null; bounced = true"
        )
    kind_of(node.this, facts)
    return Kind.YES_NO


def _connective(node: exp.Expr, facts: pl.Schema) -> Kind:
    for part in (node.this, node.args.get("expression")):
        if part is not None and (kind := kind_of(part, facts)) is not Kind.YES_NO:
            raise _not_joinable(part, kind)
    return Kind.YES_NO


def _arithmetic(node: exp.Expr, facts: pl.Schema) -> Kind:
    kinds = {kind_of(part, facts) for part in (node.this, node.args.get("expression")) if part is not None}
    if not kinds <= {Kind.NUMBER, Kind.AMOUNT}:
        wrong = next(kind for kind in sorted(kinds) if kind not in (Kind.NUMBER, Kind.AMOUNT))
        raise RefusedError(
            f"{_name(node)} calculates with {wrong}", node, "numbers; facts such as days_past_due count days"
        )
    if isinstance(node, exp.Div) and _is_zero(node.expression.unnest()):
        raise RefusedError(f"{_name(node)} divides by zero, so it is never true", node, "another divisor")
    if isinstance(node, exp.Mul) and kinds == {Kind.AMOUNT}:
        raise RefusedError(f"{_name(node)} multiplies an amount by an amount", node)
    if isinstance(node, exp.Div) and kinds == {Kind.AMOUNT}:
        return Kind.NUMBER
    return Kind.AMOUNT if Kind.AMOUNT in kinds else Kind.NUMBER


def _is_zero(node: exp.Expr) -> bool:
    inner = node.this.unnest() if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal) and not inner.name.strip("0.")


def _case(node: exp.Expr, facts: pl.Schema) -> Kind:
    branches = node.args["ifs"]
    if node.this is not None:
        _same(node, [node.this, *(branch.this for branch in branches)], facts)
    else:
        for branch in branches:
            _connective(exp.Not(this=branch.this), facts)
    default = [node.args["default"]] if node.args.get("default") else []
    return _same(node, [*(branch.args["true"] for branch in branches), *default], facts)


def _coalesce(node: exp.Expr, facts: pl.Schema) -> Kind:
    return _same(node, [node.this, *node.expressions], facts)


def _paren(node: exp.Expr, facts: pl.Schema) -> Kind:
    return kind_of(node.this, facts)


def _boolean(_node: exp.Expr, _facts: pl.Schema) -> Kind:
    return Kind.YES_NO


def _null(_node: exp.Expr, _facts: pl.Schema) -> Kind:
    return Kind.NOTHING


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr, pl.Schema], Kind]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Cast: _date_literal,
    exp.Paren: _paren,
    exp.And: _connective,
    exp.Or: _connective,
    exp.Not: _connective,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _comparison),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), _null_safe),
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Is: _is_null,
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg), _arithmetic),
    exp.Case: _case,
    exp.Coalesce: _coalesce,
}
