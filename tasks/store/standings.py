"""How accounts stood, as recorded by runs: read as seen from a day, and added to.

What a standing means and what has changed is decided in `policies.standings`.
"""

from datetime import date, datetime, timedelta

import polars as pl

from policies.standings import STANDINGS, Recorded
from tasks.store.connection import Connection, fetch, insert_frame, insert_row, load_query


def read_standings(connection: Connection, as_of: date) -> Recorded:
    """Return what runs up to a day have recorded."""
    looks = fetch(
        connection,
        "select as_of, habit_rules from standings where as_of <= $as_of order by as_of, standing_id",
        as_of=as_of,
    )
    earlier = looks.filter(pl.col("as_of") < as_of)
    return Recorded(
        before=_last(connection, as_of - timedelta(days=1)),
        latest=_last(connection, as_of),
        during=fetch(connection, load_query("standings_of_day"), STANDINGS, as_of=as_of),
        before_date=earlier["as_of"][-1] if earlier.height else None,
        before_rules=earlier["habit_rules"][-1] if earlier.height else None,
        latest_rules=looks["habit_rules"][-1] if looks.height else None,
        is_recorded=looks.height > earlier.height,
    )


def add_standings(
    connection: Connection,
    changed: pl.DataFrame,
    *,
    as_of: date,
    habit_rules: str,
    policy_hash: str,
    run_id: str,
    recorded_at: datetime,
) -> None:
    """Add one look at the accounts with the standings that differ, in the caller's transaction."""
    newest = connection.execute("select coalesce(max(standing_id), 0) from standings").fetchall()[0][0]
    look = {
        "standing_id": int(newest) + 1,
        "as_of": as_of,
        "habit_rules": habit_rules,
        "policy_hash": policy_hash,
        "run_id": run_id,
        "recorded_at": recorded_at,
    }
    insert_row(connection, "standings", look)
    insert_frame(connection, "account_standings", changed, standing_id=look["standing_id"])


def _last(connection: Connection, until: date) -> pl.DataFrame:
    return fetch(connection, load_query("last_standings"), STANDINGS, until=until)
