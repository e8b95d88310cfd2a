"""Words that make no sense: each is told in a sentence with an example, ends with 2 and changes nothing."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from flows.__main__ import COMMANDS, GROUPS, app
from tests.integration.console import relance
from tests.waiting_company import company

TYPED = {date: "31/12/2026", datetime: "yesterday", Decimal: "1.250,00", int: "many", float: "long"}
NAMES = [(name,) for name in COMMANDS] + [
    (group, verb) for group, (_, verbs) in GROUPS.items() for verb in verbs
]


def options_with_a_form() -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield every option of every command whose value has a form: the command, the option, a value of another form."""
    for name in NAMES:
        command = app[name[0]] if len(name) == 1 else app[name[0]][name[1]]
        arguments = command.assemble_argument_collection(parse_docstring=False)
        needed = [one for one in arguments if one.required]
        places = ["X" for one in needed if not one.name.startswith("--")]
        for argument in arguments:
            others = [one for one in needed if one.name.startswith("--") and one is not argument]
            said = [word for one in others for word in (one.name, "2026-03-02" if one.hint is date else "X")]
            kinds = get_args(argument.hint) or (argument.hint,)
            wrong = next((text for kind, text in TYPED.items() if kind in kinds), None)
            if wrong and argument.name.startswith("--"):
                yield (*name, *places, *said), argument.name, wrong


def test_every_option_says_how_its_value_is_written() -> None:
    tried = list(options_with_a_form())
    assert {words[0] for words, _, _ in tried} >= {"run", "record", "release", "batches", "policy", "audit"}
    for words, option, wrong in tried:
        done = relance(*words, option, wrong)
        assert done.returncode == 2, (words, option, done.stderr)
        assert f"{option}: '{wrong}' is no " in done.stderr, done.stderr
        assert "Write it like " in done.stderr, done.stderr
        assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("run", "--as-of", "9999-12-31"),
            "of a year that cannot be meant. Correct it: 1950 to 2150 is accepted.",
        ),
        (
            ("aging", "--known-at", "0001-01-01T00:00"),
            "of a year that cannot be meant. Correct it: 1950 to 2150 is accepted.",
        ),
        (("audit", "log", "--newest", "-5"), "'-5' is no count. Write one from 0 on, like 20."),
        (("audit", "query", "--timeout-seconds", "nan"), "'nan' is no length of time"),
        (("record", "dispute", "--amount", "nan"), "'nan' is no amount. Write it like 1250.00"),
        (("batches", "reject", "B", "--until"), "the value of --until is missing. Write it like 2026-12-31"),
        (("batches", "approve", "B"), "--by is missing."),
        (("run", "now"), "more words than the command takes: now."),
        (("resolve", "M", "--left=abc"), "'abc' is a word too many"),
        (("record", "dispute", "--customer", "C1", "--invoice="), "--invoice without a value"),
    ],
)
def test_words_that_make_no_sense_are_told_without_a_trace(words: tuple[str, ...], told: str) -> None:
    done = relance(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("relance: ")
    assert told in done.stderr


def test_a_file_that_is_no_workspace_is_not_said_to_be_missing(tmp_path: Path) -> None:
    file = tmp_path / "acme"
    file.write_text("x", encoding="utf-8")
    assert "it is a file" in relance("run", "--workspace", str(file)).stderr


def test_a_file_to_accept_that_is_not_in_the_inbox_is_told(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme")
    done = relance("intake", "--accept", "invoice.csv", "--workspace", str(workspace.root))
    assert done.returncode == 2
    assert "the inbox holds no file invoice.csv" in done.stderr
    assert (workspace.inbox / "invoices.csv").exists()
