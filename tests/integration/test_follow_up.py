"""What came back has its effect the next day, once, whatever way it comes."""

import json
import signal
import threading
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.start import begin
from tasks.intake import IntakeStatus, find_mails
from tasks.returns.safe_mail import MOST_BYTES
from tasks.store.connection import open_to_read
from tasks.store.returns import list_returns
from tasks.workspace import Workspace
from tests.integration.returning_company import (
    BACK,
    DAY,
    DOMAIN,
    NEXT,
    act,
    answer,
    bounce,
    decisions,
    doubtful_company,
    events,
    make_company,
    messages,
    statuses,
    write,
)
from tests.torture.company import copy_workspace, start


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = make_company(tmp_path_factory.mktemp("sent") / "company")
    act(workspace, "run", DAY)
    return workspace


@pytest.fixture
def company(sent: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(sent, tmp_path / "company")


def drop(workspace: Workspace, name: str, content: bytes) -> None:
    workspace.returned.mkdir(exist_ok=True)
    (workspace.returned / f"{name}.eml").write_bytes(content)


def only_published(workspace: Workspace, before: pl.DataFrame) -> bool:
    """Return whether nothing is new in the log but that a run published."""
    after = events(workspace)
    return after[: before.height].equals(before) and set(after[before.height :]["kind"]) <= {"copy_published"}


def test_a_bounce_falls_back_to_a_letter_a_reply_pauses_and_an_absence_is_neither(company: Workspace) -> None:
    number = messages(company)
    drop(company, "bounce", bounce(number["ana"], "ana@client.example"))
    drop(company, "reply", answer(number["ben"], "ben@client.example"))
    drop(
        company,
        "absent",
        answer(
            number["cleo"],
            "cleo@client.example",
            "Réponse automatique : facture",
            "Auto-Submitted: auto-replied",
        ),
    )

    told = act(company, "follow-up", BACK, expect=5)

    assert "back    auto reply 1, bounced 1, replied 1" in told
    assert "customer ben replied: read it; nothing leaves to them up to and with 2026-03-10" in told
    assert decisions(company, NEXT) == {
        "ana": ("reminder_2", "letter", ""),
        "ben": ("", "", "manual_hold"),
        "cleo": ("reminder_2", "email", ""),
        "dan": ("reminder_2", "email", ""),
    }
    assert sorted(path.name for path in (company.archive / "returns").iterdir()) == [
        "absent.eml",
        "bounce.eml",
        "reply.eml",
    ]
    recorded = [json.loads(row) for row in events(company).filter(kind="event_recorded")["payload"]]
    assert sorted((row["customer_id"], row["kind"], row["actor"]) for row in recorded) == [
        ("ana", "bounce", "relance"),
        ("ben", "answer", "relance"),
        ("ben", "hold", "relance"),
    ]
    act(company, "record hold_released", NEXT, "--customer", "ben")
    assert decisions(company, NEXT)["ben"] == ("reminder_2", "email", "")


def test_the_same_mail_twice_changes_nothing_by_whatever_way_it_comes(company: Workspace) -> None:
    number = messages(company)
    reply = answer(number["ben"], "ben@client.example")
    drop(company, "reply", reply)
    act(company, "follow-up", BACK, expect=5)
    before = events(company)

    drop(company, "reply", reply)
    (company.inbox / "again.eml").write_bytes(b"X-Other-Way: yes\r\n" + reply)
    told = act(company, "follow-up", BACK)

    assert "back    2 mails known before" in told
    assert only_published(company, before)
    assert sorted(path.name for path in (company.archive / "returns").iterdir()) == ["again.eml", "reply.eml"]


def test_a_bounce_of_an_address_that_is_no_longer_the_customers_is_noted_and_blames_nobody(
    company: Workspace,
) -> None:
    number = messages(company)
    (company.inbox / "customers-2026-03-03.csv").write_text(
        "customer_id,customer_name,email\nana,Ana SARL,nouvelle@client.example\n", encoding="utf-8"
    )
    act(company, "intake", BACK)
    drop(company, "bounce", bounce(number["ana"], "ana@client.example"))

    assert "old address 1" in act(company, "follow-up", BACK)
    assert decisions(company, NEXT)["ana"] == ("reminder_2", "email", "")


def test_three_messages_in_a_row_that_did_not_arrive_are_a_bounce_for_good(company: Workspace) -> None:
    company.creditor_path.write_text(
        company.creditor_path.read_text(encoding="utf-8") + "\nreturns: {soft_bounces: 2}\n", encoding="utf-8"
    )
    first = messages(company)["dan"]
    drop(company, "full", bounce(first, "dan@client.example", "4.2.2", "delayed"))
    drop(company, "full-again", bounce(first, "dan@client.example", "5.2.2"))
    assert "bounced for now 2" in act(company, "follow-up", BACK)
    act(company, "run", NEXT)
    with open_to_read(company) as connection:
        second = connection.sql(
            f"select message_id from messages where customer_id = 'dan' and message_id <> '{first}'"
        ).fetchall()[0][0]
    drop(company, "third", bounce(second, "dan@client.example", "5.2.2"))
    assert "back    bounced 1" in act(company, "follow-up", NEXT)
    with open_to_read(company) as connection:
        assert list_returns(connection)["outcome"].to_list() == [
            "bounced_for_now",
            "bounced_for_now",
            "bounced",
        ]


def test_mail_about_nothing_of_ours_is_counted_kept_and_shown_to_a_person(company: Workspace) -> None:
    drop(company, "stray", bounce("0" * 32, "who@client.example"))
    drop(
        company,
        "newsletter",
        b"From: n@shop.example\r\nList-Id: <l.shop.example>\r\nSubject: Sale\r\n\r\nSale\r\n",
    )
    told = act(company, "follow-up", BACK, expect=5)
    assert "back    unmatched 2" in told
    assert "mail that names no message and no customer of ours: 1 (mail " in told
    assert "stray" not in told
    assert "who@client.example" not in told + str(events(company).rows())


def test_a_customer_who_writes_anew_is_known_by_an_exact_address_alone(company: Workspace) -> None:
    fresh = (
        b"From: Dan <DAN@client.example>\r\nTo: us@x.example\r\nSubject: Compte\r\n"
        b"Message-ID: <n@c.example>\r\n\r\nAppelez-moi.\r\n"
    )
    drop(company, "fresh", fresh)
    drop(company, "other", fresh.replace(b"DAN@", b"dan.dupont@").replace(b"<n@", b"<o@"))
    told = act(company, "follow-up", BACK, expect=5)
    assert "replied 1, unmatched 1" in told
    assert decisions(company, NEXT)["dan"][2] == "manual_hold"
    told_of_dan = json.loads(events(company).filter(kind="mail_returned", customer_id="dan")["payload"][0])
    assert told_of_dan["evidence"] == "customer_address"


def test_a_mail_still_being_written_is_told_by_number_and_not_by_the_name_of_its_file(
    company: Workspace,
) -> None:
    drop(company, "Anna Meier - my divorce", b"Subject: half")
    drop(company, "Zoe", answer(messages(company)["ben"], "ben@client.example"))
    growing = company.returned / "Anna Meier - my divorce.eml"
    run = begin(company.root, date.fromisoformat(BACK))
    timer = threading.Timer(0.5, growing.write_bytes, [b"Subject: half, and more"])
    timer.start()
    complete, moving = find_mails(run)
    timer.join()
    assert [path.name for path in complete] == ["Zoe.eml"]
    assert [(one.file, one.status) for one in moving] == [("returns, mail 1", IntakeStatus.INCOMPLETE)]


def test_the_daily_run_leaves_mail_in_the_inbox_alone(company: Workspace) -> None:
    (company.inbox / "mail.EML").write_bytes(bounce(messages(company)["ana"], "ana@client.example"))
    told = act(company, "intake", BACK)
    assert "mail.EML" not in told
    assert (company.inbox / "mail.EML").exists()


@pytest.fixture
def doubtful(tmp_path: Path) -> Workspace:
    """The company whose messages may have left, with folders of mail."""
    workspace = copy_workspace(doubtful_company(), tmp_path / "company")
    text = workspace.creditor_path.read_text(encoding="utf-8")
    keys = "\nreturns: {sent_maildir: Sent, maildir: Mail}\n"
    workspace.creditor_path.write_text(text + keys, encoding="utf-8")
    for folder in ("Sent", "Mail"):
        (workspace.root / folder / "cur").mkdir(parents=True)
    return workspace


def test_doubts_are_settled_by_a_report_a_reply_and_a_copy_among_the_sent_mail(doubtful: Workspace) -> None:
    number = messages(doubtful)
    assert set(statuses(doubtful).values()) == {"uncertain"}
    mail, copies = doubtful.root / "Mail" / "cur", doubtful.root / "Sent" / "cur"
    (mail / "1").write_bytes(bounce(number["ana"], "ana@client.example"))
    (mail / "2").write_bytes(answer(number["ben"], "ben@client.example"))
    (copies / "1").write_bytes(f"From: us\nMessage-Id:\n <{number['cleo']}@{DOMAIN}>\n\nx\n".encode())
    (copies / "2").write_bytes(f"From: us\n\nMessage-ID: <{number['dan']}@{DOMAIN}>\n".encode())

    told = act(doubtful, "follow-up", BACK, expect=5)

    assert statuses(doubtful) == {
        "ana": "dispatched",
        "ben": "dispatched",
        "cleo": "dispatched",
        "dan": "uncertain",
    }
    told = " ".join(told.split())
    assert f"message {number['cleo']} (customer cleo, invoice F-cleo) had left after all" in told
    assert f"message {number['dan']} (customer dan, invoice F-dan) may or may not have left" in told
    assert "the address bounced: customer ana, invoice F-ana" in told
    assert "customer ben replied: read it; nothing leaves to them up to and with 2026-03-10" in told
    assert f"(about message {number['ben']}, invoice F-ben; mail " in told
    settled = events(doubtful).filter(kind="delivery_resolved")
    assert (settled.height, set(settled["actor"])) == (3, {"relance"})
    assert "client.example" not in str(settled["payload"].to_list())
    assert {name: row[1:] for name, row in decisions(doubtful, NEXT).items()} == {
        "ana": ("letter", ""),
        "ben": ("", "manual_hold"),
        "cleo": ("email", ""),
        "dan": ("", "delivery_uncertain"),
    }
    log = events(doubtful)
    assert act(doubtful, "follow-up", BACK, expect=5)
    assert only_published(doubtful, log)
    assert log.filter(pl.col("kind") == "mail_returned")["action_id"].null_count() == 0


@pytest.mark.parametrize(
    ("story", "place", "call", "when"),
    [
        ("a doubt is settled, its mail not taken in", "tasks.dispatch.resolution:_settle_batch", 1, "after"),
        ("all are taken in, none is put away", "flows.return_steps:put_away", 1, "before"),
    ],
)
def test_a_follow_up_that_is_killed_and_done_again_ends_as_if_nobody_had_killed_it(
    doubtful: Workspace, story: str, place: str, call: int, when: str
) -> None:
    number = messages(doubtful)
    drop(doubtful, "1", bounce(number["ana"], "ana@client.example"))
    drop(doubtful, "2", answer(number["ben"], "ben@client.example"))
    words = ["follow-up", "--as-of", BACK, "--workspace", str(doubtful.root)]
    process = start(["-m", "tests.torture.killed", place, str(call), when, *words])
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, story

    act(doubtful, "follow-up", BACK, expect=5)

    assert [statuses(doubtful)[name] for name in ("ana", "ben")] == ["dispatched", "dispatched"]
    log = events(doubtful)
    recorded = [json.loads(row)["kind"] for row in log.filter(kind="event_recorded")["payload"]]
    assert sorted(recorded) == ["answer", "bounce", "hold"]
    assert log.filter(kind="delivery_resolved").height == 2
    assert sorted(path.name for path in (doubtful.archive / "returns").iterdir()) == ["1.eml", "2.eml"]
    assert "The log holds" in act(doubtful, "audit verify", "")


def test_a_folder_that_is_no_maildir_is_named(company: Workspace) -> None:
    company.creditor_path.write_text(
        company.creditor_path.read_text(encoding="utf-8") + "\nreturns: {maildir: Nowhere}\n",
        encoding="utf-8",
    )
    act(company, "follow-up", BACK, expect=2)


def test_what_came_back_is_deleted_past_its_period_and_exports_are_not(company: Workspace) -> None:
    numbers = messages(company)
    long = answer(numbers["ana"], "ana@client.example") + b"x" * 2 * MOST_BYTES
    (company.inbox / "reply.eml").write_bytes(long)
    write(company, "tracking.csv", "message_id,status,status_date", f"{numbers['ben']},returned,{BACK}")
    with company.creditor_path.open("a", encoding="utf-8") as file:
        file.write("\nretention: {returns_months: 1}\n")
    act(company, "follow-up", BACK, expect=3)
    kept = {path.name for path in company.archive.rglob("*.csv")}
    assert len(list((company.archive / "returns").iterdir())) == 1
    assert (company.rejected / "tracking.csv").exists()
    act(company, "audit retain", "2026-09-01")
    assert not list((company.archive / "returns").iterdir())
    assert not (company.rejected / "tracking.csv").exists()
    assert kept == {path.name for path in company.archive.rglob("*.csv")} != set()


def test_a_list_of_what_became_of_letters_goes_by_the_period_of_returned_mail(company: Workspace) -> None:
    write(
        company,
        "agency_report.csv",
        "customer_id,invoice_number,status,status_date",
        f"ana,F-ana,in_progress,{BACK}",
    )
    act(company, "follow-up", BACK)
    [loaded] = [
        payload
        for text in events(company).filter(kind="file_loaded")["payload"]
        if (payload := json.loads(text))["file"] == "agency_report.csv"
    ]
    assert loaded["came_back"] == "yes"
