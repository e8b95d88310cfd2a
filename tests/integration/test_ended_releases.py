"""Releases by a real process that is ended, killed, stopped or taken over: each message leaves once, and is known."""

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from policies.model import EventKind
from tasks.dispatch.journal import JOURNAL_NAME
from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.store.history import read_history
from tasks.workspace import Workspace, open_workspace, shipped_root
from tests.integration.scripted_mail import Script, listening
from tests.torture.company import relance, start

MESSAGES = 16
CONNECTIONS = 2
ANSWERED = 4
AS_OF = "2026-03-02"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared") / "company"
    words = [sys.executable, "-m", "tests.torture.mailing", str(root), str(MESSAGES)]
    subprocess.run(words, cwd=shipped_root(), check=True, timeout=120)
    return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path / "company")
    return tmp_path / "company"


def give_server(root: Path, script: Script, more: str = "") -> None:
    smtp = f"smtp: {{host: 127.0.0.1, port: {script.port}, security: none, connections: {CONNECTIONS}{more}}}"
    with (root / "creditor.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{smtp}\n")


def words(root: Path) -> list[str]:
    return ["release", "--as-of", AS_OF, "--workspace", str(root)]


@contextmanager
def release_in_the_middle(root: Path) -> Iterator[tuple[Script, subprocess.Popen[str], threading.Semaphore]]:
    """Give a release that has had some answers, and waits for one on each connection until more are released."""
    answers = threading.Semaphore(ANSWERED)
    with listening(Script(answers=answers)) as script:
        give_server(root, script)
        process = start(["-m", "flows", *words(root)])
        try:
            deadline = time.monotonic() + 60
            while script.data_seen < ANSWERED + CONNECTIONS and time.monotonic() < deadline:
                time.sleep(0.005)
            assert (len(script.taken), script.data_seen) == (ANSWERED, ANSWERED + CONNECTIONS)
            yield script, process, answers
        finally:
            process.kill()
            process.wait()


def taken(script: Script) -> Counter[str]:
    return Counter(
        re.findall(r"(?m)^Message-ID: <([^@]+)@", b"".join(script.taken).decode().replace("\r", ""))
    )


def statuses(root: Path) -> dict[str, str]:
    with open_to_read(Workspace(root)) as connection:
        return dict(list_messages(connection).select("message_id", "status").iter_rows())


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_a_release_that_is_asked_to_end_hears_the_last_answers_and_is_taken_up_again(
    root: Path, how: signal.Signals, code: int
) -> None:
    with release_in_the_middle(root) as (script, process, answers):
        process.send_signal(how)
        answers.release(MESSAGES)
        _, said = process.communicate(timeout=30)
        assert process.returncode == code, said
        assert "Traceback" not in said
        before = len(script.taken)
        assert ANSWERED + CONNECTIONS <= before < MESSAGES
        again = relance(*words(root))
    assert again.returncode == 0, again.stderr
    assert f"took in {before} outcomes of a release that was cut" in again.stderr
    assert sorted(taken(script).values()) == [1] * MESSAGES
    assert set(statuses(root).values()) == {"dispatched"}


def test_another_machine_takes_over_a_workspace_whose_machine_died(root: Path) -> None:
    with release_in_the_middle(root) as (script, process, answers):
        process.kill()
        process.communicate()
        answers.release(MESSAGES)
        card = json.loads((root / "relance.lock").read_text(encoding="utf-8"))
        (root / "relance.lock").write_text(
            json.dumps({**card, "host": "the-dead-one", "pid": 4_000_000}), encoding="utf-8"
        )
        root.rename(root.with_name("moved"))
        moved = open_workspace(root.with_name("moved"))
        assert list(moved.outbox.glob(f"*/{JOURNAL_NAME}"))
        again = relance(*words(moved.root))
    assert again.returncode == 5, again.stderr
    known = statuses(moved.root)
    uncertain = {message for message, status in known.items() if status == "uncertain"}
    assert len(uncertain) == CONNECTIONS
    assert max(taken(script).values()) == 1
    assert {message for message, status in known.items() if status == "dispatched"} <= set(taken(script))
    assert set(known) == set(taken(script)) | uncertain


