"""The words of the canonical files as types: column schemas, states and reasons.

Column names here are interfaces (GLOSSARY.md). Periods are half-open unless a name says otherwise; dates
are business days, instants are aware UTC. Identifiers are text.
"""

from enum import StrEnum

import polars as pl

MONEY = pl.Decimal(18, 3)
"""One amount, in the currency that stands beside it; printed with that currency's own digits."""

TOTAL = pl.Decimal(38, 3)
"""A sum of amounts of one currency."""

ITEM_NUMBER = pl.UInt32()
"""The number of an item within one day's facts (`policies.balances.index_items`)."""

ITEM_KEY = ("customer_id", "invoice_number", "installment")
ACCOUNT_KEY = ("customer_id", "currency")


class SourceKind(StrEnum):
    """What the absence of a row in a newer file of the same source means."""

    INCREMENTAL = "incremental"
    FULL_OPEN_ITEMS = "full_open_items"
    FULL_INVOICES = "full_invoices"
    LEDGER = "ledger"


class DocumentType(StrEnum):
    """A row of an invoices file."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class EventKind(StrEnum):
    """What finance can record about a customer or an invoice."""

    DISPUTE = "dispute"
    DISPUTE_CLOSED = "dispute_closed"
    PROMISE = "promise"
    PAYMENT_PLAN = "payment_plan"
    HOLD = "hold"
    HOLD_RELEASED = "hold_released"
    INSOLVENCY = "insolvency"
    INSOLVENCY_CLOSED = "insolvency_closed"
    ANSWER = "answer"
    CALL_OUTCOME = "call_outcome"
    BOUNCE = "bounce"
    LETTER_RETURNED = "letter_returned"
    LETTER_RECEIVED = "letter_received"
    WRITE_OFF = "write_off"
    RECALL = "recall"
    REDUCTION = "reduction"
    CHARGE_WAIVED = "charge_waived"
    # Stands in the place of an event that was recorded by mistake: no rule looks at it.
    CORRECTION = "correction"


class Channel(StrEnum):
    """How a step reaches the customer, from the mildest to the last resort."""

    EMAIL = "email"
    LETTER = "letter"
    REGISTERED_LETTER = "registered_letter"
    CALL = "call"
    AGENCY = "agency"
    COURT = "court"


THIRD_PARTY_CHANNELS = (Channel.AGENCY, Channel.COURT)
"""These carry only their own items and count as no contact with the customer."""


class HoldReason(StrEnum):
    """Why an open item is not acted on, in the fixed order in which the first one is given."""

    INSOLVENT = "insolvent"
    WRITTEN_OFF = "written_off"
    PLACED = "placed"
    DELIVERY_UNCERTAIN = "delivery_uncertain"
    DISPUTED = "disputed"
    PROMISE_RUNNING = "promise_running"
    PLAN_RUNNING = "plan_running"
    MANUAL_HOLD = "manual_hold"
    VANISHED = "vanished"
    CREDIT_ITEM = "credit_item"
    NO_DUE_DATE = "no_due_date"
    NO_SEGMENT = "no_segment"
    AWAITING_APPROVAL = "awaiting_approval"
    NO_STEP_DUE = "no_step_due"
    LADDER_FINISHED = "ladder_finished"
    UNAPPLIED_CASH = "unapplied_cash"
    SMALL_BALANCE = "small_balance"
    MISSING_CONTACT = "missing_contact"
    SOURCE_STALE = "source_stale"
    CONTACT_GAP = "contact_gap"
    CONTACT_CAP = "contact_cap"
    NOT_A_CONTACT_DAY = "not_a_contact_day"


_LINE = {"line_number": pl.Int64()}

INVOICES = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "document_type": pl.String(),
        "invoice_date": pl.Date(),
        "due_date": pl.Date(),
        "due_date_assumed": pl.Boolean(),
        "currency": pl.String(),
        # Signed: invoices positive, credit notes negative whatever the file's own sign.
        "amount": MONEY,
        # The statement of balance of this row, signed like `amount`; null when the row states none.
        "amount_open": MONEY,
        "balance_date": pl.Date(),
        "credited_invoice_number": pl.String(),
        "description": pl.String(),
        "delivery_date": pl.Date(),
        "delivery_place": pl.String(),
        "delivery_reference": pl.String(),
        "purchase_order": pl.String(),
        "payment_method": pl.String(),
        # Carried over from the year before in a ledger: ignored where that year is loaded itself.
        "is_opening": pl.Boolean(),
        **_LINE,
    }
)

CUSTOMER_COLUMNS = (
    "customer_name",
    "email",
    "language",
    "country",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "address_line_4",
    "postcode",
    "city",
    "phone",
    "registration_id",
    "vat_id",
    "legal_form",
    "contact_name",
    "account_manager",
    "customer_type",
    "credit_rating",
    "credit_limit",
    "payment_method",
    "preferred_channel",
    "tags",
)
"""Attributes of a customer, all text here. Null = the file does not state it; empty = stated as blank."""

CUSTOMERS = pl.Schema({"customer_id": pl.String(), **dict.fromkeys(CUSTOMER_COLUMNS, pl.String()), **_LINE})

PAYMENTS = pl.Schema(
    {
        "payment_id": pl.String(),
        "customer_id": pl.String(),
        "payment_date": pl.Date(),
        "currency": pl.String(),
        "amount": MONEY,
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "reference": pl.String(),
        "is_opening": pl.Boolean(),
        **_LINE,
    }
)

EVENTS = pl.Schema(
    {
        "event_id": pl.String(),
        "event_date": pl.Date(),
        "kind": pl.String(),
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "amount": MONEY,
        "until": pl.Date(),
        "reference": pl.String(),
        "reason": pl.String(),
        "note": pl.String(),
        "actor": pl.String(),
        **_LINE,
    }
)

ACTIONS = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "step": pl.String(),
        "dispatch_date": pl.Date(),
        "channel": pl.String(),
        "outcome": pl.String(),
        **_LINE,
    }
)

TRACKING = pl.Schema(
    {
        "message_id": pl.String(),
        "document": pl.String(),
        "tracking_number": pl.String(),
        "status": pl.String(),
        "status_date": pl.Date(),
        "proof_ref": pl.String(),
        **_LINE,
    }
)
"""What a printer or a post office says of letters; which items they were about is known to the store."""

RECORD_SCHEMAS = {
    "invoices": INVOICES,
    "customers": CUSTOMERS,
    "payments": PAYMENTS,
    "events": EVENTS,
    "actions": ACTIONS,
    "tracking": TRACKING,
}
