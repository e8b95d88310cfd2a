"""What auditors ask: the ready questions on a played company, in every form, and what a query may not do."""

import io
import json
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from policies.errors import WrongUseError
from tasks.audit.answers import read_seal, to_page, to_workbook
from tasks.audit.dossier import write_dossier
from tasks.audit.questions import QUESTIONS, Answer, ask, is_question, list_questions
from tasks.published_tables import query_published
from tasks.store.connection import open_to_write
from tasks.store.published import Limits
from tasks.workspace import Workspace
from tests.integration.audited_company import (
    CALLED,
    FIRST,
    FORMULA,
    HOSTILE,
    MAILED,
    NOTIFIED,
    PEOPLE,
    PLACED,
    SCRIPT,
    SECOND,
)
from tests.integration.console import relance


def rows(answer: Answer, *columns: str) -> list[tuple[object, ...]]:
    return answer.frame.select(columns).rows()


def test_everything_about_a_customer_is_told_in_the_order_in_which_it_happened(audited: Workspace) -> None:
    answer = ask(audited, ["customer", MAILED])
    assert answer.frame["day"].is_sorted()
    told = [what for what in answer.frame["what"] if what != "decided_not_to_act"]
    assert told == [
        "decided_to_act",
        "batch_drafted",
        "action_composed",
        "batch_files_composed",
        "batch_approved",
        "batch_released",
        "action_dispatched",
        "batch_closed",
        "event_recorded",
    ]
    assert ("batch_approved", "Claire Fontanel") in rows(answer, "what", "who")
    hashes = answer.frame.filter(pl.col("what").is_in(["action_composed", "action_dispatched"]))
    assert hashes["document_sha256"].n_unique() == 1


def test_what_left_on_a_day_is_told_with_who_approved_it_and_the_hash_it_left_with(
    audited: Workspace,
) -> None:
    answer = ask(audited, ["left-on", FIRST])
    left = {row["customer_id"]: row for row in answer.frame.iter_rows(named=True)}
    assert {MAILED, CALLED, PLACED, HOSTILE} <= set(left)
    assert NOTIFIED not in left
    assert (left[PLACED]["channel"], left[PLACED]["approved_by"]) == ("agency", "Claire Fontanel")
    document = audited.root / left[MAILED]["document_path"]
    assert document.is_file()
    assert len(left[MAILED]["document_sha256"]) == 64
    assert ask(audited, ["left-on", "2026-03-08"]).frame.is_empty()


def test_who_approved_is_told_of_each_batch_or_of_one(audited: Workspace) -> None:
    decided = {
        row[0]: row[1:]
        for row in rows(ask(audited, ["approvals"]), "batch_id", "decision", "decided_by", "why")
    }
    assert decided[f"{FIRST}-placement"] == ("batch_approved", "Claire Fontanel", None)
    assert decided[f"{FIRST}-formal_notice"] == ("batch_rejected", "Noé Brun", "not before the fair")
    assert decided[f"{SECOND}-automatic"][0] == "no_approval_needed"
    assert ask(audited, ["approvals", f"{FIRST}-placement"]).frame.height == 1


def test_why_a_customer_was_not_contacted_is_told_for_each_day(audited: Workspace) -> None:
    reasons = rows(ask(audited, ["why-not", NOTIFIED]), "day", "invoice_number", "reason")
    assert reasons == [
        (date(2026, 3, 2), f"F-{NOTIFIED}", "batch_rejected"),
        (date(2026, 3, 3), None, "nothing_open"),
    ]
    sentence = ask(audited, ["why-not", NOTIFIED]).frame["sentence"][0]
    assert sentence == f"Batch {FIRST}-formal_notice was rejected by Noé Brun: not before the fair"
    held = ask(audited, ["why-not", "00107"], date(2026, 3, 3), date(2026, 3, 4)).frame
    decided = query_published(
        audited,
        "select invoice_number, reason, sentence from decisions where customer_id = '00107' and as_of = '2026-03-03'",
    )
    assert set(held.filter(pl.col("day") == date(2026, 3, 3))["sentence"]) == set(decided["sentence"])
    assert held.filter(pl.col("day") == date(2026, 3, 4))["reason"].to_list() == ["no_run"]


def test_a_customer_whom_nobody_knows_is_told_from_one_who_owed_nothing_yet(audited: Workspace) -> None:
    assert rows(ask(audited, ["why-not", "nobody"]), "day", "reason") == [(None, "unknown_customer")]
    before = ask(audited, ["why-not", MAILED], date(2026, 3, 1), date(2026, 3, 1)).frame
    assert before["reason"].to_list() == ["no_run"]


@pytest.mark.parametrize("rate", ["ecb_mro", "2026-H1", "0.1215"])
def test_messages_that_used_a_rate_are_found_by_its_name_its_half_year_or_itself(
    audited: Workspace, rate: str
) -> None:
    found = ask(audited, ["used-rate", rate]).frame
    composed = query_published(audited, "select payload from events where kind = 'action_composed'")[
        "payload"
    ]
    periods = [
        period
        for payload in map(json.loads, composed)
        for period in payload["charges"]["periods"]
        if rate in period["source"] or rate == period["annual_rate"]
    ]
    assert found.height == len(periods) > 0
    assert ask(audited, ["used-rate", "2031-H1"]).frame.is_empty()


