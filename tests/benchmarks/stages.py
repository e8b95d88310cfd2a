"""The stages of a working day, each run in a process of its own: python -m tests.benchmarks.stages STAGE FOLDER."""

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from policies.escalation import decide_from_facts, gather_facts
from tasks.audit.published_log import read_events
from tasks.audit.verify import verify_log
from tasks.decide import Day, decide_day, decisions_as_published
from tasks.documents.batch_folder import write_documents
from tasks.intake import take_in
from tasks.ledger import NewEvent, append_events
from tasks.plan import plan_day
from tasks.publish import publish
from tasks.rules import read_law, read_rules
from tasks.run import Run
from tasks.store.batch_lists import list_batches, read_messages
from tasks.store.connection import open_to_read, open_to_write
from tasks.store.history import read_history
from tasks.store.seals import read_seals
from tasks.workspace import Workspace, initialise, open_workspace
from tests.benchmarks.invoices import AS_OF

FILES = ("customers.csv", "invoices.csv", "payments.csv", "actions.csv")
EVENTS_AT_ONCE = 10_000
MOST_EMAILS, MOST_LETTERS = 500, 100

Parts = dict[str, dict[str, float]]


class Stopwatch:
    """Seconds of wall time and of processor time, part by part."""

    def __init__(self) -> None:
        self.parts: Parts = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wall, processor = time.monotonic(), time.process_time()
        yield
        self.parts[name] = {"wall": time.monotonic() - wall, "processor": time.process_time() - processor}


def bare_duckdb(folder: Path, watch: Stopwatch) -> None:
    """Load the same files into a new DuckDB file, with nothing checked."""
    (folder / "bare.duckdb").unlink(missing_ok=True)
    with watch("bare DuckDB load"), duckdb.connect(str(folder / "bare.duckdb")) as connection:
        for file in FILES:
            connection.execute(f"create table {file[:-4]} as from read_csv('{folder / 'files' / file}')")


def bare_polars(folder: Path, watch: Stopwatch) -> None:
    """Read the invoices and add up by customer."""
    with watch("bare Polars read + group-by"):
        invoices = pl.read_csv(folder / "files" / "invoices.csv", try_parse_dates=True)
        invoices.group_by("customer_id").agg(pl.col("amount").sum(), pl.col("due_date").min())


def intake(folder: Path, watch: Stopwatch) -> None:
    """Take the files in, as `relance intake` does after its two looks."""
    workspace = initialise(folder / "workspace")
    for file in FILES:
        shutil.copy(folder / "files" / file, workspace.inbox / file)
    run = _run(workspace)
    for file in FILES:
        with watch(f"intake: {file}"):
            result = take_in(run, workspace.inbox / file)
        assert result.status.value == "loaded", result.message


def decide(folder: Path, watch: Stopwatch) -> None:
    """Compute facts and decisions of every open item."""
    workspace = open_workspace(folder / "workspace")
    rules = read_rules(workspace)
    with watch("facts: read history"), open_to_read(workspace) as connection:
        history = read_history(connection)
    with watch("facts: open items, behaviour"):
        facts = gather_facts(history, rules.policy, AS_OF)
    with watch("decisions"):
        decide_from_facts(facts, history, rules.policy)


def draft(folder: Path, watch: Stopwatch) -> None:
    """Word every message of the day and save the batches."""
    run, day = _day(folder)
    with watch("draft batches"):
        plan_day(run, day.history, day.facts, day.decisions, day.rules, read_law(run.workspace))


def compose(folder: Path, watch: Stopwatch) -> None:
    """Make the documents of the first messages: all would be a morning's work for a mail room."""
    workspace = open_workspace(folder / "workspace")
    rules = read_rules(workspace)
    with open_to_read(workspace) as connection:
        messages = [
            one.message
            for batch in list_batches(connection)["batch_id"].sort()
            for one in read_messages(connection, batch)
        ]
    for name, channels, most in (
        ("e-mails", {"email"}, MOST_EMAILS),
        ("letters", {"letter", "registered_letter"}, MOST_LETTERS),
    ):
        chosen = [message for message in messages if message.channel in channels][:most]
        with watch(f"compose {len(chosen)} {name} of {len(messages)} messages"):
            write_documents(workspace, rules, f"benchmark-{name}", chosen)


def publish_day(folder: Path, watch: Stopwatch) -> None:
    """Publish aging, decisions, tables and events."""
    run, day = _day(folder)
    decisions = decisions_as_published(day.decisions)
    with watch("publish"):
        publish(run, aging=day.aging, decisions=decisions)


def seals(folder: Path, watch: Stopwatch) -> None:
    """Make the digest of every file again, as `audit verify` does."""
    with open_to_read(open_workspace(folder / "workspace")) as connection, watch("seals of all files"):
        read_seals(connection, "intake_id")


def audit(folder: Path, watch: Stopwatch) -> None:
    """Keep a log of as many events as there are invoices, and ask it."""
    workspace = initialise(folder / "log")
    run = _run(workspace)
    count = pl.scan_csv(folder / "files" / "invoices.csv").select(pl.len()).collect().item()
    name = f"log of {count:,} events"
    with watch(f"{name}: append"), open_to_write(workspace) as connection:
        for first in range(0, count, EVENTS_AT_ONCE):
            events = [_event(number) for number in range(first, min(first + EVENTS_AT_ONCE, count))]
            append_events(
                connection, events, recorded_at=run.clock(), actor=run.actor, run_id=f"{run.run_id}-{first}"
            )
    with watch(f"{name}: publish"):
        publish(run)


def ask(folder: Path, watch: Stopwatch) -> None:
    """Verify that log, and look for one customer in it."""
    workspace = open_workspace(folder / "log")
    with watch("audit verify of that log"):
        verify_log(workspace)
    with watch("audit log of one customer"):
        found = read_events(workspace, customer=_event(0).customer_id)
    assert found.height


def _event(number: int) -> NewEvent:
    message = number // 3
    payload = {
        "batch": f"2026-06-30-{message % 5}",
        "message_id": f"{message:064}",
        "on": AS_OF,
        "step": "reminder_1",
        "channel": "email",
        "invoice_number": f"F{number:08}",
        "amount_demanded": "1240.00",
        "currency": "EUR",
        "document_sha256": "a" * 64,
    }
    return NewEvent("action_composed", payload, f"{number:064}", f"C{message % 100_000:07}")


STAGES: dict[str, Callable[[Path, Stopwatch], None]] = {
    "bare_duckdb": bare_duckdb,
    "bare_polars": bare_polars,
    "intake": intake,
    "decide": decide,
    "draft": draft,
    "compose": compose,
    "publish": publish_day,
    "seals": seals,
    "audit": audit,
    "ask": ask,
}


def _day(folder: Path) -> tuple[Run, Day]:
    run = _run(open_workspace(folder / "workspace"))
    return run, decide_day(run.workspace, read_rules(run.workspace), AS_OF)


def _run(workspace: Workspace) -> Run:
    return Run(
        workspace, AS_OF, AS_OF, "benchmark", "benchmark", lambda: datetime.now(UTC), lambda line: None
    )


def main() -> None:
    """Run one stage and print what it took."""
    stage, folder = sys.argv[1:]
    watch = Stopwatch()
    STAGES[stage](Path(folder), watch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"parts": watch.parts, "peak_mib": peak / 1024}))


if __name__ == "__main__":
    main()
