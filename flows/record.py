"""What a person says: a dispute, a promise, a plan, a hold, an answer; and what they decide about a batch."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from flows import steps
from flows.engine import ended, storyline
from flows.start import acting, begin
from policies.model import EventKind
from tasks.record import on_behalf_of, record_events


@storyline("record", "Records a dispute, promise, plan, hold, answer or write-off of a customer.")
def record(
    kind: EventKind,
    customer_id: str,
    invoice_number: str | None = None,
    installment: str | None = None,
    amount: Decimal | None = None,
    until: date | None = None,
    reference: str | None = None,
    reason: str | None = None,
    note: str | None = None,
    actor: str | None = None,
    as_of: date | None = None,
    workspace: Path = Path("workspace"),
) -> str:
    """Record one event.

    Args:
        kind: what happened.
        customer_id: whose.
        invoice_number: empty = it concerns the customer as a whole.
        installment: empty = all installments of the invoice.
        amount: in the item's currency, such as the disputed part or the promised sum.
        until: the promised day, the end of a hold, the due date of an instalment.
        reference: joins the instalments of a plan; closes one dispute of several.
        reason: a short word for why.
        note: free text; kept where it can be erased.
        actor: who says so; empty = who runs this.
        as_of: the day it happened; empty = today.
        workspace: the creditor's folder.
    """
    run = on_behalf_of(begin(workspace, as_of), actor)
    stated = {
        "kind": kind.value,
        "customer_id": customer_id,
        "invoice_number": invoice_number,
        "installment": installment,
        "amount": amount,
        "until": until,
        "reference": reference,
        "reason": reason,
        "note": note,
        "actor": run.actor,
    }
    with acting(run, "record"):
        record_events(run, [{name: str(value) for name, value in stated.items() if value is not None}])
        steps.publish_log(run)
    where = f" invoice {invoice_number}" if invoice_number else ""
    sentence = f"Recorded on {run.as_of}: {kind.value} of customer {customer_id}{where}."
    return ended(sentence, sentence)
