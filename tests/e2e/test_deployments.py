"""prefect.yaml says what can be deployed: every flow is there, every parameter exists, every schedule means it."""

import importlib
import inspect
import tomllib
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.conventions.source_tree import ROOT, text_of

DEPLOYED: dict[str, Any] = yaml.safe_load(text_of("prefect.yaml"))
DEPLOYMENTS = {cast("str", one["name"]).partition("{")[0]: one for one in DEPLOYED["deployments"]}
NAMES = (
    "daily", "intake", "follow-up", "release", "record", "approve", "reject", "review", "resolve", "stop", "start",
    "retain", "erase", "backup",
)  # fmt: skip


def signature(name: str) -> inspect.Signature:
    path, _, function = DEPLOYMENTS[name]["entrypoint"].partition(":")
    assert (ROOT / path).is_file()
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    return inspect.signature(getattr(module, function))


def test_every_flow_has_a_deployment_of_its_own_name() -> None:
    assert tuple(DEPLOYMENTS) == NAMES
    functions = {one["entrypoint"].partition(":")[2] for one in DEPLOYMENTS.values()}
    assert functions == {name.replace("-", "_") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_sets_only_parameters_that_its_flow_has(name: str) -> None:
    assert set(DEPLOYMENTS[name]["parameters"]) <= set(signature(name).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_the_workspace_comes_from_the_environment_of_who_deploys(name: str) -> None:
    assert DEPLOYMENTS[name]["parameters"]["workspace"] == "{{ $RELANCE_HOME }}"
    given = {key for key in DEPLOYMENTS[name]["parameters"] if key != "workspace"}
    assert given == ({"to"} if name == "backup" else set())


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_explained_in_the_form(name: str) -> None:
    path, _, function = DEPLOYMENTS[name]["entrypoint"].partition(":")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    text = inspect.getdoc(getattr(module, function)) or ""
    assert [one for one in signature(name).parameters if f"{one}: " not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_one_run_of_a_deployment_at_a_time_and_the_next_one_waits(name: str) -> None:
    assert DEPLOYMENTS[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert DEPLOYMENTS[name]["work_pool"] == {"name": "relance"}


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_says_what_it_does_and_of_which_version_it_is(name: str) -> None:
    assert DEPLOYMENTS[name]["description"]
    assert "relance" in DEPLOYMENTS[name]["tags"]
    assert DEPLOYMENTS[name]["version"] == tomllib.loads(text_of("pyproject.toml"))["project"]["version"]


def test_the_day_begins_at_seven_in_paris_the_inbox_is_looked_at_hourly_and_what_waits_leaves_every_half_hour() -> (
    None
):
    schedules = {name: one["schedules"] for name, one in DEPLOYMENTS.items() if "schedules" in one}
    assert {
        name: [(one["cron"], one["timezone"]) for one in listed] for name, listed in schedules.items()
    } == {
        "daily": [("0 7 * * 1-5", "Europe/Paris")],
        "intake": [("30 * * * *", "Europe/Paris")],
        "release": [("5,35 8-18 * * 1-5", "Europe/Paris")],
        "follow-up": [("30 6 * * 1-5", "Europe/Paris")],
        "retain": [("0 4 1 * *", "Europe/Paris")],
        "backup": [("0 22 * * *", "Europe/Paris")],
    }
    assert all(ZoneInfo(one["timezone"]) for listed in schedules.values() for one in listed)


def test_runs_take_the_code_of_the_checkout_they_were_deployed_from() -> None:
    assert "pull" not in DEPLOYED
    assert all("pull" not in one for one in DEPLOYMENTS.values())
