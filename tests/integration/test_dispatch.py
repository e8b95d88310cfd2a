"""Messages leave at most once, through a real mail server, whatever it answers and wherever the release is cut."""

import hashlib
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policies.errors import CreditorInvalidError
from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import Journal, read_journal
from tasks.dispatch.release import OutboxTransport, ReleaseCounts, Transport, may_leave, release_messages
from tasks.dispatch.smtp import SmtpTransport
from tasks.dispatch.smtp_server import Login, SmtpServer
from tests.integration.mail_server import DROP, MailServer, make_certificate, running

ROOT = Path(__file__).parents[2]
DAY = date(2026, 9, 1)


class PowerCutError(Exception):
    """Ends a release at the moment a test asks for."""


WAY_ON = (
    "Run again: it is made again as it was, or withdrawn and decided anew. "
    "`relance batches reject` ends at once what of its batch has not left."
)


def ticking(fail_at: int = 0) -> Callable[[], datetime]:
    """Return a clock that moves one second a look, and breaks at the look asked for: a cut at that very moment."""
    looks = itertools.count(1)

    def look() -> datetime:
        look_number = next(looks)
        if look_number == fail_at:
            raise PowerCutError
        return datetime(2026, 9, 1, 5, 0, tzinfo=UTC) + timedelta(seconds=look_number)

    return look


def plan(folder: Path, name: str, channel: str = "email", content: bytes = b"") -> PlannedMessage:
    body = content or f"Subject: {name}\r\n\r\nHello {name}\r\n".encode()
    document = folder / f"{name}.eml"
    document.write_bytes(body)
    return PlannedMessage(
        message_id=f"id-{name}",
        action_ids=(f"action-{name}",),
        channel=channel,
        document=document,
        document_sha256=hashlib.sha256(body).hexdigest(),
        recipients=(f"{name}@customer.example",) if channel == "email" else (),
        sender="accounts@creditor.example",
    )


def smtp(server: MailServer, **settings: Any) -> SmtpTransport:
    chosen: dict[str, Any] = {"security": "none", "connections": 1, "retry_for_seconds": 1} | settings
    return SmtpTransport(SmtpServer(host="127.0.0.1", port=server.port, **chosen))


def release(
    folder: Path, planned: list[PlannedMessage], transport: Transport, fail_at: int = 0
) -> ReleaseCounts:
    with Journal(folder / "journal.jsonl", DAY) as journal:
        return release_messages(planned, journal, transport, ticking(fail_at))


def statuses(folder: Path) -> dict[str, str]:
    return {o.message_id.removeprefix("id-"): o.status.value for o in read_journal(folder / "journal.jsonl")}


def test_without_a_mail_server_everything_is_written_to_the_outbox_once(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "letter", "letter"), plan(tmp_path, "case", "agency")]
    progress: list[tuple[int, int]] = []
    with Journal(tmp_path / "journal.jsonl", DAY) as journal:
        first = release_messages(
            planned, journal, OutboxTransport(), ticking(), lambda *step: progress.append(step)
        )
    assert (first.dispatched, first.waiting, first.is_complete) == (3, 0, True)
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert {o.answer for o in read_journal(tmp_path / "journal.jsonl")} == {"written to the outbox"}
    before = (tmp_path / "journal.jsonl").read_bytes()
    again = release(tmp_path, planned, OutboxTransport())
    assert (again.dispatched, again.already_settled) == (3, 3)
    assert (tmp_path / "journal.jsonl").read_bytes() == before


def test_a_document_changed_or_lost_since_it_was_composed_stays_here(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "bob"), plan(tmp_path, "cleo")]
    planned[0].document.write_text("Pay me twice", "utf-8")
    planned[1].document.unlink()
    counts = release(tmp_path, planned, OutboxTransport())
    assert (counts.dispatched, counts.waiting, counts.is_complete) == (1, 2, False)
    assert counts.problems == (
        f"ana.eml was changed since it was composed: message id-ana stays here. {WAY_ON}",
        f"bob.eml is missing: message id-bob stays here. {WAY_ON}",
    )


