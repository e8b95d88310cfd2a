"""Pulls the plug of releases into a Maildir: python -m tests.torture.maildir_trials [--trials N] [--seed S].

Each trial kills a release at a random instant. Before the next one somebody may have fetched what was delivered, and
some customers have paid: what was delivered must count, once, and what was not must not leave any more. A file that
was made ready before its intent was noted may stay behind in `.relance`; nothing delivers it.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace
from tests.torture.mailing import (
    copy_for,
    end_child,
    let_leave,
    prepare,
    run_child,
    start_child,
    state_of,
    take_in_file,
    wait_for_journal,
)

MESSAGES = 40
USUAL_SECONDS = 0.5


def try_once(prepared: Workspace, root: Path, seed: int) -> tuple[bool, list[str]]:
    """Kill a release of a copy at a random instant, then go on; return whether it died, and what is wrong."""
    chance, today = random.Random(seed), datetime.now(UTC).date()
    workspace, fetched = copy_for(prepared, root, "maildir: going"), root / "fetched"
    fetched.mkdir()
    child, pipe = start_child(lambda: let_leave(workspace, today))
    if chance.random() < 0.75:
        wait_for_journal(workspace, child)
    time.sleep(chance.uniform(0, USUAL_SECONDS))
    os.kill(child, signal.SIGKILL)
    code, _ = end_child(child, pipe)
    if chance.random() < 0.5:
        _fetch(workspace, fetched)
    payers = chance.sample(range(1, MESSAGES + 1), MESSAGES // 2)
    before = _delivered(fetched, workspace.root / "going" / "new")
    run_child(lambda: _take_in_payments(workspace, payers))
    run_child(lambda: let_leave(workspace, today))
    _fetch(workspace, fetched)
    state: dict[str, Any] = run_child(lambda: state_of(workspace))
    taken = _delivered(fetched)
    wrong = [
        *([state["log"]] if state["log"] else []),
        *_judge(state["statuses"], taken, before, run_child(lambda: _messages_of(workspace, payers))),
    ]
    shutil.rmtree(root)
    return code == -signal.SIGKILL, wrong


def _judge(statuses: dict[str, str], taken: Counter[str], before: Counter[str], paid: list[str]) -> list[str]:
    wrong = [f"{message} was delivered {count} times" for message, count in taken.items() if count > 1]
    for message, status in statuses.items():
        expected = "dispatched" if taken[message] else "withdrawn"
        if status != expected:
            wrong.append(f"{message} is {status}, and was delivered {taken[message]} times")
        if not taken[message] and message not in paid:
            wrong.append(f"{message} is lost")
        if message in paid and taken[message] > before[message]:
            wrong.append(f"{message} was delivered after it had been paid")
    return wrong


def _delivered(*folders: Path) -> Counter[str]:
    """Return how often each message lies in these folders."""
    paths = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    return Counter(path.name.partition(".")[0] for path in paths)


def _fetch(workspace: Workspace, into: Path) -> None:
    for path in (workspace.root / "going" / "new").glob("*"):
        # A second copy of the same message gets a name of its own, to be counted.
        path.rename(into / f"{path.name}.{len(list(into.iterdir()))}")


def _take_in_payments(workspace: Workspace, payers: Sequence[int]) -> None:
    lines = ["payment_id,customer_id,payment_date,currency,amount"]
    lines += [f"P{n},C{n:05},2026-02-20,EUR,720.00" for n in payers]
    (workspace.inbox / "payments.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    take_in_file(workspace, "payments.csv")


def _messages_of(workspace: Workspace, customers: Sequence[int]) -> list[str]:
    with open_to_read(workspace) as connection:
        messages = list_messages(connection)
    ids = [f"C{n:05}" for n in customers]
    return [one["message_id"] for one in messages.iter_rows(named=True) if one["customer_id"] in ids]


def main() -> int:
    """Run the trials; the exit code says whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.maildir_trials", description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    killed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="relance-torture-") as name:
        prepared = prepare(Path(name) / "prepared", MESSAGES, datetime.now(UTC).date())
        for number in range(asked.trials):
            was_killed, wrong = try_once(prepared, Path(name) / "trial", asked.seed * 1_000_003 + number)
            killed, failed = killed + was_killed, failed + bool(wrong)
            for what in wrong:
                print(f"trial {number}: {what}", file=sys.stderr, flush=True)
    print(
        f"{asked.trials} trials of {MESSAGES} messages into a Maildir, {killed} killed, {failed} with violations."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
