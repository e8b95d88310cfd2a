"""One process in which commands are run one after the other: starting Python takes a second each."""

import atexit
import contextlib
import io
import json
import os
import subprocess
import sys
from functools import cache

from tasks.workspace import shipped_root


def main() -> None:
    """Run commands given as lines of JSON until there are no more; answer each with what it printed."""
    from flows.__main__ import run

    out = sys.stdout
    for line in sys.stdin:
        printed, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            code = run(json.loads(line))
        out.write(json.dumps([code, printed.getvalue(), errors.getvalue()]) + "\n")
        out.flush()


SECRETS = {"MAILBOX_USER": "demouser", "MAILBOX_PASSWORD": "demopass", "MAILBOX_WRONG": "guess"}
"""What commands find in their environment."""


@cache
def _process() -> subprocess.Popen[str]:
    plain = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment = {**plain, **SECRETS}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.console"],
        env=environment,
        cwd=shipped_root(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def relance(*words: str) -> subprocess.CompletedProcess[str]:
    """Run one command."""
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(words) + "\n")
    process.stdin.flush()
    code, printed, errors = json.loads(process.stdout.readline())
    return subprocess.CompletedProcess(words, code, printed, errors)


if __name__ == "__main__":
    main()
