"""`relance follow-up`: what comes back."""

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


def follow_up(*, as_of: AsOf = None, workspace: Workspace = DEFAULT_WORKSPACE) -> int:
    """Take in bounces, replies, receipts of letters and reports of agencies, from mailbox, folder and inbox."""
    from flows.commands.telling import tell
    from flows.follow_up import follow_up as flow

    return tell(flow(workspace=workspace, as_of=as_of))
