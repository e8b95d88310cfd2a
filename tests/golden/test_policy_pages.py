"""The shipped policies as credit managers read them: every change of wording shows here as a difference."""

from datetime import date
from pathlib import Path

import pytest

from policies.policy import content_hash
from tasks.policy_page import explain_policy
from tasks.workspace import Workspace, initialise
from tests.golden.test_documents import compare

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 8, 31)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return initialise(tmp_path_factory.mktemp("policy_pages") / "cormier")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", ["standard_fr", "simple_three_letters"])
def test_a_policy_reads_as_agreed(
    name: str, language: str, workspace: Workspace, update_golden: bool
) -> None:
    path = ROOT / "policies" / "escalation" / f"{name}.yaml"
    text = explain_policy(workspace, path, AS_OF, language, "text")
    fingerprint = content_hash(path.read_text(encoding="utf-8"))
    assert fingerprint in text
    assert max(map(len, text.splitlines())) <= 100
    compare(f"{name}.{language}.policy.txt", text.replace(fingerprint, "<fingerprint>"), update_golden)
