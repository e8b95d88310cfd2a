"""Which step of its ladder each item takes: one long frame (item x step), one selection.

Position is the furthest step dispatched; of the steps after it those whose condition fails are left out,
and the mode of the policy picks the first left or the last whose timing holds. Holds come afterwards.
"""

from datetime import date

import polars as pl

from policies.conditions import compile_condition
from policies.facts import Scope
from policies.holds import threshold
from policies.model import Channel
from policies.policy import Policy, Step

_OPTION_COLUMNS = ("item", "step_index", "is_left", "due_on")


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
    items: pl.DataFrame, dispatched: pl.DataFrame, call_outcomes: pl.DataFrame, steps: pl.DataFrame
) -> pl.DataFrame:
    """Add where each item stands on its ladder.

    Adds: position (index of the furthest step done, null before the first), position_on, position_count,
    last_step_on, shift_days (the time granted to answer), and `waits_for` (a sentence when an outcome or a
    proof of delivery must come first).
    """
    done = dispatched.filter("is_done")
    last = done.group_by("item").agg(
        last_step_on=pl.col("dispatch_date").max(),
        last_channel=pl.col("channel").sort_by("dispatch_date").last(),
    )
    on_ladder = done.join(items.select("item", "ladder"), on="item").join(
        steps.select("ladder", "step", "step_index"), on=["ladder", "step"]
    )
    furthest = on_ladder.filter(pl.col("step_index") == pl.col("step_index").max().over("item"))
    position = furthest.group_by("item").agg(
        position=pl.col("step_index").first(),
        position_on=pl.col("dispatch_date").max(),
        position_count=pl.len().cast(pl.Int64),
        is_proved=pl.col("is_proved").any(),
    )
    outcomes = call_outcomes.group_by("item").agg(last_outcome_on=pl.col("event_date").max())
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
    is_answered = (pl.col("last_outcome_on") >= pl.col("position_on")).fill_null(False)
    return (
        items.join(last, on="item", how="left")
        .join(position, on="item", how="left")
        .join(outcomes, on="item", how="left")
        .join(at_step, on=["ladder", "position"], how="left")
        .with_columns(
            pl.col("shift_days").fill_null(0),
            waits_for=pl.when(pl.col("position_requires_outcome") & ~is_answered)
            .then(pl.format("Waits for the outcome of {}.", "position_step"))
            .when(pl.col("position_needs_proof") & ~pl.col("is_proved"))
            .then(pl.format("Waits for the proof that {} was delivered.", "position_step")),
        )
    )


def choose_steps(items: pl.DataFrame, policy: Policy, steps: pl.DataFrame, as_of: date, file: str) -> pl.DataFrame:
    """Return what each item of a ladder would do: item, step_state, step_index, next_step, next_step_on, waits_for.

    `step_state` is `due`, `waiting` (a step is left, not yet due) or `finished`.
    """
    options = _options(items, policy, as_of, file)
    position = items.select("item", "position", "ladder")
    ahead = options.filter("is_left").join(position, on="item").filter(
        pl.col("position").is_null() | (pl.col("step_index") > pl.col("position"))
    )
    first = ahead.group_by("item").agg(first_left=pl.col("step_index").min())
    holding = ahead.filter(pl.col("due_on") <= as_of).group_by("item").agg(last_holding=pl.col("step_index").max())
    first_on = ahead.select("item", first_left="step_index", first_on="due_on")
    accelerated = _accelerated(items, policy, ahead, file)
    repeated = _repeats(items, options, as_of)
    chosen = (
        items.select("item", "ladder", "position", "last_channel", "last_step_on", "last_outcome_on", "waits_for")
        .join(first, on="item", how="left")
        .join(first_on, on=["item", "first_left"], how="left")
        .join(holding, on="item", how="left")
        .join(accelerated, on="item", how="left")
        .join(repeated, on="item", how="left")
        .with_columns(regular=_regular(policy, as_of))
        .with_columns(step_index=pl.coalesce(pl.max_horizontal("regular", "accelerated"), "repeated"))
    )
    return _with_states(chosen, steps)


def _regular(policy: Policy, as_of: date) -> pl.Expr:
    """Return the step that is due by the ladder's mode and entry rule, null when none is."""
    if policy.ladder_mode == "most_severe":
        return pl.col("last_holding")
    next_single = pl.when(pl.col("first_on") <= as_of).then("first_left")
    if policy.entry == "start_by_age":
        return pl.when(pl.col("position").is_null()).then("last_holding").otherwise(next_single)
    return next_single


