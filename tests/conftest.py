"""What every test shares: an isolated Prefect, repeatable properties, golden files refreshed on purpose."""

import atexit
import os
import shutil
import tempfile

# Before anything imports Prefect: its test harness isolates the database alone, while results, cache keys and
# keyed transactions stay in PREFECT_HOME from one session to the next.
_PREFECT_HOME = tempfile.mkdtemp(prefix="prefect-test-")
atexit.register(shutil.rmtree, _PREFECT_HOME, ignore_errors=True)
os.environ["PREFECT_HOME"] = _PREFECT_HOME
os.environ.update(
    DO_NOT_TRACK="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_LEVEL="WARNING",
)
for _name in ("PREFECT_API_URL", "PREFECT_PROFILE", "RELANCE_HOME"):
    os.environ.pop(_name, None)

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine: a property that fails in CI fails at the desk. Machines differ in
# speed, so there is no deadline.
settings.register_profile(
    "relance",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.register_profile("long", settings.get_profile("relance"), derandomize=False, max_examples=1000)
settings.load_profile("relance")

_BROWSER_TESTS_LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew; read the diff before committing",
    )


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One real Prefect server for the whole session; for tests marked `prefect`."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.config.stash[_BROWSER_TESTS_LEFT_OUT] = item.config.stash.get(_BROWSER_TESTS_LEFT_OUT, 0) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(_BROWSER_TESTS_LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"NOT RUN: {left_out} browser tests; `make test-browser` runs them", red=True
        )
