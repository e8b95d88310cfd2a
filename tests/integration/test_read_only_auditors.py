"""Auditors who may not read the store, as docs/auditors.md shares a workspace: they ask, and change nothing."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.workspace import Workspace, open_workspace, shipped_root
from tests.integration.audited_company import CALLED, PEOPLE, SECOND

# Everything is imported by a first round, since who has no rights may not read the program's folder either.
_WITHOUT_RIGHTS = """
import contextlib, io, json, os, sys
from flows.__main__ import run

def answer(words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        return [run(words), out.getvalue(), err.getvalue()]

commands = json.loads(sys.argv[1])
for words in commands:
    answer(words)
import flows.erasure
os.chmod(sys.argv[2], 0 if os.geteuid() else 0o600)
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([answer(words) for words in [*commands, json.loads(sys.argv[3])]]))
"""


@pytest.fixture
def open_to_all(audited: Workspace) -> Iterator[Workspace]:
    """Copy the workspace where somebody without rights finds it."""
    folder = Path(tempfile.mkdtemp(prefix="relance-auditors-"))
    folder.chmod(0o755)
    shutil.copytree(audited.root, folder / "workspace")
    yield open_workspace(folder / "workspace")
    shutil.rmtree(folder)


def test_who_may_not_read_the_store_is_answered_from_what_is_published(open_to_all: Workspace) -> None:
    root = str(open_to_all.root)
    commands = [
        [*words, "--workspace", root]
        for words in (
            ["audit", "query", "why-not", CALLED],
            ["audit", "log", "--newest", "3"],
            ["audit", "dossier", CALLED],
            ["audit", "verify"],
            ["batches", "list"],
        )
    ]
    erase = [
        "audit",
        "erase",
        "--customer",
        CALLED,
        "--by",
        "x",
        "--why",
        "y",
        "--as-of",
        SECOND,
        "--workspace",
        root,
    ]
    for path in (open_to_all.lock_path, open_to_all.root):
        path.chmod(0o555)
    given = [json.dumps(commands), str(open_to_all.store_path), json.dumps(erase)]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RIGHTS, *given],
        cwd=shipped_root(), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    why_not, log, dossier, verify, batches, erased = json.loads(done.stdout)
    open_to_all.root.chmod(0o755)
    assert (why_not[0], log[0], dossier[0], verify[0]) == (0, 0, 0, 0)
    assert "call left on 2026-03-02" in why_not[1]
    assert "may not be read by you" in dossier[1]
    assert PEOPLE[CALLED][0] not in dossier[1]
    assert "The published copy holds" in verify[1]
    assert "You may not read the store: this is what was published last" in batches[2]
    assert (erased[0], erased[1]) == (2, "")