@pytest.mark.parametrize("fail_at", range(1, 7))
def test_files_cut_anywhere_are_never_uncertain_and_a_rerun_finishes_them(
    tmp_path: Path, fail_at: int
) -> None:
    planned = [plan(tmp_path, name, "letter") for name in ("ana", "bob", "cleo")]
    with pytest.raises(PowerCutError):
        release(tmp_path, planned, OutboxTransport(), fail_at)
    assert "uncertain" not in statuses(tmp_path).values()
    assert release(tmp_path, planned, OutboxTransport()).dispatched == 3


def test_mail_leaves_unchanged_with_a_bounce_address_of_its_own(tmp_path: Path) -> None:
    body = "Subject: Reminder\r\n\r\n.a line that begins with a dot\r\nMême très poli\r\n".encode()
    with running(MailServer()) as server:
        counts = release(tmp_path, [plan(tmp_path, "ana", content=body)], smtp(server))
    (message,) = server.received
    assert message.content == body
    assert message.sender == "accounts+id-ana@creditor.example"
    assert message.recipients == ["ana@customer.example"]
    assert (counts.dispatched, counts.is_complete, counts.problems) == (1, True, ())


def test_several_connections_share_the_messages_and_none_leaves_twice(tmp_path: Path) -> None:
    planned = [plan(tmp_path, f"buyer{number}") for number in range(40)]
    with running(MailServer()) as server:
        counts = release(tmp_path, planned, smtp(server, connections=4))
    assert counts.dispatched == 40
    assert sorted(server.recipients_in_order()) == sorted(m.recipients[0] for m in planned)
    assert len(server.connections) == 4


def test_an_address_refused_for_good_ends_there_and_its_answer_names_nobody(tmp_path: Path) -> None:
    answers = {"ana@customer.example": ["550 5.1.1 <ana@customer.example> is unknown here"]}
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "bob")]
    with running(MailServer(to_recipient=answers)) as server:
        counts = release(tmp_path, planned, smtp(server))
        assert release(tmp_path, planned, smtp(server)).already_settled == 2
    assert (counts.refused, counts.dispatched) == (1, 1)
    assert statuses(tmp_path) == {"ana": "refused", "bob": "dispatched"}
    assert read_journal(tmp_path / "journal.jsonl")[0].answer == "550 5.1.1 <<address>> is unknown here"
    assert server.recipients_in_order() == ["bob@customer.example"]


def test_a_message_refused_after_its_data_ends_there_too(tmp_path: Path) -> None:
    with running(MailServer(to_data={"ana@customer.example": ["554 5.7.1 looks like spam"]})) as server:
        counts = release(tmp_path, [plan(tmp_path, "ana"), plan(tmp_path, "bob")], smtp(server))
    assert (counts.refused, counts.dispatched) == (1, 1)


@pytest.mark.parametrize("stage", ["to_recipient", "to_data"])
def test_a_server_that_asks_to_come_back_is_tried_again_in_the_same_release(
    tmp_path: Path, stage: str
) -> None:
    answers = {"ana@customer.example": ["451 4.7.1 greylisted", "250 OK"]}
    with running(MailServer(**{stage: answers})) as server:  # type: ignore[arg-type]  # one of two fields
        counts = release(tmp_path, [plan(tmp_path, "ana"), plan(tmp_path, "bob")], smtp(server))
    assert (counts.dispatched, counts.problems) == (2, ())
    assert server.recipients_in_order() == ["bob@customer.example", "ana@customer.example"]


@pytest.mark.parametrize("stage", ["to_recipient", "to_data"])
def test_a_server_that_never_takes_a_message_leaves_it_for_the_next_release(
    tmp_path: Path, stage: str
) -> None:
    planned = [plan(tmp_path, "ana")]
    never = {"ana@customer.example": ["452 4.2.2 mailbox of ana@customer.example is full"]}
    with running(MailServer(**{stage: never})) as server:  # type: ignore[arg-type]  # one of two fields
        counts = release(tmp_path, planned, smtp(server))
    assert (counts.waiting, counts.is_complete) == (1, False)
    assert counts.problems == (
        "waiting for the next release: id-ana: 452 4.2.2 mailbox of <address> is full",
    )
    assert statuses(tmp_path) == ({} if stage == "to_recipient" else {"ana": "failed"})
    with running(MailServer()) as server:
        assert release(tmp_path, planned, smtp(server)).dispatched == 1


