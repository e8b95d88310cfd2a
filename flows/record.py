"""What a person says: a dispute, a promise, a plan, a hold, an answer; and what they decide about a batch."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import ended, storyline
from flows.forms import Amount, Text
from flows.start import acting, begin, named
from policies.errors import WrongUseError
from policies.model import EventKind
from tasks.record import find_doubts, on_behalf_of, record_events, retell
from tasks.run import Run


@storyline("record", "Records a dispute, promise, plan, hold, answer or write-off of a customer.")
def record(
    kind: EventKind,
    customer_id: Text = "",
    invoice_number: Text = "",
    installment: Text = "",
    amount: Amount = "",
    until: date | None = None,
    reference: Text = "",
    reason: Text = "",
    note: Text = "",
    actor: Text = "",
    replaces: Text = "",
    as_of: date | None = None,
    workspace: Path = Path("workspace"),
) -> str:
    """Record one event.

    Args:
        kind: What happened.
        customer_id: The customer it happened with; only a correction takes it from the event it replaces.
        invoice_number: Empty = it concerns the customer as a whole.
        installment: Empty = all installments of the invoice.
        amount: In the item's currency: the disputed part or the promised sum, written like 1250.00.
        until: The promised day, the end of a hold, the due date of an instalment.
        reference: Joins the instalments of a plan; closes one dispute of several.
        reason: A short word for why.
        note: Free text; kept where it can be erased. Prefect keeps it too: nothing private here.
        actor: Who says so; empty = who runs this.
        replaces: The number of an event recorded before: this is what it should have said. With the kind
            `correction`: nothing of it happened.
        as_of: The day it happened; empty = today.
        workspace: The creditor's folder.
    """
    run = on_behalf_of(begin(workspace, as_of), named(actor, "--actor") if actor else "")
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
    row = {name: str(value) for name, value in stated.items() if value not in (None, "")}
    if replaces:
        row = retell(run, replaces, row)
    if kind is EventKind.CORRECTION and not replaces:
        raise WrongUseError("a correction needs the number of the event it takes back: --replaces EVENT_ID.")
    if "customer_id" not in row:
        raise WrongUseError("say whose it is: --customer NUMBER.")
    (event_id,) = record_rows(run, [row])
    where = f" invoice {row['invoice_number']}" if "invoice_number" in row else ""
    sentence = (
        f"Recorded on {run.as_of}: {kind.value} of customer {row['customer_id']}{where}. "
        f"Its number is {event_id}."
    )
    return ended(sentence, sentence)


def record_rows(run: Run, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Record events given as the columns of an events file, all or none; say what may be mistyped."""
    with acting(run, "record"):
        doubts = find_doubts(run, rows)
        numbers = record_events(run, rows)
        steps.publish_log(run)
    for doubt in doubts:
        run.say(doubt)
    return numbers
