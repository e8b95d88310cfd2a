"""The rules as data: each file says what it is, passes the strict reader, and its calendars last."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from policies.business_days import holiday_dates
from policies.policy import load_policy
from policies.strict_yaml import load
from tests.conventions.source_tree import files_named, shown

RULES = [path for path in files_named("*.yaml", "policies") if path.parent.name != "policies"]
POLICIES = [path for path in RULES if path.parent.name == "escalation"]
DESCRIBED = [path for path in RULES if path.parent.name != "cases"]
"""A file of cases is a list: each case is its own sentence."""


def first_key(path: Path) -> str:
    node = yaml.compose(path.read_text(encoding="utf-8"))
    assert isinstance(node, yaml.MappingNode), f"{shown(path)} is no mapping"
    return str(node.value[0][0].value)


@pytest.mark.parametrize("path", DESCRIBED, ids=shown)
def test_every_rule_file_begins_with_its_description(path: Path) -> None:
    assert first_key(path) == "description"


@pytest.mark.parametrize("path", RULES, ids=shown)
def test_every_rule_file_passes_the_strict_reader(path: Path) -> None:
    load(path.read_text(encoding="utf-8"), shown(path))


@pytest.mark.parametrize("path", POLICIES, ids=shown)
def test_a_shipped_policy_is_named_as_its_file_and_has_calendars_for_next_year(path: Path) -> None:
    policy = load_policy(path.read_text(encoding="utf-8"), shown(path))
    assert policy.policy == path.stem
    if policy.calendar is not None and policy.calendar.country is not None:
        next_year = datetime.now(tz=UTC).year + 1
        assert any(day.year == next_year for day in holiday_dates(policy.calendar.country, {next_year}))
