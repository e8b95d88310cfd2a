"""Whether the log is whole, in the store and as published. What was done by one action: `tasks.audit.proof`."""

from policies.errors import AuditBrokenError, WaitingError
from tasks.ledger import verify_store
from tasks.publish import verify_agreement, verify_published
from tasks.store.audit import count_events
from tasks.store.connection import StoreBusyError, open_to_read
from tasks.workspace import Workspace


def verify_log(workspace: Workspace) -> str:
    """Return a sentence when the chain holds everywhere.

    Raises:
        AuditBrokenError: names the first wrong event of each place.
    """
    problems = verify_published(workspace.published)
    try:
        with open_to_read(workspace) as connection:
            problems += [f"in the store, {problem}" for problem in verify_store(connection)]
            problems += verify_agreement(connection, workspace.published)
            said = f"The log holds: {count_events(connection)} events in the store, and the published copy agrees."
    except StoreBusyError as busy:
        if not (workspace.published / "audit" / "head.json").exists():
            raise WaitingError(f"Nothing was checked: nothing is published yet. {busy}") from busy
        said = f"The published copy holds. The store was not checked: {busy}"
    if problems:
        raise AuditBrokenError(
            "The log does not hold. " + " ".join(_sentence(problem) for problem in problems)
        )
    return said


def _sentence(problem: str) -> str:
    return problem[:1].upper() + problem[1:].rstrip(".") + "."
