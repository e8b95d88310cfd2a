"""Prints what kills do: python -m tests.torture [--trials N] [--within N] [--seed S] [--only TEXT]."""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.torture.forked import Stage
from tests.torture.moments import MOMENTS, RELEASE, RUN, STAGES
from tests.torture.trials import Torture, Trial


def main() -> int:
    """Kill at every chosen moment and at random ones; the exit code says whether all ended the same."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--trials", type=int, default=10, help="kills at random instants")
    parser.add_argument("--within", type=int, default=60, help="kills within intake, decide and compose")
    parser.add_argument("--seed", type=int, default=1, help="of the random instants")
    parser.add_argument(
        "--only", default="", help="only chosen moments whose words or command hold this text"
    )
    asked = parser.parse_args()
    started, counts = time.monotonic(), Counter[tuple[str, bool]]()
    print("| # | command | killed | found after the kill | after the same command again |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="relance-torture-") as folder:
        for trial in _trials(Torture(Path(folder)), asked.trials, asked.within, asked.seed, asked.only):
            counts[trial.part, bool(trial.differences)] += 1
            print(
                f"| {counts.total()} | {trial.command} | {trial.story} | {trial.found} | {trial.result} |",
                flush=True,
            )
    print("\n| killed in | kills | the same as undisturbed |")
    print("|---|---|---|")
    for part in sorted({part for part, _ in counts}):
        print(f"| {part} | {counts[part, False] + counts[part, True]} | {counts[part, False]} |")
    wrong = sum(count for (_, is_wrong), count in counts.items() if is_wrong)
    same = counts.total() - wrong
    print(f"\n{counts.total()} kills, {same} the same as undisturbed, {time.monotonic() - started:.0f} s.")
    return 1 if wrong else 0


def _trials(torture: Torture, trials: int, within: int, seed: int, only: str) -> Iterator[Trial]:
    for moment in MOMENTS:
        if only in f"{moment.command} {moment.story}":
            yield torture.kill_at(moment)
    chance = random.Random(seed)
    for number in range(within):
        command, name, place = STAGES[number % len(STAGES)]
        yield torture.kill_within(command, Stage(name, place), chance.uniform(0, 1))
    for number in range(trials):
        yield torture.kill_after(RELEASE if number % 4 == 3 else RUN, chance.uniform(0, 1.05))


if __name__ == "__main__":
    sys.exit(main())