def test_actions_are_found_by_the_template_that_worded_them(audited: Workspace) -> None:
    by_step = ask(audited, ["used-template", "reminder_1"]).frame
    assert MAILED in by_step["customer_id"]
    version = by_step.filter(pl.col("customer_id") == MAILED)["template_sha256"][0]
    by_hash = ask(audited, ["used-template", version[:10]]).frame
    assert set(by_hash["template_sha256"]) == {version}
    assert MAILED in by_hash["customer_id"]


def test_actions_under_a_policy_that_was_changed_later_are_those_of_the_day_before(
    audited: Workspace,
) -> None:
    changed = ask(audited, ["policy-changed"]).frame
    assert set(changed["as_of"]) == {date(2026, 3, 2)}
    assert set(changed["changed_on"]) == {date(2026, 3, 3)}
    drafted = query_published(audited, "select count(*) from events where kind = 'action_composed'").item()
    of_second = query_published(
        audited, f"select count(*) from actions where proposed_on = '{SECOND}'"
    ).item()
    assert changed.height == drafted - of_second > 0


def test_what_was_drafted_and_did_not_leave_says_why(audited: Workspace) -> None:
    found = rows(ask(audited, ["withdrawn"]), "customer_id", "status", "why", "who")
    assert (NOTIFIED, "rejected", "not before the fair", "Noé Brun") in found
    assert ask(audited, ["uncertain"]).frame.is_empty()


def test_every_question_is_listed_and_answers_with_the_columns_it_shows(audited: Workspace) -> None:
    given = {
        "customer": MAILED,
        "day": FIRST,
        "rate": "ecb",
        "template": "call",
        "batch": f"{FIRST}-placement",
    }
    assert list_questions().height == len(QUESTIONS)
    for question in QUESTIONS:
        answer = ask(audited, [question.name, *(given[name] for name in question.needs)])
        assert set(question.columns) <= set(answer.frame.columns), question.name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["costumer", "P1"], "Did you mean customer?"),
        (["customer"], "relance audit query customer CUSTOMER"),
        (["left-on", "2 March"], "Write it like 2026-03-02"),
        (["approvals", "a", "b"], "approvals [BATCH]"),
    ],
)
def test_a_question_asked_wrongly_says_how_it_is_asked(
    audited: Workspace, words: list[str], said: str
) -> None:
    with pytest.raises(WrongUseError) as raised:
        ask(audited, words)
    assert said in str(raised.value)


def test_a_stretch_of_days_is_refused_where_it_means_nothing_or_is_turned(audited: Workspace) -> None:
    with pytest.raises(WrongUseError, match="leave out --from"):
        ask(audited, ["files"], first=date(2026, 3, 2))
    with pytest.raises(WrongUseError, match="lies before"):
        ask(audited, ["why-not", MAILED], date(2026, 3, 3), date(2026, 3, 2))


def test_sql_is_told_from_a_question() -> None:
    assert is_question(["files"])
    assert is_question(["customer", "select 1"])
    assert is_question(["mistyped"])
    assert not is_question(["select 1"])


def test_a_value_that_looks_like_sql_is_only_a_value(audited: Workspace) -> None:
    hostile = "x' or 1=1; drop view events; --"
    assert ask(audited, ["customer", hostile]).frame.is_empty()


def test_a_workbook_holds_text_that_no_spreadsheet_calculates(audited: Workspace) -> None:
    answer = ask(audited, ["left-on", FIRST])
    content = to_workbook(answer.frame, answer.title, answer.parameters, read_seal(audited))
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["Answer"]
    heading = [cell.value for cell in sheet[1]]
    cells = [dict(zip(heading, row, strict=True)) for row in sheet.iter_rows(min_row=2)]
    hostile = next(row for row in cells if row["customer_id"].value == HOSTILE)
    assert (hostile["invoice_number"].value, hostile["invoice_number"].data_type) == (FORMULA, "s")
    assert hostile["customer_id"].number_format == "@"
    assert {cell.data_type for row in cells for cell in row.values()} <= {"s", "n", "d"}
    assert [row["customer_id"].value for row in cells] == answer.frame["customer_id"].to_list()
    assert isinstance(hostile["amount_demanded"].value, int | float)
    about = {row[0].value: row[1].value for row in book["About"].iter_rows(min_row=2)}
    assert about["Question"] == f"What left on {FIRST}"
    assert read_seal(audited).head_hash in about["Source"]


