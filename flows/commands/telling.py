"""Tells a person what a run has done: short, readable in 100 columns, what needs them last."""

from flows.steps import DecidedDay
from flows.summary import RunSummary, returned_sentences
from policies.explanations import counted
from tasks.intake import IntakeResult, IntakeStatus


def tell(summary: RunSummary) -> int:
    """Print a run's summary; return the exit code."""
    from tasks.present import print_lines

    print_lines(_lines(summary))
    return summary.exit_code


def _lines(summary: RunSummary) -> list[str]:
    lines = [f"{summary.as_of}  run {summary.run_id}"]
    lines += [f"  in      {_of_file(one)}" for one in summary.files]
    if summary.decided:
        lines += [f"  owed    {row['currency']} {row['total']}" for row in summary.decided.aging]
        acting, held = summary.decided.steps, summary.decided.reasons
        lines.append(
            f"  act     {counted(sum(acting.values()), 'item')}: {_listed(acting)}"
            if acting
            else "  act     nothing"
        )
        if held:
            lines.append(f"  hold    {counted(sum(held.values()), 'item')}: {_listed(held)}")
        if summary.decided.findings.sentences:
            lines.append(f"  found   {', '.join(summary.decided.findings.sentences)}")
        lines += [
            f"  draft   {one.batch_id}: {counted(one.messages, 'message')}"
            + (f" - {' '.join(one.guard_sentence.splitlines())}" if one.guard_sentence else "")
            for one in summary.decided.drafted
        ]
        lines += _done_before(summary.decided)
        lines += [
            f"  note    {one.batch_id}: {note}" for one in summary.decided.drafted for note in one.notes
        ]
    lines += [f"  ran out {sentence}" for sentence in summary.ran_out]
    for one in summary.released:
        left = one.counts.dispatched if one.counts else 0
        lines.append(f"  out     {one.batch_id}: {counted(left, 'message')} left")
        lines += [f"  out     {one.batch_id}: withdrawn, {why}" for why in one.withdrawn]
    lines += [f"  back    {sentence}" for sentence in returned_sentences(summary.returned)]
    lines += [f"  person  {sentence}" for sentence in summary.kept]
    lines += [f"  person  batch {batch} waits for approval" for batch in summary.waiting]
    return lines


def _done_before(decided: DecidedDay) -> list[str]:
    """Tell of items that act and are in none of the new batches: an earlier run of the day has dealt with them."""
    before = sum(decided.steps.values()) - sum(one.items for one in decided.drafted)
    if not before:
        return []
    is_one = before == 1
    what = f"{counted(before, 'item')} decided to act {'was' if is_one else 'were'} already drafted today"
    return [f"  draft   {what}" if decided.drafted else f"  draft   0 messages; {what}"]


def _of_file(one: IntakeResult) -> str:
    rows = ", ".join(f"{count} {kind}" for kind, count in one.rows.items())
    if one.status is IntakeStatus.LOADED and not rows:
        rows = "no rows"
    gone = [f"{one.cleared} cleared by the source"] if one.cleared else []
    gone += [f"{one.vanished} vanished"] if one.vanished else []
    details = "; ".join(part for part in (rows, *gone, *one.warnings, one.message) if part)
    return f"{one.file}: {one.status.value}{f' ({details})' if details else ''}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
