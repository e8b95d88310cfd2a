"""One look at a day: its facts and decisions beside what earlier runs recorded, and the lists made of them.

Each list is made when asked for; the rules are in `policies`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from policies.business_days import business_day_before
from policies.credit_hold import find_credit_holds, list_blocked
from policies.errors import PolicyInvalidError
from policies.escalation import Facts, gather_facts
from policies.giving_up import Grounds, RecoveryOdds, load_recovery_odds, propose_write_offs
from policies.history import History
from policies.insolvencies import list_claims
from policies.model import ACCOUNT_KEY
from policies.policy import Policy
from policies.provisions import (
    Cohort,
    Rates,
    declared_rates,
    load_loss_rates,
    provision_matrix,
    rates_from_history,
    usual_cohort,
)
from policies.standings import STANDINGS, Recorded, habit_rules, judge_accounts, stand
from policies.statutes import Statute
from policies.watching import HABITS, find_worsened
from tasks.findings.words import tell_condition
from tasks.rules import Rules, read_law
from tasks.workspace import Workspace, find_file, list_files


@dataclass(frozen=True)
class Look:
    """A day as it was decided, and the standings that runs recorded up to it."""

    workspace: Workspace
    rules: Rules
    history: History
    facts: Facts
    decisions: pl.DataFrame
    recorded: Recorded

    @property
    def as_of(self) -> date:
        """The day."""
        return self.facts.as_of

    def tell(self, condition: str) -> str:
        """Return a condition of the policy in words."""
        return tell_condition(self.workspace, condition)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.rules.policy

    @cached_property
    def judged(self) -> pl.DataFrame:
        """The accounts with risk, credit hold and watched changes."""
        return judge_accounts(self.facts.accounts, self.policy)

    @cached_property
    def standing(self) -> pl.DataFrame:
        """How every account stands that has something open, or had when a run last looked."""
        before, latest = self.recorded.before.standings, self.recorded.latest.standings
        only_today = latest.join(before, on=ACCOUNT_KEY, how="anti").with_columns(
            blocked_since=pl.lit(None, pl.Date), watches=pl.lit("")
        )
        return stand(self.judged, pl.concat([before, only_today]), self.as_of)

    @cached_property
    def habits_before(self) -> pl.DataFrame:
        """How accounts stood before by the rules of today.

        As recorded; the first time, or once risk or watched changes have other rules, as history tells.
        """
        if not self.policy.risk and not self.policy.watch:
            return STANDINGS.to_frame()
        before = self.recorded.before
        if before.habit_rules == habit_rules(self.policy):
            return before.standings
        country = (self.policy.calendar.country if self.policy.calendar else None) or ""
        day = before.as_of or business_day_before(self.as_of, country)
        judged = judge_accounts(gather_facts(self.history, self.policy, day).accounts, self.policy)
        return stand(judged, STANDINGS.to_frame(), day)

    def credit_hold(self) -> pl.DataFrame:
        """Return the customers to block and to unblock since last time."""
        before, during = self.recorded.before.standings, [look.standings for look in self.recorded.today]
        return find_credit_holds(
            self.standing, before, during, self.judged, self.policy, self.as_of, self.tell
        )

    def blocked(self) -> pl.DataFrame:
        """Return every customer on credit hold."""
        return list_blocked(self.standing, self.judged, self.policy, self.as_of, self.tell)

    def habits(self) -> pl.DataFrame:
        """Return the accounts whose habits or risk turned worse since last time."""
        if not self.policy.risk and not self.policy.watch:
            return HABITS.to_frame()
        return find_worsened(self.judged, self.habits_before, self.policy, self.tell)

    def write_offs(self) -> pl.DataFrame:
        """Return the items to propose for a write-off."""
        grounds = Grounds(_read_odds(self.workspace, self.rules), self.policy.statute, self.statutes)
        return propose_write_offs(self.decisions, self.policy.give_up, grounds, self.as_of, self.tell)

    def insolvencies(self) -> pl.DataFrame:
        """Return the claims to declare in insolvencies."""
        types = self.facts.accounts.select("customer_id", "customer_type")
        statute, items = self.policy.statute, self.facts.open_items
        return list_claims(items, self.facts.events, types, statute, self.statutes, self.as_of)

    def provisions(self, cohort: Cohort | None = None) -> pl.DataFrame:
        """Return the provision matrix; by the losses of a cohort of invoices, when one is named."""
        return provision_matrix(self.decisions, self.policy, self._loss_rates(cohort))

    @cached_property
    def statutes(self) -> Mapping[str, Statute]:
        """All statutes known to the workspace, by name."""
        return read_law(self.workspace).statutes

    def _loss_rates(self, cohort: Cohort | None) -> Rates:
        name = self.policy.provisions.loss_rates
        if name and cohort is None:
            text = _read_rule(self.workspace, self.rules, "loss_rates", name, "provisions.loss_rates")
            return declared_rates(load_loss_rates(text, f"loss_rates/{name}.yaml"), self.as_of)
        facts, edges = self.facts, self.policy.aging_buckets_days
        window = cohort or usual_cohort(self.as_of)
        return rates_from_history(facts.allocation, facts.cash, facts.events, edges, window)


LISTS: dict[str, Callable[[Look], pl.DataFrame]] = {
    "credit_hold": Look.credit_hold,
    "habits": Look.habits,
    "write_offs": Look.write_offs,
    "insolvencies": Look.insolvencies,
    "provisions": Look.provisions,
}
"""The lists of a day by name: published by every run under `published/reports/`."""


def _read_odds(workspace: Workspace, rules: Rules) -> RecoveryOdds | None:
    name = rules.policy.give_up.recovery_odds if rules.policy.give_up else None
    if name is None:
        return None
    text = _read_rule(workspace, rules, "recovery_odds", name, "give_up.recovery_odds")
    return load_recovery_odds(text, f"recovery_odds/{name}.yaml")


def _read_rule(workspace: Workspace, rules: Rules, folder: str, name: str, key: str) -> str:
    """Return the text of dated data that the policy names, own before shipped."""
    path = find_file(workspace, f"policies/{folder}/{name}.yaml")
    if path is None:
        known = ", ".join(file.stem for file in list_files(workspace, f"policies/{folder}", "*.yaml"))
        raise PolicyInvalidError(
            f"{rules.policy_file}: {key}: there is no {folder}/{name}.yaml (there are: {known or 'none'}). "
            f"Name one of these, or write {workspace.policies / folder / (name + '.yaml')}."
        )
    return path.read_text(encoding="utf-8")
