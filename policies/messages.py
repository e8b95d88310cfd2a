"""A message: everything one customer is told on one day about one currency, before any wording or layout.

Composed once, stored as JSON, rendered from there; so a document can be made again byte for byte.
Templates see exactly these names. Wording lives in `templates/`, layout in `templates/layouts/`.
"""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    # Built when first used: most commands only list messages.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class InterestPeriod(_Frozen):
    """One stretch of days at one rate; `annual_rate` is a fraction (0.1215), days by G5 of the day count rule."""

    from_date: date
    to_date: date
    days: int
    annual_rate: Decimal
    base: Decimal
    amount: Decimal
    source: str


class ItemCharges(_Frozen):
    """What is claimed beside an item, never inside its balance; amounts in the item's currency.

    `fees` are those of steps that stand with this item; `waived` is taken off the other amounts.
    """

    late_interest: Decimal = Decimal(0)
    recovery_charge: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    waived: Decimal = Decimal(0)
    periods: tuple[InterestPeriod, ...] = ()
    daily_interest: Decimal = Decimal(0)
    statute: str = ""
    legal_basis: str = ""

    @property
    def total(self) -> Decimal:
        """Return what is claimed in all, less what was waived."""
        return self.late_interest + self.recovery_charge + self.fees - self.waived

    def net(self) -> "ItemCharges":
        """Return the amounts as they remain: what was waived is taken off fees, fixed charge and interest in turn."""
        left, amounts = self.waived, {}
        for name in ("fees", "recovery_charge", "late_interest"):
            amount: Decimal = getattr(self, name)
            taken = min(left, amount)
            amounts[name], left = amount - taken, left - taken
        return self.model_copy(update={**amounts, "waived": Decimal(0)})


class MessageItem(_Frozen):
    """An open item as the message shows it; `amount_demanded` leaves out what is disputed."""

    invoice_number: str
    installment: str = "1"
    invoice_date: date
    due_date: date
    days_past_due: int
    amount: Decimal
    amount_paid: Decimal
    amount_open: Decimal
    amount_disputed: Decimal = Decimal(0)
    amount_demanded: Decimal
    step: str
    attempt: int = 1
    action_id: str
    description: str = ""
    purchase_order: str = ""
    delivery_date: date | None = None
    delivery_place: str = ""
    delivery_reference: str = ""
    charges: ItemCharges = ItemCharges()


class InformationItem(_Frozen):
    """Another overdue item of the same customer and currency, listed and not demanded."""

    invoice_number: str
    installment: str = "1"
    invoice_date: date
    due_date: date
    amount_open: Decimal
    reason: str


class PastStep(_Frozen):
    """An earlier dispatch for one of the message's items: the history a formal notice or an agency is told."""

    invoice_number: str
    step: str
    channel: str
    dispatch_date: date
    outcome: str = ""


class Recipient(_Frozen):
    """The customer as addressed: all fields text, empty when unknown; `address_lines` already in order."""

    customer_id: str
    customer_name: str
    legal_form: str = ""
    contact_name: str = ""
    email: str = ""
    phone: str = ""
    address_lines: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""
    registration_id: str = ""
    vat_id: str = ""
    account_manager: str = ""
    customer_type: str = "business"


class Message(_Frozen):
    """One e-mail, letter, call or placement case."""

    message_id: str
    batch_id: str
    as_of: date
    customer: Recipient
    currency: str
    language: str
    step: str
    template: str
    channel: str
    by: str = ""
    agency: str = ""
    approval_required: bool = False
    answer_by: date | None = None
    items: tuple[MessageItem, ...]
    information_items: tuple[InformationItem, ...] = ()
    past_steps: tuple[PastStep, ...] = ()
    unapplied_amount: Decimal = Decimal(0)
    total_principal: Decimal
    total_late_interest: Decimal = Decimal(0)
    total_recovery_charge: Decimal = Decimal(0)
    total_fees: Decimal = Decimal(0)
    total_waived: Decimal = Decimal(0)
    total: Decimal
    charges_note: str = ""
    policy: str
    policy_hash: str
