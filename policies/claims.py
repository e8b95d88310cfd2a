"""What each acting item claims beside its principal: charges of law or contract, fees of steps, less what was waived.

Gathered once for the messages of a day, then asked item by item. A fee stands with one item of its message, the
fixed charge with one installment of its invoice; so both are stated again, never added up.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from policies.charges import NO_CHARGES, ChargesOutcome, Omission, charge_item
from policies.escalation import Facts
from policies.fees import fees_before
from policies.happenings import of_items
from policies.interest import LateItem
from policies.messages import ItemCharges
from policies.model import Channel, EventKind
from policies.money import round_money
from policies.policy import Policy
from policies.statutes import Begins, Law, Statute, covering_statute, statute_for
from policies.waivers import Waivers

Row = Mapping[str, Any]
Payments = dict[int, list[tuple[date, Decimal]]]

_ZERO = Decimal(0)
_INVOICE = ("customer_id", "invoice_number")


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
        restated: fees of earlier messages, by item.
        waivers: what is no longer claimed.
    """

    policy: Policy
    law: Law
    as_of: date
    payments: Payments
    bearers: Mapping[tuple[str, str], int]
    demands: Mapping[int, date]
    restated: Mapping[int, Decimal]
    waivers: Waivers
    _steps: dict[tuple[str, str], tuple[tuple[str, ...], Mapping[str, Decimal]]] = field(init=False)

    def __post_init__(self) -> None:
        """Look each step up once."""
        steps = {
            (ladder, step.step): (tuple(step.charges), step.fee)
            for ladder, steps in self.policy.ladders.items()
            for step in steps
        }
        object.__setattr__(self, "_steps", steps)

    def of_item(self, row: Row, *, bears_fee: bool = False) -> ChargesOutcome:
        """Return what an item claims, by its own step.

        Args:
            row: the item as decided: item, customer_id, invoice_number, installment, currency, due_date,
                days_past_due, customer_type, amount_demanded, ladder, step.
            bears_fee: the fee of the message's step stands with this item.
        """
        charges, fee = self._steps[row["ladder"], row["step"]]
        new_fee = fee.get(row["currency"], _ZERO) if bears_fee and row["days_past_due"] > 0 else _ZERO
        return self.claimed(row, charges, new_fee + self.restated.get(row["item"], _ZERO))

    def claimed(self, row: Row, claim: Collection[str], fees: Decimal) -> ChargesOutcome:
        """Return the charges named and the fees, less what was waived of them."""
        outcome = self.charged(row, claim, fees, self.as_of)
        claimed = outcome.charges.total
        waived = self.waivers.take(row, claimed, bears_invoice=self.bears_invoice(row)) if claimed else _ZERO
        if not waived:
            return outcome
        left = outcome.charges.model_copy(update={"waived": waived}) if waived < claimed else NO_CHARGES
        return ChargesOutcome(left, outcome.omission, outcome.note)

    def charged(self, row: Row, claim: Collection[str], fees: Decimal, until: date) -> ChargesOutcome:
        """Return the charges named, up to a day, and the fees, before anything is waived."""
        outcome = (
            charge_item(
                LateItem(
                    amount=row["amount_demanded"],
                    currency=row["currency"],
                    due_date=row["due_date"],
                    as_of=until,
                    customer_type=row["customer_type"] or "business",
                    payments=self.payments.get(row["item"], ()),
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


def gather_claims(
    decisions: pl.DataFrame, acting: pl.DataFrame, facts: Facts, policy: Policy, law: Law
) -> Claims:
    """Return what decides the claims of the items that act.

    Args:
        decisions: all open items of the customers that act.
        acting: those that act.
        facts: at the date of the decisions.
        policy: whose steps claim.
        law: statutes and rates.
    """
    late = decisions.filter((pl.col("days_past_due") >= 1) & (pl.col("amount_open") > 0))
    return Claims(
        policy=policy,
        law=law,
        as_of=facts.as_of,
        payments=payments_since_due(facts.cash, acting),
        bearers=invoice_bearers(late.join(acting.select(_INVOICE), on=_INVOICE, how="semi")),
        demands=demands(facts.dispatched, acting, facts.events) if needs_demand(policy, law) else {},
        restated=fees_before(facts.dispatched, facts.allocation.items, acting, policy),
        waivers=Waivers(facts.events),
    )


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


def invoice_bearers(items: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Return the installment of each invoice that bears its fixed charge: the one due first."""
    first = items.sort("due_date", "item").unique(_INVOICE, keep="first", maintain_order=True)
    return {(row[0], row[1]): row[2] for row in first.select(*_INVOICE, "item").iter_rows()}


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
