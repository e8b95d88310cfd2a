"""Builds the frames of a `History`, and policies, from short rows with sensible values for what is left out.

Rows are those of worked cases (`policies.case_history`), as tests write them.
"""

from collections.abc import Sequence

import yaml

from policies.case_history import Row, build_history
from policies.history import History
from policies.policy import Policy, load_policy

__all__ = ["LADDER", "Row", "history", "policy"]


def history(**tables: Sequence[Row]) -> History:
    """Return what is known from short rows of files, invoices, payments, events, customers, actions, proposals."""
    return build_history(tables)


LADDER: list[Row] = [
    {"step": "reminder_1", "after_due_days": 1, "channel": "email"},
    {"step": "reminder_2", "after_previous_days": 7, "channel": "email"},
    {"step": "formal_notice", "after_due_days": 30, "channel": "registered_letter"},
]


def policy(*steps: Row, **keys: object) -> Policy:
    """Return a policy with one ladder of these steps (else two reminders and a notice), and these keys."""
    plain: dict[str, object] = {
        "description": "The policy of a test.",
        "policy": "of_a_test",
        "segments": [{"segment": "everyone", "ladder": "standard"}],
        "ladders": {"standard": [dict(step) for step in steps or LADDER]},
    }
    return load_policy(yaml.safe_dump(plain | keys, sort_keys=False), "test.yaml")
