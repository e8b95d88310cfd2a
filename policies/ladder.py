"""Which step of its ladder each item takes: one row per item, one column per step, one selection.

Position is the furthest step dispatched; of the steps after it those whose condition fails are left out,
and the mode of the policy picks the first left or the last whose timing holds. Holds come afterwards.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from policies.conditions import compile_condition
from policies.contacts import DELIVERED_OUTCOMES
from policies.facts import Scope
from policies.happenings import of_items
from policies.holds import threshold
from policies.model import Channel, EventKind
from policies.policy import Policy, Step


def step_table(policy: Policy) -> pl.DataFrame:
    """Return the steps of all ladders: ladder, step_index, step and what a decision carries of each."""
    rows = [
        {
            "ladder": ladder,
            "step_index": index,
            "step": step.step,
            "channel": step.channel.value,
            "template": step.template,
            "by": step.by or "",
            "agency": step.agency or "",
            "is_pre_due": step.is_pre_due,
            "needs_approval": step.approval is not None,
            "answer_within_days": step.answer_within_days,
            "repeat_every_days": step.repeat_every_days,
            "repeat_at_most": step.repeat_at_most,
            "requires_outcome": step.requires_outcome,
            "needs_delivery_proof": step.needs_delivery_proof,
        }
        for ladder, steps in policy.ladders.items()
        for index, step in enumerate(steps)
    ]
    return pl.DataFrame(
        rows,
        schema={
            "ladder": pl.String,
            "step_index": pl.Int64,
            "step": pl.String,
            "channel": pl.String,
            "template": pl.String,
            "by": pl.String,
            "agency": pl.String,
            "is_pre_due": pl.Boolean,
            "needs_approval": pl.Boolean,
            "answer_within_days": pl.Int64,
            "repeat_every_days": pl.Int64,
            "repeat_at_most": pl.Int64,
            "requires_outcome": pl.Boolean,
            "needs_delivery_proof": pl.Boolean,
        },
    )


def with_position(
    items: pl.DataFrame, dispatched: pl.DataFrame, events: pl.DataFrame, steps: pl.DataFrame
) -> pl.DataFrame:
    """Add where each item stands on its ladder.

    Adds: position (index of the furthest step done, null before the first), position_on, position_count,
    last_step, last_step_on, last_call_on, shift_days (the time granted to answer), and `waits_for` (a sentence
    when an outcome or a proof of delivery must come first).
    """
    on_ladder = dispatched.join(items.select("item", "ladder"), on="item").join(
        steps.select("ladder", "step", "step_index"), on=["ladder", "step"], how="left"
    )
    last = on_ladder.group_by("item").agg(
        last_step_on=pl.col("dispatch_date").max(),
        last_call_on=pl.col("dispatch_date").filter(pl.col("channel") == Channel.CALL.value).max(),
        last_step=pl.col("step").sort_by("dispatch_date", pl.col("step_index").fill_null(-1)).last(),
    )
    furthest = on_ladder.filter(
        pl.col("is_done")
        & (pl.col("step_index") == pl.col("step_index").filter("is_done").max().over("item"))
    )
    position = furthest.group_by("item").agg(
        position=pl.col("step_index").first(),
        position_on=pl.col("dispatch_date").max(),
        position_count=pl.len().cast(pl.Int64),
        position_channel=pl.col("channel").sort_by("dispatch_date").last(),
        is_proved=pl.col("outcome").is_in(DELIVERED_OUTCOMES).any(),
    )
    outcomes = _last_of(events, items, EventKind.CALL_OUTCOME, "last_outcome_on")
    proofs = _last_of(events, items, EventKind.LETTER_RECEIVED, "last_proof_on")
    at_step = steps.select(
        "ladder",
        pl.col("step_index").alias("position"),
        position_step="step",
        shift_days="answer_within_days",
        repeat_every_days="repeat_every_days",
        repeat_at_most="repeat_at_most",
        position_requires_outcome="requires_outcome",
        position_needs_proof="needs_delivery_proof",
    )
    # What left by another channel than a call has no outcome to wait for.
    is_no_call = (pl.col("position_channel") != Channel.CALL.value).fill_null(False)
    is_answered = is_no_call | (pl.col("last_outcome_on") >= pl.col("position_on")).fill_null(False)
    is_proved = pl.col("is_proved") | (pl.col("last_proof_on") >= pl.col("position_on")).fill_null(False)
    state = (
        last.join(position, on="item", how="left")
        .join(outcomes, on="item", how="left")
        .join(proofs, on="item", how="left")
        .join(items.select("item", "ladder"), on="item")
        .join(at_step, on=["ladder", "position"], how="left")
        .drop("ladder")
        .with_columns(
            waits_for=pl.when(pl.col("position_requires_outcome") & ~is_answered)
            .then(pl.format("Waits for the outcome of {}.", "position_step"))
            .when(pl.col("position_needs_proof") & ~is_proved)
            .then(pl.format("Waits for the proof that {} was delivered.", "position_step")),
        )
    )
    return items.join(state, on="item", how="left", maintain_order="left").with_columns(
        pl.col("shift_days").fill_null(0)
    )


def _last_of(events: pl.DataFrame, items: pl.DataFrame, kind: EventKind, name: str) -> pl.DataFrame:
    """Return the day of the newest event of a kind by item: item and the named column."""
    return of_items(events, items, kind).group_by("item").agg(pl.col("event_date").max().alias(name))


def choose_steps(
    items: pl.DataFrame, policy: Policy, steps: pl.DataFrame, as_of: date, file: str
) -> pl.DataFrame:
    """Add what each item would do: step_state, step_index and the step's columns, next_step, next_step_on.

    `step_state` is `due`, `waiting` (a step is left, not yet due) or `finished`; null for items on no ladder.
    """
    parts = [
        _climb(items.lazy().filter(pl.col("ladder") == ladder), policy, ladder, as_of, file)
        for ladder in policy.ladders
    ]
    kept = steps.drop("answer_within_days", "repeat_every_days", "repeat_at_most", "needs_delivery_proof")
    next_steps = steps.select("ladder", first_left="step_index", next_step="step")
    chosen = (
        pl.concat(parts)
        .collect()
        .join(kept, on=["ladder", "step_index"], how="left")
        .join(next_steps, on=["ladder", "first_left"], how="left")
        .drop("ladder")
    )
    return _with_states(items.join(chosen, on="item", how="left", maintain_order="left"))


def _climb(items: pl.LazyFrame, policy: Policy, ladder: str, as_of: date, file: str) -> pl.LazyFrame:
    """Choose among the steps of one ladder: one column per step says whether it is left, one when it is due.

    Returns item, ladder, first_left and next_step_on (the first step ahead that is left), repeat_on (when the last
    step is taken again, if that is before), step_index (the one that is due, if any) and is_brought_forward (by
    `accelerate`, not by its own timing).
    """
    numbered = list(enumerate(policy.ladders[ladder]))
    options = items.with_columns(
        *(
            _is_left(step, as_of, file, f"ladders.{ladder}[{index}]").alias(f"left_{index}")
            for index, step in numbered
        ),
        *(_due_on(step).alias(f"due_{index}") for index, step in numbered),
    )
    ahead = {
        index: pl.col(f"left_{index}") & (pl.col("position").is_null() | (pl.col("position") < index))
        for index, _ in numbered
    }
    holding = {index: is_ahead & (pl.col(f"due_{index}") <= as_of) for index, is_ahead in ahead.items()}
    repeating = {index: pl.col(f"left_{index}") & (pl.col("position") == index) for index, _ in numbered}
    none = pl.lit(None, pl.Int64)
    return (
        options.with_columns(
            first_left=_first(ahead),
            next_step_on=pl.coalesce(
                [pl.when(is_ahead).then(pl.col(f"due_{index}")) for index, is_ahead in ahead.items()]
            ),
            last_holding=_first(dict(reversed(holding.items()))),
            accelerated=pl.coalesce([*_leaps(policy, ladder, ahead, file), none]),
            repeating=pl.when(_has_repeats()).then(_first(repeating)),
            repeated_on=pl.col("position_on") + pl.duration(days=pl.col("repeat_every_days")),
        )
        .with_columns(
            regular=_regular(policy, as_of),
            repeated=pl.when(pl.col("repeated_on") <= as_of).then("repeating"),
            comes_first=(pl.col("repeated_on") < pl.col("next_step_on")).fill_null(True),
        )
        .select(
            "item",
            "ladder",
            "first_left",
            "next_step_on",
            repeat_on=pl.when(pl.col("repeating").is_not_null() & pl.col("comes_first")).then("repeated_on"),
            step_index=pl.coalesce(pl.max_horizontal("regular", "accelerated"), "repeated"),
            is_brought_forward=pl.col("accelerated").is_not_null()
            & (pl.col("regular").is_null() | (pl.col("regular") < pl.col("accelerated"))),
        )
    )


def _first(conditions: Mapping[int, pl.Expr]) -> pl.Expr:
    """Return the first step whose condition holds, null when none does."""
    return pl.coalesce(
        [pl.when(condition).then(pl.lit(index, pl.Int64)) for index, condition in conditions.items()]
    )


def _regular(policy: Policy, as_of: date) -> pl.Expr:
    """Return the step that is due by the ladder's mode and entry rule, null when none is."""
    if policy.ladder_mode == "most_severe":
        return pl.col("last_holding")
    next_single = pl.when(pl.col("next_step_on") <= as_of).then("first_left")
    if policy.entry == "start_by_age":
        return pl.when(pl.col("position").is_null()).then("last_holding").otherwise(next_single)
    return next_single


