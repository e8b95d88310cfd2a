"""From approval to release: whose word counts, what is left out, what is taken out, what sends a batch back."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import NewEvent, append_events
from tasks.store.connection import open_to_write
from tasks.workspace import Workspace, open_workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import (
    DAY,
    NEXT_DAY,
    NOTICES,
    Told,
    company,
    drop,
    events,
    relance,
    statuses,
    table,
    write_policy,
)

RULES: dict[str, Any] = {
    "approvals": {"expire_after_days": 10, "two_names_above": {"EUR": "2799.99"}},
    "guards": {"maximum_source_age_business_days": 5},
}
FRIDAY = "2026-04-24"
WITH_PAYMENTS = ["payment_id,customer_id,payment_date,currency,amount,invoice_number"]


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Notices of 2800 EUR that wait; two names are asked for more than 2799.99."""
    workspace = company(tmp_path_factory.mktemp("drafted") / "acme", **RULES)
    drop(workspace, f"payments-{DAY}.csv", WITH_PAYMENTS)
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    return workspace


@pytest.fixture
def workspace(drafted: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(drafted, tmp_path / "acme")


@pytest.fixture(scope="module")
def approved_once(drafted: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = copy_workspace(drafted, tmp_path_factory.mktemp("approved") / "acme")
    for name in ("Anna", "Bruno"):
        assert approve(workspace, name).returncode == 0
    return workspace


@pytest.fixture
def approved(approved_once: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(approved_once, tmp_path / "acme")


def approve(workspace: Workspace, name: str, *words: str, on: str = DAY) -> Told:
    return relance(workspace, "batches", "approve", NOTICES, "--by", name, "--as-of", on, *words)


def status(workspace: Workspace) -> str:
    listed = table(relance(workspace, "batches", "list", "--format", "csv").stdout)
    return next(row["status"] for row in listed if row["batch_id"] == NOTICES)


def test_a_large_amount_asks_for_two_names_and_one_person_is_not_two(workspace: Workspace) -> None:
    first, same = approve(workspace, "Anna Martin"), approve(workspace, " anna  MARTIN")
    assert "one more person is asked for" in first.stdout
    assert (same.returncode, status(workspace)) == (2, "draft")
    assert approve(workspace, "Bruno").returncode == 0
    assert status(workspace) == "approved"
    logged = events(workspace, "batch_approved")
    assert [(one["claimed_by"], one["channel"], one["status"]) for one in logged] == [
        ("Anna Martin", "command line", "draft"),
        ("Bruno", "command line", "approved"),
    ]
    assert all(one["login"] for one in logged)


def test_customers_are_left_out_with_a_reason_and_the_papers_are_made_anew(workspace: Workspace) -> None:
    assert approve(workspace, "Anna", "--without", "C2").returncode == 2
    unknown = approve(workspace, "Anna", "--without", "C9", "--why", "x")
    assert "holds no message for C9; nothing was approved" in unknown.stderr
    everyone = [word for name in ("C1", "C2", "C3", "C5") for word in ("--without", name)]
    assert "nothing of batch" in approve(workspace, "Anna", *everyone, "--why", "x").stderr

    words = ["--without", "C2", "--without", "C3", "--why", "in talks", "--until", "2026-04-30"]
    assert approve(workspace, "Anna", *words).returncode == 0
    folder = workspace.outbox / NOTICES
    listed = (folder / "letters.csv").read_text(encoding="utf-8-sig")
    assert [row["customer_id"] for row in table(listed)] == ["C1", "C5"]
    assert sorted(path.name[:2] for path in (folder / "letters").iterdir()) == ["C1", "C5"]
    assert set(events(workspace, "batch_files_replaced")[0]["files"]) >= {"print.pdf", "letters.csv"}

    held = table(relance(workspace, "decisions", "--as-of", NEXT_DAY, "--format", "csv").stdout)
    assert [row["customer_id"] for row in held if row["reason"] == "manual_hold"] == ["C2", "C3"]
    assert approve(workspace, "Bruno").returncode == 0
    assert relance(workspace, "release", NOTICES, "--as-of", DAY).returncode == 0
    assert statuses(workspace) == {
        "C1": "dispatched",
        "C2": "withdrawn",
        "C3": "withdrawn",
        "C5": "dispatched",
    }


def test_who_is_left_out_without_a_day_is_decided_anew(workspace: Workspace) -> None:
    assert approve(workspace, "Anna", "--without", "C2", "--why", "wrong address").returncode == 0
    assert relance(workspace, "run", "--as-of", NEXT_DAY).returncode == 5
    assert statuses(workspace, f"{NEXT_DAY}-notice") == {"C2": "composed"}


def test_an_approval_expires_and_the_batch_waits_again(approved: Workspace) -> None:
    in_time, late = "2026-03-20", "2026-03-21"
    payments = [*WITH_PAYMENTS, "P1,C9,2026-03-20,EUR,1.00,F-C9"]
    drop(approved, f"payments-{in_time}.csv", payments)
    assert relance(approved, "intake", "--as-of", in_time).returncode == 0
    released = relance(approved, "release", "--as-of", late)
    assert released.returncode == 5
    assert "the approval of 2026-03-10 counted for 10 days" in released.text
    assert status(approved) == "draft"
    assert [one["batch_id"] for one in events(approved, "approval_expired")] == [NOTICES]
    assert approve(approved, "Anna", on=late).returncode == 0
    assert status(approved) == "draft", "the names of before no longer count"


def test_releasing_a_batch_whose_approval_ran_out_says_until_when_it_counted_and_what_to_do(
    approved: Workspace,
) -> None:
    for _ in range(2):
        released = relance(approved, "release", NOTICES, "--as-of", "2026-03-21")
        assert released.returncode == 5
        assert "approval of 2026-03-10 counted for 10 days, until 2026-03-20." in released.text
        assert f"`relance batches approve {NOTICES} --by NAME` approves it." in released.text


def test_releasing_what_was_rejected_or_given_up_says_when_and_what_comes_next(
    workspace: Workspace, tmp_path: Path
) -> None:
    other = copy_workspace(workspace, tmp_path / "other")
    words = ["--by", "Anna", "--why", "too early", "--until", "2026-03-30", "--as-of", DAY]
    assert relance(workspace, "batches", "reject", NOTICES, *words).returncode == 0
    rejected = relance(workspace, "release", NOTICES, "--as-of", NEXT_DAY)
    assert "was rejected on 2026-03-10 by Anna: its items are held until 2026-03-30" in rejected.text
    assert "nobody decided within 10 days" in relance(other, "release", "--as-of", "2026-03-21").text
    given_up = relance(other, "release", NOTICES, "--as-of", "2026-03-21")
    assert "was given up on 2026-03-21, since nobody decided on it in time" in given_up.text
    assert [rejected.returncode, given_up.returncode] == [2, 2]


def test_a_batch_nobody_decides_on_is_given_up_and_decided_anew(workspace: Workspace) -> None:
    late = date.fromisoformat(DAY) + timedelta(days=11)
    ran = relance(workspace, "run", "--as-of", str(late))
    assert "nobody decided within 10 days" in ran.text
    assert set(statuses(workspace).values()) == {"withdrawn"}
    assert not list((workspace.outbox / NOTICES / "letters").glob("*.pdf"))
    again = late + timedelta(days=2)
    drop(workspace, f"payments-{again}.csv", [*WITH_PAYMENTS, f"P1,C9,{again},EUR,1.00,F-C9"])
    relance(workspace, "run", "--as-of", str(again))
    assert len(statuses(workspace, f"{again}-notice")) == 4


def test_what_was_paid_disputed_promised_or_credited_since_is_taken_out_and_told(approved: Workspace) -> None:
    drop(approved, f"payments-{NEXT_DAY}.csv", [*WITH_PAYMENTS, f"P1,C1,{NEXT_DAY},EUR,1200.00,F-C1"])
    head = "customer_id,customer_name,invoice_number,document_type,invoice_date,due_date,currency,amount"
    note = f"C5,Client C5 SARL,N-1,credit_note,{NEXT_DAY},{NEXT_DAY},EUR,10.00,F-C5"
    drop(approved, f"invoices-{NEXT_DAY}.csv", [f"{head},credited_invoice_number", note])
    words = ["--customer", "C2", "--invoice", "F-C2", "--as-of", NEXT_DAY]
    assert relance(approved, "record", "dispute", *words, "--amount", "100").returncode == 0
    words = ["--customer", "C3", "--until", "2026-04-30", "--as-of", NEXT_DAY]
    assert relance(approved, "record", "promise", *words).returncode == 0
    assert relance(approved, "intake", "--as-of", NEXT_DAY).returncode == 0

    released = relance(approved, "release", NOTICES, "--as-of", NEXT_DAY)
    assert released.returncode == 0, released.stderr
    assert set(statuses(approved).values()) == {"withdrawn"}
    whys = {one["customer_id"]: one["why"] for one in events(approved, "action_withdrawn")}
    assert whys == {
        "C1": "invoice F-C1 is no longer open",
        "C2": "the balance of invoice F-C2 has changed",
        "C3": "invoice F-C3 is held: promise_running",
        "C5": "the balance of invoice F-C5 has changed",
    }
    assert all(why in released.text for why in whys.values())
    assert not list((approved.outbox / NOTICES / "letters").glob("*.pdf"))


def test_the_papers_of_what_stays_are_made_anew_before_they_leave(approved: Workspace) -> None:
    drop(approved, f"payments-{NEXT_DAY}.csv", [*WITH_PAYMENTS, f"P1,C1,{NEXT_DAY},EUR,1200.00,F-C1"])
    assert relance(approved, "intake", "--as-of", NEXT_DAY).returncode == 0
    before = (approved.outbox / NOTICES / "print.pdf").read_bytes()
    assert relance(approved, "release", NOTICES, "--as-of", NEXT_DAY).returncode == 0
    assert (approved.outbox / NOTICES / "print.pdf").read_bytes() != before
    listed = (approved.outbox / NOTICES / "letters.csv").read_text(encoding="utf-8-sig")
    assert [row["customer_id"] for row in table(listed)] == ["C2", "C3", "C5"]
    assert len(events(approved, "batch_files_replaced")) == 1


def test_a_policy_changed_since_sends_the_batch_back_and_approving_again_lets_it_leave(
    approved: Workspace,
) -> None:
    write_policy(approved, **RULES, promise_grace_days=3)
    released = relance(approved, "release", "--as-of", DAY)
    assert released.returncode == 5
    assert "The policy was changed since the batch was drafted" in released.text
    assert status(approved) == "draft"
    assert [one["code"] for one in events(approved, "batch_sent_back")[0]["guards"]] == ["policy_changed"]
    shown = relance(approved, "batches", "show", NOTICES)
    assert "Needs approval: The policy was changed" in shown.stdout
    for name in ("Anna", "Bruno"):
        assert approve(approved, name).returncode == 0
    assert relance(approved, "release", "--as-of", DAY).returncode == 0
    assert set(statuses(approved).values()) == {"dispatched"}


def test_a_source_too_old_at_release_sends_the_batch_back(approved: Workspace) -> None:
    released = relance(approved, "release", "--as-of", "2026-03-19")
    assert released.returncode == 5
    assert "more than 5 business days old" in released.text
    assert status(approved) == "draft"


def test_a_log_that_does_not_hold_sends_the_batch_back(approved: Workspace) -> None:
    with open_to_write(approved) as connection:
        connection.execute(
            "update audit_events set actor = 'nobody' where sequence = (select max(sequence) from audit_events)"
        )
    released = relance(approved, "release", "--as-of", DAY)
    assert "The audit log does not hold" in released.text
    assert released.returncode in (5, 6)
    assert set(statuses(approved).values()) == {"composed"}


def test_a_clock_that_went_back_sends_the_batch_back(approved: Workspace) -> None:
    """The log holds an event of the year 2199: either it or the clock of today is wrong."""
    with open_to_write(approved) as connection:
        connection.execute(
            "update audit_events set recorded_at = timestamptz '2199-01-01 00:00:00+00' "
            "where sequence = (select max(sequence) from audit_events)"
        )
    released = relance(approved, "release", "--as-of", DAY)
    assert "The clock went back" in released.text
    assert set(statuses(approved).values()) == {"composed"}


def test_while_release_is_stopped_nothing_leaves_and_everything_else_goes_on(approved: Workspace) -> None:
    halted = relance(approved, "stop", "--by", "Chef", "--why", "wrong bank account")
    assert halted.returncode == 0, halted.stderr
    assert relance(approved, "stop", "--by", "", "--why", "x").returncode == 2
    for words in (["release"], ["release", NOTICES], ["run"]):
        done = relance(approved, *words, "--as-of", DAY)
        assert done.returncode == 5, done.stderr
        told = done.text
        assert "release is stopped by Chef since" in told
        assert "wrong bank account" in told
    assert set(statuses(approved).values()) == {"composed"}
    assert [one["claimed_by"] for one in events(approved, "release_stopped")] == ["Chef"]

    assert relance(approved, "start", "--by", "Chef").returncode == 0
    assert "nothing changed" in relance(approved, "start", "--by", "Chef").stdout
    assert relance(approved, "release", "--as-of", DAY).returncode == 0
    assert set(statuses(approved).values()) == {"dispatched"}
    assert [one["claimed_by"] for one in events(approved, "release_started")] == ["Chef"]


def test_a_stop_written_by_hand_or_not_yet_logged_halts_too(approved: Workspace) -> None:
    approved.stop_path.write_text("", encoding="utf-8")
    done = relance(approved, "release", "--as-of", DAY)
    assert (done.returncode, "stopped by unknown" in done.stdout) == (5, True)
    assert open_workspace(approved.root).stop_path.exists()
    assert [one["claimed_by"] for one in events(approved, "release_stopped")] == ["unknown"]

    approved.stop_path.unlink()
    approved.stop_path.touch()
    for _ in range(2):
        assert relance(approved, "release", "--as-of", DAY).returncode == 5
    stops = events(approved, "release_stopped")
    assert [one["claimed_by"] for one in stops] == ["unknown", "unknown"]
    assert stops[0]["since"] < stops[1]["since"]


def test_papers_that_would_say_other_things_today_wait_for_a_person_and_do_not_leave(
    approved: Workspace,
) -> None:
    creditor = approved.creditor_path.read_text(encoding="utf-8")
    approved.creditor_path.write_text(
        creditor.replace("legal_name: ", "legal_name: Autre ", 1), encoding="utf-8"
    )
    dispute = ["--customer", "C1", "--invoice", "F-C1", "--amount", "1200.00"]
    assert relance(approved, "record", "dispute", *dispute, "--as-of", DAY).returncode == 0

    released = relance(approved, "release", NOTICES, "--as-of", DAY)

    assert "look at the documents as they are made today" in released.text
    assert status(approved) == "draft"
    assert set(statuses(approved).values()) == {"withdrawn", "composed"}
    assert events(approved, "batch_sent_back")[0]["guards"][0]["code"] == "documents_changed"
    for name in ("Anna", "Bruno"):
        assert approve(approved, name).returncode == 0
    assert relance(approved, "release", NOTICES, "--as-of", DAY).returncode == 0
    assert statuses(approved)["C2"] == "dispatched"


def test_a_clock_that_went_back_is_noticed_inside_a_daily_run_too(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    with open_to_write(workspace) as connection:
        late = [NewEvent("release_started", {"by": "Chef"})]
        at = datetime(2199, 1, 1, tzinfo=UTC)
        append_events(connection, late, recorded_at=at, actor="a", run_id="of another day")
    ran = relance(workspace, "run", "--as-of", DAY)
    assert "The clock went back" in ran.text
    assert set(statuses(workspace, f"{DAY}-automatic").values()) == {"composed"}


@pytest.fixture
def by_email(tmp_path: Path) -> Workspace:
    """Two e-mails that are approved on a Friday before a weekend, to customers in France and Germany."""
    notice = {
        "step": "notice",
        "after_due_days": 1,
        "channel": "email",
        "template": "formal_notice",
        "approval": "required",
    }
    rules: dict[str, Any] = {
        "ladders": {"gentle": [{**notice}], "firm": [{**notice}]},
        "calendar": {"country": "FR", "contact_on": "business_days"},
    }
    workspace = company(tmp_path / "acme", {"C1": "1200.00", "C2": "800.00"}, **rules)
    customers = workspace.inbox / "customers.csv"
    customers.write_text(customers.read_text().replace("c2@example.com,FR", "c2@example.com,DE"))
    assert relance(workspace, "run", "--as-of", FRIDAY).returncode == 5
    named = ("--by", "Claire", "--as-of", FRIDAY)
    assert relance(workspace, "batches", "approve", f"{FRIDAY}-notice", *named).returncode == 0
    return workspace


def test_an_approved_email_waits_for_a_day_of_contact(by_email: Workspace) -> None:
    batch = f"{FRIDAY}-notice"

    on_sunday = relance(by_email, "release", "--as-of", "2026-05-03")

    assert on_sunday.returncode == 5
    assert "2 messages not sent: 2026-05-03 is a Sunday, in the weekend in DE" in on_sunday.text
    assert set(statuses(by_email, batch).values()) == {"composed"}
    assert events(by_email, "batch_released") == []
    on_monday = relance(by_email, "release", "--as-of", "2026-05-04")
    assert on_monday.returncode == 0, on_monday.text
    assert set(statuses(by_email, batch).values()) == {"dispatched"}


def test_a_holiday_of_one_country_keeps_only_its_own_customers(by_email: Workspace) -> None:
    batch = f"{FRIDAY}-notice"

    on_victory_day = relance(by_email, "release", "--as-of", "2026-05-08")

    assert on_victory_day.returncode == 5
    assert "1 message not sent: 2026-05-08 is a public holiday in FR" in on_victory_day.text
    assert statuses(by_email, batch) == {"C1": "composed", "C2": "dispatched"}
    assert relance(by_email, "release", "--as-of", "2026-05-11").returncode == 0
    assert statuses(by_email, batch) == {"C1": "dispatched", "C2": "dispatched"}
    assert relance(by_email, "audit", "verify").returncode == 0


def test_a_letter_that_waits_for_a_day_of_contact_keeps_its_whole_batch(tmp_path: Path) -> None:
    calendar = {"country": "FR", "contact_on": "business_days"}
    workspace = company(tmp_path / "acme", {"C1": "1200.00", "C2": "800.00"}, calendar=calendar)
    customers = workspace.inbox / "customers.csv"
    customers.write_text(customers.read_text().replace("c2@example.com,FR", "c2@example.com,DE"))
    batch = f"{FRIDAY}-notice"
    relance(workspace, "run", "--as-of", FRIDAY)
    relance(workspace, "batches", "approve", batch, "--by", "Claire", "--as-of", FRIDAY)

    on_victory_day = relance(workspace, "release", "--as-of", "2026-05-08")

    assert on_victory_day.returncode == 5
    assert "2 messages not sent: 2026-05-08 is a public holiday in FR" in on_victory_day.text
    assert set(statuses(workspace, batch).values()) == {"composed"}
    assert relance(workspace, "release", "--as-of", "2026-05-11").returncode == 0
    assert set(statuses(workspace, batch).values()) == {"dispatched"}
