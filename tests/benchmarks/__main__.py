"""Measures a working day: python -m tests.benchmarks [N ...]; left out = 100,000 and 1,000,000 invoices."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tasks.workspace import shipped_root
from tests.benchmarks.invoices import write_files
from tests.benchmarks.stages import STAGES, Parts
from tests.torture.company import DAY, Stages
from tests.torture.moments import APPROVE

READING = (
    ["decisions", "--customer", "00101", "--as-of", DAY],
    ["aging", "--as-of", DAY],
    ["batches", "list"],
    ["audit", "query", "select kind, count(*) from events group by kind"],
    ["audit", "verify"],
)
TARGETS = {"intake / bare load": 5.0, "facts and decisions, s": 10.0, "peak memory, MiB": 4096.0}


def main() -> int:
    """Print a table for each number of invoices, then the commands that only read."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("invoices", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--stages", nargs="*", default=list(STAGES), choices=list(STAGES))
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.1f} before the start.", flush=True)
    for count in asked.invoices:
        _measure(count, asked.stages)
    _measure_reading()
    return 0


def _measure(count: int, stages: list[str]) -> None:
    print(f"\n## {count:,} invoices, {max(count // 10, 1):,} customers\n")
    print("| stage | seconds | processor seconds | peak MiB |\n|---|---:|---:|---:|")
    parts: Parts = {}
    peak = 0.0
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as name:
        folder = Path(name)
        write_files(folder / "files", count)
        for stage in stages:
            done = _child(stage, folder)
            if not stage.startswith("bare"):
                peak = max(peak, done["peak_mib"])
            for part, took in done["parts"].items():
                parts[part] = took
                print(
                    f"| {part} | {took['wall']:.2f} | {took['processor']:.2f} | {done['peak_mib']:.0f} |",
                    flush=True,
                )
    _compare(parts, peak)


def _child(stage: str, folder: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "tests.benchmarks.stages", stage, str(folder)]
    done = subprocess.run(words, cwd=shipped_root(), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"stage {stage} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _compare(parts: Parts, peak: float) -> None:
    def total(start: str) -> float:
        return sum(took["wall"] for part, took in parts.items() if part.startswith(start))

    bare = total("bare DuckDB")
    found = {
        "intake / bare load": total("intake") / bare if bare else 0.0,
        "facts and decisions, s": total("facts") + total("decisions"),
        "peak memory, MiB": peak,
    }
    print()
    for name, value in found.items():
        print(f"- {name}: {value:.1f} (target at 1,000,000: below {TARGETS[name]:g})")


def _measure_reading() -> None:
    print("\n## Commands that only read, on the sample company (best of 3; target below 1 s)\n")
    print("| command | seconds | processor seconds |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as name:
        workspace = Stages(Path(name)).before(APPROVE)
        for command in READING:
            words = [sys.executable, "-m", "flows", *command, "--workspace", str(workspace.root)]
            walls, processors = zip(*(_time(words) for _ in range(3)), strict=True)
            print(
                f"| relance {' '.join(command[:2])} | {min(walls):.2f} | {min(processors):.2f} |", flush=True
            )


def _time(words: list[str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, cwd=shipped_root(), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.monotonic() - started
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
