"""Loads what is known, and asks the policy what to do with every open item at a date."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from policies.aging import aging_table
from policies.escalation import DECISION_COLUMNS, Facts, decide_from_facts, gather_facts
from policies.history import History
from tasks.rules import Rules
from tasks.store.connection import open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace


@dataclass(frozen=True)
class Day:
    """What is known and decided at a date; `decisions` has more columns than people are shown."""

    history: History
    facts: Facts
    decisions: pl.DataFrame
    rules: Rules

    @property
    def aging(self) -> pl.DataFrame:
        """The aging table by customer and currency."""
        edges = self.rules.policy.aging_buckets_days
        return aging_table(self.facts.open_items, self.facts.allocation.unapplied_cash, edges)


def decide_day(
    workspace: Workspace,
    rules: Rules,
    as_of: date,
    known_at: datetime | None = None,
    patience_seconds: float = 30,
) -> Day:
    """Return the facts and decisions of a date, from all that is known (at an instant, when given)."""
    with open_to_read(workspace, patience_seconds) as connection:
        history = read_history(connection, known_at)
    facts = gather_facts(history, rules.policy, as_of)
    return Day(history, facts, decide_from_facts(facts, history, rules.policy), rules)


def decisions_as_published(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `relance decisions`, and a few that explain them."""
    return decisions.select(*DECISION_COLUMNS, "amount_disputed", "amount_demanded", "segment", "risk")
