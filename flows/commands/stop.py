"""`relance stop`: halt all release at once."""

from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, Workspace


def stop(
    *,
    by: Annotated[str, Parameter(help="Who stops.")],
    why: Annotated[str, Parameter(help="The reason, for whoever wants to release.")],
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Halt all release at once, also one that is under way; everything else goes on."""
    from flows.stopping import stop as flow

    print(flow(by=by, why=why, workspace=workspace))
