"""Runs commands in forks of a process that has imported everything: a trial takes no second and a half of imports."""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.torture.killed import die, set_trap

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.torture.preloaded"])


@dataclass(frozen=True)
class Stage:
    """A part of a command's work: one function, named as its caller names it."""

    name: str
    place: str


@dataclass(frozen=True)
class Ended:
    """How a command ended, and how long its stage took when it came to its end."""

    exit_code: int
    errors: str
    seconds: float | None


def run_forked(words: list[str], stage: Stage | None = None, kill_after: float | None = None) -> Ended:
    """Run a command; within its stage kill it after so many seconds, when that is asked."""
    with tempfile.TemporaryDirectory(prefix="relance-forked-") as folder:
        place = stage.place if stage else None
        process = _CONTEXT.Process(target=_child, args=(words, place, kill_after, folder))
        process.start()
        process.join()
        errors, seconds = Path(folder) / "errors", Path(folder) / "seconds"
        return Ended(
            exit_code=process.exitcode if process.exitcode is not None else 1,
            errors=errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else "",
            seconds=float(seconds.read_text(encoding="utf-8")) if seconds.exists() else None,
        )


def _child(words: list[str], place: str | None, kill_after: float | None, folder: str) -> None:
    os.environ.pop("PREFECT_API_URL", None)
    for descriptor, name in ((1, "output"), (2, "errors")):
        os.dup2(os.open(Path(folder) / name, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    if place:
        _watch(place, kill_after, Path(folder) / "seconds")
    from flows.__main__ import run

    sys.exit(run(words))


def _watch(place: str, kill_after: float | None, told: Path) -> None:
    started = [0.0]

    def begin() -> None:
        started[0] = time.monotonic()
        if kill_after is not None:
            timer = threading.Timer(kill_after, die)
            timer.daemon = True
            timer.start()

    def end() -> None:
        told.write_text(str(time.monotonic() - started[0]), encoding="utf-8")

    set_trap(place, 1, before=begin, after=end)
