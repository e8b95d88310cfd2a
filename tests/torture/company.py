"""A small workspace of the sample company, played to where a command can be killed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tasks.workspace import Workspace, initialise, open_workspace, shipped_root
from tests.torture.moments import APPROVE, INTAKE, RELEASE, RUN

DAY = "2026-03-02"
COMPANY = shipped_root() / "tests" / "data" / "sample_company"
FORMAL_NOTICE, PLACEMENT = f"{DAY}-formal_notice", f"{DAY}-placement"

ENDED_WELL = (0, 5)
"""Done, or done with something that waits for a person."""

COMMANDS = {
    RUN: ["run"],
    INTAKE: ["intake"],
    APPROVE: ["batches", "approve", FORMAL_NOTICE, "--by", "Claire Fontanel"],
    RELEASE: ["release"],
}


def fresh_workspace(root: Path) -> Workspace:
    """Make the workspace as it is before its first day, with the files of that day in the inbox."""
    workspace = initialise(root)
    shutil.copy(COMPANY / "creditor.yaml", workspace.creditor_path)
    shutil.copytree(COMPANY / "documents", workspace.documents, dirs_exist_ok=True)
    shutil.copytree(COMPANY / "policies", workspace.policies, dirs_exist_ok=True)
    drop(workspace, DAY)
    return workspace


def drop(workspace: Workspace, day: str) -> None:
    """Put the files of a day into the inbox."""
    for file in sorted((COMPANY / "days" / day / "inbox").iterdir()):
        shutil.copy(file, workspace.inbox / file.name)


def copy_workspace(workspace: Workspace, root: Path) -> Workspace:
    """Copy a workspace that nobody has open."""
    shutil.copytree(workspace.root, root)
    return open_workspace(root)


def arguments(workspace: Workspace, command: list[str]) -> list[str]:
    """Return the arguments of a command in this workspace on its day."""
    return [*command, "--as-of", DAY, "--workspace", str(workspace.root)]


def start(words: list[str]) -> subprocess.Popen[str]:
    """Start Python with these words, without a Prefect server."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    return subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        cwd=shipped_root(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def relance(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    process = start(["-m", "flows", *words])
    output, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


class Stages:
    """The workspaces that commands start from, each played once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Workspace] = {}

    def before(self, command: str) -> Workspace:
        """Return the workspace as it is before this command; it is to be copied, not used."""
        match command:
            case "run" | "intake":
                return self._stage("fresh")
            case "approve":
                return self._stage("after the run")
            case _:
                return self._stage("approved")

    def _stage(self, name: str) -> Workspace:
        if name not in self._made:
            root = self.folder / name.replace(" ", "-")
            if name == "fresh":
                self._made[name] = fresh_workspace(root)
            elif name == "after the run":
                self._made[name] = self._play(root, "fresh", [COMMANDS[RUN]])
            else:
                approvals = [
                    ["batches", "approve", batch, "--by", "Claire"] for batch in (FORMAL_NOTICE, PLACEMENT)
                ]
                self._made[name] = self._play(root, "after the run", approvals)
        return self._made[name]

    def _play(self, root: Path, before: str, commands: list[list[str]]) -> Workspace:
        workspace = copy_workspace(self._stage(before), root)
        for command in commands:
            done = relance(*arguments(workspace, command))
            assert done.returncode in ENDED_WELL, done.stderr
        return workspace
