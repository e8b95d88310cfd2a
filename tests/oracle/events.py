"""What disputes, promises, plans and holds mean for an item on a day (docs/semantics.md 4.1 to 4.3)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle.balances import ZERO, Balances, balances_at, oldest_first
from tests.oracle.history import AccountKey, Dispatch, Document, Event, ItemKey, Past, when_known

OPENED_BY = {
    "dispute_closed": "dispute",
    "hold_released": "hold",
    "insolvency_closed": "insolvency",
}


def concerns(event: Event, document: Document) -> bool:
    """Return whether an event speaks of an item: without invoice of all, without installment of the whole."""
    return (
        event.customer_id == document.customer_id
        and event.invoice_number in (None, document.invoice_number)
        and (event.invoice_number is None or event.installment in (None, document.installment))
    )


def _ends(closing: Event, opening: Event) -> bool:
    return (
        OPENED_BY[closing.kind] == opening.kind
        and closing.customer_id == opening.customer_id
        and when_known(closing) > when_known(opening)
        and closing.invoice_number in (None, opening.invoice_number)
        and (closing.invoice_number is None or closing.installment in (None, opening.installment))
        and closing.reference in (None, opening.reference)
    )


def still_standing(past: Past, day: date, opening_kind: str) -> list[Event]:
    """Return the disputes, holds or insolvencies that nothing has ended up to `day`."""
    closing_kinds = [closing for closing, opened in OPENED_BY.items() if opened == opening_kind]
    closings = past.events_until(day, *closing_kinds)
    openings = past.events_until(day, opening_kind)
    return [opening for opening in openings if not any(_ends(closing, opening) for closing in closings)]


def disputed_amounts(past: Past, balances: Balances, day: date) -> dict[ItemKey, Decimal]:
    """Return the disputed part of every open item: the parts add up, capped at what is open."""
    standing = still_standing(past, day, "dispute")
    # An amount without an invoice has no currency, so such a dispute holds everything.
    whole = [event for event in standing if event.amount is None or event.invoice_number is None]
    disputed = _spread(past, balances, day, [event for event in standing if event not in whole])
    for document in past.documents_at(day):
        if any(concerns(event, document) for event in whole):
            disputed[document.key] = max(balances.open[document.key], ZERO)
    return disputed


def reduced_amounts(past: Past, balances: Balances, day: date) -> dict[ItemKey, Decimal]:
    """Return what was reduced or written off of every open item: it adds up, capped at what is open."""
    given_up = past.events_until(day, "reduction", "write_off")
    granted = [e for e in given_up if e.amount is not None and e.invoice_number]
    return _spread(past, balances, day, granted)


def _spread(past: Past, balances: Balances, day: date, parts: list[Event]) -> dict[ItemKey, Decimal]:
    """Lay amounts on the items they speak of: those of one installment first, then of whole invoices, oldest first."""
    documents = sorted(past.documents_at(day), key=oldest_first)
    laid: dict[ItemKey, Decimal] = {document.key: ZERO for document in documents}
    for event in sorted(parts, key=lambda event: event.installment is None):
        amount = event.amount or ZERO
        for document in documents:
            if concerns(event, document):
                part = min(amount, max(balances.open[document.key], ZERO) - laid[document.key])
                laid[document.key] += part
                amount -= part
    return laid


@dataclass(frozen=True)
class Promise:
    """A promise in one currency, judged."""

    event: Event
    items: frozenset[ItemKey]
    currency: str
    state: str  # running, kept, broken
    last_day: date


def cash_between(
    past: Past,
    balances: Balances,
    *,
    documents: list[Document],
    whole_account: AccountKey | None,
    after: date,
    until: date,
) -> Decimal:
    """Return the money dated in (after, until] for these items, or for a whole (customer, currency)."""
    if whole_account is None:
        receipts = [receipt for document in documents for receipt in balances.receipts[document.key]]
        return sum((r.amount for r in receipts if after < r.received_date <= until), ZERO)
    customer_id, currency = whole_account
    shown = [
        receipt
        for document in documents
        for receipt in balances.receipts[document.key]
        if receipt.from_statement and after < receipt.received_date <= until
    ]
    paid = [
        payment.amount
        for payment in past.payments
        if (payment.customer_id, payment.currency) == (customer_id, currency)
        and after < payment.payment_date <= until
    ]
    return sum(paid, ZERO) + sum((receipt.amount for receipt in shown), ZERO)


def promises(past: Past, balances: Balances, day: date, grace_days: int) -> list[Promise]:
    """Return every promise made up to `day`, once per currency of the items it speaks of."""
    judged: list[Promise] = []
    for event in past.events_until(day, "promise"):
        if event.until is None:
            continue
        concerned = [document for document in past.documents_at(day) if concerns(event, document)]
        for currency in sorted({document.currency for document in concerned}):
            documents = [document for document in concerned if document.currency == currency]
            account: AccountKey | None = (
                (event.customer_id, currency) if event.invoice_number is None else None
            )
            last_day = event.until + timedelta(days=grace_days)
            promised = event.amount if event.amount is not None else _open_then(past, event, currency)
            cash = cash_between(
                past,
                balances,
                documents=documents,
                whole_account=account,
                after=event.event_date,
                until=last_day,
            )
            state = "running" if day <= last_day else "kept" if cash >= promised else "broken"
            items = frozenset(document.key for document in documents)
            judged.append(Promise(event, items, currency, state, last_day))
    return judged


def _open_then(past: Past, event: Event, currency: str) -> Decimal:
    """Return what was open when a promise was made without naming an amount."""
    then = balances_at(past, event.event_date)
    return sum(
        (
            max(then.open[document.key], ZERO)
            for document in past.documents_at(event.event_date)
            if concerns(event, document) and document.currency == currency
        ),
        ZERO,
    )


@dataclass(frozen=True)
class Plan:
    """A payment plan in one currency, judged."""

    items: frozenset[ItemKey]
    started: date
    state: str  # running, over, broken
    due_date: date


def plans(past: Past, balances: Balances, day: date, grace_days: int) -> list[Plan]:
    """Return every plan agreed up to `day`: its rows share one reference."""
    grouped: dict[tuple[str, str | None], list[Event]] = defaultdict(list)
    for event in past.events_until(day, "payment_plan"):
        if event.until is not None:
            grouped[(event.customer_id, event.reference)].append(event)
    judged: list[Plan] = []
    for (customer_id, _), rows in grouped.items():
        concerned = [d for d in past.documents_at(day) if any(concerns(row, d) for row in rows)]
        whole_customer = any(row.invoice_number is None for row in rows)
        for currency in sorted({document.currency for document in concerned}):
            documents = [document for document in concerned if document.currency == currency]
            account = (customer_id, currency) if whole_customer else None
            started = min(row.event_date for row in rows)

            def cash_until(
                until: date,
                documents: list[Document] = documents,
                account: AccountKey | None = account,
                started: date = started,
            ) -> Decimal:
                return cash_between(
                    past, balances, documents=documents, whole_account=account, after=started, until=until
                )

            state, due_date = _judge(rows, day, timedelta(days=grace_days), cash_until)
            judged.append(Plan(frozenset(document.key for document in documents), started, state, due_date))
    return sorted(judged, key=lambda plan: plan.started)


def _judge(
    rows: list[Event], day: date, grace: timedelta, cash_until: Callable[[date], Decimal]
) -> tuple[str, date]:
    """Return the state of a plan, and the day of the first instalment that no cash covers."""
    instalments = sorted((row.until or date.max, row.amount or ZERO) for row in rows)
    state = "running" if day <= instalments[-1][0] + grace else "over"
    owed = ZERO
    uncovered: list[date] = []
    for until, amount in instalments:
        owed += amount
        if day > until + grace and cash_until(until + grace) < owed:
            state = "broken"
        if cash_until(day) < owed:
            uncovered.append(until)
    return state, uncovered[0] if uncovered else instalments[-1][0]


def due_date_at(document: Document, agreed: list[Plan]) -> date | None:
    """Return when an item is due: a running plan's dates replace its own."""
    running = [plan for plan in agreed if plan.state == "running" and document.key in plan.items]
    return running[-1].due_date if running else document.due_date


