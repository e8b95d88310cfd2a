"""The inbox alone: every complete file is loaded whole or refused whole."""

from collections.abc import Collection
from datetime import date
from pathlib import Path

from flows import steps
from flows.engine import storyline
from flows.start import acting, begin
from flows.summary import RunSummary, end_state
from policies.errors import WrongUseError
from tasks.intake import IntakeResult
from tasks.run import Run


@storyline("intake", "Takes in the files that finance has dropped into the inbox.")
def intake(
    workspace: Path = Path("workspace"), as_of: date | None = None, accept: list[str] | None = None
) -> RunSummary:
    """Take in the inbox.

    Args:
        workspace: The creditor's folder.
        as_of: The business date; empty = today.
        accept: Names of files to load although they clear more items than their declaration allows.
    """
    run = begin(workspace, as_of)
    with acting(run, "intake"):
        files = take_in_inbox(run, accept or ())
        steps.publish_log(run)
    summary = RunSummary(run_id=run.run_id, as_of=run.as_of, files=tuple(files))
    return end_state(run, summary)


def take_in_inbox(run: Run, accept: Collection[str] = ()) -> list[IntakeResult]:
    """Take in every complete file of the inbox.

    Raises:
        WrongUseError: a file to accept is not there; then nothing is taken in.
    """
    names, moving = steps.look_into_inbox(run)
    if missing := sorted(set(accept) - {*names, *(one.file for one in moving)}):
        raise WrongUseError(
            f"Nothing was taken in: the inbox holds no file {', '.join(missing)}. `--accept` takes the name of a "
            f"file in {run.workspace.inbox}."
        )
    return [*(steps.take_in_file(run, name, name in accept) for name in names), *moving]