def _leaps(policy: Policy, ladder: str, ahead: Mapping[int, pl.Expr], file: str) -> list[pl.Expr]:
    """Return the steps that overdue items leap to, by rule; the first rule that holds decides."""
    targets = {step.step: index for index, step in enumerate(policy.ladders[ladder])}
    is_overdue = pl.col("days_past_due") >= 1
    leaps: list[pl.Expr] = []
    for number, rule in enumerate(policy.accelerate):
        if rule.to in targets:
            index = targets[rule.to]
            condition = compile_condition(rule.when, Scope.ITEM, file, f"accelerate[{number}].when")
            leaps.append(pl.when(is_overdue & ahead[index] & condition).then(pl.lit(index, pl.Int64)))
    return leaps


def _has_repeats() -> pl.Expr:
    """Return whether the step last taken has repeats to come; they count after the first dispatch."""
    is_within = pl.col("repeat_at_most").is_null() | (pl.col("position_count") <= pl.col("repeat_at_most"))
    return pl.col("repeat_every_days").is_not_null() & is_within


def _with_states(chosen: pl.DataFrame) -> pl.DataFrame:
    """Name the state of each item, and hold back steps that wait for a call's outcome or a proof."""
    is_unanswered_call = pl.col("last_call_on").is_not_null() & (
        pl.col("last_outcome_on").is_null() | (pl.col("last_outcome_on") < pl.col("last_call_on"))
    )
    waits_for_call = pl.when(pl.col("requires_outcome") & is_unanswered_call).then(
        pl.lit("Waits for the outcome of the call before.")
    )
    has_next = pl.col("step_index").is_not_null() | pl.col("first_left").is_not_null() | _has_repeats()
    return chosen.with_columns(waits_for=pl.coalesce("waits_for", waits_for_call)).with_columns(
        step_state=pl.when(pl.col("ladder").is_null())
        .then(None)
        .when(~has_next)
        .then(pl.lit("finished"))
        .when(pl.col("step_index").is_null() | pl.col("waits_for").is_not_null())
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("due"))
    )


