"""The audit chain: what was recorded cannot be changed unseen."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from policies.model import Channel
from tasks.audit.personal_fields import verify_personal_fields
from tasks.ledger import (
    NewEvent,
    append_events,
    canonical,
    hash_of,
    record_of,
    records_of,
    salted_hash,
    verify_store,
)
from tasks.store.audit import EVENT_ROWS, erase_personal_fields, read_head, read_log
from tasks.store.connection import Connection, open_to_write
from tasks.workspace import initialise

NOW = datetime(2026, 11, 2, 6, 30, 15, 120, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with open_to_write(initialise(tmp_path / "company")) as opened:
        yield opened


def tell(connection: Connection, *events: NewEvent) -> None:
    append_events(connection, events, recorded_at=NOW, actor="Anna", run_id="run-1")


def dispatched(number: int) -> NewEvent:
    return NewEvent(
        "action_dispatched",
        {"amount_open": Decimal("100.50"), "number": number},
        action_id=f"A{number}",
        customer_id=f"C{number}",
        personal={"email": f"c{number}@société.example"},
    )


def tell_four(connection: Connection) -> None:
    tell(connection, dispatched(1), dispatched(2))
    tell(connection, dispatched(3), dispatched(4))


def test_a_new_chain_holds_and_is_empty(connection: Connection) -> None:
    assert verify_store(connection) == []
    tell(connection)
    assert read_head(connection).sequence == 0


def test_events_are_chained_across_transactions(connection: Connection) -> None:
    tell_four(connection)
    assert verify_store(connection) == []
    log = read_log(connection)
    assert log["sequence"].to_list() == [1, 2, 3, 4]
    assert log["previous_hash"].to_list() == ["", *log["hash"].to_list()[:3]]
    assert read_head(connection).hash == log["hash"][3]


def test_a_hash_can_be_made_again_by_anyone(connection: Connection) -> None:
    tell(connection, NewEvent("noted", {"b": date(2026, 1, 2), "a": Decimal("1.50")}))
    record = {
        "sequence": 1,
        "recorded_at": "2026-11-02T06:30:15.000120Z",
        "actor": "Anna",
        "run_id": "run-1",
        "kind": "noted",
        "action_id": None,
        "customer_id": None,
        "payload": '{"a":"1.50","b":"2026-01-02"}',
        "previous_hash": "",
    }
    assert read_head(connection).hash == hashlib.sha256(rfc8785.dumps(record)).hexdigest()  # type: ignore[arg-type]  # its type is private


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**53 - 1))
def test_the_fast_encoding_is_the_canonical_one(text: str, number: int) -> None:
    record: dict[str, object] = dict.fromkeys(
        ("recorded_at", "actor", "run_id", "kind", "action_id", "payload", "previous_hash"), text
    )
    record |= {"sequence": number, "customer_id": None}
    assert hash_of(record) == hashlib.sha256(rfc8785.dumps(record)).hexdigest()  # type: ignore[arg-type]  # private type
    together = records_of(pl.DataFrame([{**record, "recorded_at": NOW, "hash": ""}], EVENT_ROWS))
    assert together == [record_of({**record, "recorded_at": "2026-11-02T06:30:15.000120Z"})]


def test_amounts_dates_and_words_become_text_and_floats_are_refused() -> None:
    payload = {
        "items": ({"amount": Decimal("1E+3"), "on": NOW},),
        "channel": Channel.EMAIL,
        "sent": True,
        "none": None,
    }
    assert json.loads(canonical(payload)) == {
        "items": [{"amount": "1000", "on": "2026-11-02T06:30:15.000120Z"}],
        "channel": "email",
        "sent": True,
        "none": None,
    }
    with pytest.raises(TypeError, match="cannot hold float"):
        canonical({"amount": 1.5})


@pytest.mark.parametrize("column", ["payload", "actor", "run_id", "kind", "action_id", "customer_id"])
def test_one_changed_byte_of_one_event_is_found_and_named(connection: Connection, column: str) -> None:
    tell_four(connection)
    connection.execute(
        f"update audit_events set {column} = left({column}, 1) || '~' || substr({column}, 3) where sequence = 2"
    )
    assert verify_store(connection) == ["event 2 was changed: its hash does not fit its content"]


def test_a_changed_instant_is_found(connection: Connection) -> None:
    tell_four(connection)
    connection.execute(
        "update audit_events set recorded_at = recorded_at + interval 1 microsecond where sequence = 3"
    )
    assert verify_store(connection) == ["event 3 was changed: its hash does not fit its content"]


def test_an_event_changed_with_its_hash_does_not_fit_the_next(connection: Connection) -> None:
    tell_four(connection)
    row = {
        **read_log(connection).row(1, named=True),
        "actor": "Bruno",
        "recorded_at": "2026-11-02T06:30:15.000120Z",
    }
    connection.execute(
        "update audit_events set actor = 'Bruno', hash = $hash where sequence = 2", {"hash": hash_of(row)}
    )
    assert verify_store(connection) == ["event 3 does not follow on event 2: one of them was replaced"]


def test_a_missing_event_is_found_and_named(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("delete from audit_events where sequence = 2")
    assert verify_store(connection) == ["event 2 is missing or out of order: after 1 comes event 3"]


def test_a_missing_first_event_is_found_and_named(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("delete from audit_events where sequence = 1")
    assert verify_store(connection) == ["event 1 is missing or out of order: at the beginning comes event 2"]


def test_events_in_another_order_are_found(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("update audit_events set sequence = 5 - sequence where sequence in (2, 3)")
    assert verify_store(connection) == [
        "event 2 was changed: its hash does not fit its content",
        "event 3 was changed: its hash does not fit its content",
        "event 4 does not follow on event 3: one of them was replaced",
    ]


def test_a_dropped_last_event_is_found_and_named(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("delete from audit_events where sequence = 4")
    assert verify_store(connection) == ["event 4 is missing: the events end with 3, the store states 4"]


def test_an_event_added_past_the_head_is_found(connection: Connection) -> None:
    tell_four(connection)
    head = read_head(connection)
    tell(connection, dispatched(5))
    connection.execute(
        "update meta set head_sequence = $sequence, head_hash = $hash",
        {"sequence": head.sequence, "hash": head.hash},
    )
    assert verify_store(connection) == ["event 5 was added: the store states 4 as the last"]


def test_a_rewritten_last_event_is_found_by_the_head(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("update meta set head_hash = 'x'")
    assert verify_store(connection) == ["event 4 was replaced: the store states another hash for it"]


def test_an_event_that_stands_twice_is_found(connection: Connection) -> None:
    tell_four(connection)
    connection.execute("insert into audit_events select * from audit_events where sequence = 4")
    assert verify_store(connection) == ["event 5 is missing or out of order: after 4 comes event 4"]


def test_personal_fields_stand_beside_the_log_and_only_their_salted_hash_in_it(
    connection: Connection,
) -> None:
    tell(connection, dispatched(1))
    payload = read_log(connection, action_id="A1")["payload"][0]
    assert "société" not in payload
    found = connection.execute("select field, salt, value from personal_fields").fetchall()
    ((field, salt, value),) = found
    assert (field, value) == ("email", "c1@société.example")
    assert json.loads(payload)["email_hash"] == salted_hash(salt, value)


def test_a_changed_personal_field_is_found_and_an_erased_one_breaks_nothing(connection: Connection) -> None:
    tell_four(connection)
    assert erase_personal_fields(connection, "C1") == 1
    assert verify_personal_fields(connection) == []
    connection.execute("update personal_fields set value = 'other' where sequence = 2")
    assert verify_personal_fields(connection) == ["event 2: its personal field email was changed or added"]


def test_the_log_is_filtered(connection: Connection) -> None:
    tell_four(connection)
    tell(connection, NewEvent("batch_approved", {}))
    assert read_log(connection, kind="batch_approved")["sequence"].to_list() == [5]
    assert read_log(connection, customer_id="C2")["sequence"].to_list() == [2]
    assert read_log(connection, action_id="A3", run_id="run-1", since=NOW)["sequence"].to_list() == [3]
    assert read_log(connection, until=NOW).is_empty()
    assert read_log(connection, newest=2)["sequence"].to_list() == [4, 5]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(payload=st.dictionaries(st.text(), _VALUES, max_size=5))
def test_a_payload_is_written_as_the_standard_says(payload: dict[str, Any]) -> None:
    assert canonical(payload) == rfc8785.dumps(payload).decode()


def test_names_beyond_the_surrogates_are_sorted_as_the_standard_says() -> None:
    payload = {"\uff5e": 1, "\U0001f600": 2}
    assert canonical(payload) == rfc8785.dumps(payload).decode() == '{"\U0001f600":2,"\uff5e":1}'


def test_a_number_that_other_programs_would_round_is_refused() -> None:
    with pytest.raises(TypeError, match="write it as text"):
        canonical({"number": 2**53})


def test_events_that_share_what_happened_keep_their_own_personal_fields(connection: Connection) -> None:
    shared = {"on": "2026-11-02"}
    tell(
        connection,
        NewEvent("told", shared, personal={"email": "a@b.example"}),
        NewEvent("told", shared),
        NewEvent("told", shared),
    )
    payloads = read_log(connection)["payload"].to_list()
    assert ["email_hash" in payload for payload in payloads] == [True, False, False]
    assert verify_store(connection) == []
