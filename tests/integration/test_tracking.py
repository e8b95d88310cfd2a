"""What printers, post offices and agencies report: files of the inbox, taken in whole or refused whole."""

import csv
import json
from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.integration.returning_company import act, decisions, events, make_company, write
from tests.torture.company import copy_workspace

DAY, BACK, NEXT = "2026-03-02", "2026-03-05", "2026-03-06"
POLICY = """\
policy: returning
description: A notice by registered letter, its proof awaited before the agency has it.
segments: [{segment: everyone, ladder: standard}]
ladders:
  standard:
    - {step: formal_notice, after_due_days: 1, channel: registered_letter, needs_delivery_proof: true}
    - {step: placement, after_previous_days: 1, channel: agency, agency: default}
"""


POST = """\
source: post
description: Statuses of letters, as the post writes them.
file_pattern: post*.csv
format: delimited
record: tracking
kind: incremental
separator: ";"
date_format: "%d/%m/%Y"
columns:
  message_id: Réf client
  status: {column: Statut, lookup: statuses}
  status_date: Date statut
lookups:
  statuses: {Distribué: delivered}
"""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = make_company(tmp_path_factory.mktemp("letters") / "company")
    (workspace.policies / "escalation" / "returning.yaml").write_text(POLICY, encoding="utf-8")
    act(workspace, "run", DAY)
    return workspace


