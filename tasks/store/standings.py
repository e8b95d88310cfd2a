"""How accounts stood, as recorded by runs: read as seen from a day, and added to.

What a standing means and what has changed is decided in `policies.standings`.
"""

from datetime import date, datetime, timedelta

import polars as pl

from policies.standings import STANDINGS, Looked, Recorded, overlaid
from tasks.store.connection import Connection, fetch, insert_frame, insert_row, load_query

_OF_A_LOOK = pl.Schema({"standing_id": pl.Int64(), **STANDINGS})


def read_standings(connection: Connection, as_of: date) -> Recorded:
    """Return what runs up to a day have recorded."""
    looks = fetch(
        connection,
        "select standing_id, as_of, habit_rules from standings where as_of <= $as_of order by as_of, standing_id",
        as_of=as_of,
    )
    changed = fetch(connection, load_query("standings_of_day"), _OF_A_LOOK, as_of=as_of)
    earlier = looks.filter(pl.col("as_of") < as_of).rows(named=True)
    last = earlier[-1] if earlier else {"as_of": None, "habit_rules": None}
    standings = fetch(connection, load_query("last_standings"), STANDINGS, until=as_of - timedelta(days=1))
    before = Looked(standings, last["as_of"], last["habit_rules"])
    today = []
    for look in looks.filter(pl.col("as_of") == as_of).iter_rows(named=True):
        of_look = changed.filter(pl.col("standing_id") == look["standing_id"]).drop("standing_id")
        standings = overlaid(standings, of_look)
        today.append(Looked(standings, as_of, look["habit_rules"]))
    return Recorded(before, tuple(today))


def add_standings(
    connection: Connection,
    changed: pl.DataFrame,
    *,
    as_of: date,
    habit_rules: str,
    policy_hash: str,
    run_id: str,
    recorded_at: datetime,
) -> int:
    """Add one look at the accounts with the standings that differ, in the caller's transaction; return its number."""
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
    return int(newest) + 1
