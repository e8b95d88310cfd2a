"""Puts a condition into words: from its parsed predicate and the words of one language to a statement.

Everything that `policies.condition_gate` lets through can be said. Negations are pushed down to the comparisons,
which keeps their meaning even where something is unknown; brackets stand wherever `and` and `or` mix.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlglot
from sqlglot import exp

from policies.condition_gate import Kind, kind_of
from policies.phrase_values import KNOWN_FACTS, PLAIN, Printer, ValueTeller, branches, is_constant, measure_of
from policies.phrasebook import Comparisons, Phrasebook

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "eq",
    exp.NEQ: "neq",
    exp.GT: "gt",
    exp.GTE: "gte",
    exp.LT: "lt",
    exp.LTE: "lte",
}
_OPPOSITE = {"eq": "neq", "neq": "eq", "gt": "lte", "lte": "gt", "gte": "lt", "lt": "gte"}
_MIRRORED = {"eq": "eq", "neq": "neq", "gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte"}
_ZERO, _ONE = Decimal(0), Decimal(1)
_NONE = {("eq", _ZERO), ("lte", _ZERO), ("lt", _ONE)}
_SOME = {("neq", _ZERO), ("gt", _ZERO), ("gte", _ONE)}


def phrase(condition: str, words: Phrasebook, printer: Printer) -> str:
    """Return a condition that the gate has let through as a statement."""
    return _Teller(words, printer).clause(sqlglot.parse_one(condition, dialect="postgres"))


@dataclass(frozen=True)
class _Teller:
    """Tells clauses (true or false) and values."""

    words: Phrasebook
    printer: Printer

    @property
    def values(self) -> ValueTeller:
        return ValueTeller(self.words, self.printer, self.clause)

    def clause(self, node: exp.Expr, holds: bool = True) -> str:
        """Return the statement that the part is true, or that it is false."""
        node, holds = _stripped(node, holds)
        own = _connective(node, holds)
        if own is None:
            # `not like` and `is not null` are one node each, and so is their negation.
            holds = holds != bool(node.args.get("negate"))
            return _SINGLE.get(type(node), _Teller.compared)(self, node, holds)
        return self.listed(self.parts(node, holds, own), own)

    def parts(self, node: exp.Expr, holds: bool, around: str) -> list[str]:
        """Return what a chain of `and` or `or` joins; what mixes them stands in brackets."""
        node, holds = _stripped(node, holds)
        own = _connective(node, holds)
        if isinstance(node, exp.In) and own is not None:
            return [self.among(node, holds) if own == around else self.group(self.among(node, holds))]
        if own == around:
            return [*self.parts(node.this, holds, own), *self.parts(node.expression, holds, own)]
        told = self.clause(node, holds)
        return [self.group(told) if own else told]

    def group(self, text: str) -> str:
        return self.words.fill(self.words.values.group, a=text)

    def listed(self, parts: Sequence[str], connective: str) -> str:
        lists = self.words.lists
        last = {"and": lists.and_, "or": lists.or_, "either": lists.either, "nor": lists.nor}[connective]
        *others, final = parts
        return self.words.melt(lists.comma.join(others) + last, final) if others else final

    def stated(self, node: exp.Expr, holds: bool) -> str:
        """Tell true, false, null, and a fact that is one of them."""
        clauses = self.words.clauses
        if isinstance(node, exp.Null):
            return self.words.values.nothing
        if isinstance(node, exp.Boolean):
            return clauses.always if node.this == holds else clauses.never
        fact = self.words.facts[node.name]
        return fact.holds if holds else fact.fails

    def compared(self, node: exp.Expr, holds: bool) -> str:
        """Tell `= <> < <= > >=`; a constant on the left changes sides."""
        operator = _OPERATORS[type(node)] if holds else _OPPOSITE[_OPERATORS[type(node)]]
        left, right = node.this.unnest(), node.expression.unnest()
        if is_constant(left) and not is_constant(right):
            left, right, operator = right, left, _MIRRORED[operator]
        if isinstance(right, exp.Boolean) and operator in ("eq", "neq"):
            return self.clause(left, right.this == (operator == "eq"))
        measure = measure_of([left, right])
        special = self.special(left, operator, right)
        template = special or getattr(self.comparisons([left, right]), operator)
        return self.words.fill(
            template, a=self.values.value(left, measure), b=self.values.value(right, measure)
        )

    def special(self, left: exp.Expr, operator: str, right: exp.Expr) -> str:
        """Return the fact's own statement, if it has one for this comparison."""
        if not isinstance(left, exp.Column) or not isinstance(right, exp.Literal):
            return ""
        fact = self.words.facts[left.name]
        if right.is_string:
            return {"eq": fact.equals, "neq": fact.differs}.get(operator, "")
        compared = (operator, Decimal(right.name))
        return fact.none if compared in _NONE else fact.some if compared in _SOME else ""

    def comparisons(self, nodes: Iterable[exp.Expr]) -> Comparisons:
        kinds = {kind_of(node, KNOWN_FACTS) for node in nodes}
        if Kind.DATE in kinds:
            return self.words.dates
        return self.words.texts if Kind.TEXT in kinds else self.words.numbers

    def distinct(self, node: exp.Expr, holds: bool) -> str:
        """Tell `is distinct from`, for which null is a value like others."""
        differs = isinstance(node, exp.NullSafeNEQ) == holds
        template = self.words.clauses.distinct if differs else self.words.clauses.same
        measure = measure_of([node.this, node.expression])
        return self.words.fill(
            template, a=self.values.value(node.this, measure), b=self.values.value(node.expression, measure)
        )

    def between(self, node: exp.Expr, holds: bool) -> str:
        nodes = [node.this, node.args["low"], node.args["high"]]
        comparisons, measure = self.comparisons(nodes), measure_of(nodes)
        first, low, high = (self.values.value(one, measure) for one in nodes)
        return self.words.fill(comparisons.between if holds else comparisons.outside, a=first, b=low, c=high)

    def among(self, node: exp.Expr, holds: bool) -> str:
        """Tell `in`; with one value it is told as the comparison that it is."""
        if len(node.expressions) == 1:
            return self.clause(exp.EQ(this=node.this, expression=node.expressions[0]), holds)
        measure = measure_of([node.this, *node.expressions])
        values = [self.values.value(one, measure) for one in node.expressions]
        fact = self.words.facts.get(node.this.name)
        own = fact.equals if fact is not None and holds else ""
        template = own or (self.words.clauses.one_of if holds else self.words.clauses.none_of)
        listed = self.listed(values, "either" if holds else "nor")
        return self.words.fill(template, a=self.values.value(node.this, measure), b=listed)

    def like(self, node: exp.Expr, holds: bool) -> str:
        likeness = self.words.like if holds else self.words.unlike
        shape, text = _shape(node.expression.name)
        quoted = self.words.fill(self.words.values.quote, a=text)
        told = self.words.fill(getattr(likeness, shape), a=self.values.value(node.this, PLAIN), b=quoted)
        if "_" in text:
            told = self.words.fill(self.words.clauses.any_character, a=told)
        if isinstance(node, exp.ILike):
            return self.words.fill(self.words.clauses.ignoring_case, a=told)
        return told

    def is_null(self, node: exp.Expr, holds: bool) -> str:
        inner, clauses = node.this.unnest(), self.words.clauses
        if isinstance(inner, exp.Column):
            fact = self.words.facts[inner.name]
            own = fact.unknown if holds else fact.known
            template = own or (clauses.unknown if holds else clauses.known)
            return self.words.fill(template, a=fact.name)
        if kind_of(inner, KNOWN_FACTS) is Kind.YES_NO:
            template = clauses.unknown_whether if holds else clauses.known_whether
            return self.words.fill(template, a=self.clause(inner))
        template = clauses.unknown if holds else clauses.known
        return self.words.fill(template, a=self.values.value(inner, PLAIN))

    def first_known(self, node: exp.Expr, holds: bool) -> str:
        """Tell a coalesce of statements."""
        told = self.clause(node.this, holds)
        for other in node.expressions:
            told = self.words.fill(self.words.clauses.or_if_unknown, a=told, b=self.clause(other, holds))
        return told

    def case(self, node: exp.Expr, holds: bool) -> str:
        """Tell a case whose outcomes are statements."""
        clauses = self.words.clauses
        whens = [
            self.words.fill(clauses.case_when, a=self.clause(when), b=self.clause(then, holds))
            for when, then in branches(node)
        ]
        default = node.args.get("default") or exp.Null()
        whens.append(self.words.fill(clauses.case_otherwise, b=self.clause(default, holds)))
        return self.words.fill(clauses.case, a=self.words.lists.semicolon.join(whens))


