"""Whom the refusals at the beginning of a release blame: the recipients, or us.

A server that takes nothing from us (a wrong login, an address on a blocklist) may answer as if no mailbox existed. So
until it has taken one message its refusals are kept back, and when it has refused several domains it is left alone.
"""

from typing import Generic, TypeVar

T = TypeVar("T")

MOST_DOMAINS = 5
"""So many different domains are not all wrong before the first that is right."""


class FirstRefusals(Generic[T]):
    """What a mail server refused before it took a message."""

    def __init__(self) -> None:
        """Begin with none."""
        self.kept_back: list[T] = []
        self._domains: set[str] = set()
        self._has_taken = False

    @property
    def are_our_fault(self) -> bool:
        """Whether so many were refused, and nothing taken, that the fault must be ours."""
        return not self._has_taken and len(self._domains) >= MOST_DOMAINS

    def refuse(self, domain: str) -> None:
        """Note that the server refused a message to this domain, whatever for."""
        self._domains.add(domain)

    def keep_back(self, refusal: T) -> bool:
        """Keep a refusal for good until it is known whom it blames; return False where it may count at once."""
        if not self._has_taken:
            self.kept_back.append(refusal)
        return not self._has_taken

    def take(self) -> list[T]:
        """Note that the server took a message; return the refusals that count now."""
        self._has_taken = True
        kept, self.kept_back = self.kept_back, []
        return kept

    def end(self) -> list[T]:
        """Return the refusals that count once everything was tried, taken or not: none if we are to blame."""
        return [] if self.are_our_fault else self.take()
