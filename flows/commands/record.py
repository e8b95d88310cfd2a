"""`relance record KIND`: a dispute, promise, plan, hold, answer and what else a person knows."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Format, Workspace
from policies.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVENTS = {
    "event_date": "date",
    "kind": "kind",
    "invoice_number": "invoice",
    "amount": "amount",
    "until": "until",
    "reason": "reason",
    "actor": "actor",
    "event_id": "number",
}


def record(
    kind: EventKind | None = None,
    /,
    *,
    customer: Annotated[str | None, Parameter(name=["--customer", "--customer-id"])] = None,
    invoice: Annotated[str | None, Parameter(name=["--invoice", "--invoice-number"])] = None,
    installment: str | None = None,
    amount: Decimal | None = None,
    until: date | None = None,
    reference: str | None = None,
    reason: str | None = None,
    note: str | None = None,
    actor: Annotated[str | None, Parameter(name=["--actor", "--by"])] = None,
    replaces: str | None = None,
    as_of: AsOf = None,
    format: Format = "table",
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Record what happened with a customer; a mistake is corrected by a new record (`--replaces`).

    Args:
        kind: what happened; left out = list what is recorded of the customer, each with its number.
        customer: whose; a correction takes it from the event it replaces.
        invoice: left out = it concerns the customer as a whole.
        installment: left out = all installments of the invoice.
        amount: the disputed part, the promised sum, the instalment; in the item's currency.
        until: the promised day, the last day of a hold, the due date of an instalment.
        reference: joins the instalments of a plan; closes one dispute of several.
        reason: a short word for why.
        note: free text, kept where it can be erased.
        actor: who says so.
        replaces: the number of an event recorded before, which should have said this; of kind `correction`: nothing.
        as_of: the day it happened.
        format: how the list is printed.
        workspace: the creditor's folder.
    """
    if kind is None:
        _list(customer, format, workspace)
        return
    from flows.record import record as flow

    _refuse_blanks(
        {
            "customer": customer,
            "invoice": invoice,
            "installment": installment,
            "reference": reference,
            "reason": reason,
            "note": note,
            "actor": actor,
            "replaces": replaces,
        }
    )
    done = flow(
        kind=kind,
        customer_id=customer,
        workspace=workspace,
        as_of=as_of,
        invoice_number=invoice,
        installment=installment,
        amount=amount,
        until=until,
        reference=reference,
        reason=reason,
        note=note,
        actor=actor,
        replaces=replaces,
    )
    print(done)


def _refuse_blanks(stated: "Mapping[str, str | None]") -> None:
    """Refuse options without a value: a blank --invoice would concern all that the customer owes."""
    from policies.errors import WrongUseError

    blank = [f"--{name}" for name, value in stated.items() if value is not None and not value.strip()]
    if blank:
        raise WrongUseError(
            f"Nothing was recorded: {', '.join(blank)} without a value: name it, or leave it out."
        )


def _list(customer: str | None, format: Format, workspace: Workspace) -> None:
    from policies.errors import WrongUseError
    from tasks.present import print_frame
    from tasks.record import list_events
    from tasks.workspace import open_workspace

    if customer is None:
        raise WrongUseError(
            "say what happened and with whom, or name the customer whose events are to be listed."
        )
    print_frame(list_events(open_workspace(workspace), customer), format, f"Recorded of {customer}", _EVENTS)
