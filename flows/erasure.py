"""Personal data goes: on a customer's request, or because it is past the period that `creditor.yaml` declares."""

from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import ended, step, storyline
from flows.start import acting, begin, named
from policies.errors import WaitingError, WrongUseError
from policies.explanations import counted
from policies.retention import customers_past, months_before, owing_customers
from tasks.audit.erasure import (
    PERIOD,
    REQUEST,
    erase_customers,
    erase_unmatched_returns,
    log_files_erased,
    refuse_unless_settled,
)
from tasks.audit.periods import find_past_files
from tasks.audit.personal_files import SharedFiles, index_shared_files
from tasks.decide import decide_day
from tasks.rules import read_rules
from tasks.run import Run
from tasks.store.connection import open_to_read
from tasks.store.erasure import list_last_happened
from tasks.workspace import read_creditor


@storyline(
    "erase", "Erases the personal data of a customer who owes nothing; numbers, amounts and the log stay."
)
def erase(
    customer_id: str, by: str, why: str, workspace: Path = Path("workspace"), as_of: date | None = None
) -> str:
    """Erase the personal data of a customer, on request.

    Args:
        customer_id: The customer.
        by: The name of who decides it.
        why: The reason, for the log: neither name nor address.
        workspace: The creditor's folder.
        as_of: The date of the erasure; empty = today.
    """
    by = named(by)
    if not why.strip():
        raise WrongUseError("--why must say the reason.")
    run = begin(workspace, as_of, actor=by)
    with acting(run, "erase"):
        shared = index_shared_files(run.workspace)
        refuse_unless_settled(run, customer_id, find_owing(run), shared)
        [erased] = erase_customers(run, [customer_id], shared, ground=REQUEST, by=by, why=why)
        steps.publish_log(run)
    return ended(erased.sentence, erased.sentence)


@storyline("retain", "Erases the personal data that is past the periods of creditor.yaml.")
def retain(workspace: Path = Path("workspace"), as_of: date | None = None) -> str:
    """Erase what is past its declared period.

    Args:
        workspace: The creditor's folder.
        as_of: The date from which periods are counted back; empty = today.
    """
    run = begin(workspace, as_of)
    with acting(run, "retain"):
        sentence = erase_past(run)
        steps.publish_log(run)
    return ended(sentence, sentence)


@step("find who owes")
def find_owing(run: Run) -> dict[str, str]:
    """Return the customers whose personal data a claim still needs, and what they owe in a sentence."""
    day = decide_day(run.workspace, read_rules(run.workspace), run.as_of)
    return owing_customers(day.decisions, day.aging, day.history.documents, run.as_of)


@step("erase what is past its period")
def erase_past(run: Run) -> str:
    """Erase customers and files that are past their period; return what was done."""
    retention = read_creditor(run.workspace).retention
    owing = find_owing(run)
    told = []
    if months := retention.personal_fields_months:
        why = f"retention: personal_fields_months {months}"
        shared = index_shared_files(run.workspace)
        free = _settled(run, _past(run, months, owing), owing, shared)
        erased = erase_customers(run, free, shared, ground=PERIOD, by=run.actor, why=why)
        told.append(f"personal data of {counted(sum(bool(one.rows) for one in erased), 'customer')}")
    if months := retention.returns_months:
        why = f"retention: returns_months {months}"
        fields = erase_unmatched_returns(run, months_before(run.as_of, months), by=run.actor, why=why)
        told.append(f"{counted(fields, 'field')} of mail about no known customer")
    for key, changes in find_past_files(run, retention, owing).items():
        why = f"retention: {key} {getattr(retention, key)}"
        log_files_erased(run, changes, by=run.actor, why=why)
        told.append(f"{counted(len(changes), 'file')} by {key}")
    if not told:
        return "creditor.yaml declares no `retention`: everything is kept."
    return f"Erased as of {run.as_of}: {', '.join(told)}."


def _past(run: Run, months: int, owing: dict[str, str]) -> list[str]:
    with open_to_read(run.workspace) as connection:
        happened = list_last_happened(connection)
    return customers_past(happened, owing, months_before(run.as_of, months))


def _settled(run: Run, customers: list[str], owing: dict[str, str], shared: SharedFiles) -> list[str]:
    """Return those of the customers that nothing stands against; the others wait for the next time."""
    free = []
    for customer_id in customers:
        try:
            refuse_unless_settled(run, customer_id, owing, shared)
        except WaitingError as waiting:
            run.say(str(waiting))
        else:
            free.append(customer_id)
    return free
