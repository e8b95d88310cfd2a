"""Many trials, drawn by Hypothesis from one seed each and played by a process per processor."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.property.comparison import Outcome, Trial, compare
from tests.property.reduction import as_case, reduced
from tests.property.strategies import PASTS_OF_A_TRIAL, trials

TRIALS_OF_A_ROUND = 20
SHOWN_OF_A_ROUND = 1


@dataclass
class Round:
    """Some trials drawn from one seed."""

    number: int
    outcome: Outcome = field(default_factory=Outcome)
    cases: list[str] = field(default_factory=list)


def rounds(first_seed: int, histories: int, processes: int) -> Iterator[Round]:
    """Yield rounds as they are done, until so many histories are decided."""
    trials_left = -(-histories // PASTS_OF_A_TRIAL)
    sizes = [min(TRIALS_OF_A_ROUND, trials_left - at) for at in range(0, trials_left, TRIALS_OF_A_ROUND)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        started = [
            pool.submit(play, number, size, first_seed * 1_000_000 + number)
            for number, size in enumerate(sizes)
        ]
        for done in as_completed(started):
            yield done.result()


def play(number: int, size: int, round_seed: int) -> Round:
    """Draw and compare so many trials."""
    played = Round(number)

    @seed(round_seed)
    @settings(
        max_examples=size,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @given(trial=trials())
    def hold_against_each_other(trial: Trial) -> None:
        outcome = compare(trial)
        played.outcome.add(outcome)
        if outcome.differences and len(played.cases) < SHOWN_OF_A_ROUND:
            smallest = reduced(trial, outcome.differences[0])
            played.cases.append(as_case(smallest, compare(smallest).differences))

    hold_against_each_other()
    return played
