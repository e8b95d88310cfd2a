"""Mail goes into a Maildir once, whatever is cut, and files stop leaving when people say so."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.journal import Journal
from tasks.dispatch.lasting_lines import LastingLines
from tasks.dispatch.maildir import MaildirTransport, settle_cut_deliveries
from tasks.dispatch.release import OutboxTransport, ReleaseCounts, release_messages
from tests.integration.test_dispatch import DAY, ROOT, PowerCutError, plan, release, statuses, ticking
from tests.waiting_company import company, drop, events, relance
from tests.waiting_company import statuses as statuses_of


def cut_after(function: Callable[[LastingLines], None]) -> Callable[[LastingLines], None]:
    """Return the function as it is when the machine stops right after it."""

    def cut(lines: LastingLines) -> None:
        function(lines)
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


def cut_release(folder: Path, planned: list[PlannedMessage], fail_at: int) -> None:
    """Release until the machine stops at the given moment."""
    with pytest.raises(PowerCutError):
        release(folder, planned, MaildirTransport(folder / "maildir"), fail_at)


def release_again(folder: Path, planned: list[PlannedMessage]) -> ReleaseCounts:
    """Release as the next run does: after what was cut has been looked at."""
    settle_cut_deliveries(folder / "journal.jsonl", DAY, ticking())
    return release(folder, planned, MaildirTransport(folder / "maildir"))


@pytest.mark.parametrize("fail_at", range(1, 7))
@pytest.mark.parametrize("to", ["nobody", "cur", "away"])
def test_a_delivery_cut_anywhere_is_made_once_whoever_has_taken_the_mail_over_since(
    tmp_path: Path, fail_at: int, to: str
) -> None:
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    maildir, fetched = tmp_path / "maildir", tmp_path / to
    fetched.mkdir()
    cut_release(tmp_path, planned, fail_at)
    for path in maildir.glob("new/*") if to != "nobody" else ():
        path.rename((maildir / "cur" / f"{path.name}:2,S") if to == "cur" else fetched / path.name)
    assert release_again(tmp_path, planned).dispatched == 3
    taken = [
        path.name.partition(":")[0] for folder in (maildir / "cur", fetched) for path in folder.iterdir()
    ]
    assert sorted([*taken, *delivered(maildir)]) == ["id-ana.relance", "id-bob.relance", "id-cleo.relance"]
    assert list((maildir / ".relance").iterdir()) == []


@pytest.mark.parametrize("fail_at", range(1, 7))
def test_until_somebody_has_looked_a_cut_delivery_is_left_alone(tmp_path: Path, fail_at: int) -> None:
    planned = [plan(tmp_path, name) for name in ("ana", "bob", "cleo")]
    cut_release(tmp_path, planned, fail_at)
    counts = release(tmp_path, planned, MaildirTransport(tmp_path / "maildir"))
    assert (counts.dispatched, counts.uncertain) == ((2, 1) if fail_at % 2 == 0 else (3, 0))
    assert len(delivered(tmp_path / "maildir")) == 3


def test_a_mail_cut_between_its_intent_and_its_name_is_delivered_by_the_next_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = [plan(tmp_path, "ana")]
    with monkeypatch.context() as cutting:
        cutting.setattr("tasks.dispatch.lasting_lines.LastingLines.flush", cut_after(LastingLines.flush))
        with pytest.raises(PowerCutError):
            release(tmp_path, planned, MaildirTransport(tmp_path / "maildir"))
    assert delivered(tmp_path / "maildir") == {}
    settle_cut_deliveries(tmp_path / "journal.jsonl", DAY, ticking())
    assert statuses(tmp_path) == {"ana": "failed"}
    assert list((tmp_path / "maildir" / ".relance").iterdir()) == []
    assert release(tmp_path, planned, MaildirTransport(tmp_path / "maildir")).dispatched == 1
    assert len(delivered(tmp_path / "maildir")) == 1


def test_a_maildir_that_is_not_there_says_nothing_of_a_cut_delivery(tmp_path: Path) -> None:
    planned = [plan(tmp_path, "ana")]
    cut_release(tmp_path, planned, 2)
    (tmp_path / "maildir").rename(tmp_path / "unmounted")
    for _ in range(2):
        settle_cut_deliveries(tmp_path / "journal.jsonl", DAY, ticking())
        assert statuses(tmp_path) == {"ana": "uncertain"}
        # Other mail makes its folders where the mount is missing.
        (tmp_path / "maildir" / ".relance").mkdir(parents=True, exist_ok=True)
    shutil.rmtree(tmp_path / "maildir")
    (tmp_path / "unmounted").rename(tmp_path / "maildir")
    settle_cut_deliveries(tmp_path / "journal.jsonl", DAY, ticking())
    assert statuses(tmp_path) == {"ana": "dispatched"}


CUT = """
import os, signal, sys
from tasks.dispatch import maildir

real = maildir.flush_folder

def cut(folder):
    real(folder)
    os.kill(os.getpid(), signal.SIGKILL)

maildir.flush_folder = cut
from flows.__main__ import main

sys.argv = ["relance", "release", "--workspace", sys.argv[1]]
main()
"""


@pytest.mark.parametrize("fetched", [False, True])
def test_what_was_delivered_when_the_plug_was_pulled_counts_though_the_customer_pays_meanwhile(
    tmp_path: Path, *, fetched: bool
) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
        creditor.write("maildir: going\n")
    (workspace.root / "release.stopped").touch()
    relance(workspace, "run")
    (workspace.root / "release.stopped").unlink()
    cut = subprocess.run([sys.executable, "-c", CUT, str(workspace.root)], cwd=ROOT, check=False)
    assert cut.returncode == -signal.SIGKILL
    [mail] = (workspace.root / "going" / "new").iterdir()
    if fetched:
        mail.unlink()
    paid = "payment_id,customer_id,invoice_number,payment_date,currency,amount"
    drop(workspace, "payments.csv", [paid, "P1,C4,F-C4,2026-03-01,EUR,50.00"])
    assert relance(workspace, "run").returncode == 0
    [batch] = {one["batch_id"] for one in events(workspace, "action_dispatched")}
    assert statuses_of(workspace, batch) == {"C4": "dispatched"}
    assert events(workspace, "action_withdrawn") == []
    assert relance(workspace, "audit", "verify").returncode == 0


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
