"""Pulls the plug of releases: python -m tests.torture.release_trials [--trials N] [--seed S] [--pairs N].

Each trial kills a release at a random instant while a real mail server counts, and releases again until nothing waits;
in half of them the server fails too. Then pairs of processes release the same workspace at once.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.workspace import Workspace
from tests.torture.mail_sink import FAULTS, NO_FAULT
from tests.torture.mailing import (
    copy_for,
    end_child,
    let_leave,
    prepare,
    run_child,
    serving,
    start_child,
    state_of,
    wait_for_journal,
)

CONNECTIONS = 4
MESSAGES = 40
MOST_RERUNS = 12
PATIENCE = "retry_for_seconds: 3, timeout_seconds: {connect: 5, command: 1, data: 1, answer: 1}"


@dataclass(frozen=True)
class Verdict:
    """What became of the messages of one trial, and every violation found, in words.

    `by_server` counts the uncertain ones that the server itself never answered.
    """

    fault: str
    was_killed: bool
    messages: int
    duplicates: int
    lost: int
    uncertain: int
    by_server: int
    refused: int
    reruns: int
    violations: tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """What the mail server says: how often it took each message, and which it never answered."""

    taken: Counter[str]
    unanswered: frozenset[str]


class ReleaseTorture:
    """Kills releases of copies of one prepared workspace."""

    def __init__(self, folder: Path, messages: int = MESSAGES) -> None:
        self.folder = folder
        self.prepared = prepare(folder / "prepared", messages)
        self.seconds: dict[str, float] = {}
        self._count = 0

    def kill_once(self, fault: str, seed: int) -> Verdict:
        """Kill a release at a random instant and release again until nothing waits."""
        chance = random.Random(seed)
        with self._copy(fault, seed) as (workspace, ledger):
            began = time.monotonic()
            child, pipe = start_child(lambda: let_leave(workspace))
            # Mostly while messages leave, sometimes at any instant of the whole command.
            if chance.random() < 0.75:
                wait_for_journal(workspace, child)
            time.sleep(chance.uniform(0, self._usual_seconds(fault)))
            _end_by(child, signal.SIGKILL)
            code, said = end_child(child, pipe)
            if code == 0 and fault not in self.seconds:
                self.seconds[fault] = time.monotonic() - began
            return self._finish(workspace, ledger, fault, code, said)

    def release_by_two(self, seed: int) -> Verdict:
        """Let two processes release the same workspace at once."""
        with self._copy(NO_FAULT, seed) as (workspace, ledger):
            both = [start_child(lambda: let_leave(workspace)) for _ in range(2)]
            ends = [end_child(*one) for one in both]
            verdict = self._finish(workspace, ledger, "two at once", 0, {"result": []})
            wrong = [f"a process ended with {code}: {said}" for code, said in ends if code]
            return Verdict(**{**vars(verdict), "violations": (*verdict.violations, *wrong)})

    def _finish(
        self, workspace: Workspace, ledger: Path, fault: str, code: int, said: dict[str, Any]
    ) -> Verdict:
        wrong = [] if code in (0, -signal.SIGKILL) else [f"ended with {code}: {said.get('error')}"]
        state, sentences, reruns = run_child(lambda: state_of(workspace)), list[str](), 0
        while reruns == 0 or (_waiting(state) and reruns < MOST_RERUNS):
            sentences, reruns = run_child(lambda: let_leave(workspace)), reruns + 1
            state = run_child(lambda: state_of(workspace))
        verdict = judge(state, read_ledger(ledger), sentences, fault, code == -signal.SIGKILL, reruns)
        return Verdict(**{**vars(verdict), "violations": (*wrong, *verdict.violations)})

    def _usual_seconds(self, fault: str) -> float:
        return 0.45 if fault == NO_FAULT else 0.7

    @contextmanager
    def _copy(self, fault: str, seed: int) -> Iterator[tuple[Workspace, Path]]:
        self._count += 1
        root, ledger = self.folder / f"trial-{self._count}", self.folder / f"ledger-{self._count}"
        with serving("-m", "tests.torture.mail_sink", str(ledger), fault, str(seed)) as port:
            server = f"host: 127.0.0.1, port: {port}, security: none, connections: {CONNECTIONS}, {PATIENCE}"
            yield copy_for(self.prepared, root, f"smtp: {{{server}}}"), ledger
        shutil.rmtree(root)


def judge(
    state: dict[str, Any],
    server: Counted,
    sentences: list[str],
    fault: str,
    was_killed: bool,
    reruns: int,
) -> Verdict:
    """Compare what the store says with what the mail server counted."""
    statuses: dict[str, str] = state["statuses"]
    by_status = defaultdict(set)
    for message, status in statuses.items():
        by_status[status].add(message)
    waiting, uncertain = _waiting(state), by_status["uncertain"]
    told = {message for message in waiting if any(message in sentence for sentence in sentences)}
    ended = by_status["withdrawn"] | uncertain | told
    lost = {message for message in statuses if not server.taken[message] and message not in ended}
    resendable = {message for message in waiting | by_status["withdrawn"] if server.taken[message]}
    by_server = len(uncertain & server.unanswered)
    violations = [
        *(f"{message} was taken {count} times" for message, count in server.taken.items() if count > 1),
        *(f"{message} is lost ({statuses[message]})" for message in sorted(lost)),
        *(f"{message} was taken and may leave again" for message in sorted(resendable)),
        *([f"{len(uncertain) - by_server} uncertain"] if len(uncertain) - by_server > CONNECTIONS else []),
        *([state["log"]] if state["log"] else []),
    ]
    return Verdict(
        fault=fault,
        was_killed=was_killed,
        messages=len(statuses),
        duplicates=sum(count - 1 for count in server.taken.values()),
        lost=len(lost),
        uncertain=len(uncertain),
        by_server=by_server,
        refused=len(by_status["withdrawn"]),
        reruns=reruns,
        violations=tuple(violations),
    )


def read_ledger(path: Path) -> Counted:
    """Read what the mail server has written down."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    taken = Counter(entry["message_id"] for entry in entries if "message_id" in entry)
    unanswered = {
        entry["unanswered"].partition("+")[2].partition("@")[0] for entry in entries if "unanswered" in entry
    }
    return Counted(taken, frozenset(unanswered))


