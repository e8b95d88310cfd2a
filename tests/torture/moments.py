"""The instants at which a command is killed: before or after the n-th call of one function of ours.

Between two of them lies every write that a working day makes; random instants look for what was not thought of.
"""

from dataclasses import dataclass

RUN = "run"
RELEASE = "release"
INTAKE = "intake"
APPROVE = "approve"


@dataclass(frozen=True)
class Moment:
    """An instant of a command.

    Attributes:
        command: what is killed.
        story: the instant in words.
        place: module:name of the function, as its caller names it.
        call: which call of it.
        after: kill when the call returns, else before it begins.
    """

    command: str
    story: str
    place: str
    call: int = 1
    after: bool = False


MOMENTS = (
    Moment(RUN, "before the first file is read", "tasks.intake:read_export"),
    Moment(RUN, "second file inserted, its event not yet", "tasks.intake:append_events", 2),
    Moment(RUN, "third file in the store, not yet in archive/", "tasks.intake:put_away", 3),
    Moment(RUN, "all files archived, nothing decided", "tasks.intake:put_away", 5, after=True),
    Moment(RUN, "two of three batches saved, not committed", "tasks.plan:save_drafts", 2, after=True),
    Moment(RUN, "batches committed, nothing published", "flows.steps:plan_day", after=True),
    Moment(RUN, "one list written, the others not", "tasks.findings.report:put_published", after=True),
    Moment(RUN, "lists written, standings not added", "tasks.findings.report:add_standings"),
    Moment(RUN, "standings added, not committed", "tasks.findings.report:add_standings", after=True),
    Moment(RUN, "published: lines written, not their table", "tasks.publish:lines_of", after=True),
    Moment(RUN, "published: segment written, not listed", "tasks.publish:_head_at"),
    Moment(RUN, "published: events there, views not", "tasks.publish:rebuild_views"),
    Moment(RUN, "published: a file noted, not written", "tasks.manifest:put_bytes", 12),
    Moment(RUN, "published: all written, the list of files not", "tasks.publish:write_manifest"),
    Moment(RUN, "in the middle of writing an e-mail", "tasks.documents.batch_folder:os.fsync", 27),
    Moment(RUN, "documents written, not noted", "tasks.compose:mark_composed"),
    Moment(RUN, "documents noted, not committed", "tasks.compose:append_events", after=True),
    Moment(RUN, "batch committed to leave, no journal", "tasks.dispatch.batches:Journal"),
    Moment(RUN, "between intent and outcome of message 5", "tasks.dispatch.journal:Journal.settle", 5),
    Moment(RUN, "half a line of the journal written", "tasks.dispatch.lasting_lines:_write_all", 8),
    Moment(RUN, "all left, journal not taken in", "tasks.dispatch.batches:take_in_journal"),
    Moment(RUN, "journal taken in, not committed", "tasks.dispatch.batches:take_in_journal", after=True),
    Moment(RUN, "released, last publishing begun", "tasks.publish:_publish_events", 2),
    Moment(INTAKE, "fourth file in the store, not yet in archive/", "tasks.intake:put_away", 4),
    Moment(INTAKE, "last file inserted, not committed", "tasks.intake:append_events", 5, after=True),
    Moment(APPROVE, "approval committed, not published", "flows.approval:approve_batch", after=True),
    Moment(RELEASE, "approved batch committed to leave", "tasks.dispatch.batches:release_batch", after=True),
    Moment(RELEASE, "between intent and outcome of a letter", "tasks.dispatch.journal:Journal.settle", 2),
    Moment(RELEASE, "letters left, journal not taken in", "tasks.dispatch.batches:take_in_journal"),
    Moment(RELEASE, "first batch closed, second not begun", "flows.steps:let_leave", after=True),
)


STAGES = (
    (INTAKE, "intake", "flows.intake:take_in_inbox"),
    (RUN, "decide", "flows.steps:decide_and_draft"),
    (RUN, "compose", "flows.steps:compose"),
)
"""Parts of a day that are killed at random instants: the command, the word for the part, and its function."""
