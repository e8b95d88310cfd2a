"""Puts the values of a condition into words: facts, constants, what is calculated or chosen.

A number is printed in the unit of what it is compared with: days as days, a share as a percentage. Statements
about values are told by `policies.phrases`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Protocol

from sqlglot import exp

from policies.condition_gate import Kind, kind_of
from policies.facts import FACTS, Scope, schema
from policies.phrasebook import Phrasebook, unit_of

KNOWN_FACTS = schema(Scope.ITEM)
_SUMS = (exp.Add, exp.Sub)
_PRODUCTS = (exp.Mul, exp.Div)


class Printer(Protocol):
    """Prints values as readers of the language expect them."""

    def number(self, value: Decimal) -> str:
        """Return a plain number."""

    def days(self, value: Decimal) -> str:
        """Return a number of days, with the word."""

    def share(self, value: Decimal) -> str:
        """Return a fraction as a percentage."""

    def day(self, value: date) -> str:
        """Return a date, with its article where the language wants one."""

    def code(self, fact: str, text: str) -> str:
        """Return the name of a code, such as a country's; nothing where the text is no code."""


@dataclass(frozen=True)
class Measure:
    """What stands on the other side of a value: its unit, and the fact whose codes it may be."""

    unit: str = "number"
    fact: str = ""


PLAIN = Measure()


def measure_of(nodes: Sequence[exp.Expr]) -> Measure:
    """Return the measure that values compared with each other share."""
    names = {
        column.name
        for node in nodes
        for column in node.find_all(exp.Column)
        if kind_of(column, KNOWN_FACTS) is Kind.TEXT
    }
    return Measure(_shared(nodes) or "number", names.pop() if len(names) == 1 else "")


def _shared(nodes: Sequence[exp.Expr]) -> str | None:
    """Return the one unit of the nodes that have any; a plain number where they differ."""
    units = {unit for node in nodes if (unit := _unit(node.unnest())) is not None}
    return units.pop() if len(units) == 1 else "number" if units else None


def _unit(node: exp.Expr) -> str | None:
    """Return what the numbers of a value count; nothing for a constant, which takes any unit."""
    if isinstance(node, exp.Column):
        return unit_of(FACTS[node.name])
    if isinstance(node, exp.Div):
        return "number"
    if isinstance(node, exp.Mul):
        units = {_unit(node.this.unnest()), _unit(node.expression.unnest())}
        return "days" if units == {"days", None} else "number"
    return _shared(_alternatives(node))


def _alternatives(node: exp.Expr) -> Sequence[exp.Expr]:
    """Return the parts of a value that count the same as the value itself."""
    if isinstance(node, exp.Case):
        return [then for _, then in branches(node)]
    if isinstance(node, exp.Neg | exp.Add | exp.Sub | exp.Coalesce):
        return [node.this, *node.expressions, *([node.expression] if isinstance(node, _SUMS) else [])]
    return []


def is_constant(node: exp.Expr) -> bool:
    """Return whether a value names no fact."""
    return node.find(exp.Column) is None


def branches(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Yield the branches of a case: when, and then what."""
    for branch in node.args["ifs"]:
        when = branch.this if node.this is None else exp.EQ(this=node.this, expression=branch.this)
        yield when, branch.args["true"]


@dataclass(frozen=True)
class ValueTeller:
    """Tells values; `clause` tells what is true or false within them."""

    words: Phrasebook
    printer: Printer
    clause: Callable[[exp.Expr], str]

    def value(self, node: exp.Expr, measure: Measure) -> str:
        """Return what a part yields: a number, a text, a date."""
        node = node.unnest()
        tell = self._TELL.get(type(node))
        if tell is None or (isinstance(node, exp.Column) and kind_of(node, KNOWN_FACTS) is Kind.YES_NO):
            return self.words.fill(self.words.values.whether, a=self.clause(node))
        return tell(self, node, measure)

    def _group(self, text: str) -> str:
        return self.words.fill(self.words.values.group, a=text)

    def _named(self, node: exp.Expr, _measure: Measure) -> str:
        return self.words.facts[node.name].name

    def _literal(self, node: exp.Expr, measure: Measure) -> str:
        if not node.args["is_string"]:
            return self._number(Decimal(node.name), measure)
        fact = self.words.facts.get(measure.fact)
        own = fact.values.get(node.name, "") if fact else ""
        quoted = self.words.fill(self.words.values.quote, a=node.name)
        return own or self.printer.code(measure.fact, node.name) or quoted

    def _number(self, value: Decimal, measure: Measure) -> str:
        printers = {"days": self.printer.days, "share": self.printer.share}
        return printers.get(measure.unit, self.printer.number)(value)

    def _constant(self, node: exp.Expr, _measure: Measure) -> str:
        values = self.words.values
        if isinstance(node, exp.Null):
            return values.nothing
        return values.yes if node.this else values.no

    def _day(self, node: exp.Expr, _measure: Measure) -> str:
        return self.printer.day(date.fromisoformat(node.this.name))

    def _negative(self, node: exp.Expr, measure: Measure) -> str:
        inner = node.this.unnest()
        if isinstance(inner, exp.Literal):
            return self._number(-Decimal(inner.name), measure)
        return self.words.fill(self.words.values.negative, a=self._operand(inner, measure))

    def _arithmetic(self, node: exp.Expr, measure: Measure) -> str:
        first, second = node.this.unnest(), node.expression.unnest()
        if isinstance(node, _PRODUCTS):
            measure = replace(measure, unit="number")
        if isinstance(node, exp.Mul) and is_constant(second):
            first, second = second, first
        templates: dict[type[exp.Expr], str] = {
            exp.Add: self.words.values.plus,
            exp.Sub: self.words.values.minus,
            exp.Mul: self.words.values.times,
            exp.Div: self.words.values.ratio,
        }
        template = templates[type(node)]
        return self.words.fill(template, a=self._operand(first, measure), b=self._operand(second, measure))

    def _operand(self, node: exp.Expr, measure: Measure) -> str:
        told = self.value(node, measure)
        return self._group(told) if isinstance(node, (*_SUMS, *_PRODUCTS, exp.Neg)) else told

    def _coalesced(self, node: exp.Expr, measure: Measure) -> str:
        told = self.value(node.this, measure)
        for other in node.expressions:
            told = self.words.fill(self.words.values.or_if_unknown, a=told, b=self.value(other, measure))
        return told

    def _chosen(self, node: exp.Expr, measure: Measure) -> str:
        values = self.words.values
        whens = [
            self.words.fill(values.case_when, a=self.clause(when), b=self.value(then, measure))
            for when, then in branches(node)
        ]
        default = node.args.get("default") or exp.Null()
        whens.append(self.words.fill(values.case_otherwise, b=self.value(default, measure)))
        return self.words.fill(values.case, a=self.words.lists.semicolon.join(whens))

    _TELL: ClassVar[dict[type[exp.Expr], Callable[["ValueTeller", exp.Expr, Measure], str]]] = {
        exp.Column: _named,
        exp.Literal: _literal,
        exp.Cast: _day,
        exp.Neg: _negative,
        **dict.fromkeys((exp.Boolean, exp.Null), _constant),
        **dict.fromkeys((*_SUMS, *_PRODUCTS), _arithmetic),
        exp.Coalesce: _coalesced,
        exp.Case: _chosen,
    }
