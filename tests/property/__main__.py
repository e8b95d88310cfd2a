"""Holds the fast path against the oracle: python -m tests.property --histories 10000 --seed 1.

Many histories that share nothing are decided by one call under one policy; every difference is counted, the
first ones are made small and printed as worked cases.
"""

import os

# Small frames: threads only get in each other's way, and there is a process per processor.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse
import time

from tests.property.comparison import Outcome, expected
from tests.property.rounds import rounds

GROUPS = ("reason ", "step ", "key ", "channel ", "act ", "event ", "source ", "policy ", "condition on ")
ENOUGH_FOR_EVERYTHING = 2_000


def main() -> int:
    """Print progress and a summary; return 1 when anything differs or was never exercised."""
    parser = argparse.ArgumentParser(prog="python -m tests.property", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    started = time.monotonic()
    total, cases = Outcome(), list[str]()
    for done in rounds(asked.seed, asked.histories, asked.processes):
        total.add(done.outcome)
        cases += done.cases
        seconds = time.monotonic() - started
        print(
            f"{total.pasts:7,} histories  {total.items:8,} items  {len(total.differences):4} differences"
            f"  {seconds:5.0f} s",
            flush=True,
        )
    _print_summary(total, cases, asked.seed, time.monotonic() - started)
    unseen = _never_exercised(total)
    return 1 if total.differences or unseen else 0


def _never_exercised(total: Outcome) -> list[str]:
    if total.pasts < ENOUGH_FOR_EVERYTHING:
        return []
    return sorted(expected() - set(total.exercised))


def _print_summary(total: Outcome, cases: list[str], first_seed: int, seconds: float) -> None:
    for case in cases:
        print(f"\n{case}")
    print(
        f"\nseed {first_seed}: {total.pasts:,} histories, {total.items:,} items, {total.policies:,} policies,"
    )
    print(f"{len(total.days)} days, {len(total.differences)} differences, {seconds:.0f} seconds.\n")
    for group in GROUPS:
        counts = {
            text.removeprefix(group): n for text, n in total.exercised.items() if text.startswith(group)
        }
        listed = ", ".join(f"{text} {n:,}" for text, n in sorted(counts.items(), key=lambda part: -part[1]))
        print(f"{group.strip()}: {listed}")
    unseen = _never_exercised(total)
    print(f"\nnever exercised: {', '.join(unseen) or 'nothing'}")


if __name__ == "__main__":
    raise SystemExit(main())
