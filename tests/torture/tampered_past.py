"""A workspace of some days with all kinds of events, to be tampered with; beside it the same some days earlier."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from policies.creditor import Returns
from tasks.returns.incoming import Chunk, Incoming
from tasks.returns.taking_in import take_in_mail
from tasks.run import Run
from tasks.store.returns import Position
from tasks.workspace import Workspace
from tests.torture.company import ENDED_WELL, drop, fresh_workspace, relance

_DAYS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("2026-03-02", (("run",),)),
    ("2026-03-03", (("record", "dispute", "--customer", "00107", "--amount", "10", "--note", "wrong price"),)),
    ("2026-03-04", (("batches", "approve", "2026-03-02-formal_notice", "--by", "Claire"), ("release",), ("run",))),
    (
        "2026-03-09",
        (
            (
                "batches", "reject", "2026-03-02-placement", "--by", "Claire",
                "--why", "too early", "--until", "2026-04-01",
            ),
            ("run",),
            ("follow-up",),
        ),
    ),
)  # fmt: skip
_EARLIER = "2026-03-04"
_ANSWER = """From: Somebody <somebody@client.example>
To: us@creditor.example
Subject: Re: your letter
Message-ID: <%s@client.example>
Date: Mon, 09 Mar 2026 10:00:00 +0100

I have a question.
"""


def tampered_workspace(folder: Path) -> Workspace:
    """Return the workspace; `<name>.earlier` beside it is what it was after an earlier day."""
    workspace = fresh_workspace(folder / "company")
    for day, commands in _DAYS:
        inbox = Path(__file__).parents[1] / "data" / "sample_company" / "days" / day
        if inbox.exists() and day != _DAYS[0][0]:
            drop(workspace, day)
        if day == _DAYS[-1][0]:
            read_mail(workspace, date.fromisoformat(day))
        for command in commands:
            done = relance(*command, "--as-of", day, "--workspace", str(workspace.root))
            # The days hold a file that is refused, too.
            assert done.returncode in (*ENDED_WELL, 3), (command, done.stderr)
        if day == _EARLIER:
            shutil.copytree(workspace.root, workspace.root.with_suffix(".earlier"))
    return workspace


def read_mail(workspace: Workspace, day: date) -> None:
    """Take in two mails as from a mailbox, and leave two more in the inbox for `relance follow-up`."""
    now = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    run = Run(workspace, day, day, f"{day}-mailbox", "relance", lambda: now, lambda line: None)
    mails = [Incoming("imap", f"INBOX, number {number}", _answer(day, number)) for number in (6, 7)]
    position = Position("imap.creditor.example:993/INBOX", 1, 7)
    take_in_mail(run, [Chunk(mails, position)], Returns(), lambda evidence: None)
    workspace.returned.mkdir(exist_ok=True)
    for number in (8, 9):
        (workspace.returned / f"{number}.eml").write_bytes(_answer(day, number))


def _answer(day: date, number: int) -> bytes:
    return (_ANSWER % f"{day}-{number}").encode()
