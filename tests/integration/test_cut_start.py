"""A start that is cut leaves release stopped, and the log says so in the end."""

import shutil
from pathlib import Path

from tests.waiting_company import DAY, company, events, relance


def test_a_stop_that_outlives_a_cut_start_is_logged_again_once(tmp_path: Path) -> None:
    workspace = company(tmp_path / "acme", {"C4": "50.00"})
    assert relance(workspace, "stop", "--by", "Chef", "--why", "bank account").returncode == 0
    shutil.copy(workspace.stop_path, tmp_path / "kept")
    assert relance(workspace, "start", "--by", "Chef").returncode == 0
    # A kill between the log and the file leaves just this: the log says started, the file still halts.
    shutil.copy(tmp_path / "kept", workspace.stop_path)
    for _ in range(2):
        assert "release is stopped by Chef" in relance(workspace, "release", "--as-of", DAY).text
    stops, starts = events(workspace, "release_stopped"), events(workspace, "release_started")
    assert [one["since"] for one in stops] == [stops[0]["since"]] * 2
    assert len(starts) == 1
