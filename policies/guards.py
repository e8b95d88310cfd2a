"""Guards on what was drafted: each looks at a batch, and a sentence asks for a person instead of failing.

A declared list, like holds: code, whom it concerns, what it looks for. What it looks at is measured in
`policies.guard_measures`; guards that look again before anything leaves stand in `policies.release_guards`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from policies.explanations import counted
from policies.money import format_plain
from policies.policy import Guards, Policy

FEWEST_EMAIL_CUSTOMERS = 10
"""Below so many customers written to by e-mail a share of bounces says nothing."""


@dataclass(frozen=True)
class Tripped:
    """A guard that asks for a person, and why."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Drafted:
    """A batch as it was drafted, and what it is measured by.

    Attributes:
        is_automatic: whether nobody would look at it if no guard did.
        with_open_items: how many customers have open items.
        contacted: how many customers the whole day would contact.
        customers: how many customers the batch is for.
        first_contacts: how many of them were never contacted before.
        demanded: what the batch demands, by currency.
        usual: the average of the last automatic batches that left, for currencies that have enough of them.
        email_customers: how many customers were written to by e-mail lately.
        bounced_customers: how many of them have an address that came back.
        differences: sentences on totals that don't add up.
    """

    is_automatic: bool
    with_open_items: int
    contacted: int
    customers: int = 0
    first_contacts: int = 0
    demanded: Mapping[str, Decimal] = field(default_factory=dict)
    usual: Mapping[str, Decimal] = field(default_factory=dict)
    email_customers: int = 0
    bounced_customers: int = 0
    differences: Sequence[str] = ()


@dataclass(frozen=True)
class Guard:
    """One guard: its code, whether it looks at batches only that nobody would see otherwise, and what it finds."""

    code: str
    only_automatic: bool
    find: Callable[[Drafted, Guards], Iterator[str]]


def find_tripped(drafted: Drafted, guards: Guards) -> list[Tripped]:
    """Return all guards that ask for a person, in the order of the list."""
    return [
        Tripped(guard.code, sentence)
        for guard in GUARDS
        if drafted.is_automatic or not guard.only_automatic
        for sentence in guard.find(drafted, guards)
    ]


def too_many_customers(decisions: pl.DataFrame, policy: Policy) -> str | None:
    """Return a sentence when more customers would be contacted than the policy lets leave unseen.

    Args:
        decisions: one row per open item, with `act`.
        policy: whose `guards.maximum_customers_contacted_percent` is the limit; absent = no guard.
    """
    return next(_customers(Drafted(True, *count_customers(decisions)), policy.guards), None)


def count_customers(decisions: pl.DataFrame) -> tuple[int, int]:
    """Return how many customers have open items, and how many would be contacted."""
    with_open_items = decisions.filter(pl.col("amount_open") > 0)["customer_id"].n_unique()
    return with_open_items, decisions.filter("act")["customer_id"].n_unique()


def _customers(drafted: Drafted, guards: Guards) -> Iterator[str]:
    limit = guards.maximum_customers_contacted_percent
    if limit is not None and _is_more(drafted.contacted, limit, drafted.with_open_items):
        yield (
            f"{drafted.contacted} of {counted(drafted.with_open_items, 'customer')} with open items would be "
            f"contacted, more than the {limit} percent the policy lets leave without a look."
        )


def _money(drafted: Drafted, guards: Guards) -> Iterator[str]:
    for currency, limit in sorted(guards.maximum_amount.items()):
        if (amount := drafted.demanded.get(currency, Decimal(0))) > limit:
            yield (
                f"{format_plain(amount, currency)} {currency} would be demanded, more than the "
                f"{format_plain(limit, currency)} {currency} the policy lets leave without a look."
            )


def _unusual_money(drafted: Drafted, guards: Guards) -> Iterator[str]:
    limit = guards.maximum_percent_of_usual_amount
    for currency, usual in sorted(drafted.usual.items()):
        amount = drafted.demanded.get(currency, Decimal(0))
        if limit is not None and amount * 100 > limit * usual:
            yield (
                f"{format_plain(amount, currency)} {currency} would be demanded, more than {limit} percent of the "
                f"usual {format_plain(usual, currency)} {currency}."
            )


def _first_contacts(drafted: Drafted, guards: Guards) -> Iterator[str]:
    limit = guards.maximum_first_contacts_percent
    if limit is not None and _is_more(drafted.first_contacts, limit, drafted.customers):
        yield (
            f"{drafted.first_contacts} of {counted(drafted.customers, 'customer')} would be contacted for the "
            f"first time, more than the {limit} percent the policy lets leave without a look."
        )


def _bounces(drafted: Drafted, guards: Guards) -> Iterator[str]:
    limit, of = guards.maximum_bounces_percent, drafted.email_customers
    if limit is not None and of >= FEWEST_EMAIL_CUSTOMERS and _is_more(drafted.bounced_customers, limit, of):
        yield (
            f"The addresses of {drafted.bounced_customers} of {of} customers written to by e-mail in the last 30 days "
            f"came back, more than the {limit} percent the policy lets pass without a look."
        )


def _totals(drafted: Drafted, _guards: Guards) -> Iterator[str]:
    yield from drafted.differences


def _is_more(part: int, percent: Decimal, of: int) -> bool:
    return part * 100 > percent * of


GUARDS = (
    Guard("totals_differ", only_automatic=False, find=_totals),
    Guard("many_customers", only_automatic=False, find=_customers),
    Guard("much_money", only_automatic=True, find=_money),
    Guard("unusual_money", only_automatic=True, find=_unusual_money),
    Guard("many_first_contacts", only_automatic=True, find=_first_contacts),
    Guard("many_bounces", only_automatic=False, find=_bounces),
)
"""Every guard on what was drafted. All that trip are told."""
