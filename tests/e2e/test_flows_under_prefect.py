"""With a Prefect server the same storyline runs and shows its runs and schedules. Without one, no Prefect."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.store.batch_lists import list_actions, list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, initialise
from tests.conventions.source_tree import ROOT

INVOICES = """\
customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount
C1,Un SARL,F1,2026-01-05,2026-02-04,EUR,1200.00
C2,Deux SARL,F2,2026-02-10,2026-06-30,EUR,300.00
C3,Trois SARL,F3,2026-02-10,2026-06-30,EUR,300.00
C4,Four Ltd,F4,2026-02-10,2026-06-30,USD,500.00
C5,Cinq SARL,F5,2026-02-10,2026-06-30,EUR,300.00
"""
CUSTOMERS = """\
customer_id,customer_name,email,country,language
C1,Un SARL,un@example.com,FR,fr
C2,Deux SARL,deux@example.com,FR,fr
C3,Trois SARL,trois@example.com,FR,fr
C4,Four Ltd,four@example.com,GB,en
C5,Cinq SARL,cinq@example.com,FR,fr
"""
BROKEN = """\
customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount
C1,Un SARL,F9,2026-02-30,2026-03-04,EUR,10.00
"""


def company(folder: Path, **files: str) -> Path:
    """A workspace of five customers, one of whom is late, with these files in its inbox."""
    root = initialise(folder).root
    for name, text in {"invoices": INVOICES, "customers": CUSTOMERS, **files}.items():
        (root / "inbox" / f"{name}.csv").write_text(text, encoding="utf-8")
    return root


def relance(workspace: Path, *arguments: str, api: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RELANCE_HOME": str(workspace), **({"PREFECT_API_URL": api} if api else {})}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def outcome(workspace: Path) -> tuple[list[Any], list[Any]]:
    """What was decided and what was made of it, without anything that names a run or an instant."""
    with open_to_read(Workspace(workspace)) as connection:
        actions, messages = list_actions(connection), list_messages(connection)
    return (
        sorted(actions.select("action_id", "step", "status", "amount_demanded").rows()),
        sorted(messages.select("batch_id", "status", "document_sha256").rows()),
    )


@dataclass
class Server:
    """The Prefect server of the session, asked as the UI asks it."""

    api: str

    def ask(self, path: str, **body: Any) -> Any:
        return httpx.post(f"{self.api}{path}", json=body, timeout=30).raise_for_status().json()

    def run_named(self, name: str) -> dict[str, Any]:
        found = self.ask("/flow_runs/filter", flow_runs={"name": {"any_": [name]}})
        assert len(found) == 1
        return dict(found[0])

    def artifacts_of(self, run: dict[str, Any]) -> dict[str, Any]:
        found = self.ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}})
        return {one["key"]: one["data"] for one in found if one["key"]}


@pytest.fixture
def server(prefect_server: None) -> Server:
    from prefect.settings import PREFECT_API_URL

    return Server(str(PREFECT_API_URL.value()))


@pytest.mark.prefect
def test_a_day_under_prefect_leaves_what_the_plain_day_leaves_and_shows_it(
    server: Server, tmp_path: Path
) -> None:
    shown, plain = company(tmp_path / "shown"), company(tmp_path / "plain")

    under_prefect = relance(shown, "run", "--as-of", "2026-03-10", api=server.api)
    plainly = relance(plain, "run", "--as-of", "2026-03-10")

    assert (under_prefect.returncode, plainly.returncode) == (0, 0), under_prefect.stderr + plainly.stderr
    assert outcome(shown) == outcome(plain)
    assert outcome(shown)[0]
    assert under_prefect.stdout.splitlines()[1:] == plainly.stdout.splitlines()[1:]

    run = server.run_named("daily shown 2026-03-10")
    assert run["state_name"] == "Completed"
    artifacts = server.artifacts_of(run)
    assert sorted(artifacts) == ["shown-aging", "shown-decisions", "shown-files", "shown-run"]
    assert [(row["currency"], row["total"]) for row in json.loads(artifacts["shown-aging"])] == [
        ("EUR", "2100.00"),
        ("USD", "500.00"),
    ]
    assert [(row["file"], row["status"], row["rows"]) for row in json.loads(artifacts["shown-files"])] == [
        ("customers.csv", "loaded", "5 customers"),
        ("invoices.csv", "loaded", "5 invoices, 5 customers"),
    ]


@pytest.mark.prefect
def test_a_refused_file_and_a_mistake_show_in_the_state_of_the_run(server: Server, tmp_path: Path) -> None:
    workspace = company(tmp_path / "broken", invoices_broken=BROKEN)
    (workspace / "inbox" / "invoices_broken.csv").rename(workspace / "inbox" / "invoices-2026-03-10.csv")

    refused = relance(workspace, "intake", "--as-of", "2026-03-10", api=server.api)
    mistaken = relance(
        workspace, "batches", "approve", "no_such_batch", "--by", "A", "--as-of", "2026-03-11", api=server.api
    )

    assert refused.returncode == 3, refused.stderr
    run = server.run_named("intake broken 2026-03-10")
    assert run["state_name"] == "NeedsPerson"
    assert run["state"]["message"] == "invoices-2026-03-10.csv was refused"
    assert "**invoices-2026-03-10.csv** was refused: line 2" in server.artifacts_of(run)["broken-run"]

    assert mistaken.returncode == 2
    failed = server.run_named("approve broken 2026-03-11")
    assert failed["state_name"] == "Failed"
    assert "no_such_batch" in failed["state"]["message"]
    assert "Traceback" not in mistaken.stderr


@pytest.mark.prefect
def test_what_came_back_shows_in_the_state_and_the_artifact_of_the_run(
    server: Server, tmp_path: Path
) -> None:
    workspace = company(tmp_path / "returned")
    customer = "From: un@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: Facture\r\n\r\nDéjà payé.\r\n"
    relance(workspace, "intake", "--as-of", "2026-03-10")
    (workspace / "inbox" / "reply.eml").write_bytes(customer.encode())

    done = relance(workspace, "follow-up", "--as-of", "2026-03-10", api=server.api)

    assert done.returncode == 5, done.stderr
    run = server.run_named("follow-up returned 2026-03-10")
    assert run["state_name"] == "NeedsPerson"
    assert run["state"]["message"].startswith("customer C1 replied: read it")
    page = server.artifacts_of(run)["returned-run"]
    assert "## Came back\n\n- replied 1" in page
    assert "un@example.com" not in page + str(run)


@pytest.mark.prefect
def test_a_form_may_leave_fields_empty(server: Server, tmp_path: Path) -> None:
    workspace = company(tmp_path / "formed")
    given = {"kind": "dispute", "customer_id": "C1", "invoice_number": "F1", "amount": "12.50", "until": None}
    code = "import json, sys\nfrom flows.record import record\nprint(record(**json.loads(sys.argv[1])))"
    empty = {"installment": "", "reference": "", "reason": "", "note": "", "actor": "", "as_of": "2026-03-10"}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps({**given, **empty, "workspace": str(workspace)})],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": server.api},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    said = "Recorded on 2026-03-10: dispute of customer C1 invoice F1. Its number is 2026-03-10-"
    assert done.stdout.startswith(said), done.stderr
    assert server.run_named("record formed 2026-03-10")["state_name"] == "Completed"


@pytest.mark.prefect
def test_a_deployment_is_scheduled_and_its_form_has_plain_fields(server: Server, tmp_path: Path) -> None:
    server.ask("/work_pools/", name="relance", type="process")
    deployed = subprocess.run(
        [str(Path(sys.executable).with_name("prefect")), "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env={
            **os.environ,
            "PREFECT_API_URL": server.api,
            "RELANCE_HOME": str(tmp_path),
            "RELANCE_CREDITOR": "-acme",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    found = {one["name"]: one for one in server.ask("/deployments/filter")}
    assert {f"{name}-acme" for name in ("daily", "intake", "release", "record", "approve", "reject")} <= set(
        found
    )
    assert found["daily-acme"]["parameters"] == {"workspace": str(tmp_path)}
    form = found["record-acme"]["parameter_openapi_schema"]["properties"]
    assert form["amount"]["type"] == form["note"]["type"] == "string"
    assert form["amount"]["default"] == form["note"]["default"] == ""

    daily = found["daily-acme"]["id"]
    httpx.post(
        f"{server.api}/deployments/{daily}/schedule", json={"min_runs": 3}, timeout=30
    ).raise_for_status()
    runs = server.ask("/flow_runs/filter", flow_runs={"deployment_id": {"any_": [daily]}})
    starts = [datetime.fromisoformat(run["expected_start_time"]).astimezone(UTC) for run in runs]
    assert starts
    assert all(start.weekday() < 5 and start.hour in {5, 6} for start in starts)


def test_without_a_server_nothing_imports_prefect(tmp_path: Path) -> None:
    workspace = company(tmp_path / "plain")
    code = (
        "import sys\nfrom flows.__main__ import run\n"
        "codes = [int(run([command, *sys.argv[1:]])) for command in ('run', 'decisions')]\n"
        "print(codes, [name for name in sys.modules if name.partition('.')[0] == 'prefect'], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--workspace", str(workspace), "--as-of", "2026-03-10"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr.splitlines()[-1] == "[0, 0] []"
