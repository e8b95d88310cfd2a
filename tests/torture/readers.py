"""Asks as an auditor does while many mails leave: python -m tests.torture.readers [--messages N].

One process takes files in, decides, composes and lets every message leave to a mail server on this machine that only
counts; others ask all the time, each question as a command of its own. Printed is how long the answers took.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from tasks.dispatch.journal import JOURNAL_NAME
from tasks.workspace import Workspace, initialise, shipped_root

AS_OF = date(2026, 6, 30)
LIMIT_SECONDS = 2.0
_WHOLE = "audit verify"
"""Reads all that was ever written and grows with it: it must be answered, but no limit of time is set to it."""

_QUESTIONS = (
    ("aging",),
    ("decisions", "--customer", "C0000007"),
    ("batches", "list"),
    ("batches", "show", f"{AS_OF}-automatic"),
    ("audit", "log", "--newest", "20"),
    ("audit", "verify"),
    ("audit", "query", "select kind, count(*) from events group by 1 order by 1"),
    ("report", "credit-hold"),
)
_DATED = ("aging", "decisions", "report")
_POLICY = """\
description: One reminder for everybody.
policy: one_reminder
segments:
  - {segment: everyone, ladder: standard}
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email}
"""


@dataclass(frozen=True)
class Answer:
    """How a question was answered while a stage of the day went on."""

    question: str
    stage: str
    seconds: float
    processor_seconds: float
    exit_code: int
    errors: str


def make_workspace(root: Path, messages: int, port: int) -> Workspace:
    """Make a workspace in which so many customers are each late with one invoice, and mail goes to this port."""
    workspace = initialise(root)
    text = workspace.creditor_path.read_text(encoding="utf-8").replace(
        "policy: standard_fr", "policy: one_reminder"
    )
    smtp = f"smtp: {{host: 127.0.0.1, port: {port}, security: none}}\n"
    workspace.creditor_path.write_text(text + smtp, encoding="utf-8")
    (workspace.policies / "escalation").mkdir()
    (workspace.policies / "escalation" / "one_reminder.yaml").write_text(_POLICY, encoding="utf-8")
    number = pl.col("number").cast(pl.String).str.zfill(7)
    pl.select(number=pl.int_range(1, messages + 1)).select(
        customer_id=pl.format("C{}", number),
        customer_name=pl.format("Customer {}", number),
        invoice_number=pl.format("F{}", number),
        invoice_date=pl.lit(date(2026, 4, 1)),
        due_date=pl.lit(date(2026, 5, 1)),
        currency=pl.lit("EUR"),
        amount=pl.lit("100.00"),
        email=pl.format("accounts-{}@customer.example.com", number),
    ).write_csv(workspace.inbox / "invoices.csv")
    return workspace


@contextmanager
def counting_server() -> Iterator[tuple[int, list[str]]]:
    """Lend the port of a mail server that takes everything, and the recipients of what it took."""
    taken: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        # Whoever is cut while it speaks is not waited for.
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 sink\r\n")
            recipient = ""
            for line in lines:
                verb = line[:4].upper()
                recipient = line.decode() if verb == b"RCPT" else recipient
                if verb == b"EHLO":
                    connection.sendall(b"250-sink\r\n250 8BITMIME\r\n")
                elif verb == b"DATA":
                    connection.sendall(b"354 go\r\n")
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    taken.append(recipient)
                    connection.sendall(b"250 taken\r\n")
                else:
                    connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1], taken
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def ask_while_at_work(workspace: Workspace, readers: int = 1) -> tuple[list[Answer], float]:
    """Run the day in a process of its own and ask until it has ended; return the answers and its seconds."""
    started = time.monotonic()
    with start("run", "--as-of", str(AS_OF), "--workspace", str(workspace.root)) as day:
        answers: list[Answer] = []
        threads = [
            threading.Thread(target=_ask, args=(workspace, day, answers, offset)) for offset in range(readers)
        ]
        # Nothing is published before the first decisions: until then there is nothing to be asked of.
        while day.poll() is None and not (workspace.published / "latest.json").exists():
            time.sleep(0.02)
        for thread in threads:
            thread.start()
        _, errors = day.communicate()
        seconds = time.monotonic() - started
        for thread in threads:
            thread.join()
    assert day.returncode == 0, errors
    return answers, seconds


def wrong(answers: Sequence[Answer], limit_seconds: float | None) -> list[str]:
    """Return which answers were none, or came too late."""
    return [
        f"{one.question} ({one.stage}): exit {one.exit_code} after {one.seconds:.2f} s {one.errors[-300:]}"
        for one in answers
        if one.exit_code
        or "lock" in one.errors.lower()
        or (limit_seconds and one.seconds > limit_seconds and one.question != _WHOLE)
    ]


def start(*words: str, output: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start a command of Relance in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        env=environment,
        cwd=shipped_root(),
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ask(workspace: Workspace, day: subprocess.Popen[str], answers: list[Answer], offset: int) -> None:
    number = offset
    while day.poll() is None:
        question = _QUESTIONS[number % len(_QUESTIONS)]
        number += 1
        stage, started = _stage(workspace), time.monotonic()
        dated = ["--as-of", str(AS_OF)] if question[0] in _DATED else []
        with start(
            *question, *dated, "--workspace", str(workspace.root), output=subprocess.DEVNULL
        ) as process:
            assert process.stderr is not None
            errors = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        answers.append(
            Answer(
                question=" ".join(question[:2]),
                stage=stage,
                seconds=time.monotonic() - started,
                processor_seconds=usage.ru_utime + usage.ru_stime,
                exit_code=process.returncode,
                errors=errors,
            )
        )


def _stage(workspace: Workspace) -> str:
    folder = workspace.outbox / f"{AS_OF}-automatic"
    journal = folder / JOURNAL_NAME
    if not journal.exists():
        return "compose"
    return "release"


def _print(answers: Sequence[Answer]) -> None:
    """Print how long answers took, and how long of it they worked: the rest they waited for machine or store."""
    print("| question | while | asked | median s | p95 s | longest s | median s of work |")
    print("|---|---|---|---|---|---|---|")
    for question, stage in sorted({(one.question, one.stage) for one in answers}):
        chosen = [one for one in answers if (one.question, one.stage) == (question, stage)]
        took = sorted(one.seconds for one in chosen)
        times = (
            statistics.median(took),
            took[min(len(took) - 1, int(len(took) * 0.95))],
            took[-1],
            statistics.median(one.processor_seconds for one in chosen),
        )
        print(f"| {question} | {stage} | {len(took)} | {' | '.join(f'{one:.2f}' for one in times)} |")


def main() -> int:
    """Let N messages leave, ask meanwhile, print; the exit code says whether each question was answered in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.readers", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--readers", type=int, default=1, help="how many ask at once")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="relance-readers-") as folder, counting_server() as (port, taken):
        workspace = make_workspace(Path(folder) / "company", asked.messages, port)
        answers, seconds = ask_while_at_work(workspace, asked.readers)
    _print(answers)
    failed = wrong(answers, LIMIT_SECONDS)
    print(
        f"\n{len(taken)} messages left in a day of {seconds:.0f} s; {len(answers)} questions, {len(failed)} failed."
    )
    print("\n".join(failed))
    return 1 if failed or len(set(taken)) != len(taken) or len(taken) != asked.messages else 0


if __name__ == "__main__":
    sys.exit(main())
