"""No clock, chance or file where a rule decides; no SQL outside the store; no mocks of our own code."""

import ast
import re

from tests.conventions.source_tree import (
    all_imports,
    calls_of,
    files_named,
    production_files,
    shown,
    syntax_tree,
)

CLOCK = "flows/clock.py"
"""The one place that asks what day it is."""

CLOCK_CALLS = re.compile(
    r"^(?!clock\.)\w*\.(today|now|utcnow|localtime|gmtime|ctime|time_ns|make_msgid|uuid1)$"
    r"|^(localtime|gmtime|ctime|time_ns|make_msgid|uuid1)$|^time\.(time|strftime)$"
)
"""Calls of `flows.clock` itself are what it is there for."""

CHANCE_CALLS = re.compile(r"^(uuid\.uuid4|uuid4|random\..*|secrets\..*|os\.urandom)$")
FILE_CALLS = re.compile(
    r"^(open|print|input|Path|pathlib\.Path)$|\.(open|read_text|read_bytes|write_text|write_bytes|iterdir|glob|rglob|stat"
    r"|read_csv|read_parquet|read_excel|read_json|read_ndjson|read_database|read_ipc|scan_\w+|sink_\w+"
    r"|write_(csv|parquet|json|ndjson|excel|ipc|database))$"
)
STATEMENT = re.compile(
    r"\s*(select\b.+\bfrom\b|insert into\b|update \w+ set\b|delete from\b|merge into\b"
    r"|create (or replace )?(table|view)\b)",
    re.IGNORECASE | re.DOTALL,
)
SQL_CLOCK = re.compile(
    r"\b(now|today|get_current_timestamp)\s*\(|\bcurrent_(date|timestamp|time)\b", re.IGNORECASE
)


def test_only_the_clock_of_flows_asks_for_the_time() -> None:
    wrong = [
        f"{shown(path)}:{line}: {call}"
        for path in production_files()
        if shown(path) != CLOCK
        for call, line in calls_of(path)
        if CLOCK_CALLS.search(call)
    ]
    assert wrong == []


def test_no_query_asks_the_database_for_the_time() -> None:
    wrong = [
        shown(path) for path in files_named("*.sql") if SQL_CLOCK.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_policies_touch_no_file_no_clock_and_no_chance() -> None:
    wrong = [
        f"{shown(path)}:{line}: {call}"
        for path in files_named("*.py", "policies")
        for call, line in calls_of(path)
        if FILE_CALLS.search(call) or CHANCE_CALLS.search(call)
    ]
    assert wrong == []


def test_sql_statements_stand_in_the_store_alone() -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in production_files()
        if not shown(path).startswith("tasks/store/")
        for node in ast.walk(syntax_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value)
    ]
    assert wrong == []


def test_no_test_mocks_or_freezes_anything() -> None:
    banned = ("unittest.mock", "mock", "freezegun", "time_machine", "pytest_mock")
    assert [str(found) for found in all_imports("tests") if found.target in banned] == []


def test_the_pattern_for_clocks_finds_them_and_lets_our_own_pass() -> None:
    found = ("datetime.now", "date.today", "time.time", ".now", "uuid1", "utils.make_msgid")
    assert [call for call in found if not CLOCK_CALLS.search(call)] == []
    assert [
        call for call in ("clock.now", "today", "time.monotonic", "datetime.time") if CLOCK_CALLS.search(call)
    ] == []
