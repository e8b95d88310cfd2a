"""What a run took in of mail that came back: counts, and what a person is to look at."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SHOWN = 5


@dataclass(frozen=True)
class Returned:
    """What a run took in, in counts by what came of it, and what a person is to look at.

    Messages are told with whom they were for: `settled` left after all, `bounced` went to addresses that take no mail,
    `refused` were refused for a cause that is not the address.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    settled: tuple[str, ...] = ()
    bounced: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def person_lines(self) -> list[str]:
        """Sentences on what a person is to look at, without names and addresses."""
        lines = list(self.persons)
        if self.refused:
            lines.append(
                "refused by receivers' mail systems because of our sender, its reputation, a limit or their policy: "
                f"{_some(self.refused)}. Nothing counts against these addresses: see to the cause"
            )
        if self.unmatched:
            lines.append(f"mail that names no message and no customer of ours: {_some(self.unmatched)}")
        return lines


def _some(named: tuple[str, ...]) -> str:
    """Return how many there are, and the first of them."""
    more = "; ..." if len(named) > _SHOWN else ""
    return f"{len(named)} ({'; '.join(named[:_SHOWN])}{more})"


def add_up(parts: Iterable[Returned]) -> Returned:
    """Return what several places brought, together."""
    together = list(parts)
    return Returned(
        counts=dict(sorted(sum((Counter(one.counts) for one in together), Counter()).items())),
        known=sum(one.known for one in together),
        settled=tuple(name for one in together for name in one.settled),
        bounced=tuple(name for one in together for name in one.bounced),
        refused=tuple(name for one in together for name in one.refused),
        persons=tuple(line for one in together for line in one.persons),
        unmatched=tuple(place for one in together for place in one.unmatched),
    )
