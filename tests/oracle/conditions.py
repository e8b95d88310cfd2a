"""Conditions of a policy, evaluated for one row in plain Python with SQL's three values.

None is SQL's null, through every comparison, `and`, `or` and `not`; a condition holds only when it is true.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

import sqlglot
from sqlglot import exp

Value: TypeAlias = str | Decimal | date | bool | None
Facts: TypeAlias = Mapping[str, "Value | int"]

COMPARISONS: dict[type[exp.Expr], Callable[[int], bool]] = {
    exp.EQ: lambda order: order == 0,
    exp.NEQ: lambda order: order != 0,
    exp.GT: lambda order: order > 0,
    exp.GTE: lambda order: order >= 0,
    exp.LT: lambda order: order < 0,
    exp.LTE: lambda order: order <= 0,
}

ARITHMETIC: dict[type[exp.Expr], Callable[[Decimal, Decimal], Decimal]] = {
    exp.Add: lambda left, right: left + right,
    exp.Sub: lambda left, right: left - right,
    exp.Mul: lambda left, right: left * right,
    exp.Div: lambda left, right: left / right,
}


def holds(condition: str | None, facts: Facts) -> bool:
    """Return whether a condition is true; without one it is, and null counts as false."""
    if condition is None:
        return True
    return evaluate(_parsed(condition), facts) is True


@lru_cache
def _parsed(condition: str) -> exp.Expr:
    return sqlglot.parse_one(condition, dialect="postgres")


def evaluate(node: exp.Expr, facts: Facts) -> Value:
    """Return the value of an expression for one row."""
    form = type(node)
    if form in COMPARISONS:
        return _compare(COMPARISONS[form], evaluate(node.this, facts), evaluate(node.expression, facts))
    if form in ARITHMETIC:
        return _calculate(ARITHMETIC[form], evaluate(node.this, facts), evaluate(node.expression, facts))
    if form not in FORMS:
        raise NotImplementedError(f"The oracle does not know {form.__name__} in {node.sql()}.")
    return FORMS[form](node, facts)


def _literal(node: exp.Expr, facts: Facts) -> Value:
    return node.name if node.is_string else Decimal(node.name)


def _both(node: exp.Expr, facts: Facts) -> Value:
    return _and(evaluate(node.this, facts), evaluate(node.expression, facts))


def _either(node: exp.Expr, facts: Facts) -> Value:
    return _or(evaluate(node.this, facts), evaluate(node.expression, facts))


def _among(node: exp.Expr, facts: Facts) -> Value:
    value = evaluate(node.this, facts)
    found: bool | None = False
    for choice in node.expressions:
        found = _or(found, _compare(COMPARISONS[exp.EQ], value, evaluate(choice, facts)))
    return found


def _between(node: exp.Expr, facts: Facts) -> Value:
    value = evaluate(node.this, facts)
    low = _compare(COMPARISONS[exp.GTE], value, evaluate(node.args["low"], facts))
    return _and(low, _compare(COMPARISONS[exp.LTE], value, evaluate(node.args["high"], facts)))


def _coalesce(node: exp.Expr, facts: Facts) -> Value:
    values = [evaluate(value, facts) for value in [node.this, *node.expressions]]
    return next((value for value in values if value is not None), None)


def _case(node: exp.Expr, facts: Facts) -> Value:
    for branch in node.args["ifs"]:
        if node.this is None:
            chosen = evaluate(branch.this, facts)
        else:
            equal = COMPARISONS[exp.EQ]
            chosen = _compare(equal, evaluate(node.this, facts), evaluate(branch.this, facts))
        if chosen is True:
            return evaluate(branch.args["true"], facts)
    default = node.args.get("default")
    return None if default is None else evaluate(default, facts)


FORMS: dict[type[exp.Expr], Callable[[exp.Expr, Facts], Value]] = {
    exp.Paren: lambda node, facts: evaluate(node.this, facts),
    exp.Column: lambda node, facts: _plain(facts[node.name]),
    exp.Literal: _literal,
    exp.Boolean: lambda node, facts: bool(node.this),
    exp.Null: lambda node, facts: None,
    exp.Cast: lambda node, facts: date.fromisoformat(str(evaluate(node.this, facts))),
    exp.Neg: lambda node, facts: _calculate(ARITHMETIC[exp.Sub], Decimal(0), evaluate(node.this, facts)),
    exp.And: _both,
    exp.Or: _either,
    exp.Not: lambda node, facts: _not(evaluate(node.this, facts)),
    exp.Is: lambda node, facts: (
        (evaluate(node.this, facts) is evaluate(node.expression, facts)) is not bool(node.args.get("negate"))
    ),
    exp.In: _among,
    exp.Between: _between,
    exp.Like: lambda node, facts: _like(evaluate(node.this, facts), evaluate(node.expression, facts)),
    exp.ILike: lambda node, facts: _like(
        evaluate(node.this, facts), evaluate(node.expression, facts), re.IGNORECASE
    ),
    exp.NullSafeEQ: lambda node, facts: evaluate(node.this, facts) == evaluate(node.expression, facts),
    exp.NullSafeNEQ: lambda node, facts: evaluate(node.this, facts) != evaluate(node.expression, facts),
    exp.Coalesce: _coalesce,
    exp.Case: _case,
}


def _plain(value: Value | int) -> Value:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _compare(wanted: Callable[[int], bool], left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, date) and isinstance(right, str):
        right = date.fromisoformat(right)
    if isinstance(right, date) and isinstance(left, str):
        left = date.fromisoformat(left)
    if left == right:
        return wanted(0)
    return wanted(-1 if left < right else 1)  # type: ignore[operator]  # the gate lets only like types meet


def _calculate(operation: Callable[[Decimal, Decimal], Decimal], left: Value, right: Value) -> Decimal | None:
    if left is None or right is None:
        return None
    assert isinstance(left, Decimal)
    assert isinstance(right, Decimal)
    if operation is ARITHMETIC[exp.Div] and right == 0:
        return None
    return operation(left, right)


def _and(left: Value, right: Value) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _or(left: Value, right: Value) -> bool | None:
    return _not(_and(_not(left), _not(right)))


def _not(value: Value) -> bool | None:
    return None if value is None else not value


def _like(value: Value, pattern: Value, flags: re.RegexFlag = re.NOFLAG) -> bool | None:
    if value is None or pattern is None:
        return None
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(character, re.escape(character)) for character in str(pattern))
    return re.fullmatch(regex, str(value), re.DOTALL | flags) is not None
