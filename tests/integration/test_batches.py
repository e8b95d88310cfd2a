"""Batches and their messages: saved once, moved only forward, and an action leaves only once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from policies.batches import message_id
from policies.errors import WrongUseError
from policies.messages import ItemCharges, Message, MessageItem, Recipient
from tasks.store.approvals import Claim, approve_batch, reject_batch
from tasks.store.batch_lists import (
    find_last_dispatch_date,
    list_actions,
    list_batches,
    list_messages,
    read_messages,
)
from tasks.store.batches import (
    BatchStatus,
    ComposedDocument,
    MessageStatus,
    NewBatch,
    WrongStateError,
    close_batch,
    draft_rows,
    mark_composed,
    release_batch,
    save_drafts,
    withdraw_messages,
)
from tasks.store.connection import Connection, open_to_write
from tasks.store.history import read_history
from tasks.store.outcomes import Outcome, OutcomeKind, take_in_outcomes
from tasks.workspace import initialise, shipped_root

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def number_of(number: str) -> str:
    """Return the number of the message that demands one item: the same in whatever batch it stands."""
    return message_id([f"A{number}"])


def message(number: str, batch_id: str = "B1", **other: object) -> Message:
    item = MessageItem(
        invoice_number=f"F{number}",
        invoice_date=date(2026, 9, 1),
        due_date=date(2026, 10, 1),
        days_past_due=32,
        amount=Decimal("100.00"),
        amount_paid=Decimal(0),
        amount_open=Decimal("100.00"),
        amount_demanded=Decimal("80.50"),
        step="reminder_1",
        action_id=f"A{number}",
    )
    values: dict[str, object] = {
        "message_id": message_id([item.action_id]),
        "batch_id": batch_id,
        "as_of": DAY,
        "customer": Recipient(customer_id=f"C{number}", customer_name="Une société"),
        "currency": "EUR",
        "language": "fr",
        "step": "reminder_1",
        "template": "reminder_1",
        "channel": "email",
        "items": (item,),
        "total_principal": Decimal("80.50"),
        "total": Decimal("80.50"),
        "policy": "standard_fr",
        "policy_hash": "ff",
    }
    return Message.model_validate(values | other)


BATCH = NewBatch(
    batch_id="B1",
    as_of=DAY,
    kind="reminders",
    approval_required=True,
    policy="standard_fr",
    policy_hash="ff",
    run_id="run-1",
)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with open_to_write(initialise(tmp_path / "company")) as connection:
        save_drafts(connection, BATCH, draft_rows([message("1"), message("2")]), NOW)
        yield connection


def test_a_batch_is_saved_once(connection: Connection) -> None:
    assert not save_drafts(connection, BATCH, draft_rows([message("1"), message("2")]), at(1))
    batch = list_batches(connection).row(0, named=True)
    assert (batch["status"], batch["messages"], batch["actions"], batch["customers"]) == (
        "draft",
        2,
        2,
        2,
    )
    assert list_batches(connection, status="closed").is_empty()


def test_a_message_is_read_back_as_it_was(connection: Connection) -> None:
    stored = read_messages(connection, "B1")
    assert sorted((entry.message for entry in stored), key=lambda one: one.customer.customer_id) == [
        message("1"),
        message("2"),
    ]
    assert {entry.status for entry in stored} == {MessageStatus.PLANNED}


def test_an_action_that_waits_is_not_proposed_again(connection: Connection) -> None:
    again = replace(BATCH, batch_id="B2")
    with pytest.raises(WrongStateError, match=r"1 of 2 actions were proposed already, first in batch B1"):
        save_drafts(connection, again, draft_rows([message("2", "B2"), message("3", "B2")]), at(1))
    with pytest.raises(WrongStateError, match=r"1 of 2 actions"):
        save_drafts(connection, again, draft_rows([message("3", "B2"), message("3", "B2")]), at(1))
    assert list_batches(connection)["batch_id"].to_list() == ["B1"]


def test_a_withdrawn_action_may_be_proposed_again_and_leaves_once(connection: Connection) -> None:
    one = number_of("1")
    assert withdraw_messages(connection, "B1", [one], DAY, at(1)) == [one]
    assert withdraw_messages(connection, "B1", [one], DAY, at(2)) == []
    assert withdraw_messages(connection, "B1", [], DAY, at(2)) == []
    assert save_drafts(connection, replace(BATCH, batch_id="B2"), draft_rows([message("1", "B2")]), at(3))
    late = Outcome(one, OutcomeKind.DISPATCHED, DAY, at(9))
    assert take_in_outcomes(connection, "B1", [late]) == []
    assert read_history(connection).dispatches.is_empty()
    assert take_in_outcomes(connection, "B2", [late]) == [late]
    assert read_history(connection).dispatches.height == 1


def test_what_becomes_of_a_message_says_nothing_of_the_one_withdrawn_before(connection: Connection) -> None:
    one = number_of("1")
    withdraw_messages(connection, "B1", [one], DAY, at(1))
    save_drafts(connection, replace(BATCH, batch_id="B2"), draft_rows([message("1", "B2")]), at(3))
    before = list_actions(connection, "B1").drop("document_path")
    assert mark_composed(connection, "B2", [ComposedDocument(one, "outbox/B2/1.eml", "d", "t")]) == 1
    assert withdraw_messages(connection, "B1", [one], DAY, at(4)) == []
    assert take_in_outcomes(connection, "B1", [Outcome(one, OutcomeKind.UNCERTAIN, DAY, at(4))]) == []
    assert list_actions(connection, "B2").select("status", "document_path").rows() == [
        ("composed", "outbox/B2/1.eml")
    ]
    doubt = Outcome(one, OutcomeKind.UNCERTAIN, DAY, at(5))
    for outcome in (doubt, replace(doubt, kind=OutcomeKind.DISPATCHED, recorded_at=at(6))):
        take_in_outcomes(connection, "B2", [outcome])
        assert list_actions(connection, "B1").drop("document_path").equals(before)
    assert list_actions(connection).filter(action_id="A1").select("batch_id", "status").rows() == [
        ("B1", "withdrawn"),
        ("B2", "dispatched"),
    ]


def test_an_old_open_batch_does_not_reject_what_was_proposed_again(connection: Connection) -> None:
    withdraw_messages(connection, "B1", [number_of("1")], DAY, at(1))
    save_drafts(connection, replace(BATCH, batch_id="B2"), draft_rows([message("1", "B2")]), at(3))
    reject_batch(connection, "B1", by="Anna", on=DAY, until=DAY, why="wrong prices", recorded_at=at(4))
    assert list_messages(connection, "B2")["status"].to_list() == ["planned"]
    assert list_actions(connection, "B2")["status"].to_list() == ["planned"]


def test_a_batch_that_needs_approval_leaves_only_with_it(connection: Connection) -> None:
    with pytest.raises(WrongStateError, match="waits for approval"):
        release_batch(connection, "B1", DAY)
    assert approve_batch(connection, "B1", Claim("Anna"), DAY, at(1)) is BatchStatus.APPROVED
    assert release_batch(connection, "B1", DAY)
    assert not release_batch(connection, "B1", DAY)


def test_two_approvers_are_two_persons(connection: Connection) -> None:
    pair = replace(BATCH, batch_id="B2", approvers=2)
    save_drafts(connection, pair, draft_rows([message("3", "B2")]), NOW)
    assert approve_batch(connection, "B2", Claim("Anna"), DAY, at(1)) is BatchStatus.DRAFT
    with pytest.raises(WrongStateError, match="waits for another person"):
        approve_batch(connection, "B2", Claim("Anna"), DAY, at(2))
    assert approve_batch(connection, "B2", Claim("Bruno"), DAY, at(3)) is BatchStatus.APPROVED
    assert list_batches(connection, status="approved")["approved_by"].to_list() == ["Anna, Bruno"]


def test_a_batch_without_approval_leaves_as_a_draft(connection: Connection) -> None:
    save_drafts(
        connection,
        replace(BATCH, batch_id="B2", approval_required=False),
        draft_rows([message("3", "B2")]),
        NOW,
    )
    assert release_batch(connection, "B2", DAY)


def test_a_rejected_batch_ends_with_its_messages(connection: Connection) -> None:
    until = date(2026, 11, 30)
    ended = reject_batch(
        connection, "B1", by="Anna", on=DAY, until=until, why="wrong prices", recorded_at=at(1)
    )
    assert ended == sorted([number_of("1"), number_of("2")])
    assert set(list_actions(connection, "B1")["status"]) == {"rejected"}
    assert read_history(connection).proposals["ended_date"].to_list() == [DAY, DAY]
    with pytest.raises(
        WrongStateError, match="is rejected and cannot be approved; only one that is draft can"
    ):
        approve_batch(connection, "B1", Claim("Anna"), DAY, at(2))


def test_a_batch_that_does_not_exist_is_named(connection: Connection) -> None:
    with pytest.raises(WrongUseError, match="there is no batch B9"):
        release_batch(connection, "B9", DAY)


def test_documents_are_noted_and_noted_anew_after_a_kill(connection: Connection) -> None:
    note = ComposedDocument(number_of("1"), "outbox/B1/emails/1.eml", "d1", "t1")
    assert mark_composed(connection, "B1", [note]) == 1
    assert mark_composed(connection, "B1", [replace(note, document_sha256="d2")]) == 1
    assert mark_composed(connection, "B1", []) == 0
    stored = {
        entry.message.message_id: entry for entry in read_messages(connection, "B1", MessageStatus.COMPOSED)
    }
    assert stored[number_of("1")].document_sha256 == "d2"
    assert list_messages(connection, "B1").sort("customer_id")["status"].to_list() == ["composed", "planned"]


def test_outcomes_are_taken_in_once(connection: Connection) -> None:
    approve_batch(connection, "B1", Claim("Anna"), DAY, at(1))
    release_batch(connection, "B1", DAY)
    journal = [
        Outcome(number_of("1"), OutcomeKind.DISPATCHED, DAY, at(2), "250 OK"),
        Outcome(number_of("2"), OutcomeKind.UNCERTAIN, DAY, at(2)),
    ]
    assert take_in_outcomes(connection, "B1", journal) == journal
    assert take_in_outcomes(connection, "B1", journal) == []
    assert not close_batch(connection, "B1", DAY)
    history = read_history(connection)
    assert history.dispatches.select("customer_id", "step", "dispatch_date", "attempt").rows() == [
        ("C1", "reminder_1", DAY, 1)
    ]
    assert history.proposals.select("customer_id", "ended_date", "uncertain_date").rows() == [
        ("C1", DAY, None),
        ("C2", None, DAY),
    ]
    assert find_last_dispatch_date(connection) == DAY


def test_an_uncertain_message_may_turn_out_not_to_have_left(connection: Connection) -> None:
    doubt = Outcome(number_of("1"), OutcomeKind.UNCERTAIN, DAY, at(2))
    take_in_outcomes(connection, "B1", [doubt])
    cleared = Outcome(number_of("1"), OutcomeKind.FAILED, DAY, at(3), "not in the server's queue")
    assert take_in_outcomes(connection, "B1", [doubt, cleared]) == [cleared]
    assert take_in_outcomes(connection, "B1", [doubt, cleared]) == []
    assert read_history(connection).proposals["uncertain_date"].to_list() == [None, None]
    assert take_in_outcomes(connection, "B1", []) == []


def test_the_last_word_of_a_journal_counts_though_the_clock_was_set_back(connection: Connection) -> None:
    greylisted = Outcome(number_of("1"), OutcomeKind.FAILED, DAY, at(9), "450 come back later")
    take_in_outcomes(connection, "B1", [greylisted])
    left = Outcome(number_of("1"), OutcomeKind.DISPATCHED, DAY, at(8), "250 OK")
    assert take_in_outcomes(connection, "B1", [greylisted, left]) == [left]
    assert list_messages(connection, "B1").sort("customer_id")["status"][0] == "dispatched"


def test_a_batch_is_closed_when_all_has_ended(connection: Connection) -> None:
    approve_batch(connection, "B1", Claim("Anna"), DAY, at(1))
    release_batch(connection, "B1", DAY)
    take_in_outcomes(connection, "B1", [Outcome(number_of("1"), OutcomeKind.DISPATCHED, DAY, at(2))])
    withdraw_messages(connection, "B1", [number_of("1"), number_of("2")], DAY, at(3))
    assert list_messages(connection, "B1").sort("customer_id")["status"].to_list() == [
        "dispatched",
        "withdrawn",
    ]
    assert close_batch(connection, "B1", DAY)
    assert not close_batch(connection, "B1", DAY)


def test_the_fees_of_a_message_are_known_of_each_item_once_it_has_left(connection: Connection) -> None:
    second = replace(BATCH, batch_id="B2", approval_required=False)
    save_drafts(connection, second, draft_rows([with_fees("3", "B2")]), NOW)
    release_batch(connection, "B2", DAY)
    take_in_outcomes(connection, "B2", [Outcome(number_of("3"), OutcomeKind.DISPATCHED, DAY, at(2))])
    assert read_history(connection).dispatches.select("customer_id", "fee").rows() == [("C3", Decimal(12))]


def test_the_fees_of_messages_of_an_older_program_are_read_from_them(tmp_path: Path) -> None:
    workspace = initialise(tmp_path / "older")
    with open_to_write(workspace) as connection:
        save_drafts(connection, BATCH, draft_rows([message("1"), with_fees("3")]), NOW)
        approve_batch(connection, "B1", Claim("Anna"), DAY, at(1))
        release_batch(connection, "B1", DAY)
        journal = [Outcome(number_of(str(n)), OutcomeKind.DISPATCHED, DAY, at(2)) for n in (1, 3)]
        take_in_outcomes(connection, "B1", journal)
        connection.execute("alter table actions drop column fees")
        connection.execute(ADDING_FEES.read_text(encoding="utf-8"))
        known = read_history(connection).dispatches.select("customer_id", "fee")
        assert known.rows() == [("C1", None), ("C3", Decimal(12))]


ADDING_FEES = shipped_root() / "tasks" / "store" / "migrations" / "004_fees_of_actions.sql"


def with_fees(number: str, batch_id: str = "B1") -> Message:
    plain = message(number, batch_id)
    charges = ItemCharges(fees=Decimal("12.00"))
    return plain.model_copy(
        update={
            "items": (plain.items[0].model_copy(update={"charges": charges}),),
            "total_fees": Decimal("12.00"),
        }
    )
