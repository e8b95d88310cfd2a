"""What several tests of auditors' commands look at, played once."""

import pytest

from tasks.workspace import Workspace
from tests.integration import audited_company


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return the played company; it is to be read, and copied before anything is changed."""
    return audited_company.play(tmp_path_factory.mktemp("audited") / "workspace")
