"""Mail goes into a Maildir once, whatever is cut, and files stop leaving when people say so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.dispatch.journal import Journal
from tasks.dispatch.maildir import MaildirTransport
from tasks.dispatch.release import OutboxTransport, ReleaseCounts, release_messages
from tests.integration.test_dispatch import DAY, PowerCutError, plan, release, statuses, ticking
from tests.waiting_company import company, relance


def cut_after(function: Callable[[Journal], None]) -> Callable[[Journal], None]:
    """Return the function as it is when the machine stops right after it."""

    def cut(journal: Journal) -> None:
        function(journal)
        raise PowerCutError

    return cut


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


@pytest.mark.parametrize("fail_at", range(1, 7))
@pytest.mark.parametrize("to", ["cur", "away"])
def test_a_message_that_somebody_has_taken_over_since_the_cut_is_not_delivered_again(
    tmp_path: Path, fail_at: int, to: str
) -> None:
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    transport, maildir, fetched = MaildirTransport(tmp_path / "maildir"), tmp_path / "maildir", tmp_path / to
    fetched.mkdir()
    with pytest.raises(PowerCutError):
        release(tmp_path, planned, transport, fail_at)
    for path in maildir.glob("new/*"):
        path.rename((maildir / "cur" / f"{path.name}:2,S") if to == "cur" else fetched / path.name)
    assert release(tmp_path, planned, transport).dispatched == 3
    taken = [
        path.name.partition(":")[0] for folder in (maildir / "cur", fetched) for path in folder.iterdir()
    ]
    assert sorted([*taken, *delivered(maildir)]) == ["id-ana.relance", "id-bob.relance", "id-cleo.relance"]


def test_a_mail_cut_between_its_intent_and_its_name_is_delivered_by_the_next_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, transport = [plan(tmp_path, "ana")], MaildirTransport(tmp_path / "maildir")

    with monkeypatch.context() as cutting:
        cutting.setattr("tasks.dispatch.journal.Journal.flush", cut_after(Journal.flush))
        with pytest.raises(PowerCutError):
            release(tmp_path, planned, transport)
    assert delivered(tmp_path / "maildir") == {}
    assert release(tmp_path, planned, transport).dispatched == 1
    assert len(delivered(tmp_path / "maildir")) == 1


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


def test_a_day_that_is_not_today_puts_nothing_into_a_maildir(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
        creditor.write("maildir: going\n")
    ran = relance(workspace, "run", "--as-of", "2026-03-10")
    assert "e-mail stays here: the date is 2026-03-10" in ran.text
    assert not (workspace.root / "going").exists()
