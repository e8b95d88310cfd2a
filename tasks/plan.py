"""Drafts the batches of a day from its decisions, and commits them before anything is made or leaves.

What was planned or has left before on the same day is not planned again. Guards turn the automatic batch
into one that waits for a person; they never make the day fail.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from policies.approvals import names_asked
from policies.composition import Composing, compose_messages
from policies.escalation import Facts
from policies.explanations import counted
from policies.guard_measures import measure, sum_demanded, usual_amounts
from policies.guards import Tripped, find_tripped
from policies.history import History
from policies.messages import Message
from policies.model import ITEM_KEY, THIRD_PARTY_CHANNELS
from policies.statutes import Law
from tasks.ledger import NewEvent, append_events
from tasks.rules import Rules
from tasks.run import Run
from tasks.store.batch_lists import list_actions, list_batches
from tasks.store.batches import AUTOMATIC, Drafts, NewBatch, draft_rows, save_drafts
from tasks.store.connection import Connection, open_to_write

_OPEN = ("planned", "composed", "uncertain")
_CUSTOMERS_AT_ONCE = 5_000


@dataclass(frozen=True)
class PlannedBatch:
    """A batch that was drafted now; `notes` say what its messages leave out, and of how many."""

    batch_id: str
    messages: int
    items: int
    approval_required: bool
    guard_sentence: str | None
    notes: tuple[str, ...] = ()


def plan_day(
    run: Run, history: History, facts: Facts, decisions: pl.DataFrame, rules: Rules, law: Law
) -> list[PlannedBatch]:
    """Draft today's batches, in one transaction; return those that are new."""
    with open_to_write(run.workspace) as connection:
        actions, batches = list_actions(connection), list_batches(connection)
        taken, usual = set(batches["batch_id"]), usual_amounts(batches, actions, AUTOMATIC)
        free = _still_to_do(decisions, history, actions, run.as_of)
        composing = Composing(
            facts=facts,
            history=history,
            policy=rules.policy,
            policy_hash=rules.policy_hash,
            law=law,
            default_language=rules.creditor.language,
            name_batch=lambda needs_approval, step: _free_name(
                run.as_of, step if needs_approval else AUTOMATIC, taken
            ),
        )
        planned = []
        for batch_id, one in sorted(_draft(free, composing).items()):
            drafts = one.rows()
            drafted = measure(
                free,
                drafts.actions,
                history,
                facts,
                usual,
                rules.policy.aging_buckets_days,
                is_automatic=not one.needs_approval,
            )
            tripped = find_tripped(drafted, rules.policy.guards)
            batch = _new_batch(run, batch_id, drafts, rules, tripped, needs_approval=one.needs_approval)
            save_drafts(connection, batch, drafts, run.clock())
            _log(connection, run, batch, drafts, tripped)
            planned.append(
                PlannedBatch(
                    batch_id,
                    drafts.messages.height,
                    drafts.actions.height,
                    batch.approval_required,
                    batch.guard_sentence,
                    tuple(
                        f"{note} ({counted(count, 'message')})" for note, count in sorted(one.notes.items())
                    ),
                )
            )
    return planned


@dataclass
class _Draft:
    """A batch as it grows."""

    needs_approval: bool
    parts: list[Drafts] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, messages: list[Message]) -> None:
        """Add messages, as rows."""
        self.parts.append(draft_rows(messages))
        self.notes.update(message.charges_note for message in messages if message.charges_note)

    def rows(self) -> Drafts:
        """Return all messages and actions."""
        return Drafts(
            pl.concat([one.messages for one in self.parts]), pl.concat([one.actions for one in self.parts])
        )


def _draft(decisions: pl.DataFrame, composing: Composing) -> dict[str, _Draft]:
    """Return the messages of the day by batch, as rows, and whether the batch needs approval.

    Some thousand customers are worded at a time: all messages of a day may not fit in memory.
    """
    batches: dict[str, _Draft] = {}
    customers = decisions.filter("act")["customer_id"].unique().sort()
    for some in customers.to_frame().iter_slices(_CUSTOMERS_AT_ONCE):
        messages = compose_messages(decisions.join(some, on="customer_id", how="semi"), composing)
        for batch_id in dict.fromkeys(message.batch_id for message in messages):
            of_batch = [message for message in messages if message.batch_id == batch_id]
            batches.setdefault(batch_id, _Draft(of_batch[0].approval_required)).add(of_batch)
    return batches


def _still_to_do(
    decisions: pl.DataFrame, history: History, actions: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return the decisions with `act` withdrawn from what was planned or done on this very day before."""
    third_parties = [channel.value for channel in THIRD_PARTY_CHANNELS]
    today = history.dispatches.filter(pl.col("dispatch_date") == as_of)
    planned = actions.filter((pl.col("proposed_on") == as_of) & pl.col("status").is_in(_OPEN))
    is_automatic = pl.col("batch_id").str.starts_with(f"{as_of}-{AUTOMATIC}")
    customers = pl.concat(
        [
            today.filter(~pl.col("channel").is_in(third_parties)).select("customer_id"),
            planned.filter(is_automatic & ~pl.col("channel").is_in(third_parties)).select("customer_id"),
        ]
    ).unique()
    items = pl.concat([today.select(ITEM_KEY), planned.select(ITEM_KEY)]).unique()
    done = (
        decisions.join(customers, on="customer_id", how="semi")
        .select("item")
        .vstack(decisions.join(items, on=list(ITEM_KEY), how="semi").select("item"))
    )
    return decisions.with_columns(act=pl.col("act") & ~pl.col("item").is_in(done["item"].unique().implode()))


def _free_name(as_of: date, kind: str, taken: set[str]) -> str:
    """Return `<date>-<kind>`, with a number when a batch of that name was drafted by an earlier run."""
    name, number = f"{as_of}-{kind}", 2
    while name in taken:
        name, number = f"{as_of}-{kind}-{number}", number + 1
    return name


def _new_batch(
    run: Run,
    batch_id: str,
    drafts: Drafts,
    rules: Rules,
    tripped: Sequence[Tripped],
    *,
    needs_approval: bool,
) -> NewBatch:
    steps = set(drafts.messages["step"])
    return NewBatch(
        batch_id=batch_id,
        as_of=run.as_of,
        kind=drafts.messages["step"][0] if needs_approval else AUTOMATIC,
        approval_required=needs_approval or bool(tripped),
        policy=rules.policy.policy,
        policy_hash=rules.policy_hash,
        run_id=run.run_id,
        approvers=names_asked(rules.policy, steps, sum_demanded(drafts.actions)),
        guard_sentence="\n".join(one.sentence for one in tripped) or None,
    )


def _log(
    connection: Connection, run: Run, batch: NewBatch, drafts: Drafts, tripped: Sequence[Tripped]
) -> None:
    payload = {
        "batch_id": batch.batch_id,
        "as_of": batch.as_of,
        "messages": drafts.messages.height,
        "customers": drafts.messages["customer_id"].n_unique(),
        "approval_required": batch.approval_required,
        "approvers": batch.approvers,
        "guards": [{"code": one.code, "sentence": one.sentence} for one in tripped],
        "policy": batch.policy,
        "policy_hash": batch.policy_hash,
    }
    append_events(
        connection,
        [NewEvent("batch_drafted", payload)],
        recorded_at=run.clock(),
        actor=run.actor,
        run_id=run.run_id,
    )
