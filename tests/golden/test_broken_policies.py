"""What `relance policy check` says of policies with mistakes that people make, kept as text to be read.

Each file of `tests/data/broken_policies` is one person's bad day; its golden file is all that this person sees.
"""

from contextlib import redirect_stdout
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from flows.commands.policy import WIDTH, check
from policies.errors import ExitCode
from tasks.workspace import initialise

BROKEN = Path(__file__).parents[1] / "data" / "broken_policies"
EXPECTED = Path(__file__).parent / "expected" / "broken_policies"
FILES = sorted(BROKEN.glob("*.yaml"))
DAY = date(2026, 3, 10)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return initialise(tmp_path_factory.mktemp("checks") / "workspace").root


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_every_mistake_of_a_policy_is_told_at_once(file: Path, workspace: Path, update_golden: bool) -> None:
    told = StringIO()
    with redirect_stdout(told):
        code = check(file, as_of=DAY, workspace=workspace)
    assert code == ExitCode.POLICY_INVALID
    assert max(map(len, told.getvalue().splitlines())) <= WIDTH
    path = EXPECTED / f"{file.stem}.txt"
    if update_golden:
        path.write_text(told.getvalue(), encoding="utf-8")
    assert told.getvalue() == path.read_text(encoding="utf-8"), f"{path.name}: see `pytest --update-golden`"


def test_there_are_a_dozen_bad_days_and_nothing_is_told_of_others() -> None:
    assert len(FILES) >= 12
    assert {path.stem for path in EXPECTED.iterdir()} == {file.stem for file in FILES}
