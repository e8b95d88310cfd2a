"""What a file of policy cases may say: a sentence, a day, rows as files have them, and the decisions expected.

Here: the words and their types. The rows become a history in `policies.case_history`, the facts said outright
are laid over it in `policies.case_facts`, and `tasks.policy_cases` runs the cases.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    model_validator,
)

from policies.case_facts import find_fact_problems, is_said_in_rows
from policies.model import Channel, DocumentType, EventKind, HoldReason, SourceKind
from policies.policy_keys import Currency, Day, Flag, Positive, Text, refuse_truth


def _as_text(value: object) -> object:
    """Take a bare number for the identifier it stands for; identifiers are text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _refuse_facts(facts: dict[str, Any]) -> dict[str, Any]:
    if problems := find_fact_problems(facts):
        raise ValueError("; ".join(problems))
    return facts


Id = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int), Field(min_length=1)]
Words = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | int)]
Money = Annotated[Decimal, BeforeValidator(refuse_truth), Field(max_digits=18, decimal_places=3)]
Days = Annotated[int, Field(strict=True)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class FileRow(_Row):
    """A file that was loaded; needed only where the case is about files."""

    intake_id: Positive
    source: Id | None = None
    kind: SourceKind | None = None
    file_date: Day
    carries_payments: Flag | None = None
    carries_balances: Flag | None = None


class CustomerRow(_Row):
    """A row of `customers.csv`; what is left out is that of a French company that can be reached."""

    customer_id: Id | None = None
    customer_name: Words | None = None
    email: Words | None = None
    language: Words | None = None
    country: Words | None = None
    address_line_1: Words | None = None
    address_line_2: Words | None = None
    address_line_3: Words | None = None
    address_line_4: Words | None = None
    postcode: Words | None = None
    city: Words | None = None
    phone: Words | None = None
    registration_id: Words | None = None
    vat_id: Words | None = None
    legal_form: Words | None = None
    contact_name: Words | None = None
    account_manager: Words | None = None
    customer_type: Words | None = None
    credit_rating: Words | None = None
    credit_limit: Money | None = None
    payment_method: Words | None = None
    preferred_channel: Words | None = None
    tags: Words | None = None


class InvoiceRow(_Row):
    """A row of `invoices.csv`; `file` names the loaded file it stands in."""

    customer_id: Id | None = None
    invoice_number: Id
    installment: Id | None = None
    document_type: DocumentType | None = None
    invoice_date: Day | None = None
    due_date: Day | None = None
    due_date_assumed: Flag | None = None
    currency: Currency | None = None
    amount: Money | None = None
    amount_open: Money | None = None
    as_of: Day | None = None
    credited_invoice_number: Id | None = None
    description: Words | None = None
    delivery_date: Day | None = None
    delivery_place: Words | None = None
    delivery_reference: Words | None = None
    purchase_order: Id | None = None
    payment_method: Words | None = None
    file: Positive | None = None


class PaymentRow(_Row):
    """A row of `payments.csv`."""

    payment_id: Id | None = None
    customer_id: Id | None = None
    payment_date: Day
    currency: Currency | None = None
    amount: Money
    invoice_number: Id | None = None
    installment: Id | None = None
    reference: Id | None = None


class EventRow(_Row):
    """A row of `events.csv`."""

    event_id: Id | None = None
    event_date: Day
    kind: EventKind
    customer_id: Id | None = None
    invoice_number: Id | None = None
    installment: Id | None = None
    amount: Money | None = None
    until: Day | None = None
    reference: Id | None = None
    reason: Words | None = None
    note: Words | None = None
    actor: Words | None = None


class ActionRow(_Row):
    """A row of `actions.csv`: a step that was dispatched before; without a channel it is that of the step."""

    customer_id: Id | None = None
    invoice_number: Id
    installment: Id | None = None
    step: Id
    dispatch_date: Day
    channel: Channel | None = None
    outcome: Words | None = None
    attempt: Positive | None = None


class ProposalRow(_Row):
    """A step in a batch: waiting for approval or release, unless it ended; uncertain when nobody knows."""

    customer_id: Id | None = None
    invoice_number: Id
    installment: Id | None = None
    step: Id
    proposed_date: Day
    ended_date: Day | None = None
    uncertain_date: Day | None = None


class ExpectedCharges(_Row):
    """What the item's step claims beside the debt."""

    late_interest: Money | None = None
    recovery_charge: Money | None = None
    fees: Money | None = None


class ExpectedDecision(_Row):
    """A row expected of `relance decisions`: with a `reason` the item is held, without one it acts."""

    customer_id: Id | None = None
    invoice_number: Id
    installment: Id = "1"
    currency: Currency | None = None
    due_date: Day | None = None
    days_past_due: Days | None = None
    amount: Money | None = None
    amount_open: Money | None = None
    amount_disputed: Money | None = None
    amount_demanded: Money | None = None
    aging_bucket: Words | None = None
    segment: Words | None = None
    risk: Words | None = None
    ladder: Words | None = None
    step: Words | None = None
    reason: HoldReason | None = None
    channel: Words | None = None
    message_channel: Words | None = None
    sentence: Text | None = None
    charges: ExpectedCharges | None = None

    @model_validator(mode="after")
    def _says_what_happens(self) -> "ExpectedDecision":
        if self.step is None and self.reason is None:
            raise ValueError("a decision expects a `step` that is taken, or the `reason` why none is")
        if self.charges is not None and self.reason is not None:
            raise ValueError("an item that is held claims no `charges`")
        return self


class PolicyCase(_Row):
    """One case: facts in, decisions out."""

    case: Text
    as_of: Day
    files: tuple[FileRow, ...] = ()
    customers: tuple[CustomerRow, ...] = ()
    invoices: tuple[InvoiceRow, ...] = ()
    payments: tuple[PaymentRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    actions: tuple[ActionRow, ...] = ()
    proposals: tuple[ProposalRow, ...] = ()
    facts: Annotated[dict[str, Any], AfterValidator(_refuse_facts)] = Field(default_factory=dict)
    decisions: tuple[ExpectedDecision, ...] = ()
    absent: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _expects_something(self) -> "PolicyCase":
        problems = (
            [] if self.decisions or self.absent else ["a case expects `decisions`, or says who is `absent`"]
        )
        problems += [
            f"the fact {fact} and the column {column} of an invoice say the same; keep one"
            for fact, column in is_said_in_rows(self.facts).items()
            if any(getattr(row, column) is not None for row in self.invoices)
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows as they were written, by table; the facts that rows can say are said there."""
        tables: dict[str, list[dict[str, Any]]] = {
            name: [row.model_dump(exclude_unset=True) for row in getattr(self, name)]
            for name in ("files", "customers", "invoices", "payments", "events", "actions", "proposals")
        }
        tables["invoices"] = [self._dated(row) for row in tables["invoices"]]
        return tables

    def _dated(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the invoice with its dates; without one of issue it was issued 30 days before it fell due."""
        said = is_said_in_rows(self.facts)
        dated = {column: self.as_of - timedelta(days=self.facts[fact]) for fact, column in said.items()} | row
        usual = (dated.get("due_date") or self.as_of) - timedelta(days=30)
        return {"invoice_date": min(usual, self.as_of)} | dated


class CaseFile(RootModel[tuple[PolicyCase, ...]]):
    """A file of policy cases: a list."""
