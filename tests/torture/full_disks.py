"""Runs commands on disks that fill up at every stage: python -m tests.torture.full_disks (as root: it mounts them).

A disk holds the workspace and so many kilobytes more. Whatever is full, the command says so and ends with code 2;
with room again, the same command leaves what an undisturbed one does, and nothing has left twice.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace
from tests.torture.company import COMMANDS, ENDED_WELL, arguments, copy_workspace, relance
from tests.torture.moments import APPROVE, INTAKE, RELEASE, RUN
from tests.torture.readers import AS_OF, counting_server, make_workspace
from tests.torture.trials import Torture, differences, traces

MAILING = "release by mail"
_SPARE_KILOBYTES = {
    INTAKE: (0, 64, 512, 1024, 1536, 2048),
    RUN: (0, 768, 1024, 1280, 1536, 1792, 2048, 2304, 2560, 2816, 3072, 3584, 4096, 5120),
    APPROVE: (0, 4, 16, 64, 128, 256),
    RELEASE: (0, 4, 8, 16, 32, 64, 96, 128, 192, 256, 320, 384, 512),
    MAILING: (0, 4, 8, 12, 16, 24),
}
_MESSAGES, _CONNECTIONS = 40, 4
_TOLD = ("the disk is full", "No space left on device")


@dataclass(frozen=True)
class Filled:
    """What a command did on a disk with so much room, and how it differs once there is room again."""

    command: str
    spare_kilobytes: int
    exit_code: int
    told: str
    differences: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Return whether it ended well or said what is wrong, and lost nothing."""
        said = self.exit_code == 2 and any(sign in self.told for sign in _TOLD)
        return not self.differences and (self.exit_code in ENDED_WELL or said)


def fill(torture: Torture, command: str, spare_kilobytes: int) -> Filled:
    """Run a command on a disk with so much room, then again with plenty."""
    expected = torture.undisturbed(command)
    before = torture.stages.before(command)
    with small_disk(_kilobytes(before) + spare_kilobytes) as disk:
        workspace = copy_workspace(before, disk / "company")
        first = relance(*arguments(workspace, COMMANDS[command]))
        grow(disk)
        again = relance(*arguments(workspace, COMMANDS[command]))
        allowed = (0, 2) if command == APPROVE else ENDED_WELL
        wrong = [] if again.returncode in allowed else [f"exit {again.returncode}: {again.stderr[-300:]}"]
        wrong += differences(expected, traces(workspace))
    return Filled(command, spare_kilobytes, first.returncode, first.stderr.strip()[-300:], tuple(wrong))


def fill_journal(folder: Path, spare_kilobytes: int) -> Filled:
    """Let messages leave by mail while the disk of the outbox has so much room for their journal; then with plenty."""
    with counting_server() as (port, taken):
        workspace = make_workspace(folder / f"mailing-{spare_kilobytes}", _MESSAGES, port)
        where = ("--workspace", str(workspace.root))
        dated = ("--as-of", str(AS_OF), *where)
        relance("stop", "--by", "Claire", "--why", "the disk is prepared", *where)
        assert relance("run", *dated).returncode in ENDED_WELL
        relance("start", "--by", "Claire", *where)
        with small_disk(_kilobytes(Workspace(workspace.outbox)) + spare_kilobytes) as disk:
            shutil.copytree(workspace.outbox, disk, dirs_exist_ok=True)
            shutil.rmtree(workspace.outbox)
            workspace.outbox.symlink_to(disk)
            first = relance("release", *dated)
            grow(disk)
            relance("release", *dated)
        with open_to_read(workspace) as connection:
            statuses = Counter(list_messages(connection)["status"])
    known = statuses["dispatched"] + statuses["uncertain"]
    problems = [f"{len(taken) - len(set(taken))} twice"] if len(set(taken)) < len(taken) else []
    problems += [f"{_MESSAGES - known} forgotten"] if known < _MESSAGES else []
    problems += [f"{statuses['uncertain']} uncertain"] if statuses["uncertain"] > _CONNECTIONS else []
    return Filled(MAILING, spare_kilobytes, first.returncode, first.stderr[-300:], tuple(problems))


@contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """Lend a disk of this size, in memory."""
    with tempfile.TemporaryDirectory(prefix="relance-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def grow(disk: Path) -> None:
    """Give the disk plenty of room."""
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)


def _kilobytes(workspace: Workspace) -> int:
    """Return what the files and folders take on a disk that counts pages of 4 kB."""
    files = [path for path in workspace.root.rglob("*") if path.is_file()]
    return 4 * sum(-(-path.stat().st_size // 4096) for path in files) + 4


def main() -> int:
    """Fill disks at every stage; the exit code says whether nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.full_disks", description=__doc__)
    parser.add_argument("--only", choices=list(_SPARE_KILOBYTES), help="this command alone")
    only, wrong = parser.parse_args().only, 0
    print("| command | room, kB | exit | told | with room again |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="relance-full-disks-") as folder:
        torture = Torture(Path(folder))
        for command, spares in _SPARE_KILOBYTES.items():
            if only and command != only:
                continue
            for spare in spares:
                found = (
                    fill_journal(Path(folder), spare) if command == MAILING else fill(torture, command, spare)
                )
                wrong += not found.is_right
                result = "the same" if not found.differences else "DIFFERS: " + "; ".join(found.differences)
                told = found.told.splitlines()[-1][-160:] if found.told else ""
                print(f"| {command} | {spare} | {found.exit_code} | {told} | {result} |", flush=True)
    print(f"\n{wrong} wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
