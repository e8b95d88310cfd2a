"""Who acts in a workspace: one process at a time, named, so that a second one waits and then says for whom.

The lock is held by the operating system, so it ends with its process; the text in the file only tells people.
"""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from policies.errors import WaitingError
from tasks.workspace import Workspace, prepare_folders

_POLL_SECONDS = 0.05


@dataclass
class _Held:
    descriptor: int
    depth: int = 1


_held: dict[Path, _Held] = {}
_held_guard = threading.Lock()


class WorkspaceHeldError(WaitingError):
    """Another process acts in the workspace."""


@contextmanager
def hold_workspace(
    workspace: Workspace, purpose: str, since: datetime, patience_seconds: float = 30
) -> Iterator[None]:
    """Let only this process act in the workspace; it may hold it several times over.

    Args:
        workspace: what is held.
        purpose: told to whoever waits, such as `run`.
        since: the instant told to whoever waits.
        patience_seconds: how long to wait for another process before giving up.
    """
    path = workspace.lock_path.resolve()
    deadline = time.monotonic() + patience_seconds
    while not _try_to_hold(path, purpose, since):
        if time.monotonic() >= deadline:
            holder = describe_holder(workspace) or "another process"
            raise WorkspaceHeldError(
                f"{workspace.root}: {holder} is at work here, and still was after {patience_seconds:g} seconds. "
                "Nothing was done; try again when it has finished."
            )
        time.sleep(_POLL_SECONDS)
    try:
        prepare_folders(workspace)
        yield
    finally:
        _let_go(path)


def describe_holder(workspace: Workspace) -> str | None:
    """Return who last took the workspace and has not let it go, in words, or nothing."""
    try:
        holder = json.loads(workspace.lock_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return f"`{holder['purpose']}` (process {holder['pid']} on {holder['host']}, since {holder['since']})"


def _try_to_hold(path: Path, purpose: str, since: datetime) -> bool:
    with _held_guard:
        if held := _held.get(path):
            held.depth += 1
            return True
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        _write(descriptor, json.dumps(_card(purpose, since)))
        _held[path] = _Held(descriptor)
        return True


def _let_go(path: Path) -> None:
    with _held_guard:
        held = _held[path]
        held.depth -= 1
        if held.depth == 0:
            # The file stays: removing it would let two processes lock two different files of one name.
            _write(held.descriptor, "")
            os.close(held.descriptor)
            del _held[path]


def _card(purpose: str, since: datetime) -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "purpose": purpose,
        "since": since.isoformat(timespec="seconds"),
    }


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("utf-8"), 0)
