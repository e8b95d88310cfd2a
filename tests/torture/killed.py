"""Runs one command of Relance in this process and kills it at an instant: python -m tests.torture.killed."""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

HALF_A_LINE = "_write_all"


def main(arguments: list[str]) -> int:
    """Run `place call before|after command ...`; the process dies at the instant, or ends as the command does."""
    place, call, when, *command = arguments
    from flows import engine

    engine.choose_way()
    _set_trap(place, int(call), after=when == "after")
    from flows.__main__ import run

    return run(command)


def _set_trap(place: str, call: int, *, after: bool) -> None:
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *inner, name = path.split(".")
    for part in inner:
        owner = getattr(owner, part)
    setattr(owner, name, _trapped(getattr(owner, name), name, call, after=after))


def _trapped(function: Callable[..., Any], name: str, call: int, *, after: bool) -> Callable[..., Any]:
    calls = 0

    def trapped(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            if name == HALF_A_LINE:
                function(given[0], given[1][: len(given[1]) // 2])
            _die()
        result = function(*given, **named)
        if calls == call:
            _die()
        return result

    return trapped


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
