"""What each item claims beside its principal: charges of law or contract, fees of steps, less what was waived.

One set of claims per day serves messages, simulations and the list of charges. What an item claims depends on the day
alone, never on which items were asked before: a fee stands with one item of its message, the fixed charge with one
installment of its invoice, an amount waived where it was laid.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

import polars as pl

from policies.bearers import CHARGED, Row, invoice_bearers, overdue_items, paid_items, told_items
from policies.charges import NO_CHARGES, ChargesOutcome, Omission, charge_item
from policies.escalation import Facts
from policies.fees import fees_claimed, new_fees
from policies.happenings import of_items
from policies.interest import LateItem
from policies.messages import ItemCharges
from policies.model import Channel, EventKind
from policies.money import round_money
from policies.policy import Policy
from policies.statutes import Begins, Law, Statute, covering_statute, statute_for
from policies.waivers import Waivers

Payments = dict[int, list[tuple[date, Decimal]]]

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Claims:
    """What decides the claims of one day.

    Attributes:
        policy: whose steps claim.
        law: statutes and rates.
        as_of: the day.
        payments: of each item after its due date, reversals negative.
        bearers: the item that bears the fixed charge of its invoice.
        demands: when a demand in writing reached the customer, by item.
        fees: those that stand with each item.
        due_dates: since when an item is owed, where a payment plan says otherwise.
        waivers: what is no longer claimed at all.
        waived: amounts no longer claimed, by item.
    """

    policy: Policy
    law: Law
    as_of: date
    payments: Payments
    bearers: Mapping[tuple[str, str], int]
    demands: Mapping[int, date]
    fees: Mapping[int, Decimal]
    due_dates: Mapping[int, date]
    waivers: Waivers
    waived: Mapping[int, Decimal] = field(default_factory=dict)

    @cached_property
    def _charges(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The charges that each step claims."""
        return {
            (ladder, step.step): tuple(step.charges)
            for ladder, steps in self.policy.ladders.items()
            for step in steps
        }

    def of_item(self, row: Row) -> ChargesOutcome:
        """Return what an item that acts claims, by its own step.

        Args:
            row: the item as decided: CHARGED without `until`, ladder and step.
        """
        outcome = self.charged(row, self._charges[row["ladder"], row["step"]], self.as_of)
        if self.waivers.since(row):
            return replace(outcome, charges=NO_CHARGES)
        waived = self.waived_of(row, outcome.charges.total)
        if not waived:
            return outcome
        # Told in full also where nothing is left: a fee waived by an amount was claimed all the same.
        return replace(outcome, charges=outcome.charges.model_copy(update={"waived": waived}))

    def at_most(self, row: Row) -> Decimal:
        """Return what can be claimed of an item by now, whatever step it takes."""
        kinds = {kind for charges in self._charges.values() for kind in charges}
        return self.charged(row, kinds, row["until"] or self.as_of).charges.total

    def waived_of(self, row: Row, claimed: Decimal) -> Decimal:
        """Return how much is waived of what is claimed of an item."""
        return claimed if self.waivers.since(row) else min(self.waived.get(row["item"], _ZERO), claimed)

    def charged(self, row: Row, claim: Collection[str], until: date) -> ChargesOutcome:
        """Return the charges named, up to a day, and the fees, before anything is waived."""
        payments = self.payments.get(row["item"], ())
        fees = self.fees.get(row["item"], _ZERO)
        outcome = (
            charge_item(
                LateItem(
                    amount=row["amount_demanded"]
                    + sum((paid for day, paid in payments if day > until), _ZERO),
                    currency=row["currency"],
                    due_date=self.due_dates.get(row["item"], row["due_date"]),
                    as_of=until,
                    customer_type=row["customer_type"] or "business",
                    payments=payments,
                    recovery_charge_already=not self.bears_invoice(row),
                    demanded_on=self.demands.get(row["item"]),
                ),
                self.statute_of(row),
                self.law.rates,
                claim=claim,
                contract_percent=contract_percent(self.policy),
            )
            if claim
            else ChargesOutcome()
        )
        # Without its rate a message claims the principal alone: what is left out is claimed together, later.
        if fees and outcome.omission is not Omission.MISSING_RATE:
            outcome = self._with_fees(outcome, row, fees)
        return outcome

    def bears_invoice(self, row: Row) -> bool:
        """Return whether the item bears what is claimed once per invoice."""
        bearer = self.bearers.get((row["customer_id"], row["invoice_number"]))
        return bearer is None or bearer == row["item"]

    def statute_of(self, row: Row) -> Statute | None:
        """Return the statute the policy names, or the one for this type of customer."""
        name = self.policy.statute
        return statute_for(name, row["customer_type"] or "business", self.law.statutes) if name else None

    def _with_fees(self, outcome: ChargesOutcome, row: Row, fees: Decimal) -> ChargesOutcome:
        is_consumer = row["customer_type"] == "consumer"
        if is_consumer and covering_statute(self.policy.statute, "consumer", self.law.statutes) is None:
            note = "fees left out: no statute of the policy covers consumers"
            return ChargesOutcome(
                outcome.charges, outcome.omission, "; ".join(filter(None, (outcome.note, note)))
            )
        charges = outcome.charges.model_copy(update={"fees": round_money(fees, row["currency"])})
        return ChargesOutcome(charges, outcome.omission, outcome.note)


