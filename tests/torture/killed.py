"""Runs one command of Relance in this process and kills it at an instant: python -m tests.torture.killed."""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

HALF_A_LINE = "_write_all"
Trap = Callable[[], None]


def main(arguments: list[str]) -> int:
    """Run `place call before|after command ...`; the process dies at the instant, or ends as the command does."""
    place, call, when, *command = arguments
    from flows import engine

    engine.choose_way()
    set_trap(place, int(call), **{when: die})
    from flows.__main__ import run

    return run(command)


def set_trap(place: str, call: int, before: Trap | None = None, after: Trap | None = None) -> None:
    """Spring a trap before or after the n-th call of a function, named `module:name` as its caller names it."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *inner, name = path.split(".")
    for part in inner:
        owner = getattr(owner, part)
    setattr(owner, name, _trapped(getattr(owner, name), name, call, before, after))


def _trapped(
    function: Callable[..., Any], name: str, call: int, before: Trap | None, after: Trap | None
) -> Callable[..., Any]:
    calls = 0

    def trapped(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        is_the_one = calls == call
        if is_the_one and before:
            if name == HALF_A_LINE:
                function(given[0], given[1][: len(given[1]) // 2])
            before()
        result = function(*given, **named)
        if is_the_one and after:
            after()
        return result

    return trapped


def die() -> None:
    """End this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
