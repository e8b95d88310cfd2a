"""The schemas for editors are those of the models, and every shipped YAML file passes its own and names it."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from policies.json_schemas import MODELS
from policies.strict_yaml import load
from tasks.editor_schemas import FOLDER, make_schema
from tests.conventions.source_tree import ROOT, files_named, shown

SCHEMA_OF = {
    "escalation": "policy",
    "cases": "policy_cases",
    "sources": "source",
    "statutes": "statute",
    "rates": "rates",
    "recovery_odds": "recovery_odds",
    "loss_rates": "loss_rates",
    "returns": "return_phrases",
    "policies": "creditor",
}
"""The schema of the files of a folder below policies/."""

RULES = files_named("*.yaml", "policies")


def as_json(value: object) -> object:
    """Return what the strict reader read as an editor sees it: dates are text, decimals numbers."""
    if isinstance(value, dict):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def wrong(name: str, text: str) -> list[str]:
    """Return what a schema refuses in a YAML text: the place of each error."""
    schema = json.loads(make_schema(name))
    Draft202012Validator.check_schema(schema)
    content: Any = as_json(load(text, "x.yaml"))
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(content)]


@pytest.mark.parametrize("name", MODELS)
def test_the_file_of_a_schema_is_that_of_its_model(name: str, update_golden: bool) -> None:
    path = ROOT / FOLDER / f"{name}.schema.json"
    if update_golden:
        path.write_text(make_schema(name), encoding="utf-8")
    is_that_of_its_model = path.read_text(encoding="utf-8") == make_schema(name)
    assert is_that_of_its_model, (
        f"{path.name}: run `pytest --update-golden tests/conventions/test_schemas.py`"
    )


def test_every_schema_belongs_to_files() -> None:
    assert {path.name for path in (ROOT / FOLDER).iterdir()} == {f"{name}.schema.json" for name in MODELS}
    assert set(SCHEMA_OF.values()) == set(MODELS)


@pytest.mark.parametrize("path", RULES, ids=shown)
def test_every_shipped_file_passes_its_schema(path: Path) -> None:
    assert wrong(SCHEMA_OF[path.parent.name], path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in RULES if path.parent.name != "policies"], ids=shown)
def test_every_rule_file_names_its_schema_for_editors(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = ROOT / FOLDER / f"{SCHEMA_OF[path.parent.name]}.schema.json"
    up = "../" * (len(path.relative_to(ROOT / "policies").parts) - 1)
    assert first == f"# yaml-language-server: $schema={up}schemas/{schema.name}"
    assert schema.is_file()


POLICY = """
description: A policy.
policy: p
review_by: 2027-06-30
segments: [{segment: all, ladder: a}]
ladders: {a: [{step: one, after_due_days: 1, channel: email}]}
"""


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ('small_balance: {EUR: "15.00", USD: 20, GBP: 12.5}', None),
        ("contact: {fallback: {email: letter}}", None),
        ("charges: {rate: 0.12, survive: true}", None),
        ("give_up:", None),
        ("lader_mode: most_severe", "$"),
        ("ladder_mode: severest", "$.ladder_mode"),
        ("small_balance: {EUR: many}", "$.small_balance.EUR"),
        ("small_balance: {EUR: -5}", "$.small_balance.EUR"),
        ("small_balance: {euro: 5}", "$.small_balance"),
        ("promise_grace_days: '3'", "$.promise_grace_days"),
        ("calendar: {blackouts: [{from: 2026-12-24, to: 2027-01-02}]}", "$.calendar"),
        ("charges: {survive: 'true'}", "$.charges.survive"),
        ("aging_buckets_days: []", "$.aging_buckets_days"),
    ],
)
def test_an_editor_shows_what_the_strict_reader_refuses_and_nothing_else(
    more: str, place: str | None
) -> None:
    assert wrong("policy", f"{POLICY}{more}\n") == ([place] if place else [])


def test_columns_of_a_source_are_named_or_detailed_and_counts_may_stand_in_quotes() -> None:
    text = """
description: Open items.
source: erp
file_pattern: "*.csv"
format: delimited
header_row: "2"
date_format: ["%d/%m/%Y", "%Y%m%d"]
columns: {customer_id: Client, amount: {column: Montant, date_format: "%d"}}
"""
    assert wrong("source", text) == []
    assert wrong("source", text.replace("Client", "3")) == ["$.columns.customer_id"]


@pytest.mark.parametrize("name", ["policy", "source"])
def test_every_key_is_explained_in_the_editor(name: str) -> None:
    schema = json.loads(make_schema(name))
    keys = dict(schema["properties"])
    if name == "policy":
        keys |= {
            key: said
            for block in schema["$defs"].values()
            for key, said in block.get("properties", {}).items()
        }
    assert [key for key, said in keys.items() if not said.get("description")] == []
