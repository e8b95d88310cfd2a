"""What is known of the past, read from the store: which of several versions counts is decided here.

The queries of `queries/` say it; `policies.history` names the result.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import polars as pl

from policies.accounts import customer_facts
from policies.happenings import events_until
from policies.history import SCHEMAS, History
from policies.model import CUSTOMER_COLUMNS
from tasks.store.connection import Connection, fetch, load_query

_ATTRIBUTES = ", ".join(
    f"nullif(arg_max({name}, statement_order), '') as {name}" for name in CUSTOMER_COLUMNS
)


def read_history(connection: Connection, known_at: datetime | None = None) -> History:
    """Return everything known of the past.

    Args:
        connection: an open store.
        known_at: leave out what was recorded after this instant; None is all of it.
    """
    with _counted_intakes(connection, known_at):
        return History(
            files=fetch(connection, "select * from counted_intakes", SCHEMAS["files"]),
            documents=fetch(connection, load_query("documents"), SCHEMAS["documents"]),
            listings=fetch(connection, load_query("listings"), SCHEMAS["listings"]),
            payments=fetch(connection, load_query("payments"), SCHEMAS["payments"]),
            events=fetch(connection, load_query("events"), SCHEMAS["events"]),
            customers=_customers(connection),
            dispatches=fetch(connection, load_query("dispatches"), SCHEMAS["dispatches"], known_at=known_at),
            proposals=fetch(connection, load_query("proposals"), SCHEMAS["proposals"], known_at=known_at),
        )


def read_customers(connection: Connection) -> pl.DataFrame:
    """Return the customers as they are known now."""
    with _counted_intakes(connection, None):
        return _customers(connection)


def read_reached(connection: Connection, on: date) -> pl.DataFrame:
    """Return the customers as known now, and whether their e-mail address has come back up to a day: `bounced`."""
    with _counted_intakes(connection, None):
        customers = _customers(connection)
        events = fetch(connection, load_query("events"), SCHEMAS["events"])
    bounced = customer_facts(customers, events_until(events, on)).select("customer_id", "bounced")
    return customers.join(bounced, on="customer_id", maintain_order="left")


def read_events(connection: Connection) -> pl.DataFrame:
    """Return the events as they are known now, each in the wording that counts."""
    with _counted_intakes(connection, None):
        return fetch(connection, load_query("events"), SCHEMAS["events"])


def _customers(connection: Connection) -> pl.DataFrame:
    return fetch(connection, load_query("customers").format(attributes=_ATTRIBUTES), SCHEMAS["customers"])


@contextmanager
def _counted_intakes(connection: Connection, known_at: datetime | None) -> Iterator[None]:
    # A table of DuckDB's own: lending it a frame would import pyarrow.dataset, a tenth of a reading command.
    connection.execute(
        f"create or replace temp table counted_intakes as {load_query('counted_intakes')}",
        {"known_at": known_at},
    )
    try:
        yield
    finally:
        connection.execute("drop table counted_intakes")
