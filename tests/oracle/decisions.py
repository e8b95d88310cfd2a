"""One decision for every open item: its step, or the first reason not to act (docs/semantics.md 4 and 5)."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from policies.history import History
from policies.policy import Policy, Step
from tests.oracle.accounts import (
    THIRD_PARTIES,
    Account,
    Day,
    Item,
    accounts_of,
    bucket,
    contact_days,
    days_of,
    item_facts,
)
from tests.oracle.balances import ZERO
from tests.oracle.business_days import business_days_between, is_business_day, is_known
from tests.oracle.channels import channel_used, reaches
from tests.oracle.conditions import Facts
from tests.oracle.events import is_held, is_insolvent, is_placed, is_written_off
from tests.oracle.history import Customer, ItemKey, Past, Proposal, unpack
from tests.oracle.ladder import climb, step_due


@dataclass(frozen=True)
class Decision:
    """What happens to an open item today, in the words of the file `decisions`."""

    customer_id: str
    invoice_number: str
    installment: str
    currency: str
    due_date: date | None
    days_past_due: int | None
    amount: Decimal
    amount_open: Decimal
    amount_demanded: Decimal
    aging_bucket: str | None
    ladder: str | None
    step: str | None
    attempt: int | None
    channel: str | None
    message_step: str | None
    message_channel: str | None
    act: bool
    reason: str | None
    facts: Facts

    @property
    def key(self) -> ItemKey:
        """Return what identifies the item."""
        return (self.customer_id, self.invoice_number, self.installment)


def decide(history: History, policy: Policy, as_of: date) -> list[Decision]:
    """Return one decision per open item, in the order of the keys."""
    return decide_past(unpack(history), policy, as_of)


def decide_past(past: Past, policy: Policy, as_of: date) -> list[Decision]:
    """Return one decision per open item of what is known."""
    decided = [decision for day in days_of(past, policy, as_of) for decision in _decide_customer(day)]
    return sorted(decided, key=lambda decision: decision.key)


def _decide_customer(day: Day) -> list[Decision]:
    accounts = accounts_of(day)
    chosen = {item.key: _choose(day, item, accounts[item.document.account]) for item in day.items}
    decisions = [
        _decision(day, item, accounts[item.document.account], *chosen[item.key]) for item in day.items
    ]
    return [_in_its_message(day.policy, decision, decisions) for decision in decisions]


def _decision(day: Day, item: Item, account: Account, step: Step | None, reason: str | None) -> Decision:
    return Decision(
        customer_id=item.document.customer_id,
        invoice_number=item.document.invoice_number,
        installment=item.document.installment,
        currency=item.document.currency,
        due_date=item.due_date,
        days_past_due=item.days_past_due,
        amount=item.document.amount,
        amount_open=item.amount_open,
        amount_demanded=max(max(item.amount_open, ZERO) - item.amount_disputed - item.amount_reduced, ZERO),
        aging_bucket=bucket(item, day.policy.aging_buckets_days),
        ladder=account.ladder,
        step=step.step if step else None,
        attempt=1 + sum(dispatch.step == step.step for dispatch in item.dispatches) if step else None,
        channel=_channel(day, account, step) if step else None,
        message_step=None,
        message_channel=None,
        act=step is not None and reason is None,
        reason=reason,
        facts=item_facts(day, item, account),
    )


def _choose(day: Day, item: Item, account: Account) -> tuple[Step | None, str | None]:
    """Return the step due and the reason not to take it; a step without a reason acts."""
    reason = _standing_reason(day, item, account)
    if reason is not None:
        return None, reason
    assert account.ladder is not None
    found = step_due(climb(day, item, account, day.policy.ladders[account.ladder]))
    if isinstance(found, str):
        return None, found
    return found, _last_reason(day, item, account, found)


def _standing_reason(day: Day, item: Item, account: Account) -> str | None:
    """Return the first reason that holds an item whatever its ladder says."""
    past, document, as_of = day.past, item.document, day.as_of
    proposals = [
        p for p in past.proposals if (p.customer_id, p.invoice_number, p.installment) == document.key
    ]
    reasons = {
        "insolvent": is_insolvent(past, document, as_of),
        "written_off": is_written_off(past, day.balances, document, as_of)
        or item.amount_reduced >= item.amount_open > 0,
        "placed": is_placed(past, document, item.dispatches, as_of),
        "delivery_uncertain": any(
            p.uncertain_date is not None and p.uncertain_date < as_of for p in proposals
        ),
        "disputed": item.amount_disputed > 0
        and item.amount_disputed + item.amount_reduced >= item.amount_open,
        "promise_running": any(p.state == "running" and item.key in p.items for p in day.promises),
        "plan_running": any(p.state == "running" and item.key in p.items for p in day.plans),
        "manual_hold": is_held(past, document, as_of),
        "vanished": item.vanished,
        "credit_item": item.amount_open < 0,
        "no_due_date": item.due_date is None,
        "no_segment": account.ladder is None,
        "awaiting_approval": any(_is_waiting(proposal, as_of) for proposal in proposals),
    }
    return next((reason for reason, given in reasons.items() if given), None)


def _is_waiting(proposal: Proposal, as_of: date) -> bool:
    return proposal.proposed_date < as_of and (proposal.ended_date is None or proposal.ended_date >= as_of)


def _last_reason(day: Day, item: Item, account: Account, step: Step) -> str | None:
    """Return the first reason that stops an item which would act."""
    customer = day.past.customer(account.key[0])
    is_third_party = str(step.channel) in THIRD_PARTIES
    net = account.overdue_amount + account.unapplied
    threshold = day.policy.small_balance.get(account.key[1])
    has_overdue = account.overdue_amount > 0
    reasons = {
        "unapplied_cash": has_overdue and net <= 0,
        "small_balance": has_overdue and threshold is not None and net < threshold,
        "missing_contact": not reaches(customer, _channel(day, account, step), bounced=_is_bounced(account)),
        "source_stale": _is_stale(day),
        "contact_gap": not is_third_party and _is_too_soon(day, account),
        "contact_cap": not is_third_party and _is_too_often(day, account),
        "not_a_contact_day": not is_third_party and not _may_contact_today(day, customer),
    }
    return next((reason for reason, given in reasons.items() if given), None)


def _is_bounced(account: Account) -> bool:
    return account.facts["bounced"] is True


def _channel(day: Day, account: Account, step: Step) -> str:
    customer = day.past.customer(account.key[0])
    return channel_used(day.policy, customer, step, bounced=_is_bounced(account))


def _is_stale(day: Day) -> bool:
    limit = day.policy.guards.maximum_source_age_business_days
    newest = day.whole.newest_file
    if limit is None or newest is None:
        return False
    return business_days_between(newest, day.as_of, _policy_country(day)) > limit


def _policy_country(day: Day) -> str | None:
    return day.policy.calendar.country if day.policy.calendar else None


def _is_too_soon(day: Day, account: Account) -> bool:
    gap = day.policy.contact.minimum_gap_days
    contacts = contact_days(day.past, account.key[0], day.as_of)
    return gap is not None and bool(contacts) and (day.as_of - contacts[-1]).days < gap


def _is_too_often(day: Day, account: Account) -> bool:
    cap = day.policy.contact.maximum
    if cap is None:
        return False
    contacts = contact_days(day.past, account.key[0], day.as_of)
    return sum((day.as_of - contact).days < cap.days for contact in contacts) >= cap.contacts


def _may_contact_today(day: Day, customer: Customer | None) -> bool:
    calendar = day.policy.calendar
    if calendar is None:
        return True
    if any(blackout.from_ <= day.as_of <= blackout.to for blackout in calendar.blackouts):
        return False
    if calendar.contact_on != "business_days":
        return True
    country = customer.country if customer else None
    if country is None or not is_known(country):
        country = _policy_country(day)
    return is_business_day(day.as_of, country)


def _group(policy: Policy, decision: Decision) -> tuple[object, ...]:
    """Return which message an acting item travels in."""
    step = _step_of(policy, decision)
    third_party = decision.channel if decision.channel in THIRD_PARTIES else None
    needs_approval = step.approval is not None
    return (decision.customer_id, decision.currency, third_party, step.is_pre_due, needs_approval)


def _step_of(policy: Policy, decision: Decision) -> Step:
    assert decision.ladder is not None
    return next(step for step in policy.ladders[decision.ladder] if step.step == decision.step)


def _in_its_message(policy: Policy, decision: Decision, decisions: list[Decision]) -> Decision:
    """Add the step and the channel of the highest step in the message that carries an acting item."""
    if not decision.act:
        return decision
    group = _group(policy, decision)
    together = [other for other in decisions if other.act and _group(policy, other) == group]
    steps = [step.step for step in policy.ladders[decision.ladder or ""]]
    highest = max(together, key=lambda other: steps.index(other.step or ""))
    return replace(decision, message_step=highest.step, message_channel=highest.channel)
