"""A waiting batch under Prefect, without a browser: asked again, two names, decided elsewhere, retried, cancelled."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.workspace import Workspace
from tests.conventions.source_tree import ROOT
from tests.integration.mail_server import MailServer, running
from tests.waiting_company import (
    DAY,
    NOTICES,
    company,
    events,
    relance,
    relance_under_prefect,
    statuses,
    write_policy,
)

PREFECT = str(Path(sys.executable).with_name("prefect"))


class Api:
    """The Prefect server of the session, asked as its UI asks it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {**os.environ, "PREFECT_API_URL": url}

    def ask(self, path: str, **body: Any) -> Any:
        return httpx.post(f"{self.url}{path}", json=body, timeout=30).raise_for_status().json()

    def deploy(self, workspace: Workspace, suffix: str) -> None:
        if not self.ask("/work_pools/filter", work_pools={"name": {"any_": ["relance"]}}):
            self.ask("/work_pools/", name="relance", type="process")
        environment = {"RELANCE_HOME": str(workspace.root), "RELANCE_CREDITOR": suffix}
        self._run(["--no-prompt", "deploy", "--all"], environment)

    def reviews(self, suffix: str) -> list[dict[str, Any]]:
        named = {"name": {"any_": [f"review{suffix}"]}}
        return list(self.ask("/flow_runs/filter", deployments=named))

    def execute(self, run: dict[str, Any]) -> dict[str, Any]:
        """Let a run go on as a worker does; return it as it is then."""
        self._run(["flow-run", "execute", run["id"]], {})
        found = httpx.get(f"{self.url}/flow_runs/{run['id']}", timeout=30)
        return dict(found.raise_for_status().json())

    def answer(self, run: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Fill in the form of a suspended run, and let it go on."""
        done = self.ask(f"/flow_runs/{run['id']}/resume", run_input=fields)
        assert done["status"] == "ACCEPT", done
        return self.execute(run)

    def form_of(self, run: dict[str, Any]) -> str:
        """What stands above the form that the run waits with."""
        keyset = run["state"]["state_details"]["run_input_keyset"]
        found = httpx.get(f"{self.url}/flow_runs/{run['id']}/input/{keyset['description']}", timeout=30)
        return str(found.raise_for_status().json())

    def _run(self, words: list[str], environment: dict[str, str]) -> None:
        done = subprocess.run(
            [PREFECT, *words],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def api(prefect_server: None) -> Api:
    from prefect.settings import PREFECT_API_URL

    return Api(str(PREFECT_API_URL.value()))


@pytest.mark.long
@pytest.mark.prefect
def test_a_form_asks_again_takes_two_names_and_lets_the_batch_leave_once(api: Api, tmp_path: Path) -> None:
    workspace = company(tmp_path / "two", approvals={"two_names_above": {"EUR": "1.00"}})
    api.deploy(workspace, "-two")
    for _ in range(2):
        ran = relance_under_prefect(workspace, api.url, "run", "--as-of", DAY)
        assert ran.returncode == 5, ran.stderr
    (run,) = api.reviews("-two")

    run = api.execute(run)
    assert run["state_name"] == "Suspended"
    assert "2 persons must approve" in api.form_of(run)
    assert api.ask(f"/flow_runs/{run['id']}/resume", run_input={"decision": "approve"})["status"] == "REJECT"

    run = api.answer(run, who="  ", decision="approve")
    assert "**Say who decides: a name has at least one letter.**" in api.form_of(run)
    run = api.answer(run, who="Anna", decision="approve")
    assert "So far: Anna." in api.form_of(run)
    assert set(statuses(workspace).values()) == {"composed"}
    run = api.answer(run, who="Bruno", decision="approve")

    assert run["state_name"] == "Completed", run["state"]["message"]
    assert set(statuses(workspace).values()) == {"dispatched"}
    approved = events(workspace, "batch_approved")
    assert [(one["claimed_by"], one["channel"]) for one in approved] == [("Anna", "ui"), ("Bruno", "ui")]


@pytest.mark.long
@pytest.mark.prefect
def test_a_batch_decided_by_command_ends_the_run_that_waits(api: Api, tmp_path: Path) -> None:
    workspace = company(tmp_path / "one")
    api.deploy(workspace, "-one")
    assert relance_under_prefect(workspace, api.url, "run", "--as-of", DAY).returncode == 5
    run = api.execute(api.reviews("-one")[0])
    words = ["--by", "Claire", "--why", "too early", "--until", "2026-04-01", "--as-of", DAY]
    assert relance(workspace, "batches", "reject", NOTICES, *words).returncode == 0
    run = api.answer(run, who="Anna", decision="approve")
    assert run["state_name"] == "Completed"
    assert run["state"]["message"].startswith(f"Nothing to decide: batch {NOTICES} is rejected.")
    assert set(statuses(workspace).values()) == {"rejected"}


@pytest.mark.long
@pytest.mark.prefect
def test_an_answer_to_a_form_that_showed_another_state_is_not_taken_and_asked_for_again(
    api: Api, tmp_path: Path
) -> None:
    workspace = company(tmp_path / "shown")
    api.deploy(workspace, "-shown")
    assert relance_under_prefect(workspace, api.url, "run", "--as-of", DAY).returncode == 5
    run = api.execute(api.reviews("-shown")[0])
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Anna", "--as-of", DAY).returncode == 0
    write_policy(workspace, small_balance={"EUR": "1.00"})
    assert relance(workspace, "release", "--as-of", DAY).returncode == 5

    run = api.answer(run, who="Carl", decision="approve")
    assert run["state_name"] == "Suspended"
    assert "is no longer as it was shown to Carl" in api.form_of(run)
    assert "The policy was changed" in api.form_of(run)
    assert set(statuses(workspace).values()) == {"composed"}
    run = api.answer(run, who="Carl", decision="approve")
    assert run["state_name"] == "Completed", run["state"]["message"]
    assert set(statuses(workspace).values()) == {"dispatched"}


BREAKS_ONCE = """
import sys
from datetime import date
from pathlib import Path
from flows.release import release
from tasks.dispatch.journal import Journal

settle, calls = Journal.settle, []

def break_once(*args, **kwargs):
    calls.append(args)
    if len(calls) == 2:
        raise RuntimeError("the machine hiccups between intent and outcome")
    settle(*args, **kwargs)

Journal.settle = break_once
release.with_options(retries=1)(workspace=Path(sys.argv[1]), as_of=date.fromisoformat(sys.argv[2]))
"""


@pytest.mark.prefect
def test_a_release_that_prefect_retries_lets_each_letter_leave_once(api: Api, tmp_path: Path) -> None:
    workspace = company(tmp_path / "retried")
    assert relance(workspace, "run", "--as-of", DAY).returncode == 5
    assert relance(workspace, "batches", "approve", NOTICES, "--by", "Claire", "--as-of", DAY).returncode == 0
    # Prefect raises the first failure in this process even where the second try went well: its state tells.
    subprocess.run(
        [sys.executable, "-c", BREAKS_ONCE, str(workspace.root), DAY],
        cwd=ROOT,
        env=api.environment,
        capture_output=True,
        check=False,
        timeout=180,
    )
    (run,) = api.ask("/flow_runs/filter", flow_runs={"name": {"any_": [f"release retried {DAY}"]}})
    assert (run["state_name"], run["run_count"]) == ("Completed", 2)
    assert set(statuses(workspace).values()) == {"dispatched"}
    notices = [one for one in events(workspace, "action_dispatched") if one["batch_id"] == NOTICES]
    assert len(notices) == len({one["message_id"] for one in notices}) == 4


@pytest.mark.prefect
def test_a_release_cancelled_in_the_middle_and_done_again_sends_each_mail_once(
    api: Api, tmp_path: Path
) -> None:
    workspace = company(tmp_path / "cancelled", {f"C{n}": "50.00" for n in range(1, 7)})
    assert relance(workspace, "intake", "--as-of", DAY).returncode == 0
    released: list[subprocess.Popen[bytes]] = []

    def cancel_at_the_third(recipient: str) -> None:
        if recipient == "c3@example.com" and released[0].poll() is None:
            released[0].send_signal(signal.SIGTERM)
            time.sleep(1)

    with running(MailServer(on_data=cancel_at_the_third)) as server:
        with workspace.creditor_path.open("a", encoding="utf-8") as creditor:
            creditor.write(f"smtp: {{host: 127.0.0.1, port: {server.port}, security: none}}\n")
        words = ["run", "--as-of", DAY, "--workspace", str(workspace.root)]
        released.append(
            subprocess.Popen([sys.executable, "-m", "flows", *words], cwd=ROOT, env=api.environment)
        )
        released[0].wait(timeout=120)
        again = relance(workspace, "run", "--as-of", DAY)
        assert again.returncode in (0, 5), again.text
        sent = server.recipients_in_order()
    assert len(sent) == len(set(sent))
    after = statuses(workspace, f"{DAY}-automatic")
    assert set(after.values()) <= {"dispatched", "uncertain"}
    assert {f"{name.lower()}@example.com" for name, status in after.items() if status == "dispatched"} <= set(
        sent
    )
    assert list(after.values()).count("uncertain") <= 4, "at most one for each connection"
