"""What a run has done, for people: the same facts for the terminal, the UI and machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flows import engine
from flows.steps import DecidedDay
from policies.errors import ExitCode
from policies.explanations import counted
from tasks.dispatch.batches import BatchRelease
from tasks.intake import IntakeResult, IntakeStatus
from tasks.plan import PlannedBatch
from tasks.returns.outcome import Returned
from tasks.run import Run

_MOST_BOUNCED = 20


@dataclass(frozen=True)
class RunSummary:
    """One run in counts; `waiting` are the batches that wait for a person, `doubts` the messages, and for whom."""

    run_id: str
    as_of: date
    files: tuple[IntakeResult, ...] = ()
    decided: DecidedDay | None = None
    released: tuple[BatchRelease, ...] = ()
    waiting: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    ran_out: tuple[str, ...] = ()
    stopped: str = ""
    returned: Returned | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> list[IntakeResult]:
        """The files that were refused."""
        return [one for one in self.files if one.status is IntakeStatus.REFUSED]

    @property
    def kept(self) -> list[str]:
        """Sentences on what waits for a person beside batches: kept files, kept e-mail, uncertain messages."""
        files = [f"{one.file}: {one.message}" for one in self.files if one.status is IntakeStatus.KEPT]
        stopped = [self.stopped] if self.stopped else []
        batches = [f"{one.batch_id}: {one.kept}" for one in self.released if one.kept]
        counts = [(one.batch_id, one.counts) for one in self.released if one.counts]
        problems = [f"{batch}: {problem}" for batch, count in counts for problem in count.problems]
        refused = [
            f"{one.batch_id}: the mail server refused {counted(len(one.bounced), 'recipient')}, counted as bounced: "
            f"{'; '.join(one.bounced)}"
            for one in self.released
            if one.bounced
        ]
        doubts = [
            f"message {message} ({whom}) may or may not have left; it is never sent again by itself: "
            f"`relance resolve {message}` shows what is known"
            for message, whom in self.doubts.items()
        ]
        came_back = self.returned.person_lines if self.returned else []
        return [*stopped, *files, *batches, *problems, *refused, *doubts, *came_back]

    @property
    def exit_code(self) -> ExitCode:
        """What the command returns: refused input first, then what waits."""
        if self.refused:
            return ExitCode.INPUT_REFUSED
        return ExitCode.WAITING if self.kept or self.waiting else ExitCode.DONE


def end_state(run: Run, summary: RunSummary) -> RunSummary:
    """Return what a flow ends with: under Prefect, artifacts and a state that shows what needs a person."""
    if not engine.is_plain():
        show_in_ui(run, summary)
    needs = _needs(summary)
    return engine.ended(summary, "; ".join(needs) or f"Run of {summary.as_of} done.", bool(needs))


def show_in_ui(run: Run, summary: RunSummary) -> None:
    """Keep the summary, the files, the aging and the decisions as artifacts, one history per workspace."""
    creditor = engine.key_of(run.workspace.root.name)
    day = f"{run.workspace.root.name}, {summary.as_of}"
    engine.show_text(f"{creditor}-run", _markdown(run, summary), f"What the run did - {day}")
    if summary.files:
        engine.show_table(f"{creditor}-files", _files(summary), f"Files of the inbox - {day}")
    if summary.decided:
        engine.show_table(f"{creditor}-aging", summary.decided.aging, f"Aging, sums by currency - {day}")
        engine.show_table(
            f"{creditor}-decisions", _decisions(summary.decided), f"Decisions, in open items - {day}"
        )


def _needs(summary: RunSummary) -> list[str]:
    return [
        *(f"{one.file} was refused" for one in summary.refused),
        *summary.kept,
        *(f"batch {batch} waits for approval" for batch in summary.waiting),
    ]


def _markdown(run: Run, summary: RunSummary) -> str:
    """Tell the run in a page: what needs a person comes first."""
    refused = [f"**{one.file}** was refused: {one.message}" for one in summary.refused]
    waiting = [f"Batch **{batch}** waits for approval." for batch in summary.waiting]
    sections = {
        "Needs a person": [*refused, *summary.kept, *waiting],
        "Inbox": [f"{one.file}: {one.status.value}" for one in summary.files],
        "Owed": [f"{row['currency']} {row['total']}" for row in summary.decided.aging]
        if summary.decided
        else [],
        "To do": summary.decided.findings.sentences if summary.decided else [],
        "Left out": [f"{one.batch_id}: {note}" for one in _drafted(summary) for note in one.notes],
        "Ran out": list(summary.ran_out),
        "Left": [_left(one) for one in summary.released],
        "Taken out": [f"{one.batch_id}: {why}" for one in summary.released for why in one.withdrawn],
        "Came back": returned_sentences(summary.returned),
    }
    lines = [f"# {run.workspace.root.name}, {summary.as_of}"]
    for title, sentences in sections.items():
        if sentences:
            lines += ["", f"## {title}", "", *(f"- {sentence}" for sentence in sentences)]
    if waiting:
        lines += [
            "",
            (
                "Each waiting batch has a suspended run of `review`: resume it to decide in a form. "
                "Without one, start `review`, or `approve` (or `reject`) and `release`."
            ),
        ]
    if summary.decided:
        lines += ["", f"Lists: `{run.workspace.published / 'reports' / str(summary.as_of)}`."]
    lines += ["", f"Documents: `{run.workspace.outbox}`. Log: `relance audit log --run {summary.run_id}`."]
    return "\n".join(lines)


def returned_sentences(returned: Returned | None) -> list[str]:
    """Return what came back, in counts."""
    if returned is None:
        return []
    what = [f"{name.replace('_', ' ')} {count}" for name, count in returned.counts.items()]
    known = [f"{counted(returned.known, 'mail')} known before"] if returned.known else []
    settled = [f"message {one} had left after all" for one in returned.settled]
    bounced = [f"the address bounced: {one}" for one in returned.bounced[:_MOST_BOUNCED]]
    more = len(returned.bounced) - len(bounced)
    rest = [f"and {more} more: `relance audit log --kind mail_returned` lists them"] if more else []
    return [", ".join([*what, *known]) or "no mail", *bounced, *rest, *settled]


def _drafted(summary: RunSummary) -> tuple[PlannedBatch, ...]:
    return summary.decided.drafted if summary.decided else ()


def _left(one: BatchRelease) -> str:
    withdrawn = f", {len(one.withdrawn)} withdrawn" if one.withdrawn else ""
    return f"{one.batch_id}: {counted(one.counts.dispatched if one.counts else 0, 'message')}{withdrawn}"


def _files(summary: RunSummary) -> list[dict[str, Any]]:
    return [
        {
            "file": one.file,
            "status": one.status.value,
            "rows": ", ".join(f"{count} {kind}" for kind, count in one.rows.items()),
            "message": one.message,
        }
        for one in summary.files
    ]


def _decisions(decided: DecidedDay) -> list[dict[str, Any]]:
    acting = [{"decision": "act", "step or reason": step, "items": n} for step, n in decided.steps.items()]
    held = [{"decision": "hold", "step or reason": why, "items": n} for why, n in decided.reasons.items()]
    return [*acting, *held]
