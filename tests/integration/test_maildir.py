"""Mail goes into a Maildir once, whatever is cut, and files stop leaving when people say so."""

from pathlib import Path

import pytest

from tasks.dispatch.journal import Journal
from tasks.dispatch.maildir import MaildirTransport
from tasks.dispatch.release import OutboxTransport, ReleaseCounts, release_messages
from tests.integration.test_dispatch import DAY, PowerCutError, plan, release, statuses, ticking


def delivered(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("new/*")}


def test_a_message_lies_in_the_maildir_under_its_own_name(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana"), plan(tmp_path, "bob")]
    counts = release(tmp_path, planned, MaildirTransport(tmp_path / "out" / "going"))
    assert (counts.dispatched, counts.is_complete) == (2, True)
    assert delivered(tmp_path / "out" / "going") == {
        "id-ana.relance": "Subject: ana\n\nHello ana\n",
        "id-bob.relance": "Subject: bob\n\nHello bob\n",
    }
    assert list((tmp_path / "out" / "going" / "tmp").iterdir()) == []


@pytest.mark.parametrize("fail_at", range(1, 7))
def test_a_delivery_cut_anywhere_is_never_uncertain_and_delivers_once(tmp_path: Path, fail_at: int) -> None:
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    transport = MaildirTransport(tmp_path / "maildir")
    with pytest.raises(PowerCutError):
        release(tmp_path, planned, transport, fail_at)
    assert "uncertain" not in statuses(tmp_path).values()
    assert release(tmp_path, planned, transport).dispatched == 3
    assert len(delivered(tmp_path / "maildir")) == 3


def test_a_message_that_a_mail_program_has_taken_over_meanwhile_is_not_delivered_again(
    tmp_path: Path,
) -> None:
    planned = [plan(tmp_path, "ana")]
    transport = MaildirTransport(tmp_path / "maildir")
    with pytest.raises(PowerCutError):
        release(tmp_path, planned, transport, fail_at=2)
    new = tmp_path / "maildir" / "new" / "id-ana.relance"
    new.rename(tmp_path / "maildir" / "cur" / "id-ana.relance:2,S")
    assert release(tmp_path, planned, transport).dispatched == 1
    assert delivered(tmp_path / "maildir") == {}


def test_a_changed_document_is_not_delivered(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana")]
    planned[0].document.write_text("Pay me twice", "utf-8")
    counts = release(tmp_path, planned, MaildirTransport(tmp_path / "maildir"))
    assert (counts.waiting, delivered(tmp_path / "maildir")) == (1, {})


@pytest.mark.parametrize("channel", ["email", "letter"])
@pytest.mark.parametrize("way", ["maildir", "outbox"])
def test_nothing_leaves_while_release_is_stopped(tmp_path: Path, channel: str, way: str) -> None:
    planned = [plan(tmp_path, name, channel) for name in ("ana", "bob", "cleo")]
    transport = MaildirTransport(tmp_path / "maildir") if way == "maildir" else OutboxTransport()
    asked: list[int] = []

    def stops_after_two() -> bool:
        asked.append(1)
        return len(asked) > (2 if channel == "letter" else 3)

    def let_go(is_stopped: bool) -> ReleaseCounts:
        with Journal(tmp_path / "journal.jsonl", DAY) as journal:
            stop = stops_after_two if is_stopped else (lambda: False)
            return release_messages(planned, journal, transport, ticking(), is_stopped=stop)

    counts = let_go(True)
    assert (counts.dispatched, counts.waiting) == (2, 1)
    assert counts.problems == (
        "release is stopped: 1 message not sent, ready for the next release after `relance start`",
    )
    assert let_go(False).dispatched == 3
