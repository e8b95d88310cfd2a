"""`audit verify`: is the log whole, in the store and in the published copy, and does the state agree with it."""

from collections.abc import Sequence
from pathlib import Path

from policies.errors import AuditBrokenError, WaitingError
from policies.explanations import counted
from tasks.audit.heads import KeptHead, compare_kept, read_kept_heads
from tasks.audit.journals import verify_journals
from tasks.audit.personal_fields import verify_personal_fields
from tasks.audit.published import find_hashes, unsealed_files, verify_published
from tasks.audit.shared_files import verify_shared_files
from tasks.audit.state import verify_state
from tasks.ledger import verify_store
from tasks.publish import verify_agreement
from tasks.store.audit import count_events, read_hashes
from tasks.store.connection import UNREADABLE, StoreBusyError, open_to_read
from tasks.workspace import Workspace

_MOST_TOLD = 40
_WHAT_NEXT = (
    "Change nothing more here. Keep a copy of the folder as it is; find out who had access since the last good "
    "check; then restore the newest backup that `relance audit verify` finds good."
)
_UNSEALED = (
    " A run is publishing now, or was cut while it did; the next one lists and seals what it wrote: {files}."
)


def verify_log(workspace: Workspace, heads: Sequence[Path] = (), *, with_outbox: bool = True) -> str:
    """Return in words what holds, when all of it does.

    Args:
        workspace: the creditor's folder.
        heads: files of heads kept elsewhere, beside those that creditor.yaml names.
        with_outbox: whether print runs and lists in the outbox are looked at too.

    Raises:
        AuditBrokenError: tells everything that is wrong, the events and files named.
        WaitingError: another process holds the store, and nothing is published yet.
    """
    problems = verify_published(workspace.published)
    kept, not_read = read_kept_heads(workspace, heads)
    problems += not_read
    if with_outbox:
        problems += _check_outbox(workspace)
    try:
        in_store, said = _check_store(workspace, kept)
        problems += [f"in the store, {problem}" for problem in in_store]
    except StoreBusyError as busy:
        if not (workspace.published / "audit" / "head.json").exists():
            raise WaitingError(f"Nothing was checked: nothing is published yet. {busy}") from busy
        said = f"The published copy holds. The store was not checked: {busy}"
        hashes = find_hashes(workspace.published, {one.head.sequence for one in kept})
        problems += [f"published {problem}" for problem in compare_kept(kept, hashes)]
    if problems:
        raise AuditBrokenError(_tell(problems))
    unsealed = unsealed_files(workspace.published)
    said += f" {counted(len(kept), 'head')} kept elsewhere are in it." if kept else ""
    return said + (_UNSEALED.format(files=", ".join(unsealed)) if unsealed else "")


def _check_store(workspace: Workspace, kept: Sequence[KeptHead]) -> tuple[list[str], str]:
    """Return what is wrong in the store, and what to say when nothing is."""
    problems: list[str] = []
    try:
        with open_to_read(workspace) as connection:
            problems += verify_store(connection)
            problems += verify_personal_fields(connection)
            problems += verify_agreement(connection, workspace.published)
            problems += verify_journals(connection, workspace)
            hashes = read_hashes(connection, {one.head.sequence for one in kept})
            problems += compare_kept(kept, hashes)
            state = verify_state(connection)
            problems += state.problems
            count = count_events(connection)
    except UNREADABLE as error:
        first = str(error).partition("\n")[0]
        problems.append(f"{workspace.store_path.name} is damaged, DuckDB cannot read all of it: {first}")
        return problems, ""
    except AuditBrokenError as error:
        return [*problems, str(error)], ""
    older = (
        f" Recorded before seals were kept, so not covered: {', '.join(state.not_covered)}."
        if state.not_covered
        else ""
    )
    said = f"The log holds: {counted(count, 'event')} in the store, and the published copy agrees."
    return problems, f"{said} What the store holds is what the log says.{older}"


def _check_outbox(workspace: Workspace) -> list[str]:
    try:
        with open_to_read(workspace) as connection:
            return list(verify_shared_files(connection, workspace))
    except (*UNREADABLE, AuditBrokenError, StoreBusyError):
        return []  # told of the store itself


def _tell(problems: list[str]) -> str:
    told = [f"- {problem[:1].upper()}{problem[1:].rstrip('.')}." for problem in problems[:_MOST_TOLD]]
    more = [f"- And {len(problems) - _MOST_TOLD} more."] if len(problems) > _MOST_TOLD else []
    return "\n".join(["The log does not hold.", *told, *more, _WHAT_NEXT])
