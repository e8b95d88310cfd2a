"""A killed command, done again, ends as if nobody had killed it; `python -m tests.torture` tries many more instants."""

import csv
import io
from pathlib import Path

import pytest

from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace
from tests.torture.company import (
    COMMANDS,
    ENDED_WELL,
    FORMAL_NOTICE,
    arguments,
    copy_workspace,
    relance,
    start,
)
from tests.torture.moments import MOMENTS, RELEASE, RUN
from tests.torture.trials import KILLED, Torture

LATER = "2026-03-04"
CHOSEN = [
    moment
    for moment in MOMENTS
    if moment.story
    in (
        "third file in the store, not yet in archive/",
        "between intent and outcome of a letter",
    )
]


@pytest.fixture(scope="module")
def torture(tmp_path_factory: pytest.TempPathFactory) -> Torture:
    return Torture(tmp_path_factory.mktemp("torture"))


def kill(workspace: Workspace, command: str, place: str, call: int, when: str) -> None:
    words = arguments(workspace, COMMANDS[command])
    process = start(["-m", "tests.torture.killed", place, str(call), when, *words])
    _, errors = process.communicate(timeout=300)
    assert process.returncode == KILLED, errors


def statuses(workspace: Workspace, batch_id: str) -> dict[str, str]:
    with open_to_read(workspace) as connection:
        messages = list_messages(connection, batch_id)
    return dict(messages.select("customer_id", "status").iter_rows())


@pytest.mark.parametrize("moment", CHOSEN, ids=lambda moment: moment.story)
def test_a_command_killed_at_a_chosen_moment_and_done_again_does_the_same(
    torture: Torture, moment: object
) -> None:
    trial = torture.kill_at(moment)  # type: ignore[arg-type]  # pytest hands parameters on untyped
    assert trial.differences == (), trial.found


def test_a_run_killed_at_any_instant_and_done_again_does_the_same(torture: Torture) -> None:
    trial = torture.kill_after(RUN, 0.6)
    assert trial.differences == (), trial.found


def test_a_cut_release_taken_up_on_a_later_day_does_not_demand_what_was_paid_since(
    torture: Torture, tmp_path: Path
) -> None:
    workspace = copy_workspace(torture.stages.before(RUN), tmp_path / "company")
    kill(workspace, RUN, "tasks.dispatch.journal:Journal.settle", 3, "before")
    with open_to_read(workspace) as connection:
        messages = list_messages(connection).filter(batch_id="2026-03-02-automatic", channel="email")
    unpaid = messages.sort("message_id").row(-1, named=True)
    demanded = csv_of(relance("batches", "show", unpaid["batch_id"], *where(workspace)).stdout)
    lines = [row for row in demanded if row["customer_id"] == unpaid["customer_id"]]
    payments = "payment_id,customer_id,payment_date,currency,amount,invoice_number\n" + "".join(
        f"late-{number},{row['customer_id']},{LATER},{row['currency']},{row['amount_open']},{row['invoice_number']}\n"
        for number, row in enumerate(lines)
    )
    (workspace.inbox / f"payments-{LATER}.csv").write_text(payments, encoding="utf-8")
    again = relance("run", "--as-of", LATER, "--workspace", str(workspace.root))
    assert again.returncode in ENDED_WELL, again.stderr
    after = statuses(workspace, unpaid["batch_id"])
    assert after[unpaid["customer_id"]] == "withdrawn"
    assert set(after.values()) == {"dispatched", "withdrawn"}
    assert not list((workspace.outbox / unpaid["batch_id"] / "emails").glob(f"{unpaid['customer_id']}-*"))


def test_a_letter_withdrawn_by_a_run_that_was_cut_is_not_in_the_print_run(
    torture: Torture, tmp_path: Path
) -> None:
    workspace = copy_workspace(torture.stages.before(RELEASE), tmp_path / "company")
    customer = min(statuses(workspace, FORMAL_NOTICE))
    hold = ["record", "insolvency", "--customer", customer]
    assert relance(*arguments(workspace, hold)).returncode == 0
    kill(workspace, RELEASE, "flows.steps:withdraw_changed", 1, "after")
    again = relance(*arguments(workspace, COMMANDS[RELEASE]))
    assert again.returncode in ENDED_WELL, again.stderr
    assert statuses(workspace, FORMAL_NOTICE)[customer] == "withdrawn"
    printed = (workspace.outbox / FORMAL_NOTICE / "letters.csv").read_text(encoding="utf-8-sig")
    assert customer not in {row["customer_id"] for row in csv_of(printed)}
    assert relance("audit", "verify", *where(workspace, "")).returncode == 0


def where(workspace: Workspace, form: str = "csv") -> list[str]:
    return ["--workspace", str(workspace.root), *(["--format", form] if form else [])]


def csv_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
