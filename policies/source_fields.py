"""The columns a file of each record may state: which must be there, which must be filled, what they hold.

The same words for canonical files and for the `columns` of a source declaration. Types of the frames they
end up in: `policies.model`. Reading them: `tasks.formats`.
"""

from dataclasses import dataclass
from enum import StrEnum

from policies.agency_reports import AgencyStatus
from policies.letter_tracking import LetterStatus
from policies.model import CUSTOMER_COLUMNS, Channel, DocumentType, EventKind


class Record(StrEnum):
    """What one row of a file is."""

    INVOICES = "invoices"
    PAYMENTS = "payments"
    CUSTOMERS = "customers"
    EVENTS = "events"
    ACTIONS = "actions"
    TRACKING = "tracking"
    AGENCY_REPORT = "agency_report"


class Shape(StrEnum):
    """How the text of a column is read."""

    IDENTIFIER = "identifier"
    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    CURRENCY = "currency"
    CHOICE = "choice"
    COUNTRY = "country"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Field:
    """One column: `required` = the column must be in the file, `filled` = no row may leave it blank."""

    name: str
    shape: Shape = Shape.TEXT
    required: bool = False
    filled: bool = False
    choices: tuple[str, ...] = ()


def _filled(name: str, shape: Shape, choices: tuple[str, ...] = ()) -> Field:
    return Field(name, shape, required=True, filled=True, choices=choices)


_CUSTOMER_SHAPES = {
    "country": Field("country", Shape.COUNTRY),
    "language": Field("language", Shape.LANGUAGE),
    "customer_type": Field("customer_type", Shape.CHOICE, choices=("business", "public", "consumer")),
    "customer_name": Field("customer_name", required=True),
    "preferred_channel": Field(
        "preferred_channel", Shape.CHOICE, choices=(Channel.EMAIL.value, Channel.LETTER.value)
    ),
}

CUSTOMER_FIELDS = tuple(_CUSTOMER_SHAPES.get(name, Field(name)) for name in CUSTOMER_COLUMNS)

_CUSTOMER_ID = _filled("customer_id", Shape.IDENTIFIER)
_INSTALLMENT = Field("installment", Shape.IDENTIFIER)

INVOICE_FIELDS = (
    _CUSTOMER_ID,
    _filled("invoice_number", Shape.IDENTIFIER),
    _INSTALLMENT,
    Field("document_type", Shape.CHOICE, choices=tuple(DocumentType)),
    _filled("invoice_date", Shape.DATE),
    Field("due_date", Shape.DATE, required=True),
    _filled("currency", Shape.CURRENCY),
    _filled("amount", Shape.AMOUNT),
    Field("amount_open", Shape.AMOUNT),
    Field("amount_paid", Shape.AMOUNT),
    Field("as_of", Shape.DATE),
    Field("credited_invoice_number", Shape.IDENTIFIER),
    Field("description"),
    Field("delivery_date", Shape.DATE),
    Field("delivery_place"),
    Field("delivery_reference"),
    Field("purchase_order", Shape.IDENTIFIER),
    Field("payment_method"),
)

ROW_ATTRIBUTES = tuple(field for field in CUSTOMER_FIELDS if field.name != "payment_method")
"""Attributes of the customer that a row of an invoices file may carry (`payment_method` is the invoice's)."""

FIELDS: dict[Record, tuple[Field, ...]] = {
    Record.INVOICES: INVOICE_FIELDS + ROW_ATTRIBUTES,
    Record.PAYMENTS: (
        _filled("payment_id", Shape.IDENTIFIER),
        _CUSTOMER_ID,
        _filled("payment_date", Shape.DATE),
        _filled("currency", Shape.CURRENCY),
        _filled("amount", Shape.AMOUNT),
        Field("invoice_number", Shape.IDENTIFIER),
        _INSTALLMENT,
        Field("reference"),
    ),
    Record.CUSTOMERS: (_CUSTOMER_ID, *CUSTOMER_FIELDS),
    Record.EVENTS: (
        Field("event_id", Shape.IDENTIFIER),
        _filled("event_date", Shape.DATE),
        _filled("kind", Shape.CHOICE, tuple(EventKind)),
        _CUSTOMER_ID,
        Field("invoice_number", Shape.IDENTIFIER),
        _INSTALLMENT,
        Field("amount", Shape.AMOUNT),
        Field("until", Shape.DATE),
        Field("reference"),
        Field("reason"),
        Field("note"),
        Field("actor"),
    ),
    Record.TRACKING: (
        Field("message_id", Shape.IDENTIFIER),
        Field("document"),
        Field("tracking_number", Shape.IDENTIFIER),
        _filled("status", Shape.CHOICE, tuple(LetterStatus)),
        _filled("status_date", Shape.DATE),
        Field("proof_ref"),
    ),
    Record.AGENCY_REPORT: (
        Field("case_id", Shape.IDENTIFIER),
        _CUSTOMER_ID,
        Field("invoice_number", Shape.IDENTIFIER),
        _INSTALLMENT,
        _filled("status", Shape.CHOICE, tuple(AgencyStatus)),
        _filled("status_date", Shape.DATE),
        Field("currency", Shape.CURRENCY),
        Field("amount", Shape.AMOUNT),
        Field("until", Shape.DATE),
        Field("reference"),
        Field("note"),
    ),
    Record.ACTIONS: (
        _CUSTOMER_ID,
        _filled("invoice_number", Shape.IDENTIFIER),
        _INSTALLMENT,
        _filled("step", Shape.IDENTIFIER),
        _filled("dispatch_date", Shape.DATE),
        _filled("channel", Shape.CHOICE, tuple(Channel)),
        Field("outcome"),
    ),
}

KEYS: dict[Record, tuple[str, ...]] = {
    Record.INVOICES: ("customer_id", "invoice_number", "installment"),
    Record.PAYMENTS: ("payment_id", "invoice_number", "installment"),
    Record.CUSTOMERS: ("customer_id",),
    Record.EVENTS: ("event_id",),
    Record.TRACKING: ("message_id", "document", "tracking_number", "status", "status_date"),
    Record.AGENCY_REPORT: (),
    Record.ACTIONS: ("customer_id", "invoice_number", "installment", "step", "dispatch_date"),
}
"""No two rows of one file may agree in all of these."""


def known_columns(record: Record) -> tuple[str, ...]:
    """Return every column a file of the record may have, in the order of the documentation."""
    return tuple(field.name for field in FIELDS[record])


def required_columns(record: Record) -> tuple[str, ...]:
    """Return the columns a file of the record must have."""
    return tuple(field.name for field in FIELDS[record] if field.required)
