"""The command line from end to end, as people type it: what it prints, what it changes, and its exit codes."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tasks.workspace import Workspace, shipped_root
from tests.integration.console import relance
from tests.torture.company import COMMANDS, DAY, FORMAL_NOTICE, PLACEMENT, Stages, arguments, copy_workspace
from tests.torture.moments import APPROVE, RELEASE, RUN

NEXT_DAY = "2026-03-03"
DECISION_COLUMNS = [
    "customer_id",
    "invoice_number",
    "installment",
    "currency",
    "due_date",
    "days_past_due",
    "amount",
    "amount_open",
    "aging_bucket",
    "ladder",
    "step",
    "channel",
    "message_channel",
    "act",
    "reason",
    "sentence",
]
AGING_COLUMNS = [
    "customer_id",
    "currency",
    "not_due",
    "days_1_30",
    "days_31_60",
    "days_61_90",
    "days_91_plus",
    "no_due_date",
    "unapplied",
    "total",
]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture
def after_run(stages: Stages, tmp_path: Path) -> Workspace:
    return copy_workspace(stages.before(APPROVE), tmp_path / "company")


def ask(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return relance(*words, "--workspace", str(workspace.root))


def rows_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_new_workspace_runs_as_it_is(tmp_path: Path) -> None:
    made = relance("init", str(tmp_path / "company"))
    assert made.returncode == 0, made.stderr
    ran = relance("run", "--workspace", str(tmp_path / "company"))
    assert ran.returncode == 0, ran.stderr
    again = relance("init", str(tmp_path / "company"))
    assert again.returncode == 2


def test_wrong_use_is_told_in_a_sentence_and_ends_with_2(tmp_path: Path, after_run: Workspace) -> None:
    nowhere = relance("run", "--workspace", str(tmp_path / "nowhere"))
    unknown = ask(after_run, "dance")
    no_batch = ask(after_run, "batches", "show", "no-such-batch")
    turned = ask(after_run, "report", "provisions", "--from", "2026-01-01", "--to", "2025-01-01")
    wrong_date = ask(after_run, "decisions", "--as-of", "2026-13-45")
    wrong_kind = ask(after_run, "record", "birthday", "--customer", "00101")
    no_until = ask(after_run, "record", "promise", "--customer", "00101", "--as-of", DAY)
    many = [nowhere, unknown, no_batch, wrong_date, wrong_kind, no_until, turned]
    assert [done.returncode for done in many] == [2] * len(many)
    assert "--to 2025-01-01 is before --from 2026-01-01" in turned.stderr
    assert "is not a workspace of Relance" in nowhere.stderr
    assert "there is no batch no-such-batch" in no_batch.stderr
    assert not any("Traceback" in done.stderr for done in many)


def test_decisions_are_the_same_before_and_after_a_run_and_in_every_format(
    stages: Stages, tmp_path: Path
) -> None:
    workspace = copy_workspace(stages.before(RUN), tmp_path / "company")
    assert relance(*arguments(workspace, ["intake"])).returncode == 0
    before = ask(workspace, "decisions", "--as-of", DAY, "--format", "csv")
    assert relance(*arguments(workspace, COMMANDS[RUN])).returncode == 5
    after = ask(workspace, "decisions", "--as-of", DAY, "--format", "csv")
    assert after.stdout == before.stdout
    rows = rows_of(after)
    assert list(rows[0])[: len(DECISION_COLUMNS)] == DECISION_COLUMNS
    assert {row["act"] for row in rows} == {"true", "false"}
    assert all(row["sentence"] and bool(row["reason"]) == (row["act"] == "false") for row in rows)
    as_json = json.loads(ask(workspace, "decisions", "--as-of", DAY, "--format", "json").stdout)
    assert [row["invoice_number"] for row in as_json] == [row["invoice_number"] for row in rows]
    one = rows_of(
        ask(workspace, "decisions", "--as-of", DAY, "--customer", rows[0]["customer_id"], "--format", "csv")
    )
    assert {row["customer_id"] for row in one} == {rows[0]["customer_id"]}


def test_aging_adds_up_to_the_open_items_in_each_currency(after_run: Workspace) -> None:
    by_customer = rows_of(ask(after_run, "aging", "--as-of", DAY, "--format", "csv"))
    by_item = rows_of(ask(after_run, "aging", "--as-of", DAY, "--by", "item", "--format", "csv"))
    assert list(by_customer[0]) == AGING_COLUMNS
    assert list(by_item[0])[-1] == "aging_bucket"
    table = pl.DataFrame(by_customer).with_columns(pl.col(AGING_COLUMNS[2:]).cast(pl.Decimal(18, 3)))
    parts = AGING_COLUMNS[2:-1]
    assert table.filter(pl.sum_horizontal(parts) != pl.col("total")).is_empty()
    items = (
        pl.DataFrame(by_item).group_by("currency").agg(pl.col("amount_open").cast(pl.Decimal(18, 3)).sum())
    )
    in_buckets = table.group_by("currency").agg(
        (pl.col("total").sum() - pl.col("unapplied").sum()).alias("amount_open")
    )
    assert in_buckets.sort("currency").rows() == items.sort("currency").rows()


def test_every_report_is_printed_in_every_format_and_changes_nothing(after_run: Workspace) -> None:
    events = ask(after_run, "audit", "log", "--format", "csv").stdout
    for report in ("credit-hold", "habits", "write-offs", "insolvencies", "provisions"):
        printed = {
            form: ask(after_run, "report", report, "--as-of", DAY, "--format", form)
            for form in ("table", "csv", "json")
        }
        assert [done.returncode for done in printed.values()] == [0, 0, 0], printed["csv"].stderr
        assert len(rows_of(printed["csv"])) == len(json.loads(printed["json"].stdout))
    published = (after_run.published / "reports" / DAY / "credit_hold.csv").read_text(encoding="utf-8")
    on_hold = rows_of(ask(after_run, "report", "credit-hold", "--as-of", DAY, "--format", "csv"))
    assert list(csv.DictReader(io.StringIO(published))) == on_hold
    window = ["--from", "2026-01-01", "--to", "2026-01-31"]
    matrix = ask(after_run, "report", "provisions", "--as-of", DAY, *window)
    assert "Rates: invoices from 2026-01-01 to 2026-01-31" in matrix.stdout
    assert ask(after_run, "audit", "log", "--format", "csv").stdout == events


def test_a_second_run_on_a_day_and_the_same_bytes_again_change_nothing(after_run: Workspace) -> None:
    before = rows_of(ask(after_run, "audit", "query", "select * from actions", "--format", "csv"))
    for file in after_run.archive.iterdir():
        shutil.copy(file, after_run.inbox / file.name)
    again = relance(*arguments(after_run, COMMANDS[RUN]))
    assert again.returncode == 5, again.stderr
    assert again.stdout.count(": known") == 5
    assert rows_of(ask(after_run, "audit", "query", "select * from actions", "--format", "csv")) == before


def test_nobody_acts_before_the_day_of_the_last_dispatch(after_run: Workspace) -> None:
    earlier = ["--as-of", "2026-03-01"]
    acting = [
        ask(after_run, "run", *earlier),
        ask(after_run, "intake", *earlier),
        ask(after_run, "batches", "approve", FORMAL_NOTICE, "--by", "Claire", *earlier),
        ask(after_run, "record", "answer", "--customer", "00101", *earlier),
    ]
    assert [done.returncode for done in acting] == [2, 2, 2, 2]
    assert all("2026-03-02, the day of the last dispatch" in done.stderr for done in acting)
    assert ask(after_run, "decisions", *earlier).returncode == 0


def test_a_refused_file_is_put_aside_with_its_errors_and_ends_with_3(after_run: Workspace) -> None:
    text = "customer_id,customer_name,invoice_number,invoice_date,due_date,currency,amount\nA,A,1,2026-02-30,,EUR,5\n"
    (after_run.inbox / "invoices-late.csv").write_text(text, encoding="utf-8")
    (after_run.inbox / "payments-late.csv.part").write_text("half", encoding="utf-8")
    done = ask(after_run, "intake", "--as-of", NEXT_DAY)
    assert done.returncode == 3
    assert "invoices-late.csv: refused" in done.stdout
    assert "invoices-late.csv" not in done.stderr
    errors = (after_run.rejected / "invoices-late.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert errors.startswith("line,column,value,rule,how_to_fix\n2,invoice_date,2026-02-30,")
    assert [path.name for path in after_run.inbox.iterdir() if path.is_file()] == ["payments-late.csv.part"]


def test_a_file_that_clears_too_much_is_kept_until_a_person_accepts_it(after_run: Workspace) -> None:
    head = "Export\n02/03/2026\nN° client;Nom;Adresse;CP;Ville;Courriel;Facture;Date;Échéance;Montant TTC;Reste dû\n"
    rows = [
        f"K{number};Kept {number};1 rue;37000;Tours;k@example.com;K-{number};05/01/2026;05/02/2026;100,00;100,00\n"
        for number in range(4)
    ]
    (after_run.inbox / "nantes-2026-03-02.csv").write_text(head + "".join(rows), encoding="cp1252")
    assert ask(after_run, "intake", "--as-of", DAY).returncode == 0
    newer = after_run.inbox / "nantes-2026-03-03.csv"
    newer.write_text(head + rows[0], encoding="cp1252")
    kept = ask(after_run, "intake", "--as-of", NEXT_DAY)
    assert kept.returncode == 5
    assert f"relance intake --accept {newer.name}" in kept.stdout.replace("\n", " ")
    assert newer.exists()
    taken = ask(after_run, "intake", "--as-of", NEXT_DAY, "--accept", newer.name)
    assert taken.returncode == 0, taken.stdout
    assert "3 cleared by the source" in taken.stdout
    open_now = rows_of(ask(after_run, "decisions", "--as-of", NEXT_DAY, "--format", "csv"))
    assert [row["invoice_number"] for row in open_now if row["customer_id"].startswith("K")] == ["K-0"]


def test_a_batch_waits_for_a_name_and_then_leaves(after_run: Workspace) -> None:
    waits = ask(after_run, "release", FORMAL_NOTICE, "--as-of", DAY)
    assert waits.returncode == 5
    assert f"relance batches approve {FORMAL_NOTICE}" in waits.stderr
    nameless = ask(after_run, "batches", "approve", FORMAL_NOTICE, "--by", " ", "--as-of", DAY)
    assert nameless.returncode == 2
    assert relance(*arguments(after_run, COMMANDS[APPROVE])).returncode == 0
    # The other batch of the day still waits for a person.
    assert relance(*arguments(after_run, COMMANDS[RELEASE])).returncode == 5
    listed = {row["batch_id"]: row for row in rows_of(ask(after_run, "batches", "list", "--format", "csv"))}
    assert listed[FORMAL_NOTICE]["status"] == "closed"
    assert listed[PLACEMENT]["status"] == "draft"
    shown = rows_of(ask(after_run, "batches", "show", FORMAL_NOTICE, "--format", "csv"))
    assert {row["status"] for row in shown} == {"dispatched"}
    story = ask(after_run, "audit", "show", shown[0]["action_id"][:12])
    assert "is the one that left" in story.stdout.replace("\n", " ")
    log = rows_of(ask(after_run, "audit", "log", "--kind", "batch_approved", "--format", "csv"))
    assert [row["actor"] for row in log] == ["Claire Fontanel"]


def test_a_rejected_batch_holds_its_items_until_the_date_given(after_run: Workspace) -> None:
    reject = ["batches", "reject", PLACEMENT, "--by", "Claire", "--why", "too small", "--as-of", DAY]
    assert ask(after_run, *reject, "--until", "2026-03-01").returncode == 2
    assert ask(after_run, *reject, "--until", "2026-03-31").returncode == 0
    items = rows_of(ask(after_run, "batches", "show", PLACEMENT, "--format", "csv"))
    numbers = {row["invoice_number"] for row in items}

    def reasons(day: str) -> set[str]:
        decided = rows_of(ask(after_run, "decisions", "--as-of", day, "--format", "csv"))
        return {row["reason"] for row in decided if row["invoice_number"] in numbers}

    assert reasons("2026-03-31") == {"manual_hold"}
    assert "manual_hold" not in reasons("2026-04-01")
    assert ask(after_run, "release", PLACEMENT, "--as-of", DAY).returncode == 2


def test_what_is_recorded_holds_and_withdraws_an_approved_message(after_run: Workspace) -> None:
    assert relance(*arguments(after_run, COMMANDS[APPROVE])).returncode == 0
    first = rows_of(ask(after_run, "batches", "show", FORMAL_NOTICE, "--format", "csv"))[0]
    item = ["--customer", first["customer_id"], "--invoice", first["invoice_number"], "--as-of", DAY]
    assert ask(after_run, "record", "dispute", *item, "--note", "wrong delivery").returncode == 0
    left = ask(after_run, "release", "--as-of", DAY)
    assert left.returncode == 5, left.stderr  # the other batch still waits
    assert f"invoice {first['invoice_number']} is held: disputed" in left.stdout.replace("\n", " ")
    shown = rows_of(ask(after_run, "batches", "show", FORMAL_NOTICE, "--format", "csv"))
    assert {row["status"] for row in shown if row["message_id"] == first["message_id"]} == {"withdrawn"}
    assert {row["status"] for row in shown if row["message_id"] != first["message_id"]} == {"dispatched"}
    decided = rows_of(
        ask(
            after_run,
            "decisions",
            "--as-of",
            DAY,
            "--customer",
            first["customer_id"],
            "--format",
            "csv",
        )
    )
    assert "disputed" in {row["reason"] for row in decided}
    assert ask(after_run, "audit", "verify").returncode == 0


def test_the_policy_is_checked_and_a_wrong_one_ends_with_4(after_run: Workspace) -> None:
    assert ask(after_run, "policy", "check", "--as-of", DAY).returncode == 0
    shipped = (shipped_root() / "policies" / "escalation" / "standard_fr.yaml").read_text(encoding="utf-8")
    own = after_run.policies / "escalation" / "standard_fr.yaml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(shipped.replace("ladder_mode:", "lader_mode:"), encoding="utf-8")
    checked = ask(after_run, "policy", "check", "--as-of", DAY)
    ran = ask(after_run, "run", "--as-of", NEXT_DAY)
    assert [checked.returncode, ran.returncode] == [4, 4]
    assert "lader_mode" in checked.stdout + checked.stderr


def test_people_ask_the_published_tables_in_sql_and_may_only_read(after_run: Workspace) -> None:
    counted = rows_of(
        ask(after_run, "audit", "query", "select count(*) as events from events", "--format", "csv")
    )
    logged = rows_of(ask(after_run, "audit", "log", "--format", "csv"))
    assert int(counted[0]["events"]) == len(logged) > 0
    assert ask(after_run, "audit", "query", "drop table events").returncode == 2
    assert ask(after_run, "audit", "query", "select * from nothing_like_it").returncode == 2