def test_a_refused_address_counts_as_bounced_and_a_refused_message_does_not(root: Path) -> None:
    refusals = {
        "accounts@buyer00001.example": "550 5.1.1 no such mailbox",
        "accounts@buyer00002.example": "550 5.7.1 not from you",
    }
    with listening(Script(to_recipient=refusals)) as script:
        give_server(root, script)
        done = relance(*words(root))
    assert done.returncode == 5
    told = " ".join(f"{done.stdout} {done.stderr}".split())
    assert (
        "the mail server refused 1 recipient, counted as bounced: customer C00001, invoices F00001-1," in told
    )
    assert re.search(
        r"refused for what it is, not for its address: \w{32} \(customer C00002, invoices [^)]+\)", told
    )
    with open_to_read(Workspace(root)) as connection:
        events = read_history(connection).events
    assert events.filter(kind=EventKind.BOUNCE.value)["customer_id"].to_list() == ["C00001"]
    assert Counter(statuses(root).values()) == {"withdrawn": 2, "dispatched": MESSAGES - 2}


def test_a_release_that_is_stopped_meanwhile_says_so_and_the_next_one_goes_on(root: Path) -> None:
    with release_in_the_middle(root) as (script, process, answers):
        (root / "release.stopped").touch()
        answers.release(MESSAGES)
        said = "".join(process.communicate(timeout=30))
        before = len(script.taken)
        assert (process.returncode, before) == (5, ANSWERED + CONNECTIONS), said
        assert f"release is stopped: {MESSAGES - before} messages not sent" in said
        assert relance(*words(root)).returncode == 5
        assert len(script.taken) == before
        (root / "release.stopped").unlink()
        assert relance(*words(root)).returncode == 0
    assert sorted(taken(script).values()) == [1] * MESSAGES


def test_a_login_that_only_a_prefect_server_holds_is_asked_for_in_vain_without_one(root: Path) -> None:
    give_server(root, Script(port=25), ", login_block: relance-smtp")
    done = relance(*words(root))
    assert done.returncode == 2
    assert "the block relance-smtp is kept by a Prefect server, and PREFECT_API_URL names none" in done.stderr
    assert set(statuses(root).values()) == {"composed"}


@pytest.mark.long
def test_kills_at_random_instants_lose_nothing_and_send_nothing_twice() -> None:
    """A small part of `make torture`."""
    arguments = ["--trials", "6", "--pairs", "1", "--seed", "7"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.release_trials", *arguments],
        cwd=shipped_root(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 trials, 0 with violations" in done.stdout


def test_a_journal_that_is_lost_sends_nothing_again_and_its_mail_waits_for_a_person(root: Path) -> None:
    with release_in_the_middle(root) as (script, process, answers):
        process.kill()
        process.communicate()
        answers.release(MESSAGES)
        (journal,) = root.glob(f"outbox/*/{JOURNAL_NAME}")
        journal.unlink()
        broken = relance("audit", "verify", "--workspace", str(root))
        assert (broken.returncode, "is missing" in broken.stdout + broken.stderr) == (6, True)
        again = relance(*words(root))
        assert again.returncode == 5, again.stderr
        assert taken(script).total() <= ANSWERED + CONNECTIONS
        assert max(taken(script).values()) == 1
    assert set(statuses(root).values()) == {"uncertain"}
    log = relance("audit", "log", "--kind", "journal_lost", "--workspace", str(root), "--format", "json")
    (event,) = json.loads(log.stdout)
    assert json.loads(event["payload"])["messages"] == MESSAGES
    assert relance("audit", "verify", "--workspace", str(root)).returncode == 0


def test_a_journal_that_is_removed_when_the_release_is_over_is_missed(root: Path) -> None:
    with listening(Script()) as script:
        give_server(root, script)
        assert relance(*words(root)).returncode == 0
    (journal,) = root.glob(f"outbox/*/{JOURNAL_NAME}")
    journal.unlink()
    broken = relance("audit", "verify", "--workspace", str(root))
    assert (broken.returncode, f"{JOURNAL_NAME} is missing" in broken.stderr) == (6, True)
