"""A workspace of some days with all kinds of events, to be tampered with; beside it the same some days earlier."""

import shutil
from pathlib import Path

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
        ),
    ),
)  # fmt: skip
_EARLIER = "2026-03-04"


def tampered_workspace(folder: Path) -> Workspace:
    """Return the workspace; `<name>.earlier` beside it is what it was after an earlier day."""
    workspace = fresh_workspace(folder / "company")
    for day, commands in _DAYS:
        inbox = Path(__file__).parents[1] / "data" / "sample_company" / "days" / day
        if inbox.exists() and day != _DAYS[0][0]:
            drop(workspace, day)
        for command in commands:
            done = relance(*command, "--as-of", day, "--workspace", str(workspace.root))
            # The days hold a file that is refused, too.
            assert done.returncode in (*ENDED_WELL, 3), (command, done.stderr)
        if day == _EARLIER:
            shutil.copytree(workspace.root, workspace.root.with_suffix(".earlier"))
    return workspace
