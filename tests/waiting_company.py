"""A small company whose notices wait for a person, for tests of approval, release and the forms of the UI."""

import atexit
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tasks.store.audit import read_log
from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, initialise
from tests.conventions.source_tree import ROOT

DAY = "2026-03-10"
NEXT_DAY = "2026-03-11"
NOTICES = f"{DAY}-notice"
POLICY: dict[str, Any] = {
    "description": "Overdue invoices get a notice that a person approves; small ones a reminder.",
    "policy": "of_a_test",
    "segments": [
        {"segment": "small", "when": "overdue_amount < 100", "ladder": "gentle"},
        {"segment": "others", "ladder": "firm"},
    ],
    "ladders": {
        "gentle": [{"step": "reminder_1", "after_due_days": 1, "channel": "email"}],
        "firm": [
            {
                "step": "notice",
                "after_due_days": 1,
                "channel": "letter",
                "template": "formal_notice",
                "approval": "required",
            }
        ],
    },
}
AMOUNTS = {"C1": "1200.00", "C2": "800.00", "C3": "500.00", "C4": "50.00", "C5": "300.00"}
"""What each customer owes; C4 is reminded without anybody's approval."""


def company(folder: Path, amounts: Mapping[str, str] = AMOUNTS, **keys: Any) -> Workspace:
    """Make a workspace with one overdue invoice per customer in its inbox; `keys` are keys of the policy."""
    workspace = initialise(folder)
    text = workspace.creditor_path.read_text(encoding="utf-8")
    lines = ["policy: of_a_test" if line.startswith("policy:") else line for line in text.splitlines()]
    workspace.creditor_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_policy(workspace, **keys)
    invoices = ["customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount"]
    customers = ["customer_id,customer_name,email,country,language,address_line_1,postcode,city"]
    for customer, amount in amounts.items():
        invoices.append(f"{customer},Client {customer} SARL,F-{customer},2026-01-05,2026-02-04,EUR,{amount}")
        customers.append(
            f"{customer},Client {customer} SARL,{customer.lower()}@example.com,FR,fr,1 rue du Port,29200,Brest"
        )
    drop(workspace, "invoices.csv", invoices)
    drop(workspace, "customers.csv", customers)
    return workspace


def write_policy(workspace: Workspace, **keys: Any) -> None:
    folder = workspace.policies / "escalation"
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(POLICY | keys, sort_keys=False)
    (folder / "of_a_test.yaml").write_text(text, encoding="utf-8")


def drop(workspace: Workspace, name: str, lines: list[str]) -> None:
    (workspace.inbox / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


_DRIVER = """
import contextlib, io, json, sys
from flows.__main__ import run

for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(json.loads(line))
    print(json.dumps([int(code), out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Told:
    """What a command ended with; `text` is all it said, whatever the width of the terminal."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return " ".join(f"{self.stdout} {self.stderr}".split())


@cache
def _command_line() -> "subprocess.Popen[str]":
    """A process that runs one command after the other, so that the program is loaded once."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    process = subprocess.Popen(
        [sys.executable, "-c", _DRIVER],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    return process


def relance(workspace: Workspace, *words: str) -> Told:
    """Run a command in the workspace to its end."""
    process = _command_line()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps([*words, "--workspace", str(workspace.root)]) + "\n")
    process.stdin.flush()
    return Told(*json.loads(process.stdout.readline()))


def relance_under_prefect(workspace: Workspace, api: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own that talks to a Prefect server."""
    return subprocess.run(
        [sys.executable, "-m", "flows", *words, "--workspace", str(workspace.root)],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": api},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def statuses(workspace: Workspace, batch_id: str = NOTICES) -> dict[str, str]:
    """Return what became of the message of each customer."""
    with open_to_read(workspace) as connection:
        messages = list_messages(connection, batch_id)
    return dict(messages.sort("customer_id").select("customer_id", "status").iter_rows())


def events(workspace: Workspace, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind: their payload, with the actor."""
    with open_to_read(workspace) as connection:
        found = read_log(connection, kind=kind)
    return [
        {**json.loads(row["payload"]), "actor": row["actor"], "customer_id": row["customer_id"]}
        for row in found.iter_rows(named=True)
    ]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
