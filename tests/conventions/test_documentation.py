"""What is written for people is true: every key, fact, word, command and target stands where they look."""

import re
import subprocess
import sys
from enum import StrEnum
from functools import cache
from typing import get_args

import pytest
from pydantic import BaseModel

from policies import model
from policies.facts import FACTS
from policies.model import CUSTOMER_COLUMNS, RECORD_SCHEMAS
from policies.policy import Policy
from tests.conventions.source_tree import ROOT, files_named, shown, text_of

PARTS = (
    "README.md", "GLOSSARY.md", "CHANGELOG.md", "LICENSE", "prefect.yaml", "policies/README.md",
    "policies/escalation/standard_fr.yaml", "policies/statutes/FR.yaml", "policies/sources/fec.yaml",
    "flows/__main__.py", "flows/clock.py", "flows/daily.py", "tasks/store/migrations", "templates/layouts",
)  # fmt: skip
"""What the tests of this folder look at, so that none of them passes by finding nothing."""


@pytest.mark.parametrize("part", PARTS)
def test_the_parts_that_these_tests_read_are_there(part: str) -> None:
    assert (ROOT / part).exists()


def headings(text: str) -> set[str]:
    lines = re.findall(r"^#{1,6} +(.+)$", text, re.MULTILINE)
    return {word for line in lines for word in re.findall(r"[A-Za-z0-9_]+", line)}


def keys_of(kind: type[BaseModel], seen: set[type[BaseModel]]) -> set[str]:
    """Every key that YAML may hold for this model, nested ones too."""
    if kind in seen:
        return set()
    seen.add(kind)
    keys = set()
    for name, field in kind.model_fields.items():
        keys.add(field.alias or name)
        for nested in models_in(field.annotation):
            keys |= keys_of(nested, seen)
    return keys


def models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in models_in(argument)]


def test_every_key_of_a_policy_has_a_heading() -> None:
    assert sorted(keys_of(Policy, set()) - headings(text_of("policies/README.md"))) == []


def test_every_fact_that_a_condition_may_name_is_documented() -> None:
    text = text_of("policies/README.md")
    assert [name for name in FACTS if f"`{name}`" not in text] == []


def test_every_column_of_the_canonical_files_is_in_the_glossary() -> None:
    columns = {name for schema in RECORD_SCHEMAS.values() for name in schema} | set(CUSTOMER_COLUMNS)
    inner = {"line_number", "is_opening", "balance_date", "due_date_assumed"}
    text = text_of("GLOSSARY.md")
    assert sorted(name for name in columns - inner if f"`{name}`" not in text) == []


def test_every_state_and_reason_is_in_the_glossary() -> None:
    enums = [kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]
    text = text_of("GLOSSARY.md")
    assert (
        sorted({member.value for kind in enums for member in kind if f"`{member.value}`" not in text}) == []
    )


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):(?!=)", text_of("Makefile"), re.MULTILINE))


def test_every_target_of_make_is_explained_in_its_line() -> None:
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    assert targets() - explained == {"static"}  # the part that check and test share


def written_commands(program: str) -> set[tuple[str, str]]:
    """What documents tell people to type after a program's name, in code."""
    found = set()
    for path in files_named("*.md"):
        text = path.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
        pattern = rf"(?:^|[`$&;] *){program} +([a-z][a-z0-9-]*)"
        found |= {(shown(path), word) for word in re.findall(pattern, blocks, re.MULTILINE)}
    return found


def test_every_make_command_in_the_documents_exists() -> None:
    assert sorted(found for found in written_commands("make") if found[1] not in targets()) == []


@cache
def commands() -> frozenset[str]:
    """The commands that `relance --help` offers."""
    shown_help = subprocess.run(
        [sys.executable, "-m", "flows", "--help"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    listed = re.findall(r"^[│\s]*([a-z][a-z-]+)(?:\s{2,}\S|\s*│?$)", shown_help, re.MULTILINE)
    return frozenset(listed) - {"relance"}


def test_every_command_is_documented_for_people() -> None:
    assert commands() >= {"init", "run", "decisions", "audit"}
    documented = {word for _, word in written_commands("relance")}
    assert sorted(commands() - documented) == []


def test_every_relance_command_in_the_documents_exists() -> None:
    assert sorted(found for found in written_commands("relance") if found[1] not in commands()) == []
