"""Mail about messages of a batch that waits for a person."""

from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.integration.returning_company import (
    BACK,
    DAY,
    POLICY,
    act,
    answer,
    bounce,
    events,
    make_company,
    messages,
    statuses,
)

ASKS = POLICY.replace(
    "after_due_days: 1, channel: email}", "after_due_days: 1, channel: email, approval: required}"
)


def drop(workspace: Workspace, name: str, content: bytes) -> None:
    workspace.returned.mkdir(exist_ok=True)
    (workspace.returned / f"{name}.eml").write_bytes(content)


@pytest.mark.parametrize("is_approved", [False, True])
def test_mail_about_one_message_of_a_batch_that_waits_settles_it_and_lets_the_others_wait(
    tmp_path: Path, *, is_approved: bool
) -> None:
    workspace = make_company(tmp_path / "company", policy=ASKS)
    act(workspace, "run", DAY, expect=5)
    batch = f"{DAY}-reminder_1"
    if is_approved:
        act(workspace, "batches approve", BACK, batch, "--by", "Claire")
    number = messages(workspace)
    drop(workspace, "bounce", bounce(number["ana"], "ana@client.example"))
    drop(workspace, "Monsieur Ben", answer(number["ben"], "ben@client.example"))
    for code, is_told in ((5, True), (0, False)):
        told = act(workspace, "follow-up", BACK, expect=code)
        assert ("left, and does not leave again" in told) is is_told
        assert "Monsieur" not in told
        waiting = {"ana": "dispatched", "ben": "dispatched", "cleo": "composed", "dan": "composed"}
        assert statuses(workspace) == waiting
        assert list(workspace.returned.glob("*.eml")) == []
    assert events(workspace).filter(kind="action_dispatched")["customer_id"].sort().to_list() == [
        "ana",
        "ben",
    ]
    assert events(workspace).filter(kind="batch_released").is_empty()
    act(workspace, "audit verify", "")
    if not is_approved:
        act(workspace, "batches approve", BACK, batch, "--by", "Claire")
    act(workspace, "release", BACK, batch)
    assert set(statuses(workspace).values()) == {"dispatched"}
    assert events(workspace).filter(kind="action_dispatched").height == len(number)
    act(workspace, "audit verify", "")


def test_a_batch_that_waits_ends_when_mail_proves_that_all_of_it_left(tmp_path: Path) -> None:
    workspace = make_company(tmp_path / "company", policy=ASKS)
    act(workspace, "run", DAY, expect=5)
    for customer, number in messages(workspace).items():
        drop(workspace, customer, answer(number, f"{customer}@client.example"))
    act(workspace, "follow-up", BACK, expect=5)
    assert set(statuses(workspace).values()) == {"dispatched"}
    kinds = events(workspace)["kind"].to_list()
    assert (kinds.count("batch_released"), kinds.count("batch_closed")) == (1, 1)
    act(workspace, "audit verify", "")
