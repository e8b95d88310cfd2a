"""What was owed, paid and promised at a date, whatever was done about it: the facts that no dispatch changes.

A simulation keeps the books of several days ahead while it still decides what to send.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from policies.allocation import Allocation, allocate
from policies.behaviour import payment_behaviour
from policies.happenings import events_until
from policies.history import History
from policies.item_state import Commitments
from policies.policy import Policy
from policies.promises import judge_plans, judge_promises
from policies.receipts import receipts


@dataclass(frozen=True)
class Books:
    """The books at the end of a date.

    Attributes:
        allocation: balances and unapplied cash.
        cash: receipts by item.
        commitments: promises and plans, judged.
        habits: how each customer has paid.
    """

    allocation: Allocation
    cash: pl.DataFrame
    commitments: Commitments
    habits: pl.DataFrame


def keep_books(history: History, policy: Policy, as_of: date) -> Books:
    """Return what was owed, paid and promised at the end of `as_of`."""
    allocation = allocate(history, as_of)
    cash = receipts(allocation)
    events = events_until(history.events, as_of)
    promises, promised_items = judge_promises(allocation, cash, events, policy.promise_grace_days)
    plans = judge_plans(allocation, cash, events, policy.promise_grace_days)
    habits = payment_behaviour(allocation, cash, history.settled)
    return Books(allocation, cash, Commitments(promises, promised_items, plans), habits)
