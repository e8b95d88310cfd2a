"""Messages per second to a server that only counts: python -m tests.benchmarks.mail [N] [--connections C] [--rounds R].

In turn: a bare aiosmtplib loop that sends ready bytes, and our release of the same messages over as many connections,
with every record written: plan, journal, store and audit events.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosmtplib

from tasks.dispatch.batches import let_leave
from tasks.dispatch.smtp_commands import envelope_sender
from tasks.rules import read_rules
from tasks.run import Run
from tasks.store.audit import count_events
from tasks.store.batch_lists import list_batches, read_leaving
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace, read_creditor
from tests.torture.mailing import AS_OF, copy_for, prepare, run_child, serving

TARGET_PERCENT = 70


def main() -> int:
    """Print what each round took; the exit code says whether the target was met on the whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.mail", description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=5000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the start.", flush=True)
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as name:
        folder = Path(name)
        prepared = prepare(folder / "prepared", asked.messages)
        sizes = [path.stat().st_size for path in prepared.outbox.glob("*/emails/*.eml")]
        print(
            f"{len(sizes):,} messages of {sum(sizes) / len(sizes) / 1000:.1f} kB, {asked.connections} connections.\n"
        )
        print(
            "| round | bare, messages/s | release, messages/s | share | bare, processor s | release, processor s |"
        )
        print("|---:|---:|---:|---:|---:|---:|")
        shares = []
        for number in range(1, asked.rounds + 1):
            bare, ours = _round(prepared, folder / f"round-{number}", asked.connections)
            shares.append(100 * bare["wall"] / ours["wall"])
            print(
                f"| {number} | {len(sizes) / bare['wall']:.0f} | {len(sizes) / ours['wall']:.0f} "
                f"| {shares[-1]:.0f} % | {bare['processor']:.1f} | {ours['processor']:.1f} |",
                flush=True,
            )
    best, mean = max(shares), sum(shares) / len(shares)
    print(
        f"\nShare of the bare loop: {mean:.0f} % on average, {best:.0f} % at best (target {TARGET_PERCENT} %)."
    )
    return 0 if mean >= TARGET_PERCENT else 1


def _round(prepared: Workspace, root: Path, connections: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send everything twice, barely and with all records; the server must have counted both."""
    with serving("-m", "tests.benchmarks.mail_counter") as port:
        server = f"host: 127.0.0.1, port: {port}, security: none, connections: {connections}"
        workspace = copy_for(prepared, root, f"smtp: {{{server}}}")
        bare = run_child(lambda: _bare(prepared, port, connections))
        ours = run_child(lambda: _release(workspace))
        assert ours["dispatched"] == bare["sent"]
        assert asyncio.run(_count(port)) == 2 * bare["sent"]
    return bare, ours


def _bare(prepared: Workspace, port: int, connections: int) -> dict[str, Any]:
    """Send ready bytes with nothing around them."""
    with open_to_read(prepared) as connection:
        (batch,) = list_batches(connection)["batch_id"]
        rows = read_leaving(connection, batch).rows(named=True)
    sender = read_creditor(prepared).sender.email
    ready = [
        (
            envelope_sender(sender, row["message_id"]),
            row["email"],
            (prepared.root / row["document_path"]).read_bytes(),
        )
        for row in rows
    ]
    return _timed(lambda: {"sent": asyncio.run(_send_all(ready, port, connections))})


async def _send_all(ready: list[tuple[str, str, bytes]], port: int, connections: int) -> int:
    count, queue = len(ready), iter(ready)

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for sender, recipient, content in queue:
                await client.sendmail(sender, [recipient], content)

    await asyncio.gather(*(work() for _ in range(connections)))
    return count


def _release(workspace: Workspace) -> dict[str, Any]:
    """Release the batch as the flow does, with all that is recorded."""
    run = Run(workspace, AS_OF, AS_OF, "benchmark", "benchmark", lambda: datetime.now(UTC), lambda line: None)
    with open_to_read(workspace) as connection:
        (batch,) = list_batches(connection)["batch_id"]
        before = count_events(connection)

    def work() -> dict[str, Any]:
        released = let_leave(run, batch, read_rules(workspace))
        assert released.counts is not None
        assert released.counts.problems == ()
        return {"dispatched": released.counts.dispatched}

    result = _timed(work)
    with open_to_read(workspace) as connection:
        assert count_events(connection) > before + result["dispatched"]
    return result


def _timed(work: Any) -> dict[str, Any]:
    wall, processor = time.monotonic(), time.process_time()
    result: dict[str, Any] = work()
    return {**result, "wall": time.monotonic() - wall, "processor": time.process_time() - processor}


async def _count(port: int) -> int:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        return int((await client.noop()).message)


if __name__ == "__main__":
    sys.exit(main())
