"""A workspace with a batch of e-mails that is ready to leave, and what became of it afterwards.

Everything that opens a store happens in a child of the process that asks: one process imports Relance once, and each
child is what a fresh process would be from then on. `python -m tests.torture.mailing FOLDER N` only prepares.
"""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from flows import engine

engine.choose_way()

from flows import steps
from flows.release import release
from flows.start import acting, begin
from policies.errors import RelanceError
from tasks.audit.verify import verify_log
from tasks.dispatch.journal import JOURNAL_NAME
from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, initialise, open_workspace, shipped_root
from tests.torture.company import COMPANY

# Lazily imported by every release: here, so that no child pays for it again.
importlib.import_module("pyarrow.dataset")

AS_OF = date(2026, 3, 2)
POLICY = """\
description: One reminder by e-mail to everyone who is late.
policy: torture
segments:
  - {segment: everyone, ladder: standard}
ladders:
  standard:
    - {step: reminder_1, after_due_days: 1, channel: email}
"""


def prepare(root: Path, customers: int, as_of: date = AS_OF) -> Workspace:
    """Make a workspace with a composed batch of one e-mail for each customer."""
    run_child(lambda: _prepare(root, customers, as_of))
    return open_workspace(root)


def _prepare(root: Path, customers: int, as_of: date) -> None:
    workspace = initialise(root)
    text = (COMPANY / "creditor.yaml").read_text(encoding="utf-8")
    creditor = text.replace("policy: standard_fr", "policy: torture")
    workspace.creditor_path.write_text(creditor, encoding="utf-8")
    folder = workspace.policies / "escalation"
    folder.mkdir(parents=True)
    (folder / "torture.yaml").write_text(POLICY, encoding="utf-8")
    names = [f"{number:05}" for number in range(1, customers + 1)]
    (workspace.inbox / "customers.csv").write_text(
        "customer_id,customer_name,email,country,language\n"
        + "".join(f"C{n},Customer {n} SARL,accounts@buyer{n}.example,FR,fr\n" for n in names),
        encoding="utf-8",
    )
    (workspace.inbox / "invoices.csv").write_text(
        "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount\n"
        + "".join(
            f"C{n},Customer {n} SARL,F{n}-{part},2026-01-0{part},2026-02-0{part},EUR,{part}20.00\n"
            for n in names
            for part in (1, 2, 3)
        ),
        encoding="utf-8",
    )
    run = begin(root, as_of, say=lambda line: None)
    with acting(run, "run"):
        for name in ("customers.csv", "invoices.csv"):
            steps.take_in_file(run, name)
        steps.decide_and_draft(run)
        for batch in steps.find_unfinished(run):
            steps.compose(run, batch)


@contextmanager
def serving(*words: str) -> Iterator[int]:
    """Run a server in a process of its own, told by these words to Python; yields the port that it prints."""
    process = subprocess.Popen(
        [sys.executable, *words], cwd=shipped_root(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def copy_for(workspace: Workspace, root: Path, way: str) -> Workspace:
    """Copy a prepared workspace and say how its mail leaves; documents are shared, for nothing writes to them."""
    shutil.copytree(workspace.root, root, copy_function=_link_documents)
    copied = open_workspace(root)
    copied.creditor_path.write_text(
        workspace.creditor_path.read_text(encoding="utf-8") + f"\n{way}\n", encoding="utf-8"
    )
    return copied


def _link_documents(source: str, target: str) -> None:
    if source.endswith(".eml"):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def let_leave(workspace: Workspace, as_of: date = AS_OF) -> list[str]:
    """Release all that may leave; return the sentences for people."""
    return release(workspace.root, as_of).kept


def take_in_file(workspace: Workspace, name: str) -> None:
    """Load a file of the inbox, today."""
    run = begin(workspace.root, None, say=lambda line: None)
    with acting(run, "intake"):
        result = steps.take_in_file(run, name)
    assert result.status == "loaded", result.message


def state_of(workspace: Workspace) -> dict[str, Any]:
    """Return the status of each message, and what is wrong with the log."""
    with open_to_read(workspace) as connection:
        messages = list_messages(connection)
    try:
        verify_log(workspace)
        log = ""
    except RelanceError as error:
        log = str(error)
    return {"statuses": dict(messages.select("message_id", "status").iter_rows()), "log": log}


def start_child(work: Callable[[], Any]) -> tuple[int, int]:
    """Do something in a child of this process; return its number and where it will say what came out."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    if child := os.fork():
        os.close(theirs)
        return child, ours
    os.close(ours)
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        engine.say = lambda line: None
        result = json.dumps({"result": work()})
        code = 0
    except SystemExit as end:
        result, code = json.dumps({"error": "ended"}), int(end.code or 0)
    except KeyboardInterrupt:
        result, code = json.dumps({"error": "interrupted"}), 130
    except BaseException:  # noqa: BLE001 - told to the parent, whatever it is
        result = json.dumps({"error": traceback.format_exc()})
    os.write(theirs, result.encode())
    os._exit(code)


def end_child(child: int, pipe: int) -> tuple[int, Any]:
    """Wait for a child; return its exit code (negative: killed by that signal) and what came out."""
    with os.fdopen(pipe, "rb") as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(said) if said else {}


def run_child(work: Callable[[], Any]) -> Any:
    """Do something in a child and return what came out."""
    code, said = end_child(*start_child(work))
    if code:
        raise AssertionError(said.get("error", f"exit {code}"))
    return said["result"]


def wait_for_journal(workspace: Workspace, child: int) -> None:
    """Return when a release has begun its journal, or has ended."""
    while not any(workspace.outbox.glob(f"*/{JOURNAL_NAME}")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.0005)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), int(sys.argv[2]))
