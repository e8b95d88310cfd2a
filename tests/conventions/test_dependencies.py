"""Every dependency is used and locked by hash; nothing says from where it is downloaded."""

import re
import tomllib

from tests.conventions.source_tree import LAYERS, all_imports, files_named, project_files, shown, text_of

IMPORTED_AS = {
    "pyyaml": "yaml",
    "flufl-bounce": "flufl",
    "pytest-cov": "coverage",
    "rfc3161-client": "rfc3161_client",
}

NOT_IMPORTED = {
    "fastapi": "a bound, so that Prefect's server starts",
    "sqlalchemy": "a bound, so that Prefect's schedules run",
    "pyarrow": "DuckDB hands tables to Polars through it",
    "pytz": "DuckDB returns instants with a time zone through it",
    "fastexcel": "the engine behind polars.read_excel",
}
TOOLS = {"pymap", "pytest-cov", "pytest-xdist", "ruff", "mypy", "types-pyyaml", "yamllint", "setuptools"}
"""Run by the Makefile or read by mypy, imported by nobody."""


def names(requirements: list[str]) -> list[str]:
    stated = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements]
    return [re.sub(r"[-_.]+", "-", name) for name in stated]


def declared() -> tuple[list[str], list[str]]:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    return names(project["dependencies"]), names(project["optional-dependencies"]["dev"])


def imported(*folders: str) -> set[str]:
    return {found.target.partition(".")[0].lower() for found in all_imports(*folders)}


def test_every_dependency_is_imported_by_the_code_that_runs() -> None:
    needed, _ = declared()
    used = imported(*LAYERS)
    assert [
        name for name in needed if IMPORTED_AS.get(name, name) not in used and name not in NOT_IMPORTED
    ] == []


def test_every_development_dependency_is_imported_by_a_test_or_run_as_a_tool() -> None:
    _, needed = declared()
    used = imported("tests")
    assert [name for name in needed if name not in TOOLS and name not in used] == []


def test_workbooks_are_read_through_the_engine_that_is_declared_for_them() -> None:
    """`fastexcel` is imported by Polars, so the proof of its use is the call that needs it."""
    assert any("read_excel" in path.read_text(encoding="utf-8") for path in files_named("*.py", "tasks"))


def test_the_lock_holds_every_dependency_by_version_and_hash() -> None:
    lock = text_of("requirements.lock")
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    entries = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert [name for group in declared() for name in group if name not in locked] == []
    assert locked["duckdb"].startswith("1.5.")
    assert text_of("requirements-duckdb2.lock").startswith("duckdb==2.")


def test_no_file_tells_where_packages_are_downloaded() -> None:
    # Put together here, so that this file passes its own test.
    hosts = [
        "py" + "pi.org",
        "files.python" + "hosted",
        "--index" + "-url",
        "--extra-index" + "-url",
        "--find" + "-links",
    ]
    wrong = []
    for path in project_files():
        content = path.read_bytes()
        wrong += [f"{shown(path)}: {host}" for host in hosts if host.encode() in content]
    assert wrong == []
