"""What a run has done, for people: the same facts for the terminal, the UI and machines."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from flows import engine
from flows.steps import DecidedDay
from policies.errors import ExitCode
from tasks.dispatch.batches import BatchRelease
from tasks.intake import IntakeResult, IntakeStatus


@dataclass(frozen=True)
class RunSummary:
    """One run in counts; `waiting` are the batches that wait for a person."""

    run_id: str
    as_of: date
    files: tuple[IntakeResult, ...] = ()
    decided: DecidedDay | None = None
    released: tuple[BatchRelease, ...] = ()
    waiting: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> list[IntakeResult]:
        """The files that were refused."""
        return [one for one in self.files if one.status is IntakeStatus.REFUSED]

    @property
    def kept(self) -> list[str]:
        """Sentences on what waits for a person beside batches: kept files, kept e-mail, uncertain messages."""
        files = [f"{one.file}: {one.message}" for one in self.files if one.status is IntakeStatus.KEPT]
        batches = [f"{one.batch_id}: {one.kept}" for one in self.released if one.kept]
        doubts = [
            f"{one.batch_id}: {one.counts.uncertain} messages may or may not have left; they are never sent again "
            "by themselves"
            for one in self.released
            if one.counts and one.counts.uncertain
        ]
        return [*files, *batches, *doubts]

    @property
    def exit_code(self) -> ExitCode:
        """What the command returns: refused input first, then what waits."""
        if self.refused:
            return ExitCode.INPUT_REFUSED
        return ExitCode.WAITING if self.kept else ExitCode.DONE

    def as_plain(self) -> dict[str, Any]:
        """Return the summary as plain values, for JSON and artifacts."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}


def show_in_ui(summary: RunSummary) -> None:
    """Keep the summary, the aging and the decisions as Prefect artifacts."""
    if engine.is_plain():
        return
    files = [
        {"file": one.file, "status": one.status.value, "rows": sum(one.rows.values()), "message": one.message}
        for one in summary.files
    ]
    lines = [f"# Run of {summary.as_of}", f"`{summary.run_id}`", ""]
    lines += [f"- refused: **{one.file}** - {one.message}" for one in summary.refused]
    lines += [f"- waits for a person: {sentence}" for sentence in summary.kept]
    lines += [f"- waits for approval: **{batch}**" for batch in summary.waiting]
    lines += [
        f"- {one.batch_id}: {one.counts.dispatched if one.counts else 0} left, {len(one.withdrawn)} withdrawn"
        for one in summary.released
    ]
    engine.show_text("relance-run-summary", "\n".join(lines), f"What the run of {summary.as_of} did")
    if files:
        engine.show_table("relance-files", files, "Files of the inbox")
    if summary.decided:
        engine.show_table("relance-aging", list(summary.decided.aging), "Aging, sums by currency")
        decisions = [
            {"decision": f"step {name}", "items": count} for name, count in summary.decided.steps.items()
        ] + [{"decision": f"held: {name}", "items": count} for name, count in summary.decided.reasons.items()]
        engine.show_table("relance-decisions", decisions, "Decisions, open items by step or reason")


def end_state(summary: RunSummary) -> Any:
    """Return what a flow ends with under Prefect: a state that shows refused files and waiting approvals."""
    if engine.is_plain():
        return summary
    show_in_ui(summary)
    needs = [
        *(f"refused {one.file}" for one in summary.refused),
        *summary.kept,
        *(f"{batch} waits for approval" for batch in summary.waiting),
    ]
    return engine.needs_person("; ".join(needs)) if needs else engine.done(f"run of {summary.as_of} done")
