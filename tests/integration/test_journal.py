"""What the journal of a release says after every kind of cut."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from policies.errors import AuditBrokenError
from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.journal import Journal, read_journal

DAY = date(2026, 9, 1)
BEFORE = datetime(2026, 9, 1, 5, 0, 0, tzinfo=UTC)
AFTER = datetime(2026, 9, 1, 5, 0, 1, tzinfo=UTC)


def planned(message_id: str, channel: str = "email") -> PlannedMessage:
    return PlannedMessage(
        message_id=message_id,
        action_ids=(f"{message_id}-a", f"{message_id}-b"),
        channel=channel,
        document=Path(f"{message_id}.eml"),
        document_sha256="0" * 64,
        recipients=("buyer@customer.example",),
        sender="accounts@creditor.example",
    )


def statuses(path: Path) -> dict[str, str]:
    return {outcome.message_id: outcome.status.value for outcome in read_journal(path)}


def test_an_outcome_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl", DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
        journal.settle(planned("m1"), DeliveryStatus.DISPATCHED, "250 taken — merci", AFTER)
        written = journal.outcomes["m1"]
    assert read_journal(tmp_path / "journal.jsonl") == [written]
    assert (written.on, written.recorded_at, written.answer) == (DAY, AFTER, "250 taken — merci")
    assert written.action_ids == ("m1-a", "m1-b")


def test_an_intent_without_outcome_is_uncertain_and_settled(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
    (outcome,) = read_journal(path)
    assert (outcome.status, outcome.recorded_at) == (DeliveryStatus.UNCERTAIN, BEFORE)
    with Journal(path, DAY) as journal:
        assert journal.is_settled("m1")


def test_an_intent_that_may_be_repeated_is_simply_done_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, DAY) as journal:
        journal.intend_repeatable(planned("m1", channel="letter"), BEFORE)
    assert read_journal(path) == []
    with Journal(path, DAY) as journal:
        assert not journal.is_settled("m1")


def test_the_last_line_of_a_message_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
        journal.settle(planned("m1"), DeliveryStatus.FAILED, "451 later", AFTER)
        assert not journal.is_settled("m1")
        assert statuses(path) == {"m1": "failed"}
        journal.intend(planned("m1"), AFTER)
        assert statuses(path) == {"m1": "uncertain"}
        journal.settle(planned("m1"), DeliveryStatus.REFUSED, "550 no such mailbox", AFTER)
    assert statuses(path) == {"m1": "refused"}


def test_no_address_stands_in_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl", DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
        journal.settle(planned("m1"), DeliveryStatus.DISPATCHED, "250 OK", AFTER)
    assert "@" not in (tmp_path / "journal.jsonl").read_text("utf-8")


def test_a_last_line_cut_at_any_byte_counts_as_not_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
        journal.settle(planned("m1"), DeliveryStatus.DISPATCHED, "250 é", AFTER)
        journal.intend(planned("m2"), BEFORE)
        whole = path.read_bytes()
        journal.settle(planned("m2"), DeliveryStatus.DISPATCHED, "250 é", AFTER)
    last = path.read_bytes()[len(whole) :]
    for kept in range(len(last)):
        path.write_bytes(whole + last[:kept])
        assert statuses(path) == {"m1": "dispatched", "m2": "uncertain"}, kept
        with Journal(path, DAY) as journal:
            journal.intend(planned("m3"), BEFORE)
        assert statuses(path) == {"m1": "dispatched", "m2": "uncertain", "m3": "uncertain"}, kept
        assert ("cut while it was written" in path.read_text("utf-8")) is (kept > 0)


@pytest.mark.parametrize(
    "damage",
    ["no json", "[]", '{"kind": "outcome"}', '{"message_id": "m1"}', '{"kind": "intent", "message_id": []}'],
)
def test_a_damaged_line_before_the_last_stops_the_release(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, DAY) as journal:
        journal.intend(planned("m1"), BEFORE)
    path.write_text(damage + "\n" + path.read_text("utf-8"), "utf-8")
    with pytest.raises(AuditBrokenError, match="line 1 is damaged"):
        Journal(path, DAY)


def test_a_batch_that_was_never_released_has_no_outcomes(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "journal.jsonl") == []
