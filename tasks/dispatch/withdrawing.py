"""Takes messages out of a batch before they leave, and tells the log why of each action in them."""

from collections.abc import Mapping, Sequence

from policies.messages import Message
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.store.batches import withdraw_messages
from tasks.store.connection import open_to_write


def withdraw(
    run: Run, batch_id: str, messages: Sequence[Message], changes: Mapping[str, str]
) -> dict[str, str]:
    """Withdraw messages of a batch that have not left; return message_id -> whose it was, and why.

    Args:
        run: the run.
        batch_id: the batch.
        messages: of the batch, all that are named in `changes` among them.
        changes: why each message leaves no more, by its number.
    """
    if not changes:
        return {}
    by_id = {message.message_id: message for message in messages}
    with open_to_write(run.workspace) as connection:
        ended = withdraw_messages(connection, batch_id, sorted(changes), run.as_of, run.clock())
        events = [
            NewEvent(
                "action_withdrawn",
                {"batch_id": batch_id, "message_id": message_id, "on": run.as_of, "why": changes[message_id]},
                action_id=item.action_id,
                customer_id=by_id[message_id].customer.customer_id,
            )
            for message_id in ended
            for item in by_id[message_id].items
        ]
        append_events(connection, events, recorded_at=run.clock(), actor=run.actor, run_id=run.run_id)
    return {one: f"customer {by_id[one].customer.customer_id}: {changes[one]}" for one in ended}
