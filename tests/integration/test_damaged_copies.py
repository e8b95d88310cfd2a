"""A published file that is damaged is told by its name, without a traceback, and never read over."""

from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.torture.company import copy_workspace
from tests.waiting_company import DAY, company, relance


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = company(tmp_path_factory.mktemp("damaged") / "acme", {"C4": "50.00"})
    relance(workspace, "run", "--as-of", DAY)
    return workspace


@pytest.mark.parametrize(
    "name", ["audit/head.json", "audit/heads.jsonl", "audit/manifest.json", "latest.json", "manifest.json"]
)
@pytest.mark.parametrize("text", ['{"', "[]", "7"])
def test_verify_names_a_damaged_file(day: Workspace, tmp_path: Path, name: str, text: str) -> None:
    workspace = copy_workspace(day, tmp_path / "acme")
    (workspace.published / name).write_text(text, encoding="utf-8")
    told = relance(workspace, "audit", "verify")
    assert told.returncode == 6, told.text
    assert Path(name).name in told.text
    assert "Traceback" not in told.text
