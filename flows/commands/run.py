"""`relance run`: the working day."""

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


def run(*, as_of: AsOf = None, workspace: Workspace = DEFAULT_WORKSPACE) -> int:
    """Run a working day: inbox, decisions, documents, release of what needs no approval, published log."""
    from flows.commands.telling import tell
    from flows.daily import daily

    return tell(daily(workspace=workspace, as_of=as_of))