_SINGLE: dict[type[exp.Expr], Callable[[_Teller, exp.Expr, bool], str]] = {
    **dict.fromkeys((exp.Boolean, exp.Null, exp.Column), _Teller.stated),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), _Teller.distinct),
    **dict.fromkeys((exp.Like, exp.ILike), _Teller.like),
    exp.Between: _Teller.between,
    exp.In: _Teller.among,
    exp.Is: _Teller.is_null,
    exp.Case: _Teller.case,
    exp.Coalesce: _Teller.first_known,
}


def _stripped(node: exp.Expr, holds: bool) -> tuple[exp.Expr, bool]:
    """Return the part without brackets and negations, and whether it holds that is left."""
    while isinstance(node, exp.Paren | exp.Not):
        holds = holds != isinstance(node, exp.Not)
        node = node.this
    return node, holds


def _connective(node: exp.Expr, holds: bool) -> str | None:
    """Return what joins the parts of a statement; `not (a and b)` is told as `not a or not b`."""
    if isinstance(node, exp.And | exp.Or):
        return "and" if isinstance(node, exp.And) == holds else "or"
    return "or" if isinstance(node, exp.In) and holds and len(node.expressions) > 1 else None


def _shape(pattern: str) -> tuple[str, str]:
    """Return what a pattern asks for, and the text it asks for.

    >>> _shape("%vip%"), _shape("a%c")
    (('contains', 'vip'), ('matches', 'a%c'))
    """
    inner = pattern.strip("%")
    if not inner or any(mark in inner for mark in "%\\"):
        return "matches", pattern
    begins, ends = pattern.endswith("%"), pattern.startswith("%")
    return ("contains" if begins and ends else "begins" if begins else "ends" if ends else "equals"), inner
