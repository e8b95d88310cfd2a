"""`relance start`: let batches leave again."""

from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Workspace


def start(
    *,
    by: Annotated[str, Parameter(help="Who starts.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Let batches leave again after `stop`."""
    from flows.stopping import start as flow

    print(flow(by=by, workspace=workspace))
