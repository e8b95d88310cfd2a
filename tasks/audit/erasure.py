"""Erases the personal data of a customer who owes nothing, on request or past its period, and logs that it did.

The order: the store and the event in one transaction, then the files the event names, then the store's file anew. A cut
in between leaves rows erased and files not: erasing the customer again, or the next `relance audit retain`, ends it.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.errors import WaitingError, WrongUseError
from policies.explanations import counted
from tasks.audit.personal_files import FileChange, SharedFiles, apply_changes, find_files_of
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.batch_lists import list_batches
from tasks.store.connection import Connection, open_to_read, open_to_write
from tasks.store.erasure import (
    ErasedRows,
    erase_rows,
    erase_unmatched,
    is_known,
    list_invoice_numbers,
    list_messages_of,
    list_waiting,
    without_old_blocks,
)

REQUEST, PERIOD = "request", "period"
"""The grounds on which personal data is erased."""


@dataclass(frozen=True)
class Erased:
    """What was erased of one customer, in counts."""

    customer_id: str
    rows: Mapping[str, int]
    deleted: int
    rewritten: int

    @property
    def sentence(self) -> str:
        """Return it as a sentence."""
        if not self.rows and not self.deleted and not self.rewritten:
            return f"Nothing personal is left of customer {self.customer_id}: nothing was changed."
        rows = counted(sum(self.rows.values()), "row")
        return (
            f"Erased the personal data of customer {self.customer_id}: {rows} of the store, "
            f"{counted(self.deleted, 'file')} deleted, {counted(self.rewritten, 'shared file')} written anew. "
            "Its number, amounts, dates and the log stay."
        )


def pseudonym(customer_id: str) -> str:
    """Return the name that stands where a name must stand.

    >>> pseudonym("00107")
    'erased-ad9004181cb2'
    """
    return f"erased-{hashlib.sha256(customer_id.encode()).hexdigest()[:12]}"


def refuse_unless_settled(run: Run, customer_id: str, owing: Mapping[str, str], shared: SharedFiles) -> None:
    """Raise what stands against erasing a customer: a claim, or a message that has not ended.

    Args:
        run: the run.
        customer_id: the customer.
        owing: customer -> a sentence, of all whose data a claim still needs.
        shared: of `index_shared_files`.
    """
    with open_to_read(run.workspace) as connection:
        known, waiting = is_known(connection, customer_id), list_waiting(connection, customer_id)
        batches, files = list_batches(connection), _files_of(run, connection, customer_id, shared)
    unfinished = set(batches.filter(~pl.col("status").is_in(["closed", "rejected"]))["batch_id"])
    if not known:
        raise WrongUseError(
            f"nothing is known of a customer {customer_id!r}; identifiers are text, with their zeros."
        )
    if customer_id in owing:
        raise WaitingError(
            f"Nothing was erased: {owing[customer_id]} Personal data that a claim needs is kept until it is settled. "
            "Erase it when the items are paid, credited or written off in the ledger."
        )
    if waiting.height:
        raise WaitingError(
            f"Nothing was erased: batch {waiting['batch_id'][0]} holds a message of customer {customer_id} that is "
            f"{waiting['status'][0]}. Release or reject it, or settle it, then erase."
        )
    if open_batches := sorted(unfinished & _batches_of(run, files)):
        raise WaitingError(
            f"Nothing was erased: batch {open_batches[0]}, which has not ended, has a file that lists customer "
            f"{customer_id}. Release or reject it, then erase."
        )


def erase_customers(
    run: Run, customers: Sequence[str], shared: SharedFiles, *, ground: str, by: str, why: str
) -> list[Erased]:
    """Erase the personal data of settled customers everywhere but in the originals of exports; log each.

    Args:
        run: the run.
        customers: those to erase; whether they may be is decided before.
        shared: of `index_shared_files`.
        ground: REQUEST or PERIOD.
        by: who asks for it.
        why: the reason, for the log: no name and no address.
    """
    done: list[Erased] = []
    with without_old_blocks(run.workspace) as all_rows:
        for customer_id in customers:
            with open_to_write(run.workspace) as connection:
                files = _files_of(run, connection, customer_id, shared)
                rows = erase_rows(connection, customer_id, pseudonym(customer_id))
                if rows or files:
                    event = NewEvent(
                        "personal_data_erased",
                        {**_payload(rows, files), "on": run.as_of, "ground": ground, "by": by, "why": why},
                        customer_id=customer_id,
                    )
                    append_events(connection, [event], recorded_at=run.clock(), actor=by, run_id=run.run_id)
            # Before the next customer: both may stand in the same shared file.
            apply_changes(files)
            all_rows.extend(rows)
            done.append(_counts(customer_id, rows, files))
    return done


def erase_unmatched_returns(run: Run, cutoff: date, *, by: str, why: str) -> int:
    """Erase sender and subject of mail about no known customer, taken in by a day; return how many fields went."""
    with without_old_blocks(run.workspace) as all_rows:
        with open_to_write(run.workspace) as connection:
            rows = erase_unmatched(connection, cutoff)
            if rows:
                payload = {"on": run.as_of, "ground": PERIOD, "by": by, "why": why, "taken_in_by": cutoff}
                event = NewEvent(
                    "return_fields_erased",
                    {**payload, "rows": {one.table: one.rows for one in rows}, "documents": []},
                )
                append_events(connection, [event], recorded_at=run.clock(), actor=by, run_id=run.run_id)
        all_rows.extend(rows)
    return sum(one.rows for one in rows)


def log_files_erased(run: Run, changes: Collection[FileChange], *, by: str, why: str) -> None:
    """Log that files are past their period, then delete them."""
    if not changes:
        return
    payload = {
        "on": run.as_of,
        "ground": PERIOD,
        "by": by,
        "why": why,
        "rows": {},
        "documents": [change.entry() for change in changes],
    }
    with open_to_write(run.workspace) as connection:
        event = NewEvent("files_erased", payload)
        append_events(connection, [event], recorded_at=run.clock(), actor=by, run_id=run.run_id)
    apply_changes(changes)


def _files_of(run: Run, connection: Connection, customer_id: str, shared: SharedFiles) -> list[FileChange]:
    messages = list_messages_of(connection, customer_id)
    invoices = list_invoice_numbers(connection, customer_id)
    return find_files_of(run.workspace, customer_id, messages, invoices, shared)


def _batches_of(run: Run, files: Sequence[FileChange]) -> set[str]:
    """Return the batches in whose folders the files lie."""
    outbox = run.workspace.outbox
    return {one.path.relative_to(outbox).parts[0] for one in files if one.path.is_relative_to(outbox)}


def _payload(rows: Sequence[ErasedRows], files: Sequence[FileChange]) -> dict[str, object]:
    """Return what the event says: counts and names of columns, and all intakes and batches whose rows differ now."""
    return {
        "rows": {one.table: one.rows for one in rows},
        "columns": {one.table: one.columns for one in rows},
        "intake_ids": sorted({number for one in rows for number in one.intake_ids}),
        "batch_ids": sorted({name for one in rows for name in one.batch_ids}),
        "documents": [change.entry() for change in files],
    }


def _counts(customer_id: str, rows: Sequence[ErasedRows], files: Sequence[FileChange]) -> Erased:
    deleted = sum(change.after is None for change in files)
    return Erased(customer_id, {one.table: one.rows for one in rows}, deleted, len(files) - deleted)
