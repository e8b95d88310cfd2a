"""Takes away from a trial, row by row and key by key, whatever is not needed for the two ways to differ.

What is left is printed as a worked case, ready to be pasted into tests/cases.
"""

from collections.abc import Iterator

from policies.errors import RelanceError
from tests.builders import history
from tests.oracle.fast_path import decide_slowly
from tests.property.chance import Row
from tests.property.comparison import Difference, Trial, compare
from tests.property.drawn_pasts import Tables
from tests.property.readable import as_yaml

NEEDED = {"customer_id", "invoice_number", "invoice_date", "amount", "kind", "event_date", "payment_date"}
NEEDED |= {"intake_id", "source", "file_date", "file", "step", "dispatch_date", "proposed_date"}
ALWAYS = {"policy", "description", "segments", "ladders", "channel"}


def reduced(trial: Trial, difference: Difference) -> Trial:
    """Return the smallest trial found that still differs in the same way: one past, if it does so by itself."""
    alone = trial.alone(difference.past)
    smallest = alone if _differs(alone, difference) else trial
    candidates = list(_smaller(smallest))
    place = failed = 0
    while failed < len(candidates):
        smaller = candidates[place % len(candidates)]
        if _differs(smaller, difference):
            smallest, failed = smaller, 0
            candidates = list(_smaller(smallest))
        else:
            place, failed = place + 1, failed + 1
    return smallest


def _differs(trial: Trial, wanted: Difference) -> bool:
    """Return whether some item differs in the same columns; another difference would hide the one looked for."""
    try:
        return any(set(found.oracle) == set(wanted.oracle) for found in compare(trial).differences)
    except (RelanceError, KeyError):
        return False  # what was taken away was needed by what is left


def _smaller(trial: Trial) -> Iterator[Trial]:
    for number, past in enumerate(trial.pasts):
        if len(trial.pasts) > 1:
            yield Trial(trial.keys, trial.as_of, [*trial.pasts[:number], *trial.pasts[number + 1 :]])
        for smaller in _smaller_past(past):
            pasts = [*trial.pasts[:number], smaller, *trial.pasts[number + 1 :]]
            yield Trial(trial.keys, trial.as_of, pasts)
    for keys in _without_a_part(trial.keys):
        yield Trial(keys, trial.as_of, trial.pasts)


def _smaller_past(past: Tables) -> Iterator[Tables]:
    for customer in past["customers"] if len(past["customers"]) > 1 else ():
        yield {
            name: [row for row in rows if row.get("customer_id") != customer["customer_id"]]
            for name, rows in past.items()
        }
    for name, rows in past.items():
        if len(rows) > 2:
            yield {**past, name: []}
            yield {**past, name: rows[: len(rows) // 2]}
            yield {**past, name: rows[len(rows) // 2 :]}
    for name, rows in past.items():
        for place, row in enumerate(rows):
            others = (rows[:place], rows[place + 1 :])
            yield {**past, name: [*others[0], *others[1]]}
            for column in sorted(set(row) - NEEDED):
                plainer = {key: value for key, value in row.items() if key != column}
                yield {**past, name: [*others[0], plainer, *others[1]]}


def _without_a_part(keys: Row) -> Iterator[Row]:
    """Yield a policy without one of its keys, rules, steps or keys of steps."""
    for name, value in keys.items():
        if name not in ALWAYS:
            yield {key: part for key, part in keys.items() if key != name}
        for smaller in _smaller_value(value):
            yield {**keys, name: smaller}


def _smaller_value(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name not in {*ALWAYS, "step"}:
                yield {key: other for key, other in value.items() if key != name}
            for smaller in _smaller_value(part):
                yield {**value, name: smaller}
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            for smaller in _smaller_value(part):
                yield [*value[:place], smaller, *value[place + 1 :]]


def as_case(trial: Trial, differences: list[Difference]) -> str:
    """Return a trial as a worked case that expects what the oracle says, with what both say as a comment."""
    said = "".join(f"# {difference}\n" for difference in differences)
    tables = trial.pasts[0] if len(trial.pasts) == 1 else {}
    case: Row = {"case": "SAY WHAT IT SHOWS.", "covers": ["4.1"], "as_of": trial.as_of}
    case["policy"] = {
        name: value for name, value in trial.keys.items() if name not in {"policy", "description"}
    }
    case |= {name: rows for name, rows in tables.items() if rows}
    case["decisions"] = list(_expected(trial))
    return said + as_yaml([case])


def _expected(trial: Trial) -> Iterator[Row]:
    tables = trial.pasts[0]
    for row in decide_slowly(history(**tables), trial.policy, trial.as_of):
        shown = {name: row[name] for name in ("invoice_number", "installment", "amount_open", "due_date")}
        yield shown | (
            {"step": row["step"], "channel": row["channel"]} if row["act"] else {"reason": row["reason"]}
        )