def is_insolvent(past: Past, document: Document, day: date) -> bool:
    """Return whether the customer is insolvent."""
    return any(event.customer_id == document.customer_id for event in still_standing(past, day, "insolvency"))


def is_written_off(past: Past, balances: Balances, document: Document, day: date) -> bool:
    """Return whether all that is open was given up: at once, or by amounts that add up."""
    about = [event for event in past.events_until(day, "write_off") if concerns(event, document)]
    amount_open = balances.open[document.key]
    if any(event.amount is None for event in about):
        return True
    if any(event.invoice_number is None and (event.amount or ZERO) >= amount_open for event in about):
        return True
    parts = [e for e in past.events_until(day, "write_off") if e.amount is not None and e.invoice_number]
    is_concerned = any(concerns(event, document) for event in parts)
    return is_concerned and _spread(past, balances, day, parts)[document.key] >= amount_open


def is_placed(past: Past, document: Document, dispatches: list[Dispatch], day: date) -> bool:
    """Return whether an agency has the item and was not called back."""
    placed = [dispatch.dispatch_date for dispatch in dispatches if dispatch.channel == "agency"]
    recalled = [e.event_date for e in past.events_until(day, "recall") if concerns(e, document)]
    return bool(placed) and not any(recall >= max(placed) for recall in recalled)


def is_held(past: Past, document: Document, day: date) -> bool:
    """Return whether somebody asked to wait: up to and including `until`, or until released."""
    return any(
        concerns(event, document) and (event.until is None or day <= event.until)
        for event in still_standing(past, day, "hold")
    )


def has_event_since(past: Past, document: Document, kind: str, since: date, day: date) -> bool:
    """Return whether something happened to an item from `since` up to `day`, both included."""
    return any(
        concerns(event, document) and event.event_date >= since for event in past.events_until(day, kind)
    )
