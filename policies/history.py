"""What is known: the loaded files and recorded actions, as frames, before any date is chosen.

`tasks.store.history` fills it (latest versions chosen, superseded ledgers left out); everything in
`policies` that needs the past reads it from here. Nothing in it depends on `as_of`.
"""

from dataclasses import dataclass

import polars as pl

from policies.model import ACTIONS, CUSTOMERS, EVENTS, INVOICES, MONEY, PAYMENTS

FILES = pl.Schema(
    {
        "intake_id": pl.Int64(),
        "source": pl.String(),
        "kind": pl.String(),
        "file_date": pl.Date(),
        "carries_payments": pl.Boolean(),
        "carries_balances": pl.Boolean(),
    }
)

DOCUMENTS = pl.Schema(
    {
        name: dtype
        for name, dtype in INVOICES.items()
        if name not in {"amount_open", "balance_date", "is_opening", "line_number"}
    }
)
"""The latest version of each item, one row per (customer_id, invoice_number, installment)."""

LISTINGS = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "intake_id": pl.Int64(),
        "balance_date": pl.Date(),
        "amount_open": MONEY,
    }
)
"""Every row of an item in a file of a full source, and every row that states a balance (else nulls)."""

HISTORY_PAYMENTS = pl.Schema(
    {name: dtype for name, dtype in PAYMENTS.items() if name not in {"is_opening", "line_number"}}
)
"""One row per payment and the item it names; a payment named again in a newer file is replaced whole."""

HISTORY_EVENTS = pl.Schema(
    {**{n: d for n, d in EVENTS.items() if n != "line_number"}, "sequence": pl.Int64()}
)
"""`sequence` orders events of one date as they became known."""

HISTORY_CUSTOMERS = pl.Schema(
    {**{name: dtype for name, dtype in CUSTOMERS.items() if name != "line_number"}, "email_since": pl.Date()}
)
"""One row per customer, the latest stated value of each attribute; null = unknown or stated as blank.
`email_since`: the date of the file that first stated the e-mail address that still counts, after another one;
null for the only address ever stated."""

DISPATCHES = pl.Schema(
    {**{n: d for n, d in ACTIONS.items() if n != "line_number"}, "attempt": pl.Int64(), "fee": MONEY}
)
"""What left, by Relance or before it (`actions*.csv`), one row per item and step and attempt.
`fee`: the fees that stood with the item in its message; null = none is known to have been claimed."""

PROPOSALS = pl.Schema(
    {
        "customer_id": pl.String(),
        "invoice_number": pl.String(),
        "installment": pl.String(),
        "step": pl.String(),
        "proposed_date": pl.Date(),
        "ended_date": pl.Date(),
        "uncertain_date": pl.Date(),
    }
)
"""Items in batches. `ended_date`: dispatched, withdrawn or rejected (null while waiting);
`uncertain_date`: the day whose release cannot say whether it left (null otherwise, or once resolved)."""


@dataclass(frozen=True)
class Settled:
    """What stays known of invoices that `policies.settled` has left out: how they were paid.

    Attributes:
        invoices: customer_id, currency, paid_date, days_late, one row per paid item.
        payments: customer_id, currency, date of payments.
    """

    invoices: pl.DataFrame
    payments: pl.DataFrame


@dataclass(frozen=True)
class History:
    """All that is known, as frames with the schemas of this module.

    `settled` stands for invoices that are not among the documents any more; usually none are left out.
    `remembered` are balances of earlier days, looked up once for many (`policies.earlier_balances.remember`).
    """

    files: pl.DataFrame
    documents: pl.DataFrame
    listings: pl.DataFrame
    payments: pl.DataFrame
    events: pl.DataFrame
    customers: pl.DataFrame
    dispatches: pl.DataFrame
    proposals: pl.DataFrame
    settled: Settled | None = None
    remembered: pl.DataFrame | None = None


SCHEMAS: dict[str, pl.Schema] = {
    "files": FILES,
    "documents": DOCUMENTS,
    "listings": LISTINGS,
    "payments": HISTORY_PAYMENTS,
    "events": HISTORY_EVENTS,
    "customers": HISTORY_CUSTOMERS,
    "dispatches": DISPATCHES,
    "proposals": PROPOSALS,
}


def empty_history() -> History:
    """Return a history in which nothing has happened."""
    return History(**{name: schema.to_frame() for name, schema in SCHEMAS.items()}, settled=None)
