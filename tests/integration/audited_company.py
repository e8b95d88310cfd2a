"""The sample company played over two days and some people beside it, to be asked about and erased."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.workspace import Workspace, shipped_root
from tests.integration.console import relance
from tests.torture.company import ENDED_WELL, fresh_workspace, start

FIRST, SECOND, LATER = "2026-03-02", "2026-03-03", "2026-05-04"
SCRIPT, FORMULA = "<script>alert(1)</script>", "=cmd|' /C calc'!A0"
HOSTILE = "=1+1<b>"
NOTE = "Ask for Zebulon Quartzmann at the desk"

MAILED, CALLED, PLACED, NOTIFIED = "P1", "P3", "P4", "P5"
PEOPLE = {
    MAILED: ("Zebulon Quartzmann", "zebulon.q@quartzmann.example", "1 rue Quartzmann"),
    CALLED: ("Balthazar Wexcombe", "b.wex@wexcombe.example", "3 rue Wexcombe"),
    PLACED: ("Clementine Yarrowby", "c.yar@yarrowby.example", "4 rue Yarrowby"),
    NOTIFIED: ("Leopold Ashgrave", "l.ash@ashgrave.example", "5 rue Ashgrave"),
}
"""Who is reached by each channel: name, e-mail, street."""

_DUE = {
    MAILED: "2026-02-20",
    CALLED: "2026-02-10",
    PLACED: "2026-01-05",
    NOTIFIED: "2026-01-25",
}
_BEFORE = {
    CALLED: ("reminder_2",),
    PLACED: ("reminder_2", "call", "formal_notice"),
    NOTIFIED: ("reminder_2", "call"),
}

_RUN_ALL = f"""
import json, sys
from flows.__main__ import run
codes = [run(words) for words in json.loads(sys.argv[1])]
sys.exit(any(code not in {ENDED_WELL} for code in codes))
"""


def play(root: Path) -> Workspace:
    """Play two days: batches approved, one rejected, the policy's text changed in between, people who pay."""
    workspace = fresh_workspace(root)
    _drop_people(workspace)
    name = "Claire Fontanel"
    reject = [
        "batches",
        "reject",
        f"{FIRST}-formal_notice",
        "--by",
        "Noé Brun",
        "--why",
        "not before the fair",
    ]
    record = ["record", "answer", "--customer", MAILED, "--invoice", f"F-{MAILED}", "--note", NOTE]
    _run_all(
        workspace,
        FIRST,
        ["run"],
        *(["batches", "approve", f"{FIRST}-{batch}", "--by", name] for batch in ("automatic", "placement")),
        [*reject, "--until", "2026-03-20"],
        ["release"],
        [*record, "--reason", "will pay"],
    )
    _change_policy(workspace)
    _drop_payments(workspace)
    _run_all(workspace, SECOND, ["run"])
    return workspace


def _run_all(workspace: Workspace, day: str, *commands: Sequence[str]) -> None:
    """Run commands one after the other in one process: most of each is spent on imports."""
    given = [[*words, "--as-of", day, "--workspace", str(workspace.root)] for words in commands]
    process = start(["-c", _RUN_ALL, json.dumps(given)])
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, output + errors


def ask(workspace: Workspace, *words: str) -> str:
    """Run a command of `relance audit` that must answer; return what it prints."""
    done = relance("audit", *words, "--workspace", str(workspace.root))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _drop_people(workspace: Workspace) -> None:
    rows = [
        {
            "customer_id": customer, "customer_name": name, "invoice_number": f"F-{customer}",
            "invoice_date": "2026-01-02", "due_date": _DUE[customer], "currency": "EUR", "amount": "900.00",
            "email": email, "address_line_1": street, "postcode": "44000", "city": "Nantes", "country": "FR",
            "phone": "+33 2 40 11 22 33", "language": "fr",
        }
        for customer, (name, email, street) in PEOPLE.items()
    ]  # fmt: skip
    hostile = {
        **rows[0],
        "customer_id": HOSTILE,
        "customer_name": SCRIPT,
        "invoice_number": FORMULA,
        "email": "hostile@example.com",
        "address_line_1": "6 rue Basse",
    }
    _write(workspace.inbox / f"invoices-people-{FIRST}.csv", [*rows, hostile])
    _write(
        workspace.inbox / f"actions-people-{FIRST}.csv",
        [
            {
                "customer_id": customer, "invoice_number": f"F-{customer}", "installment": "1", "step": step,
                "dispatch_date": f"2026-02-{day:02d}", "channel": "email",
            }
            for customer, steps in _BEFORE.items()
            for day, step in enumerate(steps, start=4)
        ],
    )  # fmt: skip


def _drop_payments(workspace: Workspace) -> None:
    rows = [
        {
            "payment_id": f"PAY-{customer}", "customer_id": customer, "payment_date": SECOND, "currency": "EUR",
            "amount": "900.00", "invoice_number": f"F-{customer}", "reference": f"VIR {PEOPLE[customer][0]}",
        }
        for customer in PEOPLE
    ]  # fmt: skip
    _write(workspace.inbox / f"payments-people-{SECOND}.csv", rows)


def _change_policy(workspace: Workspace) -> None:
    shipped = shipped_root() / "policies" / "escalation" / "standard_fr.yaml"
    own = workspace.policies / "escalation" / shipped.name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(shipped.read_text(encoding="utf-8") + "\n# read again in March\n", encoding="utf-8")


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
