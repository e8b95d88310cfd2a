"""What the daily run does with its findings: writes the lists, records how accounts stand, and logs what changed.

Doing it again on the same facts records and logs nothing, and writes the same files. What is recorded is never told
again on a later day, so the lists come first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.credit_hold import find_credit_holds
from policies.escalation import Facts
from policies.explanations import counted
from policies.history import History
from policies.money import with_plain_amounts
from policies.standings import differing, habit_rules
from policies.watching import find_worsened
from tasks.documents.spreadsheet import write_csv
from tasks.findings.files import report_path
from tasks.findings.look import LISTS, Look
from tasks.ledger import NewEvent, append_events
from tasks.manifest import put_published, put_published_frame
from tasks.rules import Rules
from tasks.run import Run
from tasks.store.connection import open_to_read, open_to_write
from tasks.store.standings import add_standings, read_standings


@dataclass(frozen=True)
class Findings:
    """What a day shows, in counts: customers, items of proposals, customers whose claim is not declared."""

    to_block: int = 0
    to_unblock: int = 0
    worsened: int = 0
    write_offs: int = 0
    claims: int = 0
    claims_late: int = 0
    first_deadline: date | None = None

    @property
    def sentences(self) -> list[str]:
        """What there is to do, one piece each; nothing when there is nothing."""
        by = f" by {self.first_deadline}" if self.first_deadline else ""
        pieces = [
            (self.to_block, f"{counted(self.to_block, 'customer')} to block"),
            (self.to_unblock, f"{counted(self.to_unblock, 'customer')} to unblock"),
            (self.worsened, f"{counted(self.worsened, 'customer')} whose habits turned worse"),
            (self.write_offs, f"{counted(self.write_offs, 'write-off')} to propose"),
            (self.claims, f"{counted(self.claims, 'claim')} to declare{by}"),
            (self.claims_late, f"{counted(self.claims_late, 'claim')} past the deadline"),
        ]
        return [piece for count, piece in pieces if count]


def report_findings(
    run: Run, history: History, facts: Facts, decisions: pl.DataFrame, rules: Rules
) -> Findings:
    """Publish, record and log what the day shows; return the counts."""
    with open_to_read(run.workspace) as connection:
        recorded = read_standings(connection, run.as_of)
    look = Look(run.workspace, rules, history, facts, decisions, recorded)
    lists = {name: make(look) for name, make in LISTS.items()}
    write_lists(run, lists)
    _record(run, look)
    return count_findings(lists)


def count_findings(lists: Mapping[str, pl.DataFrame]) -> Findings:
    """Return the counts of a day's lists."""
    holds, claims = lists["credit_hold"], lists["insolvencies"]
    waiting = claims.filter(pl.col("state") == "to_declare")
    deadlines = waiting["deadline"].drop_nulls().sort()
    return Findings(
        to_block=holds.filter(pl.col("action") == "block").height,
        to_unblock=holds.filter(pl.col("action") == "unblock").height,
        worsened=lists["habits"]["customer_id"].n_unique(),
        write_offs=lists["write_offs"].height,
        claims=waiting["customer_id"].n_unique(),
        claims_late=claims.filter(pl.col("state") == "late")["customer_id"].n_unique(),
        first_deadline=deadlines[0] if len(deadlines) else None,
    )


def write_lists(run: Run, lists: Mapping[str, pl.DataFrame]) -> None:
    """Write each list as Parquet and as CSV under `published/reports/<as_of>/`."""
    for name, frame in lists.items():
        put_published_frame(
            run.workspace.published,
            report_path(run.workspace, name, run.as_of),
            frame.select(pl.lit(run.as_of).alias("as_of"), pl.all()),
        )
        texts = as_texts(frame)
        content = write_csv(texts.columns, texts.to_dicts())
        path = report_path(run.workspace, name, run.as_of).with_suffix(".csv")
        put_published(run.workspace.published, path, content)


def as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame as text, amounts with the digits of their currency; nothing is an empty cell."""
    return with_plain_amounts(frame).with_columns(pl.all().cast(pl.String).fill_null(""))


def _record(run: Run, look: Look) -> None:
    """Add the standings that differ and the events of what changed, in one transaction."""
    recorded, rules = look.recorded, habit_rules(look.policy)
    is_same_rules = recorded.latest.habit_rules == rules
    changed = differing(look.standing, recorded.latest.standings) if is_same_rules else look.standing
    if is_same_rules and recorded.today and changed.is_empty():
        return
    events = [*_hold_events(look), *_habit_events(look, is_same_rules=is_same_rules)]
    with open_to_write(run.workspace) as connection:
        recorded_at = run.clock()
        standing_id = add_standings(
            connection,
            changed,
            as_of=run.as_of,
            habit_rules=rules,
            policy_hash=look.rules.policy_hash,
            run_id=run.run_id,
            recorded_at=recorded_at,
        )
        noted = {"standing_id": standing_id, "as_of": run.as_of, "accounts": changed.height}
        told = [NewEvent("standings_recorded", noted), *events]
        append_events(connection, told, recorded_at=recorded_at, actor=run.actor, run_id=run.run_id)


def _hold_events(look: Look) -> list[NewEvent]:
    """Return what earlier runs, also of this day, have not told yet of blocked customers."""
    latest = look.recorded.latest.standings
    changed = find_credit_holds(look.standing, latest, (), look.judged, look.policy, look.as_of, look.tell)
    return _events("credit_hold_changed", look, changed)


def _habit_events(look: Look, *, is_same_rules: bool) -> list[NewEvent]:
    """Return what has turned worse that an earlier run of this day has not told yet."""
    is_told = is_same_rules and bool(look.recorded.today)
    latest = look.recorded.latest.standings
    worsened = find_worsened(look.judged, latest, look.policy, look.tell) if is_told else look.habits()
    columns = ("customer_id", "currency", "what", "before", "now", "why")
    return _events("habits_worsened", look, worsened.select(columns))


def _events(kind: str, look: Look, changes: pl.DataFrame) -> list[NewEvent]:
    rules = {"policy": look.policy.policy, "policy_hash": look.rules.policy_hash}
    return [
        NewEvent(
            kind,
            {
                "as_of": look.as_of,
                **{key: value for key, value in row.items() if key != "customer_id"},
                **rules,
            },
            customer_id=row["customer_id"],
        )
        for row in changes.iter_rows(named=True)
    ]