def test_a_connection_that_breaks_before_the_data_leaves_no_doubt(tmp_path: Path) -> None:
    with running(MailServer(to_recipient={"ana@customer.example": [DROP, "250 OK"]})) as server:
        counts = release(tmp_path, [plan(tmp_path, "ana"), plan(tmp_path, "bob")], smtp(server))
    assert (counts.dispatched, counts.uncertain) == (2, 0)


def test_a_connection_that_breaks_after_the_data_makes_the_message_uncertain_for_good(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "bob")]
    with running(MailServer(to_data={"ana@customer.example": [DROP, "250 OK"]})) as server:
        counts = release(tmp_path, planned, smtp(server))
        assert (counts.uncertain, counts.dispatched, counts.is_complete) == (1, 1, False)
        release(tmp_path, planned, smtp(server))
    assert statuses(tmp_path) == {"ana": "uncertain", "bob": "dispatched"}
    assert server.recipients_in_order() == ["bob@customer.example"]


def test_a_server_that_takes_few_messages_a_connection_gets_more_connections(tmp_path: Path) -> None:
    planned = [plan(tmp_path, f"buyer{number}") for number in range(7)]
    with running(MailServer(messages_per_connection=2)) as server:
        counts = release(tmp_path, planned, smtp(server, retry_for_seconds=0))
    assert (counts.dispatched, len(server.connections)) == (7, 4)


def test_a_server_that_is_away_leaves_everything_ready_and_letters_leave_all_the_same(tmp_path: Path) -> None:
    with running(MailServer()) as server:
        pass
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "bob"), plan(tmp_path, "letter", "letter")]
    counts = release(tmp_path, planned, smtp(server, connections=2))
    assert (counts.dispatched, counts.waiting) == (1, 2)
    (problem,) = counts.problems
    assert problem.startswith(f"the mail server 127.0.0.1:{server.port} cannot be used: Error connecting")
    assert problem.endswith("Messages not sent: 2, ready for the next release.")
    assert statuses(tmp_path) == {"letter": "dispatched"}


def test_an_address_beyond_ascii_leaves_where_the_server_takes_it(tmp_path: Path) -> None:
    with running(MailServer(takes_utf8=True)) as server:
        assert release(tmp_path, [plan(tmp_path, "léa")], smtp(server)).dispatched == 1
    assert server.recipients_in_order() == ["léa@customer.example"]
    with running(MailServer()) as server:
        counts = release(tmp_path, [plan(tmp_path, "zoé")], smtp(server))
    assert counts.refused == 1
    assert (
        read_journal(tmp_path / "journal.jsonl")[1].answer
        == "the mail server cannot take an address of this form"
    )


