"""The facts of every open item and of every (customer, currency) on a day (docs/semantics.md 3, 4, 8).

`Day` gathers what the other rules ask for; it is computed once per decision run.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median

from policies.policy import Policy
from tests.oracle.balances import ZERO, Balances, balances_at
from tests.oracle.conditions import Facts, Value, holds
from tests.oracle.events import Plan, Promise, disputed_amounts, due_date_at, plans, promises, reduced_amounts
from tests.oracle.history import AccountKey, Dispatch, Document, ItemKey, Past

LOOK_BACK_DAYS = 365
TREND_DAYS = 90
THIRD_PARTIES = ("agency", "court")
ANSWERS = ("answer", "promise", "payment_plan", "dispute")


@dataclass(frozen=True)
class Item:
    """An open item on a day, with what is agreed about it."""

    document: Document
    amount_open: Decimal
    amount_disputed: Decimal
    amount_reduced: Decimal
    due_date: date | None
    days_past_due: int | None
    vanished: bool
    dispatches: list[Dispatch]

    @property
    def key(self) -> ItemKey:
        """Return what identifies the item."""
        return self.document.key

    @property
    def counts_as_open(self) -> bool:
        """Return whether the item is part of what the customer owes."""
        return self.amount_open > 0 and not self.vanished

    @property
    def is_overdue(self) -> bool:
        """Return whether the item counts as overdue."""
        return self.counts_as_open and self.days_past_due is not None and self.days_past_due >= 1


@dataclass(frozen=True)
class Account:
    """A (customer, currency) on a day."""

    key: AccountKey
    facts: Facts
    overdue_amount: Decimal
    open_amount: Decimal
    unapplied: Decimal
    segment: str | None
    ladder: str | None


@dataclass(frozen=True)
class Day:
    """Everything known and derived of one customer as of one day; `whole` is what is summed over all of them."""

    past: Past
    policy: Policy
    as_of: date
    whole: "Whole"
    balances: Balances
    items: list[Item]
    promises: list[Promise]
    plans: list[Plan]

    def items_of(self, account: AccountKey) -> list[Item]:
        """Return the open items of a (customer, currency)."""
        return [item for item in self.items if item.document.account == account]


@dataclass
class Whole:
    """What only all customers together tell: what is open in each currency, and how old the newest file is."""

    newest_file: date | None = None
    open_amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def dispatches_before(past: Past, day: date) -> list[Dispatch]:
    """Return what left before `day`: a decision sees no dispatch of its own day."""
    return [dispatch for dispatch in past.dispatches if dispatch.dispatch_date < day]


def contact_days(past: Past, customer_id: str, day: date) -> list[date]:
    """Return the days before `day` on which the customer heard from us, in order; agencies don't count."""
    return sorted(
        {
            dispatch.dispatch_date
            for dispatch in dispatches_before(past, day)
            if dispatch.customer_id == customer_id and dispatch.channel not in THIRD_PARTIES
        }
    )


def bucket(item: Item, edges: tuple[int, ...]) -> str | None:
    """Return the aging column of an item; None for one that aging leaves out."""
    if item.vanished:
        return None
    if item.amount_open < 0:
        return "unapplied"
    if item.days_past_due is None:
        return "no_due_date"
    if item.days_past_due <= edges[0]:
        return "not_due"
    for low, high in pairwise(edges):
        if low < item.days_past_due <= high:
            return f"days_{low + 1}_{high}"
    return f"days_{edges[-1] + 1}_plus"


def days_of(past: Past, policy: Policy, as_of: date) -> list[Day]:
    """Return the same day of every customer."""
    carrying = [
        file.file_date
        for file in past.files
        if file.file_date <= as_of and (file.carries_payments or file.carries_balances)
    ]
    whole = Whole(newest_file=max(carrying, default=None))
    days = [day_of(customer, policy, as_of, whole) for customer in past.of_each_customer()]
    for item in (item for day in days for item in day.items if item.counts_as_open):
        whole.open_amounts[item.document.currency] += item.amount_open
    return days


