"""How fast mail may leave: evenly spread within a number per minute, in all and for each receiving domain.

The time is handed in, in seconds of any steady clock. A domain that has had its share does not hold up the others.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
_Turn = tuple[float, int, str]

_MINUTE = 60.0


class PacedQueue(Generic[T]):
    """What is to leave, in the order it was added as far as the pace allows."""

    def __init__(self, per_minute: int | None = None, per_domain_per_minute: int | None = None) -> None:
        """Begin an empty queue; without a number there is no limit."""
        self._gap = _MINUTE / per_minute if per_minute else 0.0
        self._domain_gap = _MINUTE / per_domain_per_minute if per_domain_per_minute else 0.0
        self._free_at = float("-inf")
        self._domain_free_at: dict[str, float] = {}
        self._waiting: dict[str, deque[tuple[int, T]]] = {}
        # Of each domain that waits: from when it may go on, and its oldest entry. What was overtaken by an entry put
        # back stays in the heap until it comes to the top.
        self._turns: list[_Turn] = []
        self._turn_of: dict[str, _Turn] = {}
        self._added = 0
        self._first = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def __bool__(self) -> bool:
        """Return whether any wait."""
        return bool(self._waiting)

    def add(self, entries: Iterable[tuple[str, T]]) -> None:
        """Put entries last, each with the domain that receives it."""
        for domain, entry in entries:
            self._added += 1
            is_new = domain not in self._waiting
            self._waiting.setdefault(domain, deque()).append((self._added, entry))
            if is_new:
                self._take_turn(domain)

    def put_back(self, domain: str, entry: T) -> None:
        """Put an entry first again that was taken and did not leave."""
        self._first -= 1
        self._waiting.setdefault(domain, deque()).appendleft((self._first, entry))
        self._take_turn(domain)

    def seconds_until_next(self, now: float) -> float:
        """Return how long to wait until something may leave; 0 when it may at once, or when nothing waits."""
        if not self._turns:
            return 0.0
        return max(self._free_at - now, self._turns[0][0] - now, 0.0)

    def take(self, now: float) -> T | None:
        """Return what may leave now, nothing when all must wait."""
        if not self._turns or self.seconds_until_next(now) > 0:
            return None
        _, _, domain = heapq.heappop(self._turns)
        del self._turn_of[domain]
        waiting = self._waiting[domain]
        _, entry = waiting.popleft()
        self._free_at = now + self._gap
        self._domain_free_at[domain] = now + self._domain_gap
        if waiting:
            self._take_turn(domain)
        else:
            del self._waiting[domain]
        self._drop_overtaken()
        return entry

    def entries(self) -> list[T]:
        """Return all that wait, oldest first."""
        everything = [numbered for waiting in self._waiting.values() for numbered in waiting]
        return [entry for _, entry in sorted(everything, key=lambda numbered: numbered[0])]

    def _take_turn(self, domain: str) -> None:
        free_at = self._domain_free_at.get(domain, float("-inf")) if self._domain_gap else float("-inf")
        self._turn_of[domain] = (free_at, self._waiting[domain][0][0], domain)
        heapq.heappush(self._turns, self._turn_of[domain])
        self._drop_overtaken()

    def _drop_overtaken(self) -> None:
        """See to it that the first turn is one that counts."""
        while self._turns and self._turns[0] != self._turn_of.get(self._turns[0][2]):
            heapq.heappop(self._turns)
