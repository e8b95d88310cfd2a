"""`relance release [B]`: approved batches leave."""

from flows.commands.options import DEFAULT_WORKSPACE, AsOf, Workspace


def release(
    batch: str | None = None, /, *, as_of: AsOf = None, workspace: Workspace = DEFAULT_WORKSPACE
) -> int:
    """Let batches leave that are approved or need no approval.

    Args:
        batch: only this one.
        as_of: the date of the dispatch.
        workspace: the creditor's folder.
    """
    from flows.commands.telling import tell
    from flows.release import release as flow

    return tell(flow(workspace=workspace, as_of=as_of, batch_id=batch))
