"""One trial: kill a command, look at what is there, do it again, and compare with an undisturbed one."""

import hashlib
import json
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from policies.errors import RelanceError
from tasks.audit.verify import verify_log
from tasks.decide import decide_day, decisions_as_published
from tasks.dispatch.journal import JOURNAL_NAME
from tasks.rules import read_rules
from tasks.store.audit import read_log
from tasks.store.batch_lists import list_actions, list_batches, list_messages
from tasks.store.connection import open_to_read
from tasks.store.intakes import list_intakes
from tasks.store.standings import read_standings
from tasks.workspace import Workspace
from tests.torture.company import COMMANDS, DAY, ENDED_WELL, Stages, arguments, copy_workspace, start
from tests.torture.forked import Stage, run_forked
from tests.torture.moments import APPROVE, STAGES, Moment

KILLED = -9
# Which run did it, and when, may differ; what was done may not.
_MAY_DIFFER = ("run_id", "recorded_at", "proposed_at", "dispatched_at", "ended_at", "changed_at", "intake_id")
_OF_THE_RUN = ("file_refused", "copy_published")


@dataclass(frozen=True)
class Trial:
    """What a kill left behind, and how the repeated command differs from an undisturbed one."""

    command: str
    story: str
    found: str
    differences: tuple[str, ...]

    @property
    def part(self) -> str:
        """What was killed: the part of the command where one was chosen, else the command."""
        part, colon, _ = self.story.partition(": ")
        return part if colon and part in {name for _, name, _ in STAGES} else self.command

    @property
    def result(self) -> str:
        """The verdict in words."""
        return "the same" if not self.differences else "DIFFERS: " + "; ".join(self.differences)


class Torture:
    """Kills commands in copies of the sample workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages = Stages(folder / "stages")
        self._undisturbed: dict[str, dict[str, Any]] = {}
        self._seconds: dict[str, float] = {}
        self._count = 0

    def kill_at(self, moment: Moment) -> Trial:
        """Kill a command at a moment."""
        workspace = self._copy(moment.command)
        when = "after" if moment.after else "before"
        words = arguments(workspace, COMMANDS[moment.command])
        process = start(["-m", "tests.torture.killed", moment.place, str(moment.call), when, *words])
        _, errors = process.communicate(timeout=300)
        assert process.returncode == KILLED, f"{moment.story}: was not reached. {errors}"
        return self._finish(workspace, moment.command, moment.story)

    def kill_after(self, command: str, share: float) -> Trial:
        """Kill a command after a share of the time that it holds the workspace."""
        self.undisturbed(command)
        workspace = self._copy(command)
        process = start(["-m", "flows", *arguments(workspace, COMMANDS[command])])
        while process.poll() is None and not _is_held(workspace):
            time.sleep(0.005)
        seconds = share * self._seconds[command]
        time.sleep(seconds)
        process.kill()
        process.communicate()
        ended = "" if process.returncode == KILLED else ", had ended"
        return self._finish(workspace, command, f"after {seconds:.2f} s of work{ended}")

    def kill_within(self, command: str, stage: Stage, share: float) -> Trial:
        """Kill a command after a share of the time that one of its stages takes."""
        if stage.name not in self._seconds:
            ended = run_forked(arguments(self._copy(command), COMMANDS[command]), stage)
            assert ended.seconds is not None, ended.errors
            self._seconds[stage.name] = ended.seconds
        workspace, seconds = self._copy(command), share * self._seconds[stage.name]
        killed = run_forked(arguments(workspace, COMMANDS[command]), stage, kill_after=seconds)
        when = "" if killed.exit_code == KILLED else ", had ended"
        return self._finish(workspace, command, f"{stage.name}: after {seconds:.3f} s of it{when}")

    def undisturbed(self, command: str) -> dict[str, Any]:
        """Return the traces of a command that nobody killed."""
        if command not in self._undisturbed:
            workspace = self._copy(command)
            process = start(["-m", "flows", *arguments(workspace, COMMANDS[command])])
            while process.poll() is None and not _is_held(workspace):
                time.sleep(0.005)
            started = time.monotonic()
            _, errors = process.communicate(timeout=300)
            self._seconds[command] = time.monotonic() - started
            assert process.returncode in ENDED_WELL, errors
            self._undisturbed[command] = traces(workspace)
        return self._undisturbed[command]

    def _finish(self, workspace: Workspace, command: str, story: str) -> Trial:
        found = describe(workspace)
        again = run_forked(arguments(workspace, COMMANDS[command]))
        # What was approved before the kill is approved: saying so again is wrong use, and changes nothing.
        allowed = (0, 2) if command == APPROVE else ENDED_WELL
        problems = [] if again.exit_code in allowed else [f"exit {again.exit_code}: {again.errors[-300:]}"]
        problems += differences(self.undisturbed(command), traces(workspace))
        shutil.rmtree(workspace.root)
        return Trial(command, story, found, tuple(problems))

    def _copy(self, command: str) -> Workspace:
        self._count += 1
        return copy_workspace(self.stages.before(command), self.folder / f"trial-{self._count}")


def traces(workspace: Workspace) -> dict[str, Any]:
    """Return all that a command leaves behind and that no kill may change."""
    day = decide_day(workspace, read_rules(workspace), date.fromisoformat(DAY))
    with open_to_read(workspace) as connection:
        recorded = read_standings(connection, date.fromisoformat(DAY))
        tables = {
            "batches": list_batches(connection),
            "messages": list_messages(connection),
            "actions": list_actions(connection),
            "intakes": list_intakes(connection),
            "standings": pl.concat(look.standings for look in (recorded.before, *recorded.today)),
        }
        events = read_log(connection)
    try:
        verify_log(workspace)
        log = "holds"
    except RelanceError as error:
        log = str(error)
    return {
        "decisions": _rows(decisions_as_published(day.decisions)),
        **{name: _rows(frame) for name, frame in tables.items()},
        "events": _events(events),
        "files": _files(workspace),
        "unfinished files": sorted(_relative(workspace, path) for path in _unfinished(workspace)),
        "log": log,
    }


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return what differs between two traces, in words."""
    return [
        f"{name}: {_first_difference(expected[name], found[name])}"
        for name in expected
        if expected[name] != found[name]
    ]