def day_of(past: Past, policy: Policy, as_of: date, whole: Whole) -> Day:
    """Return the open items of a customer on a day and what is agreed about them."""
    balances = balances_at(past, as_of)
    disputed = disputed_amounts(past, balances, as_of)
    reduced = reduced_amounts(past, balances, as_of)
    agreed = plans(past, balances, as_of, policy.promise_grace_days)
    items: list[Item] = []
    for document in past.documents_at(as_of):
        amount_open = balances.open[document.key]
        if amount_open == 0:
            continue
        due_date = due_date_at(document, agreed)
        items.append(
            Item(
                document=document,
                amount_open=amount_open,
                amount_disputed=disputed[document.key],
                amount_reduced=reduced[document.key],
                due_date=due_date,
                days_past_due=None if due_date is None else (as_of - due_date).days,
                vanished=document.key in balances.vanished,
                dispatches=[d for d in dispatches_before(past, as_of) if _is_of(d, document)],
            )
        )
    judged = promises(past, balances, as_of, policy.promise_grace_days)
    return Day(past, policy, as_of, whole, balances, items, judged, agreed)


def _is_of(dispatch: Dispatch, document: Document) -> bool:
    return (dispatch.customer_id, dispatch.invoice_number, dispatch.installment) == document.key


def _ratio(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _mean(numbers: list[int]) -> Decimal | None:
    return Decimal(sum(numbers)) / len(numbers) if numbers else None


def _habits(day: Day, account: AccountKey) -> dict[str, Value | int]:
    """Return how the account paid in the last 365 days, from items whose last money came in then."""
    paid_count = 0
    late: list[tuple[date, int]] = []
    for document in day.past.documents_at(day.as_of):
        receipts = [receipt for receipt in day.balances.receipts[document.key] if receipt.amount > 0]
        if document.account != account or document.amount <= 0 or not receipts:
            continue
        paid = max(receipt.received_date for receipt in receipts)
        settled = day.balances.open[document.key] == 0 and document.key not in day.balances.vanished
        if not settled or (day.as_of - paid).days >= LOOK_BACK_DAYS:
            continue
        paid_count += 1
        if document.due_date is not None:
            late.append((paid, (paid - document.due_date).days))
    days = [days_late for _, days_late in late]
    recent = _mean([n for paid, n in late if (day.as_of - paid).days < TREND_DAYS])
    before = _mean([n for paid, n in late if (day.as_of - paid).days >= TREND_DAYS])
    average = _mean(days)
    return {
        "paid_invoices": paid_count,
        "average_days_late": _ratio(average),
        "median_days_late": _ratio(Decimal(median(map(Decimal, days)))) if days else None,
        "late_share": _ratio(Decimal(sum(n > 0 for n in days)) / len(days)) if days else None,
        "late_trend_days": None if recent is None or before is None else _ratio(recent - before),
    }


def _payment_days(day: Day, account: AccountKey) -> list[date]:
    paid = [
        payment.payment_date
        for payment in day.past.payments
        if (payment.customer_id, payment.currency) == account
        and payment.payment_date <= day.as_of
        and payment.amount > 0
    ]
    shown = [
        receipt.received_date
        for document in day.past.documents_at(day.as_of)
        if document.account == account
        for receipt in day.balances.receipts[document.key]
        if receipt.from_statement
    ]
    return sorted(paid + shown)


def _conversation(day: Day, account: AccountKey) -> dict[str, Value | int]:
    """Return what was promised, said and answered."""
    customer_id, _ = account
    contacts = contact_days(day.past, customer_id, day.as_of)
    answers = [
        e.event_date for e in day.past.events_until(day.as_of, *ANSWERS) if e.customer_id == customer_id
    ]
    payments = _payment_days(day, account)
    last_answer = max(answers + payments, default=date.min)
    ended = [
        promise.state
        for promise in day.promises
        if (promise.event.customer_id, promise.currency) == account
        and day.as_of - promise.last_day - timedelta(days=1) < timedelta(days=LOOK_BACK_DAYS)
    ]
    known = day.past.customer(customer_id)
    stated = (known.email_since if known else None) or date.min
    bounces = [
        e
        for e in day.past.events_until(day.as_of, "bounce")
        if e.customer_id == customer_id and e.event_date >= stated
    ]
    return {
        "days_since_last_payment": (day.as_of - payments[-1]).days if payments else None,
        "broken_promises": ended.count("broken"),
        "kept_promises": ended.count("kept"),
        "contacts_without_answer": sum(contact > last_answer for contact in contacts),
        "days_since_last_contact": (day.as_of - contacts[-1]).days if contacts else None,
        "bounced": bool(bounces),
    }


def _customer_facts(day: Day, account: AccountKey) -> dict[str, Value | int]:
    customer_id, currency = account
    known = day.past.customer(customer_id)
    names = ("country", "language", "tags", "customer_type", "credit_rating")
    facts: dict[str, Value | int] = {name: getattr(known, name, None) for name in names}
    limit = known.credit_limit if known else None
    facts.update(customer_id=customer_id, currency=currency, credit_limit=Decimal(limit) if limit else None)
    return facts


def _sums(day: Day, account: AccountKey) -> dict[str, Value | int]:
    owed = [item for item in day.items_of(account) if item.counts_as_open]
    overdue = [item for item in owed if item.is_overdue]
    open_amount = sum((item.amount_open for item in owed), ZERO)
    total = day.whole.open_amounts[account[1]]
    return {
        "overdue_amount": sum((item.amount_open for item in overdue), ZERO),
        "open_amount": open_amount,
        "overdue_items": len(overdue),
        "oldest_days_past_due": max((item.days_past_due or 0 for item in overdue), default=None),
        "unapplied_amount": day.balances.unapplied[account],
        "exposure_share": _ratio(open_amount / total) if total else None,
    }


def _risk_place(policy: Policy, facts: Facts) -> int | None:
    return next((place for place, risk in enumerate(policy.risk) if holds(risk.when, facts)), None)


def accounts_of(day: Day) -> dict[AccountKey, Account]:
    """Return every account with open items: its facts, its risk, its segment and its ladder."""
    keys = sorted({item.document.account for item in day.items})
    facts: dict[AccountKey, dict[str, Value | int]] = {
        key: {
            **_customer_facts(day, key),
            **_sums(day, key),
            **_habits(day, key),
            **_conversation(day, key),
        }
        for key in keys
    }
    places: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        place = _risk_place(day.policy, facts[key])
        if place is not None:
            places[key[0]].append(place)
    accounts: dict[AccountKey, Account] = {}
    for key in keys:
        # Risk classes stand from worst to best; of two currencies the worse counts for the customer.
        facts[key]["risk"] = day.policy.risk[min(places[key[0]])].class_ if places[key[0]] else None
        segment = next((s for s in day.policy.segments if holds(s.when, facts[key])), None)
        facts[key]["segment"] = segment.segment if segment else None
        accounts[key] = Account(
            key=key,
            facts=facts[key],
            overdue_amount=Decimal(str(facts[key]["overdue_amount"])),
            open_amount=Decimal(str(facts[key]["open_amount"])),
            unapplied=day.balances.unapplied[key],
            segment=segment.segment if segment else None,
            ladder=segment.ladder if segment else None,
        )
    return accounts


def item_facts(day: Day, item: Item, account: Account) -> Facts:
    """Return all that a step's `when` may name."""
    known = day.past.customer(item.document.customer_id)
    last = max((dispatch.dispatch_date for dispatch in item.dispatches), default=None)
    return {
        **account.facts,
        "invoice_number": item.document.invoice_number,
        "amount": item.document.amount,
        "amount_open": item.amount_open,
        "amount_disputed": item.amount_disputed,
        "invoice_date": item.document.invoice_date,
        "due_date": item.due_date,
        "days_past_due": item.days_past_due,
        "days_since_invoice": (day.as_of - item.document.invoice_date).days,
        "aging_bucket": bucket(item, day.policy.aging_buckets_days),
        "item_broken_promises": sum(
            promise.state == "broken" and item.key in promise.items for promise in day.promises
        ),
        "days_since_last_step": None if last is None else (day.as_of - last).days,
        "purchase_order": item.document.purchase_order,
        "payment_method": item.document.payment_method or (known.payment_method if known else None),
    }
