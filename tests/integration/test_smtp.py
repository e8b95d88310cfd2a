"""What is said to a mail server, word by word, and what follows from what it says, or does not."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import Journal, read_journal
from tasks.dispatch.release import ReleaseCounts, release_messages
from tasks.dispatch.smtp import SmtpTransport
from tasks.dispatch.smtp_server import PhaseSeconds, SmtpServer
from tests.integration.scripted_mail import DROP, OFFERED, Script, listening
from tests.integration.test_dispatch import DAY, plan, statuses, ticking

ARCHIVE = "archive@creditor.example"
ANA = "ana@customer.example"


def transport(script: Script, **settings: Any) -> SmtpTransport:
    chosen: dict[str, Any] = {"security": "none", "connections": 1, "retry_for_seconds": 1} | settings
    return SmtpTransport(SmtpServer(host="127.0.0.1", port=script.port, **chosen))


def release(
    folder: Path, planned: list[PlannedMessage], script: Script, stop: Path | None = None, **settings: Any
) -> ReleaseCounts:
    is_stopped = stop.exists if stop else lambda: False
    with Journal(folder / "journal.jsonl", DAY) as journal:
        return release_messages(
            planned, journal, transport(script, **settings), ticking(), is_stopped=is_stopped
        )


def names(folder: Path, *given: str) -> list[PlannedMessage]:
    return [plan(folder, name) for name in given]


def with_copy(message: PlannedMessage) -> PlannedMessage:
    return PlannedMessage(**{**vars(message), "copies": (ARCHIVE,)})


def answers(folder: Path) -> dict[str, str]:
    return {one.message_id: one.answer for one in read_journal(folder / "journal.jsonl")}


def test_the_envelope_leaves_in_one_write_and_the_data_only_after_the_go_ahead(tmp_path: Path) -> None:
    with listening(Script()) as script:
        assert release(tmp_path, names(tmp_path, "ana", "bob"), script).dispatched == 2
    pieces = [piece for piece in script.heard if piece.startswith(b"MAIL")]
    assert [piece.count(b"\r\n") for piece in pieces] == [3, 3]
    assert all(piece.endswith(b"DATA\r\n") for piece in pieces)
    assert script.commands("RSET") == []
    assert script.connections == 1


def test_a_server_that_offers_nothing_is_spoken_to_command_by_command(tmp_path: Path) -> None:
    with listening(Script(offered=("HELP",))) as script:
        assert release(tmp_path, names(tmp_path, "ana"), script).dispatched == 1
    assert script.commands("MAIL") == ["MAIL FROM:<accounts+id-ana@creditor.example>"]
    assert script.commands("RCPT") == [f"RCPT TO:<{ANA}>"]
    assert b"DATA\r\n" in script.heard


def test_reports_on_the_way_of_a_message_are_asked_for_where_they_are_offered(tmp_path: Path) -> None:
    with listening(Script()) as script:
        release(tmp_path, [with_copy(plan(tmp_path, "ana"))], script)
    (mail,) = script.commands("MAIL")
    assert mail.endswith(" SIZE=27 RET=HDRS ENVID=id-ana")
    assert script.commands("RCPT") == [
        f"RCPT TO:<{ANA}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{ANA}",
        f"RCPT TO:<{ARCHIVE}> NOTIFY=NEVER",
    ]


def test_letters_beyond_ascii_and_lines_with_dots_arrive_as_they_were(tmp_path: Path) -> None:
    body = "Subject: x\r\n\r\n.\r\n..\r\nMême\r\n.fin\r\n".encode()
    with listening(Script()) as script:
        release(tmp_path, [plan(tmp_path, "ana", content=body)], script)
    assert "BODY=8BITMIME" in script.commands("MAIL")[0]
    assert script.taken[0].removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.") == body


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_line_end_that_servers_read_differently_cannot_hide_the_end_of_the_data(
    tmp_path: Path, end: bytes
) -> None:
    body = b"Subject: x\r\n\r\nfirst" + end + b"." + end + b"MAIL FROM:<mallory@evil.example>\r\n"
    with listening(Script()) as script:
        assert release(tmp_path, [plan(tmp_path, "ana", content=body)], script).dispatched == 1
    assert script.taken == [b"Subject: x\r\n\r\nfirst\r\n..\r\nMAIL FROM:<mallory@evil.example>\r\n.\r\n"]


def test_a_large_message_leaves_in_pieces(tmp_path: Path) -> None:
    body = b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 30_000
    with listening(Script()) as script:
        assert release(tmp_path, [plan(tmp_path, "ana", content=body)], script).dispatched == 1
    assert script.taken == [body + b".\r\n"]


def test_a_go_ahead_after_a_refused_recipient_gets_an_empty_message(tmp_path: Path) -> None:
    script = Script(to_recipient={ANA: "550 5.1.1 unknown"}, goes_ahead=True)
    with listening(script):
        counts = release(tmp_path, names(tmp_path, "ana", "bob"), script)
    assert (counts.refused, counts.bad_addresses, counts.dispatched) == (1, 1, 1)
    assert [b"Hello ana" in content for content in script.taken] == [False]
    assert script.connections == 1


def test_a_copy_that_is_refused_holds_nothing_up_and_the_answer_says_so(tmp_path: Path) -> None:
    with listening(Script(to_recipient={ARCHIVE: f"452 4.2.2 {ARCHIVE} is full"})) as script:
        counts = release(tmp_path, [with_copy(plan(tmp_path, "ana"))], script)
    assert (counts.dispatched, counts.problems) == (1, ())
    assert answers(tmp_path) == {
        "id-ana": "250 2.0.0 taken; the copy was refused: 452 4.2.2 <address> is full"
    }


@pytest.mark.parametrize("offered", [OFFERED, ("HELP",)])
def test_nothing_leaves_to_the_copy_alone(tmp_path: Path, offered: tuple[str, ...]) -> None:
    script = Script(offered, to_recipient={ANA: "550 5.1.1 unknown"}, goes_ahead=True)
    with listening(script):
        counts = release(tmp_path, [with_copy(plan(tmp_path, "ana"))], script)
    assert (counts.refused, script.taken, script.commands("DATA")) == (1, [], [])


@pytest.mark.parametrize(
    ("settings", "offered", "who"),
    [
        ({}, ("SIZE 26",), "the mail server takes 26 at most"),
        ({"maximum_message_bytes": 25}, OFFERED, "smtp.maximum_message_kilobytes takes 25 at most"),
    ],
)
def test_a_message_too_large_is_not_sent_and_its_address_stays_good(
    tmp_path: Path, settings: dict[str, Any], offered: tuple[str, ...], who: str
) -> None:
    with listening(Script(offered)) as script:
        counts = release(tmp_path, names(tmp_path, "ana"), script, **settings)
    assert (counts.refused, counts.bad_addresses, script.commands("MAIL")) == (1, 0, [])
    assert counts.problems == (
        f"refused for what it is, not for its address: id-ana: the message has 27 bytes, and {who}",
    )


@pytest.mark.parametrize(
    ("script", "counted", "sentence"),
    [
        (
            Script(to_sender="553 5.7.1 not your domain"),
            (0, 0, 2),
            "waiting until this is mended, for the next release: id-ana, id-bob: 553 5.7.1 not your domain",
        ),
        (
            Script(to_data=["554 5.7.1 spam"]),
            (1, 0, 0),
            "refused for what it is, not for its address: id-ana: 554 5.7.1 spam",
        ),
        (
            Script(to_recipient={ANA: "530 5.7.0 sign in"}),
            (0, 0, 1),
            "waiting until this is mended, for the next release: id-ana: 530 5.7.0 sign in",
        ),
        (
            Script(to_recipient={ANA: "452 4.2.2 full"}),
            (0, 0, 1),
            "waiting for the next release: id-ana: 452 4.2.2 full",
        ),
    ],
)
def test_a_refusal_blames_the_address_only_where_it_means_the_address(
    tmp_path: Path, script: Script, counted: tuple[int, int, int], sentence: str
) -> None:
    with listening(script):
        counts = release(tmp_path, names(tmp_path, "ana", "bob"), script)
    assert (counts.refused, counts.bad_addresses, counts.waiting) == counted
    assert counts.problems == (sentence,)


def test_a_server_that_breaks_off_before_the_end_leaves_one_doubt_and_the_rest_leaves(tmp_path: Path) -> None:
    with listening(Script(before_the_end=3)) as script:
        counts = release(tmp_path, names(tmp_path, "ana", "bob", "cleo", "dan"), script, retry_for_seconds=3)
    assert (counts.uncertain, counts.dispatched, counts.waiting) == (1, 3, 0)
    assert len(script.taken) == 3


@pytest.mark.parametrize("connections", [1, 4, 6])
def test_a_server_that_never_answers_makes_no_more_uncertain_than_there_are_connections(
    tmp_path: Path, connections: int
) -> None:
    planned = names(tmp_path, *(f"buyer{number}" for number in range(20)))
    with listening(Script(to_data=[DROP] * 20)) as script:
        counts = release(tmp_path, planned, script, connections=connections)
    assert counts.uncertain == max(connections, 3)
    assert counts.waiting == 20 - counts.uncertain
    assert counts.problems[-1] == (
        f"the mail server 127.0.0.1:{script.port} gave no answer to {counts.uncertain} messages in a row after taking "
        f"the data; nothing more was sent. Messages not sent: {counts.waiting}, ready for the next release."
    )


def test_a_server_too_slow_before_the_data_leaves_no_doubt_and_one_too_slow_after_it_does(
    tmp_path: Path,
) -> None:
    quick = PhaseSeconds(5, 0.3, 0.3, 0.3)
    slow = Script(to_recipient={ANA: ""})
    with listening(slow):
        counts = release(tmp_path, names(tmp_path, "ana", "bob"), slow, timeouts=quick)
    assert (counts.waiting, counts.uncertain, counts.dispatched) == (1, 0, 1)
    assert counts.problems == (
        (
            "waiting for the next release: id-ana: the connection broke before the message was sent: "
            "no answer within 0.3 seconds"
        ),
    )
    later = Script(to_data=[""])
    with listening(later):
        counts = release(tmp_path, names(tmp_path, "ana"), later, timeouts=quick)
    assert statuses(tmp_path) == {"ana": "uncertain", "bob": "dispatched"}


def test_an_answer_that_nobody_asked_for_is_not_taken_for_that_of_the_next_message(tmp_path: Path) -> None:
    script = Script(to_data=["250 2.0.0 first", "451 4.0.0 second"], unasked="250 2.0.0 unasked")
    with listening(script):
        counts = release(tmp_path, names(tmp_path, "ana", "bob"), script, retry_for_seconds=0)
    assert (counts.dispatched, counts.waiting) == (1, 1)
    assert statuses(tmp_path) == {"ana": "dispatched", "bob": "failed"}


@pytest.mark.parametrize(
    "to_data", ["what", "25 short", "250" * 20_000, "299-\r\n299 odd"], ids=["text", "digits", "long", "odd"]
)
def test_an_answer_that_is_none_leaves_a_doubt_and_no_trace(tmp_path: Path, to_data: str) -> None:
    with listening(Script(to_data=[to_data])) as script:
        counts = release(tmp_path, names(tmp_path, "ana"), script)
    assert counts.uncertain + counts.dispatched == 1
    assert counts.uncertain == (0 if to_data.startswith("299") else 1)


def test_no_address_that_a_server_repeats_is_kept_whatever_its_case(tmp_path: Path) -> None:
    said = f"250 2.0.0 <ANA@Customer.Example> from other@creditor.example queued as <id-ana@sink> for {ANA}"
    with listening(Script(to_data=[said])) as script:
        release(tmp_path, names(tmp_path, "ana"), script)
    assert answers(tmp_path) == {
        "id-ana": "250 2.0.0 <<address>> from <address> queued as <id-ana@sink> for <address>"
    }


@pytest.mark.parametrize(
    "ours", [{"sender": "accounts@société.example"}, {"copies": ("archive@société.example",)}, {"sender": ""}]
)
def test_an_address_of_ours_that_a_server_cannot_take_is_not_blamed_on_the_customer(
    tmp_path: Path, ours: dict[str, Any]
) -> None:
    message = PlannedMessage(**{**vars(plan(tmp_path, "ana")), **ours})
    with listening(Script()) as script:
        counts = release(tmp_path, [message], script)
    assert (counts.refused, counts.bad_addresses, counts.waiting) == (0, 0, 1)
    assert counts.problems == (
        (
            "waiting until this is mended, for the next release: id-ana: the mail server cannot take the sender or "
            "`copy_to` of creditor.yaml in this form"
        ),
    )


@pytest.mark.parametrize("address", ["é@customer.example", "a b@customer.example", ""])
def test_an_address_of_a_customer_that_a_server_cannot_take_is_a_bad_one(
    tmp_path: Path, address: str
) -> None:
    message = PlannedMessage(**{**vars(plan(tmp_path, "ana")), "recipients": (address,)})
    with listening(Script()) as script:
        counts = release(tmp_path, [message], script)
    assert (counts.refused, counts.bad_addresses, script.commands("MAIL")) == (1, 1, [])


def test_mail_leaves_no_faster_than_asked(tmp_path: Path) -> None:
    planned = names(tmp_path, *(f"buyer{number}" for number in range(6)))
    began = time.monotonic()
    with listening(Script()) as script:
        counts = release(tmp_path, planned, script, connections=3, messages_per_minute=600)
    assert counts.dispatched == 6
    assert time.monotonic() - began >= 0.5


def test_a_release_that_people_stop_ends_between_two_messages(tmp_path: Path) -> None:
    stop = tmp_path / "release.stopped"
    planned = names(tmp_path, "ana", "bob", "cleo")

    class Stopping(Script):
        @property
        def unasked(self) -> str:
            stop.touch()
            return ""

        @unasked.setter
        def unasked(self, value: str) -> None:
            pass

    with listening(Stopping()) as script:
        counts = release(tmp_path, planned, script, stop)
        assert (counts.dispatched, counts.waiting) == (1, 2)
        assert counts.problems == (
            "release is stopped: 2 messages not sent, ready for the next release after `relance start`",
        )
        stop.unlink()
        assert release(tmp_path, planned, Script(port=script.port)).dispatched == 3


def test_a_message_that_waited_for_the_answer_to_another_does_not_leave_after_a_stop(tmp_path: Path) -> None:
    stop, answers = tmp_path / "release.stopped", threading.Semaphore(1)
    # One of the first two is broken off at once: what comes next waits for the end of the other.
    script = Script(to_data=[DROP, DROP], answers=answers)

    def stop_while_one_waits() -> None:
        while script.data_seen < 2:
            time.sleep(0.01)
        time.sleep(0.5)
        stop.touch()
        answers.release(10)

    planned = names(tmp_path, *(f"buyer{number}" for number in range(6)))
    with listening(script):
        person = threading.Thread(target=stop_while_one_waits)
        person.start()
        counts = release(tmp_path, planned, script, stop, connections=2)
        person.join()
    assert (counts.uncertain, counts.dispatched, counts.waiting) == (2, 0, 4)
    assert counts.problems[-1].startswith("release is stopped: 4 messages not sent")
