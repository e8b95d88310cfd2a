"""Imports run one way, flows → tasks → policies, and each layer keeps to its means."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.conventions.source_tree import (
    LAYERS,
    ROOT,
    Import,
    all_imports,
    files_named,
    imports_of,
    is_standard,
    module_name,
)

ALLOWED_IN_POLICIES = {"policies", "polars", "pydantic", "pydantic_core", "yaml", "sqlglot", "holidays"}

FORBIDDEN_IN_POLICIES = {
    "asyncio", "getpass", "glob", "http", "importlib", "io", "logging", "multiprocessing", "os", "platform",
    "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib",
}  # fmt: skip
"""Of the standard library: what reaches the world, a clock or chance."""

OPEN_TO_ALL_TASKS = {
    "workspace",
    "locking",
    "store",
    "ledger",
    "formats",
    "documents",
    "run",
    "rules",
    "record",
    "publish",
    "published_tables",
    "manifest",
    "head_keeping",
    "audit",
}
"""What one task may ask of another; everything else meets in a flow."""


def layer(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("importer", LAYERS)
def test_no_layer_imports_the_one_above_it(importer: str) -> None:
    above = (*LAYERS[LAYERS.index(importer) + 1 :], "tests")
    wrong = [str(found) for found in all_imports(importer) if layer(found.target) in above]
    assert wrong == []


def test_no_imports_run_in_a_circle() -> None:
    graph = {
        module_name(path): {found.target for found in imports_of(path) if layer(found.target) in LAYERS}
        for path in files_named("*.py", *LAYERS)
    }
    for module, targets in graph.items():
        targets.discard(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' → '.join(reversed(error.args[1]))}")


def test_policies_import_only_what_a_pure_rule_needs() -> None:
    def is_allowed(found: Import) -> bool:
        root = layer(found.target)
        return root in ALLOWED_IN_POLICIES or (is_standard(root) and root not in FORBIDDEN_IN_POLICIES)

    assert [str(found) for found in all_imports("policies") if not is_allowed(found)] == []


def test_tasks_meet_in_flows_and_not_each_other() -> None:
    def is_allowed(found: Import) -> bool:
        if layer(found.target) != "tasks":
            return True
        own, other = found.importer.split("/")[1].removesuffix(".py"), [*found.target.split("."), ""][1]
        return other in OPEN_TO_ALL_TASKS | {own, ""}

    assert [str(found) for found in all_imports("tasks") if not is_allowed(found)] == []


def test_only_the_store_imports_duckdb() -> None:
    users = [found for found in all_imports(*LAYERS) if layer(found.target) == "duckdb"]
    assert [str(found) for found in users if not found.importer.startswith("tasks/store/")] == []


def test_mail_leaves_through_aiosmtplib_alone() -> None:
    assert [str(found) for found in all_imports() if layer(found.target) == "smtplib"] == []


def test_templates_hold_no_python() -> None:
    assert files_named("*.py", "templates") == []


def test_no_flow_file_is_named_like_a_module_it_would_hide() -> None:
    """Prefect puts the folder of a flow first on the path, so its files hide modules of the same name."""
    files = [path for path in files_named("*.py", "flows") if path.parent == ROOT / "flows"]
    hidden = {*LAYERS, "templates", "tests"}
    assert [
        path.name for path in files if is_standard(path.stem) or path.stem in hidden if path.stem[0] != "_"
    ] == []