def claims_of_messages(acting: pl.DataFrame, facts: Facts, policy: Policy, law: Law) -> Claims:
    """Return what decides the claims of the items that act.

    Args:
        acting: the items that act, as decided.
        facts: at the date of the decisions.
        policy: whose steps claim.
        law: statutes and rates.
    """
    owed_since = facts.allocation.items.select("item", owed_since="due_date")
    owed = acting.join(owed_since, on="item", how="left", maintain_order="left")
    asked = owed.with_columns(due_date="owed_since", until=pl.lit(None, pl.Date)).select(CHARGED)
    claims = gather_claims(asked, facts.dispatched, facts, policy, law, new_fees(acting, policy))
    planned = owed.filter(pl.col("owed_since") != pl.col("due_date"))
    return replace(claims, due_dates=dict(planned.select("item", "owed_since").iter_rows()))


def gather_claims(
    asked: pl.DataFrame,
    dispatched: pl.DataFrame,
    facts: Facts,
    policy: Policy,
    law: Law,
    fees: Mapping[int, Decimal] | None = None,
) -> Claims:
    """Return what decides the claims of a day.

    Args:
        asked: the items that will be asked about, as CHARGED.
        dispatched: what was dispatched before.
        facts: at the date.
        policy: whose steps claim.
        law: statutes and rates.
        fees: those that come today, beside the fees claimed before.
    """
    waivers = Waivers(facts.events)
    customers = asked.select("customer_id", "customer_type").unique("customer_id")
    overdue = overdue_items(facts, customers["customer_id"])
    of_amounts = customers.filter(pl.col("customer_id").is_in(waivers.customers_with_amounts.implode()))
    paid = _paid_and_told(asked, of_amounts, dispatched, facts, policy)
    waivable = pl.concat([overdue, paid]).join(of_amounts, on="customer_id", how="semi")
    items = pl.concat([asked, waivable]).unique("item", keep="first")
    stated = fees_claimed(dispatched, items)
    claims = Claims(
        policy=policy,
        law=law,
        as_of=facts.as_of,
        payments=payments_since_due(facts.cash, items),
        bearers=invoice_bearers(overdue, paid),
        demands=demands(dispatched, items, facts.events) if needs_demand(policy, law) else {},
        fees=stated | {item: fee + stated.get(item, _ZERO) for item, fee in (fees or {}).items()},
        due_dates={},
        waivers=waivers,
    )
    rows = waivable.sort("currency", "due_date", "item").to_dicts()
    return replace(claims, waived=waivers.lay(rows, claims.at_most, claims.bears_invoice))


def _paid_and_told(
    asked: pl.DataFrame, of_amounts: pl.DataFrame, dispatched: pl.DataFrame, facts: Facts, policy: Policy
) -> pl.DataFrame:
    """Return the items paid late of which something was claimed: those asked about, and those amounts are laid over."""
    is_open = pl.col("item").is_in(facts.open_items.filter(pl.col("amount_open") > 0)["item"].implode())
    listed = asked.filter(pl.col("until").is_not_null() & ~is_open)
    if of_amounts.is_empty():
        return listed
    paid = paid_items(facts, of_amounts)
    told = paid.join(told_items(dispatched, paid, policy), on="item", how="semi")
    return pl.concat([listed, told]).unique("item", keep="first")


def contract_percent(policy: Policy) -> Decimal | None:
    """Return the contract's yearly rate in percent."""
    return None if policy.charges.rate is None else policy.charges.rate * 100


def payments_since_due(cash: pl.DataFrame, items: pl.DataFrame) -> Payments:
    """Return the cash of each item after its due date: interest ran on it until then."""
    late = (
        cash.join(items.select("item", "due_date"), on="item")
        .filter(pl.col("date") > pl.col("due_date"))
        .sort("item", "date")
    )
    payments: Payments = {}
    for item, day, amount in late.select("item", "date", "amount").iter_rows():
        payments.setdefault(item, []).append((day, amount))
    return payments


def needs_demand(policy: Policy, law: Law) -> bool:
    """Return whether interest of the policy's statutes begins with a demand."""
    statute = law.statutes.get(policy.statute or "")
    named = (
        [statute, *(law.statutes.get(name) for name in statute.other_statutes.values())] if statute else []
    )
    return any(
        one.late_interest.begins is Begins.DEMAND for one in named if one is not None and one.late_interest
    )


def demands(dispatched: pl.DataFrame, items: pl.DataFrame, events: pl.DataFrame) -> dict[int, date]:
    """Return when each item was first demanded by registered letter: its receipt if recorded, else its dispatch."""
    sent = (
        dispatched.filter(pl.col("is_done") & (pl.col("channel") == Channel.REGISTERED_LETTER.value))
        .join(items.select("item"), on="item", how="semi")
        .group_by("item")
        .agg(sent_on=pl.col("dispatch_date").min())
    )
    receipts = (
        of_items(events, items, EventKind.LETTER_RECEIVED)
        .join(sent, on="item")
        .filter(pl.col("event_date") >= pl.col("sent_on"))
        .group_by("item")
        .agg(received_on=pl.col("event_date").min())
    )
    known = sent.join(receipts, on="item", how="left")
    return dict(known.select("item", pl.coalesce("received_on", "sent_on")).iter_rows())


def add_up(charges: Iterable[ItemCharges]) -> ItemCharges:
    """Return the sums of what several items claim."""
    listed = list(charges)
    return ItemCharges(
        late_interest=sum((one.late_interest for one in listed), _ZERO),
        recovery_charge=sum((one.recovery_charge for one in listed), _ZERO),
        fees=sum((one.fees for one in listed), _ZERO),
        waived=sum((one.waived for one in listed), _ZERO),
    )
