"""Halts all release at once: a file in the workspace that every release looks for, before each message.

It is written without waiting for anybody. The log hears of it as soon as the store is free, from whoever acts next.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tasks.documents.whole_files import put_json
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.audit import read_log
from tasks.store.connection import open_to_read, open_to_write
from tasks.workspace import Workspace

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Stop:
    """Who halted release, why, and since when (UTC)."""

    by: str
    why: str
    since: str

    @property
    def sentence(self) -> str:
        """Say it to whoever wants to release."""
        return (
            f"release is stopped by {self.by} since {self.since[:19]}: {self.why}. "
            "`relance start --by NAME` lets batches leave again."
        )


def stop(workspace: Workspace, by: str, why: str, since: datetime) -> Stop:
    """Halt all release now; one that stands already is kept as it is."""
    if known := read_stop(workspace):
        return known
    halted = Stop(by, why, since.astimezone(UTC).isoformat(timespec="microseconds"))
    put_json(workspace.stop_path, asdict(halted))
    return halted


def read_stop(workspace: Workspace) -> Stop | None:
    """Return who halted release, or nothing. A file that cannot be read halts too, since it was touched."""
    path = workspace.stop_path
    try:
        return Stop(
            **{name: str(text) for name, text in json.loads(path.read_text(encoding="utf-8")).items()}
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError):
        return Stop(_UNKNOWN, f"the file {path.name} stands in the workspace", _touched_at(path))


def _touched_at(path: Path) -> str:
    try:
        changed = path.stat().st_mtime
    except OSError:
        return _UNKNOWN
    return datetime.fromtimestamp(changed, UTC).isoformat(timespec="microseconds")


def log_stop(run: Run) -> bool:
    """Tell the log of a stop that it has not heard of, or that it holds for ended; return whether there was one."""
    halted = read_stop(run.workspace)
    if halted is None or _is_logged(run, halted):
        return False
    with open_to_write(run.workspace) as connection:
        event = NewEvent("release_stopped", {"claimed_by": halted.by, **asdict(halted)})
        append_events(connection, [event], recorded_at=run.clock(), actor=halted.by, run_id=run.run_id)
    return True


def start(run: Run, by: str) -> Stop | None:
    """Let release go on; return what had halted it.

    The log hears of it first, so a cut leaves the stop in place; whoever acts next then logs it once more.
    """
    halted = read_stop(run.workspace)
    if halted is None:
        return None
    with open_to_write(run.workspace) as connection:
        payload = {"claimed_by": by, "stopped_by": halted.by, "stopped_since": halted.since}
        event = NewEvent("release_started", payload)
        append_events(connection, [event], recorded_at=run.clock(), actor=by, run_id=run.run_id)
    run.workspace.stop_path.unlink(missing_ok=True)
    return halted


def _is_logged(run: Run, halted: Stop) -> bool:
    """Return whether the log knows of this stop, and of no start since."""
    with open_to_read(run.workspace) as connection:
        stops = read_log(connection, kind="release_stopped")
        starts = read_log(connection, kind="release_started")
    told = [
        sequence
        for sequence, payload in stops.select("sequence", "payload").iter_rows()
        if json.loads(payload)["since"] == halted.since
    ]
    return bool(told) and not any(sequence > max(told) for sequence in starts["sequence"])
