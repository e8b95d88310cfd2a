"""Whoever changes the log, in the store or in the published copy, is found out, and the event is named."""

from pathlib import Path

import pytest

from tasks.workspace import Workspace
from tests.torture.company import Stages, copy_workspace
from tests.torture.moments import APPROVE
from tests.torture.tampering import TAMPERINGS, Tampering, verify


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Stages(tmp_path_factory.mktemp("tampering")).before(APPROVE)


def test_a_log_nobody_touched_holds(untouched: Workspace) -> None:
    code, said = verify(untouched)
    assert code == 0, said
    assert said.startswith("The log holds: ")


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.story)
def test_a_changed_log_is_refused_and_the_event_named(
    untouched: Workspace, tmp_path: Path, tampering: Tampering
) -> None:
    workspace = copy_workspace(untouched, tmp_path / "company")
    tampering.change(workspace)
    code, said = verify(workspace)
    assert code == 6, said
    assert tampering.names.lower() in said.lower()
