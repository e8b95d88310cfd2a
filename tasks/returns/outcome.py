"""What a run took in of mail that came back: counts, and what a person is to look at."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SHOWN = 5


@dataclass(frozen=True)
class Returned:
    """What a run took in, in counts by what came of it, and what a person is to look at.

    Messages are told with whom they were for: `settled` left after all, `bounced` went to addresses that take no mail.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    settled: tuple[str, ...] = ()
    bounced: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()

    @property
    def person_lines(self) -> list[str]:
        """Sentences on what a person is to look at, without names and addresses."""
        if not self.unmatched:
            return list(self.persons)
        shown = "; ".join(self.unmatched[:_SHOWN])
        more = "; ..." if len(self.unmatched) > _SHOWN else ""
        what = f"mail that names no message and no customer of ours: {len(self.unmatched)} ({shown}{more})"
        return [*self.persons, what]


def add_up(parts: Iterable[Returned]) -> Returned:
    """Return what several places brought, together."""
    together = list(parts)
    return Returned(
        counts=dict(sorted(sum((Counter(one.counts) for one in together), Counter()).items())),
        known=sum(one.known for one in together),
        settled=tuple(name for one in together for name in one.settled),
        bounced=tuple(name for one in together for name in one.bounced),
        persons=tuple(line for one in together for line in one.persons),
        unmatched=tuple(place for one in together for place in one.unmatched),
    )
