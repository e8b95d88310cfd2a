"""A Prefect server and worker started as a person starts them, and a browser that looks at their pages."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tasks.workspace import Workspace
from tests.conventions.source_tree import ROOT

PREFECT = str(Path(sys.executable).with_name("prefect"))
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
_BROWSER_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,1500",
)  # fmt: skip


@dataclass(frozen=True)
class Prefect:
    """A server, asked as its UI asks it; `environment` is that of whoever talks to it."""

    url: str
    environment: dict[str, str]

    @property
    def api(self) -> str:
        return f"{self.url}/api"

    def ask(self, path: str, **body: Any) -> Any:
        return httpx.post(f"{self.api}{path}", json=body, timeout=30).raise_for_status().json()

    def runs_of(self, flow: str) -> list[dict[str, Any]]:
        return list(self.ask("/flow_runs/filter", flows={"name": {"any_": [flow]}}))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Prefect to its end."""
        return subprocess.run(
            [PREFECT, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=180,
        )

    def deploy(self, workspace: Workspace, suffix: str) -> None:
        """Make the deployments of a workspace."""
        environment = {**self.environment, "RELANCE_HOME": str(workspace.root), "RELANCE_CREDITOR": suffix}
        Prefect(self.url, environment).run("--no-prompt", "deploy", "--all")


def wait_for(found: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """Return what is found as soon as it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.5)
    raise AssertionError(f"after {seconds} seconds still not: {what}")


@contextmanager
def server_and_worker(folder: Path) -> Iterator[Prefect]:
    """Start a server and a worker, each a process of its own, and end them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }
    prefect = Prefect(url, environment)
    with _process(folder, environment, "server", "start", "--host", "127.0.0.1", "--port", str(port)):
        wait_for(lambda: _is_healthy(prefect), "a server that answers", 180)
        prefect.run("work-pool", "create", "relance", "--type", "process")
        with _process(folder, environment, "worker", "start", "--pool", "relance"):
            yield prefect


@contextmanager
def browser(folder: Path) -> Iterator[Chrome]:
    """Start a browser with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*_BROWSER_OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    os.environ["SE_OFFLINE"] = "true"
    driver = Chrome(options=options, service=Service(executable_path=str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def _process(folder: Path, environment: dict[str, str], *words: str) -> Iterator[None]:
    with (folder / f"{words[0]}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [PREFECT, *words], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_healthy(prefect: Prefect) -> bool:
    try:
        return httpx.get(f"{prefect.api}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False