def test_a_page_is_escaped_and_says_of_which_log_it_is(audited: Workspace) -> None:
    answer = ask(audited, ["customer", HOSTILE])
    page = to_page(audited, answer.frame, answer.columns, answer.title, answer.parameters)
    assert "=1+1&lt;b&gt;" in page
    assert "<b>" not in page
    assert read_seal(audited).head_hash in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_the_dossier_of_a_customer_holds_facts_messages_proofs_and_events(audited: Workspace) -> None:
    page = write_dossier(audited, MAILED)
    name, email, street = PEOPLE[MAILED]
    document = ask(audited, ["left-on", FIRST]).frame.filter(pl.col("customer_id") == MAILED)[
        "document_sha256"
    ][0]
    for text in (
        name,
        email,
        street,
        f"F-{MAILED}",
        f"PAY-{MAILED}",
        "Claire Fontanel",
        "is the one that left",
        document,
    ):
        assert text in page
    hostile = write_dossier(audited, HOSTILE)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile
    assert SCRIPT not in hostile
    with pytest.raises(WrongUseError, match="nothing is known"):
        write_dossier(audited, "nobody")


def test_questions_are_answered_while_a_flow_holds_the_store(audited: Workspace) -> None:
    with open_to_write(audited):
        assert ask(audited, ["customer", MAILED]).frame.height > 0


@pytest.mark.parametrize(
    "sql",
    [
        "explain analyze copy (select 1) to '{published}/escaped.csv'",
        "explain analyze select 1",
        "copy (select 1) to '{published}/escaped.csv'",
        "export database '{published}/escaped'",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('{root}/creditor.yaml')",
        "select * from read_text('{published}/../creditor.yaml')",
        "select * from glob('/etc/*')",
        "select * from read_csv('/etc/passwd')",
        "select getenv('HOME')",
        "attach '{root}/relance.duckdb' as store",
        "select * from '{root}/relance.duckdb'",
        "with gone as (insert into events select * from events returning *) select * from gone",
        "load json",
        "select * from sqlite_scan('{root}/relance.duckdb', 'messages')",
        "set memory_limit = '100GB'",
        "select * from query('select 1; select 2')",
        "call pragma_database_size()",
    ],
)
def test_a_query_reads_nothing_but_the_published_folder_and_writes_nothing(
    audited: Workspace, sql: str
) -> None:
    before = sorted(path for path in audited.root.rglob("*"))
    with pytest.raises(WrongUseError):
        query_published(audited, sql.format(published=audited.published.resolve(), root=audited.root))
    assert sorted(path for path in audited.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("sql", "limits", "said"),
    [
        (
            "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
            Limits(seconds=0.5),
            "0.5 seconds",
        ),
        ("select list(r) from range(1000000000) t(r)", Limits(memory="100MB"), "100MB"),
        ("select * from range(1000)", Limits(rows=999), "999 rows"),
    ],
)
def test_a_runaway_query_is_stopped(audited: Workspace, sql: str, limits: Limits, said: str) -> None:
    with pytest.raises(WrongUseError, match="was stopped") as raised:
        query_published(audited, sql, limits=limits)
    assert said in str(raised.value)


def test_a_limit_that_means_nothing_is_wrong_use(audited: Workspace) -> None:
    with pytest.raises(WrongUseError, match="cannot be answered"):
        query_published(audited, "select 1", limits=Limits(memory="plenty'; drop view events; --"))


def test_people_type_questions_and_get_files(audited: Workspace, tmp_path: Path) -> None:
    place = ("--workspace", str(audited.root))
    listed = relance("audit", "query", *place).stdout
    assert "why-not CUSTOMER [--from D] [--to D]" in listed
    told = relance(
        "audit", "query", "why-not", NOTIFIED, "--from", FIRST, "--to", SECOND, "--format", "csv", *place
    )
    assert told.stdout.splitlines()[1].startswith(f"{FIRST},F-{NOTIFIED},1,batch_rejected,")
    counted = relance("audit", "query", "select count(*) as events from events", "--format", "json", *place)
    assert json.loads(counted.stdout) == [{"events": read_seal(audited).events}]
    wrong = relance("audit", "query", "left-on", "--timeout-seconds", "5", *place)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    page = relance("audit", "dossier", MAILED, *place)
    assert page.stdout.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["approvals", f"{FIRST}-placment"],
            f"there is no batch '{FIRST}-placment' in what was published. Did you",
        ),
        (["customer", f"{MAILED}9"], f"Did you mean {MAILED}?"),
        (["used-rate", "ecb_mo"], "there is no rate 'ecb_mo' in what was published. Did you mean ecb_mro?"),
        (["used-template", "formal_notise"], "Did you mean formal_notice?"),
    ],
)
def test_a_name_that_nobody_knows_is_no_answer(audited: Workspace, words: list[str], told: str) -> None:
    asked = relance("audit", "query", *words, "--workspace", str(audited.root))
    assert (asked.returncode, asked.stdout) == (2, "")
    assert told in asked.stderr


@pytest.mark.parametrize("words", [["used-rate", "boe"], ["used-template", "survey"], ["used-rate", "0.99"]])
def test_what_is_known_and_was_never_used_answers_nothing(audited: Workspace, words: list[str]) -> None:
    asked = relance("audit", "query", *words, "--workspace", str(audited.root))
    assert asked.returncode == 0, asked.stderr
