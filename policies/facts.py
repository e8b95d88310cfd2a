"""The dictionary of facts: every word a condition (`when:`) of a policy may use, and what it means.

How the facts are computed is said elsewhere; what a condition may do with them in `policies.conditions`.
"""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from policies.model import TOTAL

RATIO = pl.Decimal(18, 6)
"""A share (0.25 = a quarter) or an average; a decimal, so that it compares exactly with 0.1 and with 45."""

COUNT = pl.Int64()
"""A number of days, items or contacts."""

DAY = pl.Date()
TEXT = pl.String()
YES_NO = pl.Boolean()


class Scope(StrEnum):
    """What one row is about: an open item, or a customer's account in one currency."""

    ITEM = "item"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Fact:
    """One word of conditions: its type, what it is about, and its meaning in a sentence."""

    name: str
    dtype: pl.DataType
    scope: Scope
    sentence: str

    @property
    def is_money(self) -> bool:
        """Whether it is an amount in the row's own currency."""
        return self.dtype == TOTAL


_ITEM_FACTS: tuple[tuple[str, pl.DataType, str], ...] = (
    ("invoice_number", TEXT, "The number of the invoice, as text."),
    ("amount", TOTAL, "The amount of the item as issued."),
    ("amount_open", TOTAL, "What is still open of the item."),
    ("amount_disputed", TOTAL, "The part of the open amount that is disputed; 0 without a dispute."),
    ("invoice_date", DAY, "The date of issue."),
    ("due_date", DAY, "The last day to pay on time."),
    ("days_past_due", COUNT, "Days since the due date; negative before it, 0 on it."),
    ("days_since_invoice", COUNT, "Days since the date of issue."),
    ("aging_bucket", TEXT, "The aging column the item stands in, such as 'days_1_30'."),
    ("item_broken_promises", COUNT, "Promises for this item that were not kept."),
    (
        "days_since_last_step",
        COUNT,
        "Days since the last step dispatched for this item; null before the first.",
    ),
    ("purchase_order", TEXT, "The customer's order number on the invoice."),
    ("payment_method", TEXT, "How the item is to be paid: the invoice's word, else the customer's."),
)

_ACCOUNT_FACTS: tuple[tuple[str, pl.DataType, str], ...] = (
    ("customer_id", TEXT, "The customer's number, as text."),
    ("currency", TEXT, "The currency of the account, such as 'EUR'."),
    ("country", TEXT, "The customer's country, two letters."),
    ("language", TEXT, "The language the customer is written to, such as 'fr'."),
    ("tags", TEXT, "The customer's tags, separated by commas: tags like '%vip%'."),
    ("customer_type", TEXT, "'business', 'public' or 'consumer'."),
    ("credit_rating", TEXT, "The rating given by an outside source, as text."),
    ("credit_limit", TOTAL, "The customer's credit limit."),
    ("overdue_amount", TOTAL, "The sum of what is overdue, before unapplied cash."),
    ("open_amount", TOTAL, "The sum of what is open, before unapplied cash."),
    ("overdue_items", COUNT, "How many items are overdue."),
    ("oldest_days_past_due", COUNT, "Days past due of the oldest overdue item."),
    ("unapplied_amount", TOTAL, "Cash and credit notes not yet put on an item; 0 or negative."),
    ("exposure_share", RATIO, "The account's share of all that is open in its currency: 0.25 is a quarter."),
    ("paid_invoices", COUNT, "Invoices fully paid in the last 365 days."),
    ("average_days_late", RATIO, "The mean of days between due date and payment, last 365 days."),
    ("median_days_late", RATIO, "The median of the same days."),
    ("late_share", RATIO, "The share of invoices paid after their due date, last 365 days: 0.5 is half."),
    (
        "late_trend_days",
        RATIO,
        "Mean days late of the last 90 days minus that of the time before; positive is worse.",
    ),
    ("days_since_last_payment", COUNT, "Days since the last payment; null without one."),
    ("broken_promises", COUNT, "Promises of the customer not kept in the last 365 days."),
    ("kept_promises", COUNT, "Promises of the customer kept in the last 365 days."),
    ("contacts_without_answer", COUNT, "Contacts since the last answer or payment."),
    (
        "days_since_last_contact",
        COUNT,
        "Days since the customer was last contacted; null before the first time.",
    ),
    ("bounced", YES_NO, "Whether the customer's e-mail address came back as unknown."),
    ("risk", TEXT, "The class given by the policy's `risk`."),
    ("segment", TEXT, "The segment given by the policy's `segments`."),
)

FACTS: dict[str, Fact] = {
    name: Fact(name, dtype, scope, sentence)
    for scope, facts in ((Scope.ITEM, _ITEM_FACTS), (Scope.ACCOUNT, _ACCOUNT_FACTS))
    for name, dtype, sentence in facts
}


def schema(scope: Scope) -> pl.Schema:
    """Return the facts a condition of this scope may name; an item also knows those of its account."""
    return pl.Schema(
        {fact.name: fact.dtype for fact in FACTS.values() if scope is Scope.ITEM or fact.scope is scope}
    )
