"""`relance intake`: only the inbox."""

from typing import Annotated

from cyclopts import Parameter

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


def intake(
    *,
    as_of: AsOf = None,
    accept: Annotated[
        list[str] | None,
        Parameter(help="Load this file although it clears more items than its declaration allows."),
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> int:
    """Take in the files of the inbox: each is loaded whole, or refused whole with a list of its errors."""
    from flows.commands.telling import tell
    from flows.intake import intake as flow

    return tell(flow(workspace=workspace, as_of=as_of, accept=accept))