@pytest.fixture
def company(sent: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(sent, tmp_path / "company")


def letters(workspace: Workspace) -> dict[str, str]:
    """Return the number of each customer's letter, from the list that leaves with the batch."""
    (path,) = workspace.outbox.glob("*/letters.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["customer_id"]: row["message_id"] for row in csv.DictReader(file)}


def refused(workspace: Workspace, name: str) -> list[tuple[str, str, str]]:
    """Return line, value and rule of each row for which a file was refused."""
    with (workspace.rejected / f"{name}.errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(row["line"], row["value"], row["rule"]) for row in csv.DictReader(file)]


def test_letters_that_came_back_are_no_step_done_and_received_ones_let_the_ladder_go_on(
    company: Workspace,
) -> None:
    number = letters(company)
    (document,) = company.outbox.glob(f"*/letters/*cleo*{number['cleo'][:4]}*.pdf")
    write(
        company,
        "tracking-2026-03-05.csv",
        "message_id,document,tracking_number,status,status_date,proof_ref",
        f"{number['ana']},,1A0001,delivered,2026-03-04,AR-1.pdf",
        f"{number['ben']},,1A0002,unclaimed,2026-03-05,",
        f",{document.name},1A0003,deposited,2026-03-02,",
    )
    assert "tracking-2026-03-05.csv: loaded" in act(company, "follow-up", BACK)
    assert {name: row[0] for name, row in decisions(company, NEXT).items()} == {
        "ana": "placement",
        "ben": "formal_notice",
        "cleo": "",
        "dan": "",
    }
    told = [json.loads(row) for row in events(company).filter(kind="letter_tracked")["payload"]]
    assert [(row["status"], row["tracking_number"], row.get("proof_ref")) for row in told] == [
        ("delivered", "1A0001", "AR-1.pdf"),
        ("unclaimed", "1A0002", None),
        ("deposited", "1A0003", None),
    ]
    assert events(company).filter(kind="letter_tracked")["action_id"].null_count() == 0


def test_the_same_statuses_in_another_file_change_nothing_more(company: Workspace) -> None:
    row = f"{letters(company)['ben']},1A0002,returned,2026-03-05"
    header = "message_id,tracking_number,status,status_date"
    write(company, "letters-2026-03-05.csv", header, row)
    act(company, "intake", BACK)
    first = decisions(company, NEXT)
    write(
        company,
        "letters-2026-03-06.csv",
        header,
        row,
        f"{letters(company)['ana']},1A0001,deposited,2026-03-03",
    )
    act(company, "intake", NEXT)
    assert decisions(company, "2026-03-09") == first


def test_a_file_that_names_letters_nobody_sent_is_refused_whole(company: Workspace) -> None:
    number = letters(company)
    write(
        company,
        "tracking.csv",
        "message_id,document,status,status_date",
        f"{number['ana']},,delivered,2026-03-01",
        "0123456789abcdef0123456789abcdef,,delivered,2026-03-04",
        ",nobody.pdf,returned,2026-03-04",
        ",,returned,2026-03-04",
        f"{number['ben']},,lost,2026-03-04",
        f"{number['dan']},,returned,2026-03-04",
    )
    act(company, "follow-up", BACK, expect=3)
    errors = (company.rejected / "tracking.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert "message_id and document blank: the row says no letter" in errors
    assert "lost" in errors
    mended = [
        line
        for line in (company.rejected / "tracking.csv").read_text().splitlines()
        if not line.startswith(",,")
    ]
    write(company, "tracking.csv", *(line for line in mended if "lost" not in line))
    act(company, "follow-up", BACK, expect=3)
    told = [(line, value[:12], rule) for line, value, rule in refused(company, "tracking.csv")]
    assert told == [
        ("2", "2026-03-01", "a day before the letter left"),
        ("3", "0123456789ab", "no letter of ours that has left"),
        ("4", "nobody.pdf", "no letter of ours that has left"),
    ]
    assert events(company).filter(kind="event_recorded").is_empty()
    assert decisions(company, NEXT)["dan"][0] == ""


def test_a_day_that_has_not_come_is_refused_with_its_line(company: Workspace) -> None:
    number = letters(company)
    write(
        company,
        "tracking.csv",
        "message_id,status,status_date",
        f"{number['ana']},delivered,2026-03-05",
        f"{number['ben']},delivered,2027-03-05",
    )
    told = act(company, "follow-up", BACK, expect=3)
    assert "line 3: status_date: a day after 2026-03-05, the date of this run" in " ".join(told.split())
    assert refused(company, "tracking.csv") == [
        ("3", "2027-03-05", "a day after 2026-03-05, the date of this run")
    ]
    assert events(company).filter(kind="letter_tracked").is_empty()


def test_a_letter_delivered_and_returned_on_one_day_is_told_to_a_person(company: Workspace) -> None:
    number = letters(company)
    header = "message_id,tracking_number,status,status_date"
    write(
        company,
        "tracking.csv",
        header,
        f"{number['ana']},1A,delivered,2026-03-04",
        f"{number['ben']},1B,delivered,2026-03-04",
        f"{number['ben']},1B,unclaimed,2026-03-04",
    )
    assert "contradictory" in act(company, "follow-up", BACK, expect=3)
    assert refused(company, "tracking.csv") == [
        ("3", "delivered", "contradictory: line 4 says that it came back on the same day"),
        ("4", "unclaimed", "contradictory: line 3 says that it was received on the same day"),
    ]
    act(company, "record letter_returned --customer cleo --invoice F-cleo", BACK)
    write(company, "tracking.csv", header, f"{number['cleo']},1C,delivered,{BACK}")
    act(company, "follow-up", BACK, expect=3)
    assert refused(company, "tracking.csv") == [
        ("2", "delivered", "contradictory: what is known already says that it came back on the same day")
    ]


def test_of_different_days_the_later_status_of_a_letter_counts(company: Workspace) -> None:
    number = letters(company)
    header = "message_id,status,status_date"
    write(company, "tracking-1.csv", header, f"{number['ben']},delivered,2026-03-04")
    act(company, "intake", BACK)
    write(
        company,
        "tracking-2.csv",
        header,
        f"{number['ana']},returned,2026-03-04",
        f"{number['ana']},delivered,2026-03-05",
        f"{number['ben']},returned,2026-03-05",
    )
    act(company, "intake", BACK)
    found = decisions(company, NEXT)
    assert (found["ana"][0], found["ben"][0]) == ("placement", "formal_notice")


def test_errors_in_a_providers_file_name_the_columns_that_it_has(company: Workspace) -> None:
    (company.policies / "sources").mkdir()
    (company.policies / "sources" / "post.yaml").write_text(POST, encoding="utf-8")
    number = letters(company)
    rows = (
        "0123456789abcdef0123456789abcdef;Distribué;04/03/2026",
        f"{number['ana']};Distribué;01/03/2026",
        ";Distribué;04/03/2026",
    )
    told = []
    for row in rows:
        write(company, "post.csv", "Réf client;Statut;Date statut", row)
        act(company, "intake", BACK, expect=3)
        with (company.rejected / "post.csv.errors.csv").open(encoding="utf-8-sig", newline="") as file:
            told += [(error["column"], error["value"], error["rule"]) for error in csv.DictReader(file)]
    assert told == [
        ("Réf client", "0123456789abcdef0123456789abcdef", "no letter of ours that has left"),
        ("Date statut", "2026-03-01", "a day before the letter left"),
        ("Réf client", "", "Réf client blank: the row says no letter"),
    ]


def test_an_agency_reports_what_became_of_its_cases(company: Workspace) -> None:
    write(
        company,
        "agency_report-2026-03-05.csv",
        "case_id,customer_id,invoice_number,status,status_date,currency,amount,until,note",
        "K1,ana,F-ana,dispute,2026-03-04,EUR,200.00,,Prix",
        "K2,ben,F-ben,promise,2026-03-05,EUR,1200.00,2026-03-20,",
        "K3,cleo,,insolvency,2026-03-05,,,,",
        "K4,dan,F-dan,uncollectible,2026-03-05,,,,",
        "K4,dan,F-dan,in_progress,2026-03-04,,,,",
        "K2,ben,F-ben,payment_reported,2026-03-05,EUR,10.00,,",
    )
    told = act(company, "follow-up", BACK)
    assert "agency_report-2026-03-05.csv: loaded (6 events)" in told
    assert {name: row[2] for name, row in decisions(company, NEXT).items()} == {
        "ana": "no_step_due",
        "ben": "promise_running",
        "cleo": "insolvent",
        "dan": "manual_hold",
    }


def test_a_report_with_a_wrong_row_is_refused_whole(company: Workspace) -> None:
    write(
        company,
        "agency_report.csv",
        "customer_id,invoice_number,status,status_date,amount,until",
        "ana,F-ana,promise,2026-03-05,100,",
        "ben,F-ben,promise,2026-03-05,100,2026-03-01",
        "cleo,F-cleo,eaten,2026-03-05,,",
        "dan,,dispute,2026-03-05,-1,",
    )
    act(company, "intake", BACK, expect=3)
    errors = (company.rejected / "agency_report.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert [line.split(",")[:2] for line in errors.splitlines()[1:]] == [
        ["2", "until"],
        ["3", "until"],
        ["4", "status"],
        ["5", "amount"],
    ]