def test_mail_is_encrypted_and_signed_in_with_a_verified_server(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    with running(MailServer(), certificate, password="s3cret") as server:
        transport = smtp(
            server,
            security="starttls",
            login=Login("relance", "s3cret"),
            certificate_file=str(certificate),
        )
        counts = release(tmp_path, [plan(tmp_path, "ana")], transport)
    assert counts.problems == ()
    assert [(message.is_encrypted, message.user) for message in server.received] == [(True, "relance")]


def test_a_wrong_password_is_tried_once_and_told(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "server.pem")
    with running(MailServer(), certificate, password="s3cret") as server:
        transport = smtp(
            server,
            security="starttls",
            login=Login("relance", "wrong"),
            certificate_file=str(certificate),
        )
        counts = release(tmp_path, [plan(tmp_path, "ana")], transport)
    assert counts.waiting == 1
    assert "Authentication credentials invalid" in counts.problems[0]


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    with running(MailServer(), make_certificate(tmp_path / "server.pem")) as server:
        counts = release(tmp_path, [plan(tmp_path, "ana")], smtp(server, security="starttls"))
    assert (counts.waiting, server.received) == (1, [])
    assert "certificate" in counts.problems[0].lower()


def test_a_server_without_encryption_gets_nothing_when_encryption_is_asked_for(tmp_path: Path) -> None:
    with running(MailServer()) as server:
        counts = release(tmp_path, [plan(tmp_path, "ana")], smtp(server, security="starttls"))
    assert (counts.waiting, server.received) == (1, [])


def test_a_password_never_crosses_the_network_in_clear_text() -> None:
    server = SmtpServer("mail.creditor.example", 25, "none", login=Login("relance", "s3cret"))
    with pytest.raises(CreditorInvalidError, match=r"in clear text \(allowed: starttls, tls\)"):
        SmtpTransport(server)


@pytest.mark.parametrize("fail_at", range(1, 7))
def test_a_release_cut_between_any_two_lines_never_sends_a_message_twice(
    tmp_path: Path, fail_at: int
) -> None:
    """Odd looks at the clock come before an intent: nothing has left. Even ones come after an answer."""
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    with running(MailServer()) as server:
        with pytest.raises(PowerCutError):
            release(tmp_path, planned, smtp(server), fail_at)
        counts = release(tmp_path, planned, smtp(server))
    assert counts.uncertain == (1 if fail_at % 2 == 0 else 0)
    assert counts.dispatched + counts.uncertain == 3
    assert sorted(server.recipients_in_order()) == sorted(message.recipients[0] for message in planned)


RELEASE_SCRIPT = """
import hashlib, sys
from datetime import UTC, date, datetime
from pathlib import Path
from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import Journal
from tasks.dispatch.release import release_messages
from tasks.dispatch.smtp import SmtpTransport
from tasks.dispatch.smtp_server import Login, SmtpServer

folder, port = Path(sys.argv[1]), int(sys.argv[2])
planned = [
    PlannedMessage(f"id-{path.stem}", (f"action-{path.stem}",), "email", path,
                   hashlib.sha256(path.read_bytes()).hexdigest(),
                   (f"{path.stem}@customer.example",), "accounts@creditor.example")
    for path in sorted(folder.glob("*.eml"))
]
with Journal(folder / "journal.jsonl", date(2026, 9, 1)) as journal:
    server = SmtpServer("127.0.0.1", port, "none", connections=1, retry_for_seconds=1)
    release_messages(planned, journal, SmtpTransport(server), lambda: datetime.now(UTC))
"""


def test_a_release_killed_while_the_server_reads_leaves_one_uncertain_message(tmp_path: Path) -> None:
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    victims: list[subprocess.Popen[bytes]] = []

    def kill_at_bob(recipient: str) -> None:
        if recipient == "bob@customer.example" and victims[0].poll() is None:
            victims[0].kill()
            victims[0].wait()

    with running(MailServer(on_data=kill_at_bob)) as server:
        victims.append(
            subprocess.Popen(
                [sys.executable, "-c", RELEASE_SCRIPT, str(tmp_path), str(server.port)], cwd=ROOT
            )
        )
        assert victims[0].wait(timeout=60) == -signal.SIGKILL
        assert statuses(tmp_path) == {"ana": "dispatched", "bob": "uncertain"}
        counts = release(tmp_path, planned, smtp(server))
    assert (counts.dispatched, counts.uncertain, counts.already_settled) == (2, 1, 2)
    assert server.recipients_in_order().count("bob@customer.example") <= 1
    assert sorted({*server.recipients_in_order(), "bob@customer.example"}) == [
        m.recipients[0] for m in planned
    ]


@pytest.mark.parametrize(
    ("as_of", "host", "may"),
    [
        (DAY, "mail.creditor.example", True),
        (DAY - timedelta(days=1), "mail.creditor.example", False),
        (DAY + timedelta(days=1), "192.168.1.10", False),
        (DAY - timedelta(days=1), "localhost", True),
        (DAY - timedelta(days=1), "127.8.8.8", True),
        (DAY - timedelta(days=1), "::1", True),
        (DAY - timedelta(days=1), "127.0.0.1.creditor.example", False),
    ],
)
def test_a_day_that_is_not_today_never_reaches_a_server_outside_this_machine(
    as_of: date, host: str, may: bool
) -> None:
    assert may_leave(as_of, today=DAY, host=host) is may
