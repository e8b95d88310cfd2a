"""Lets the conditions (`when:`) of a policy through, and hands them to Polars as expressions.

A condition is an SQL predicate over the facts of `policies.facts`; `policies.condition_gate` says what may
stand in it. Here it is read, made safe on every row, and tried out on an empty and on an extreme frame.
"""

from datetime import date
from decimal import Decimal
from functools import lru_cache

import polars as pl
import sqlglot
from polars.exceptions import PolarsError
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from policies.condition_gate import ALLOWED, RefusedError, refusals_of
from policies.errors import Problem
from policies.facts import COUNT, DAY, FACTS, RATIO, TEXT, YES_NO, Scope, schema
from policies.model import TOTAL
from policies.strict_yaml import YamlInvalidError
from policies.yaml_wording import did_you_mean

__all__ = ["MAXIMUM_LENGTH", "Scope", "compile_condition", "facts_used", "find_condition_problems"]

MAXIMUM_LENGTH = 2000
"""Characters of one condition; longer ones are no longer read by anybody."""

_DIALECT = "postgres"
_LARGEST: dict[pl.DataType, object] = {
    TOTAL: Decimal("999999999999999999.999"),
    RATIO: Decimal("999999999.999999"),
    COUNT: 100_000_000,
}
_ZERO: dict[pl.DataType, object] = {TOTAL: Decimal(0), RATIO: Decimal(0), COUNT: 0}


def compile_condition(
    text: str, scope: Scope, file: str, key_path: str, without: frozenset[str] = frozenset()
) -> pl.Expr:
    """Return the condition as a Boolean expression that is false where it is not known to be true.

    Args:
        text: an SQL predicate, such as `amount_open >= 5000 and currency = 'EUR'`.
        scope: which facts it may name.
        file: for messages.
        key_path: for messages.
        without: facts of the scope that are not known yet where this condition is judged.
    """
    outcome = _compile(text, scope, without)
    if isinstance(outcome, pl.Expr):
        return outcome
    raise YamlInvalidError([_problem(refused, text, file, key_path) for refused in outcome])


def find_condition_problems(
    text: str, scope: Scope, file: str, key_path: str, without: frozenset[str] = frozenset()
) -> list[Problem]:
    """Return everything for which a condition is refused, or nothing."""
    outcome = _compile(text, scope, without)
    refused = () if isinstance(outcome, pl.Expr) else outcome
    return [_problem(one, text, file, key_path) for one in refused]


def facts_used(text: str) -> frozenset[str]:
    """Return the names of the facts a condition speaks of; none when it cannot be read."""
    try:
        tree = _parse(text)
    except RefusedError:
        return frozenset()
    return frozenset(column.name for column in tree.find_all(exp.Column))


@lru_cache(maxsize=1024)
def _compile(text: str, scope: Scope, without: frozenset[str]) -> pl.Expr | tuple[RefusedError, ...]:
    facts = pl.Schema({name: dtype for name, dtype in schema(scope).items() if name not in without})
    try:
        tree = _parse(text)
        refused = (*_unknown_facts(tree, facts, scope), *refusals_of(tree, facts))
        return refused or _build(tree, facts)
    except RefusedError as error:
        return (error,)
    except RecursionError:
        return (RefusedError("it is nested too deep"),)
    except PolarsError as error:
        return (RefusedError(f"it cannot be calculated: {str(error).splitlines()[0]}"),)


def _build(tree: exp.Expr, facts: pl.Schema) -> pl.Expr:
    safe = _make_safe(tree).sql(dialect=_DIALECT, comments=False)
    expression = pl.sql_expr(safe).fill_null(value=False)
    _try_out(expression, facts)
    return expression


def _parse(text: str) -> exp.Expr:
    if len(text) > MAXIMUM_LENGTH:
        raise RefusedError(f"it is {len(text)} characters long", allowed=f"{MAXIMUM_LENGTH} characters")
    try:
        return sqlglot.parse_one(text, dialect=_DIALECT)
    except ParseError as error:
        raise RefusedError(_say_where(error), allowed=ALLOWED) from error
    except SqlglotError as error:
        raise RefusedError("a quote or a comment is not closed", allowed=ALLOWED) from error
    except RecursionError as error:
        raise RefusedError("it is nested too deep") from error


def _say_where(error: ParseError) -> str:
    if not error.errors:
        return "it says nothing"
    details = error.errors[0]
    return f"not understood at character {details['col']}, near '{details['highlight']}'"


def _unknown_facts(tree: exp.Expr, facts: pl.Schema, scope: Scope) -> list[RefusedError]:
    unknown = [column for column in tree.find_all(exp.Column) if column.name not in facts and column.name]
    if not unknown:
        return []
    sentences = dict.fromkeys(_why_unknown(column.name, facts, scope) for column in unknown)
    return [RefusedError("; ".join(sentences), unknown[0], ", ".join(facts.names()))]


def _why_unknown(name: str, facts: pl.Schema, scope: Scope) -> str:
    if name not in FACTS:
        hint = did_you_mean(name, facts.names()) or "; text stands in single quotes"
        return f"no fact is called '{name}' here{hint}"
    if FACTS[name].scope is not scope and scope is Scope.ACCOUNT:
        return f"'{name}' is a fact of an item, and this condition is about a whole account"
    return f"'{name}' is not known yet where this condition is judged"


def _make_safe(tree: exp.Expr) -> exp.Expr:
    """Make products and quotients exact, and a division by zero null instead of an error or infinity."""
    safe = exp.paren(tree)
    for node in reversed(list(safe.find_all(exp.Mul, exp.Div))):
        factor = exp.paren(node.expression)
        if isinstance(node, exp.Mul):
            node.replace(exp.Mul(this=_as_decimal(node.this), expression=factor))
        else:
            divisor = exp.Nullif(this=factor, expression=exp.Literal.number(0))
            node.replace(exp.Div(this=_as_decimal(node.this), expression=divisor))
    return safe


def _as_decimal(node: exp.Expr) -> exp.Expr:
    # Polars divides whole numbers as floats and lets their products wrap; a factor 1.0 makes them decimals.
    return exp.paren(exp.Mul(this=exp.Literal.number("1.0"), expression=exp.paren(node)))


def _try_out(expression: pl.Expr, facts: pl.Schema) -> None:
    """Evaluate on no row at all, then on rows of zeros, nulls and the largest amounts."""
    dtype = facts.to_frame().select(expression.alias("met")).schema["met"]
    if dtype != pl.Boolean:
        raise RefusedError(f"it yields {dtype}", allowed="true or false")
    _extremes(facts).select(expression)


def _extremes(facts: pl.Schema) -> pl.DataFrame:
    rest: dict[pl.DataType, object] = {TEXT: "", DAY: date(2000, 2, 29), YES_NO: True}
    rows = [
        {name: {**values, **rest}[dtype] for name, dtype in facts.items()} for values in (_LARGEST, _ZERO)
    ] + [dict.fromkeys(facts.names())]
    return pl.DataFrame(rows, schema=facts, orient="row")


def _problem(refused: RefusedError, text: str, file: str, key_path: str) -> Problem:
    position = _position(refused.node)
    where = f" at character {position}" if position else ""
    shown = text if len(text) <= 100 else f"{text[:97]}..."
    return Problem(
        file, key_path, f'the condition "{shown}" is refused{where}: {refused.what}', refused.allowed
    )


def _position(node: exp.Expr | None) -> int | None:
    """Return where in the text a part begins, counted from 1."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta] if node is not None else []
    return min(starts) + 1 if starts else None