def choose_fault(number: int) -> str:
    """Return the fault of a trial: none in every second one, else one after the other."""
    return FAULTS[number // 2 % len(FAULTS)] if number % 2 else NO_FAULT


def main() -> int:
    """Run the trials and print a table by fault; the exit code says whether any rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.release_trials", description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=50, help="how often two processes release at once")
    asked = parser.parse_args()
    started, verdicts = time.monotonic(), list[Verdict]()
    with tempfile.TemporaryDirectory(prefix="relance-torture-") as folder:
        torture = ReleaseTorture(Path(folder))
        for number in range(asked.trials):
            verdicts.append(torture.kill_once(choose_fault(number), asked.seed * 1_000_003 + number))
            _tell(number, asked.trials, verdicts[-1])
        for number in range(asked.pairs):
            verdicts.append(torture.release_by_two(number))
            _tell(number, asked.pairs, verdicts[-1])
    print_table(verdicts)
    wrong = sum(bool(verdict.violations) for verdict in verdicts)
    print(f"\n{len(verdicts)} trials, {wrong} with violations, {time.monotonic() - started:.0f} s.")
    return 1 if wrong else 0


def print_table(verdicts: list[Verdict]) -> None:
    """Print what became of the messages, by fault."""
    print(
        "| fault | trials | killed | messages | refused | duplicates | lost | uncertain | never answered by the server "
        f"| most uncertain in a trial | the same without those never answered ({CONNECTIONS} connections) |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for fault in dict.fromkeys(verdict.fault for verdict in verdicts):
        of_fault = [verdict for verdict in verdicts if verdict.fault == fault]
        numbers = (
            len(of_fault),
            sum(one.was_killed for one in of_fault),
            *(
                sum(getattr(one, name) for one in of_fault)
                for name in ("messages", "refused", "duplicates", "lost", "uncertain", "by_server")
            ),
            max(one.uncertain for one in of_fault),
            max(one.uncertain - one.by_server for one in of_fault),
        )
        print(f"| {fault} | {' | '.join(map(str, numbers))} |")


def _tell(number: int, of: int, verdict: Verdict) -> None:
    for violation in verdict.violations:
        print(f"trial {number}, {verdict.fault}: {violation}", file=sys.stderr, flush=True)
    if (number + 1) % 25 == 0:
        print(f"{number + 1} of {of} {verdict.fault} ...", file=sys.stderr, flush=True)


def _waiting(state: dict[str, Any]) -> set[str]:
    return {message for message, status in state["statuses"].items() if status in ("planned", "composed")}


def _end_by(child: int, number: signal.Signals) -> None:
    if not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        os.kill(child, number)


if __name__ == "__main__":
    sys.exit(main())