def _with_states(chosen: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Name the state of each item, and hold back steps that wait for a call's outcome or a proof."""
    named = steps.select("ladder", "step_index", "requires_outcome")
    next_named = steps.select("ladder", first_left="step_index", next_step="step")
    is_unanswered_call = (pl.col("last_channel") == Channel.CALL.value) & (
        pl.col("last_outcome_on").is_null() | (pl.col("last_outcome_on") < pl.col("last_step_on"))
    )
    waits_for_call = pl.when(pl.col("requires_outcome") & is_unanswered_call).then(
        pl.lit("Waits for the outcome of the call before.")
    )
    has_next = pl.col("step_index").is_not_null() | pl.col("first_left").is_not_null()
    return (
        chosen.join(named, on=["ladder", "step_index"], how="left")
        .join(next_named, on=["ladder", "first_left"], how="left")
        .with_columns(waits_for=pl.coalesce("waits_for", waits_for_call))
        .with_columns(
            step_state=pl.when(~has_next)
            .then(pl.lit("finished"))
            .when(pl.col("step_index").is_null() | pl.col("waits_for").is_not_null())
            .then(pl.lit("waiting"))
            .otherwise(pl.lit("due"))
        )
        .select("item", "step_state", "step_index", "next_step", pl.col("first_on").alias("next_step_on"), "waits_for")
    )


def _options(items: pl.DataFrame, policy: Policy, as_of: date, file: str) -> pl.DataFrame:
    """Return the long frame: one row per item and step of its ladder, with `is_left` and `due_on`."""
    parts = []
    for ladder, ladder_steps in policy.ladders.items():
        climbing = items.filter(pl.col("ladder") == ladder).lazy()
        for index, step in enumerate(ladder_steps):
            path = f"ladders.{ladder}[{index}]"
            parts.append(
                climbing.select(
                    "item",
                    pl.lit(index, pl.Int64).alias("step_index"),
                    _is_left(step, as_of, file, path).alias("is_left"),
                    _due_on(step).alias("due_on"),
                )
            )
    return pl.concat(parts).collect().select(_OPTION_COLUMNS)


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
        days.append(_shifted(pl.col("anchor_invoice_date"), step.after_invoice_days, end_of_month=step.end_of_month))
    if step.after_previous_days is not None:
        days.append(pl.coalesce("last_step_on", "anchor_due_date") + pl.duration(days=step.after_previous_days))
    if not days:  # only `before_due`: due as soon as the item exists
        days.append(pl.col("invoice_date"))
    return pl.max_horizontal(days) + pl.duration(days=pl.col("shift_days"))


def _shifted(day: pl.Expr, days: int, *, end_of_month: bool) -> pl.Expr:
    shifted = day + pl.duration(days=days)
    return shifted.dt.month_end() if end_of_month else shifted


def _accelerated(items: pl.DataFrame, policy: Policy, ahead: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return the step that overdue items leap to: item, accelerated. The first rule that holds decides."""
    overdue = items.filter(pl.col("days_past_due") >= 1)
    targets = []
    for number, rule in enumerate(policy.accelerate):
        condition = compile_condition(rule.when, Scope.ITEM, file, f"accelerate[{number}].when")
        met = overdue.filter(condition)
        for ladder, ladder_steps in policy.ladders.items():
            for index, step in enumerate(ladder_steps):
                if step.step == rule.to:
                    targets.append(
                        met.filter(pl.col("ladder") == ladder).select(
                            "item", pl.lit(index, pl.Int64).alias("step_index"), pl.lit(number).alias("rule")
                        )
                    )
    if not targets:
        return pl.DataFrame(schema={"item": pl.UInt32, "accelerated": pl.Int64})
    return (
        pl.concat(targets)
        .join(ahead.select("item", "step_index"), on=["item", "step_index"], how="semi")
        .sort("item", "rule")
        .unique("item", keep="first", maintain_order=True)
        .select("item", accelerated="step_index")
    )


def _repeats(items: pl.DataFrame, options: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the items whose last step is due again: item, repeated. Repeats count after the first dispatch."""
    is_time = pl.col("position_on") + pl.duration(days=pl.col("repeat_every_days")) <= as_of
    has_repeats = pl.col("repeat_at_most").is_null() | (pl.col("position_count") <= pl.col("repeat_at_most"))
    repeating = items.filter(pl.col("repeat_every_days").is_not_null() & is_time & has_repeats)
    return (
        repeating.select("item", step_index="position")
        .join(options.filter("is_left"), on=["item", "step_index"], how="semi")
        .select("item", repeated="step_index")
    )
