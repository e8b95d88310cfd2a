"""A small company whose reminders have left by e-mail, and the mail that comes back to it."""

import atexit
import csv
import io
import shutil
import tempfile
import textwrap
from functools import cache
from pathlib import Path

import polars as pl

from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, initialise
from tests.integration.console import relance
from tests.integration.mail_server import DROP, MailServer, running

DAY, BACK, NEXT = "2026-03-02", "2026-03-03", "2026-03-04"
CUSTOMERS = ("ana", "ben", "cleo", "dan")
DOMAIN = "ateliers-cormier.example"
POLICY = """\
policy: returning
description: Two reminders and a notice, with a letter where no e-mail arrives.
contact: {fallback: {email: letter}}
segments: [{segment: everyone, ladder: standard}]
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email}
    - {step: reminder_2, after_previous_days: 1, channel: email}
    - {step: formal_notice, after_previous_days: 1, channel: registered_letter}
"""


def make_company(root: Path, extra: str = "", policy: str = POLICY) -> Workspace:
    """Return a workspace whose customers each owe one invoice; `extra` is added to creditor.yaml."""
    workspace = initialise(root)
    example = workspace.creditor_path.read_text(encoding="utf-8").replace(
        "policy: standard_fr", "policy: returning"
    )
    workspace.creditor_path.write_text(example + textwrap.dedent(extra), encoding="utf-8")
    (workspace.policies / "escalation").mkdir()
    (workspace.policies / "escalation" / "returning.yaml").write_text(policy, encoding="utf-8")
    invoices = [
        f"{name},{name.title()} SARL,F-{name},2026-01-05,2026-02-04,EUR,1200.00" for name in CUSTOMERS
    ]
    customers = [
        f"{name},{name.title()} SARL,{name}@client.example,FR,fr,1 rue du Port,29200,Brest"
        for name in CUSTOMERS
    ]
    write(
        workspace,
        "invoices.csv",
        "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount",
        *invoices,
    )
    write(
        workspace,
        "customers.csv",
        "customer_id,customer_name,email,country,language,address_line_1,postcode,city",
        *customers,
    )
    return workspace


@cache
def doubtful_company() -> Workspace:
    """Return the company after its mail server broke off every message behind its last line; to be copied, not used."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    broken = MailServer(to_data={f"{name}@client.example": [DROP] for name in CUSTOMERS})
    with running(broken):
        smtp = f"smtp: {{host: 127.0.0.1, port: {broken.port}, security: none}}"
        workspace = make_company(folder / "company", smtp)
        act(workspace, "run", DAY, expect=5)
    return workspace


def write(workspace: Workspace, name: str, *lines: str) -> None:
    """Drop a file in the inbox."""
    (workspace.inbox / name).write_text("\n".join((*lines, "")), encoding="utf-8")


def act(workspace: Workspace, command: str, day: str, *words: str, expect: int = 0) -> str:
    """Run a command on a day and return what it prints."""
    done = relance(
        *command.split(), *words, *(["--as-of", day] if day else []), "--workspace", str(workspace.root)
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def messages(workspace: Workspace) -> dict[str, str]:
    """Return the number of each customer's first message."""
    with open_to_read(workspace) as connection:
        listed = list_messages(connection).sort("batch_id")
    return dict(
        listed.unique("customer_id", keep="first", maintain_order=True)
        .select("customer_id", "message_id")
        .iter_rows()
    )


def statuses(workspace: Workspace) -> dict[str, str]:
    """Return the status of each customer's message."""
    with open_to_read(workspace) as connection:
        return dict(list_messages(connection).select("customer_id", "status").iter_rows())


def decisions(workspace: Workspace, day: str) -> dict[str, tuple[str, str, str]]:
    """Return for each customer the step, the channel, and the reason for not acting."""
    rows = csv.DictReader(io.StringIO(act(workspace, "decisions", day, "--format", "csv")))
    return {row["customer_id"]: (row["step"], row["channel"], row["reason"]) for row in rows}


def events(workspace: Workspace) -> pl.DataFrame:
    """Return the log, without what each run notes of the copy it published."""
    with open_to_read(workspace) as connection:
        return connection.sql(
            "select kind, actor, customer_id, action_id, payload from audit_events "
            "where kind <> 'copy_published' order by sequence"
        ).pl()


def bounce(number: str, address: str, status: str = "5.1.1", action: str = "failed") -> bytes:
    """Return a delivery report about a message, to its envelope address."""
    return textwrap.dedent(f"""\
        Return-Path: <>
        From: Mail Delivery System <MAILER-DAEMON@mx.client.example>
        To: comptabilite+{number}@{DOMAIN}
        Subject: Undelivered Mail Returned to Sender
        Message-ID: <{action}-{status}-{number}@mx.client.example>
        Date: Tue, 03 Mar 2026 07:00:00 +0100
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: text/plain

        What became of your message.

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.client.example

        Final-Recipient: rfc822; {address}
        Action: {action}
        Status: {status}

        --b--
        """).encode()


def answer(number: str, address: str, subject: str = "Re: facture", extra: str = "") -> bytes:
    """Return an answer to a message, as a mail program writes it."""
    lines = [
        f"Return-Path: <{address}>",
        f"From: Someone <{address}>",
        f"To: comptabilite@{DOMAIN}",
        f"Subject: {subject}",
        f"Message-ID: <answer-{number}@client.example>",
        "Date: Tue, 03 Mar 2026 08:00:00 +0100",
        f"In-Reply-To: <{number}@{DOMAIN}>",
        *([extra] if extra else []),
        "",
        "Bonjour, nous avons bien reçu votre message.",
        "",
    ]
    return "\r\n".join(lines).encode()


def complaint(number: str) -> bytes:
    """Return a provider's report that a recipient called a message spam (RFC 5965)."""
    return textwrap.dedent(f"""\
        Return-Path: <>
        From: Feedback <feedback@provider.example>
        To: comptabilite@{DOMAIN}
        Subject: Report of an unwanted message
        Message-ID: <report-{number}@provider.example>
        Date: Tue, 03 Mar 2026 09:00:00 +0100
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=feedback-report; boundary="b"

        --b
        Content-Type: text/plain

        A subscriber reported this message.

        --b
        Content-Type: message/feedback-report

        Feedback-Type: abuse
        Version: 1
        Original-Mail-From: <comptabilite+{number}@{DOMAIN}>

        --b--
        """).encode()