def describe(workspace: Workspace) -> str:
    """Return in words what a kill has left behind; reading it is a proof by itself."""
    with open_to_read(workspace) as connection:
        loaded = list_intakes(connection).height
        statuses = Counter(list_messages(connection)["status"])
        batches = Counter(list_batches(connection)["status"])
    inbox = sum(path.is_file() for path in workspace.inbox.iterdir())
    lines = sum(path.read_bytes().count(b"\n") for path in workspace.outbox.glob(f"*/{JOURNAL_NAME}"))
    parts = [f"{loaded} loaded, {inbox} in inbox"]
    parts += [f"{count} {status}" for status, count in sorted(statuses.items())]
    parts += [f"batch {status} x{count}" for status, count in sorted(batches.items())]
    parts += [f"{lines} journal lines"] if lines else []
    parts += [f"{count} unfinished files"] if (count := len(_unfinished(workspace))) else []
    return ", ".join(parts)


def _rows(frame: pl.DataFrame) -> list[str]:
    kept = frame.drop([name for name in _MAY_DIFFER if name in frame.columns])
    return sorted(json.dumps(row, default=str) for row in kept.iter_rows())


def _events(events: pl.DataFrame) -> dict[str, int]:
    names = []
    for row in events.iter_rows(named=True):
        payload = json.loads(row["payload"])
        about = row["action_id"] or payload.get("sha256") or payload.get("batch_id") or row["customer_id"]
        names.append(f"{row['kind']} {about} {payload.get('document_sha256', '')}")
    return dict(sorted(Counter(name for name in names if not name.startswith(_OF_THE_RUN)).items()))


def _files(workspace: Workspace) -> dict[str, str]:
    folders = (workspace.inbox, workspace.archive, workspace.rejected, workspace.outbox)
    published = [workspace.published / name for name in ("aging", "decisions", "reports")]
    return {
        _relative(workspace, path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (*folders, *published)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL_NAME and path.suffix != ".tmp"
    }


def _unfinished(workspace: Workspace) -> list[Path]:
    return [path for path in workspace.root.rglob("*.tmp*") if path.is_file()]


def _relative(workspace: Workspace, path: Path) -> str:
    return str(path.relative_to(workspace.root))


def _first_difference(expected: Any, found: Any) -> str:
    if isinstance(expected, str):
        return str(found)
    missing = [one for one in _pairs(expected) if one not in set(_pairs(found))]
    added = [one for one in _pairs(found) if one not in set(_pairs(expected))]
    return f"{len(missing)} missing {missing[:1]}, {len(added)} more {added[:1]}"


def _pairs(value: Any) -> list[Any]:
    return list(value.items()) if isinstance(value, dict) else list(value)


def _is_held(workspace: Workspace) -> bool:
    return workspace.lock_path.exists() and workspace.lock_path.stat().st_size > 0