def _is_left(step: Step, as_of: date, file: str, path: str) -> pl.Expr:
    """Return whether the step stays on the item's ladder: condition, minimum amount, and not a pre-due one too late."""
    conditions = [pl.lit(True)]
    if step.when is not None:
        conditions.append(compile_condition(step.when, Scope.ITEM, file, f"{path}.when"))
    if step.minimum_amount:
        owed = pl.col("open_amount") if step.is_pre_due else pl.col("overdue_amount")
        is_under = owed + pl.col("unapplied_amount") < threshold(step.minimum_amount)
        conditions.append(~is_under.fill_null(False))
    if step.is_pre_due:
        conditions.append(pl.col("due_date") >= as_of)
    return pl.all_horizontal(conditions).fill_null(False)


def _due_on(step: Step) -> pl.Expr:
    """Return the first day on which all timing keys of the step hold."""
    days = []
    if step.after_due_days is not None:
        days.append(_shifted(pl.col("anchor_due_date"), step.after_due_days, end_of_month=step.end_of_month))
    if step.after_invoice_days is not None:
        days.append(
            _shifted(pl.col("anchor_invoice_date"), step.after_invoice_days, end_of_month=step.end_of_month)
        )
    if step.after_previous_days is not None:
        days.append(
            pl.coalesce("last_step_on", "anchor_due_date") + pl.duration(days=step.after_previous_days)
        )
    if not days:  # only `before_due`: due as soon as the item exists
        days.append(pl.col("invoice_date"))
    return pl.max_horizontal(days) + pl.duration(days=pl.col("shift_days"))


def _shifted(day: pl.Expr, days: int, *, end_of_month: bool) -> pl.Expr:
    shifted = day + pl.duration(days=days)
    return shifted.dt.month_end() if end_of_month else shifted
