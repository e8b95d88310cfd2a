"""Mail leaves evenly within its limits, and one domain does not hold up the others."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from policies.pacing import PacedQueue


def drain(queue: PacedQueue[str]) -> list[tuple[float, str]]:
    """Take everything as early as allowed; return when each left."""
    now, left = 0.0, []
    while queue:
        now += queue.seconds_until_next(now)
        entry = queue.take(now)
        assert entry is not None
        left.append((now, entry))
    return left


def test_without_limits_everything_leaves_at_once_in_its_order() -> None:
    queue = PacedQueue[str]()
    queue.add([("a.example", "a1"), ("b.example", "b1"), ("a.example", "a2"), ("c.example", "c1")])
    assert len(queue) == 4
    assert drain(queue) == [(0.0, "a1"), (0.0, "b1"), (0.0, "a2"), (0.0, "c1")]
    assert (queue.take(9.0), queue.seconds_until_next(9.0), len(queue)) == (None, 0.0, 0)


def test_a_limit_per_minute_spreads_evenly() -> None:
    queue = PacedQueue[str](per_minute=60)
    queue.add([("a.example", "a1"), ("b.example", "b1"), ("a.example", "a2")])
    assert drain(queue) == [(0.0, "a1"), (1.0, "b1"), (2.0, "a2")]


def test_what_comes_too_early_gets_nothing() -> None:
    queue = PacedQueue[str](per_minute=60)
    queue.add([("a.example", "a1"), ("a.example", "a2")])
    assert (queue.take(0.0), queue.take(0.5), queue.take(1.0)) == ("a1", None, "a2")


def test_a_domain_that_had_its_share_lets_others_pass() -> None:
    queue = PacedQueue[str](per_domain_per_minute=6)
    queue.add([("a.example", "a1"), ("a.example", "a2"), ("b.example", "b1"), ("b.example", "b2")])
    assert drain(queue) == [(0.0, "a1"), (0.0, "b1"), (10.0, "a2"), (10.0, "b2")]


def test_a_domain_keeps_its_share_when_it_was_empty_meanwhile() -> None:
    queue = PacedQueue[str](per_domain_per_minute=6)
    queue.add([("a.example", "a1")])
    assert queue.take(0.0) == "a1"
    queue.add([("a.example", "a2")])
    assert (queue.take(1.0), queue.seconds_until_next(1.0), queue.take(10.0)) == (None, 9.0, "a2")


def test_what_is_put_back_leaves_first() -> None:
    queue = PacedQueue[str]()
    queue.add([("a.example", "a1"), ("a.example", "a2"), ("b.example", "b1")])
    assert queue.take(0.0) == "a1"
    queue.put_back("a.example", "a1")
    assert queue.entries() == ["a1", "a2", "b1"]
    assert [entry for _, entry in drain(queue)] == ["a1", "a2", "b1"]
    queue.put_back("b.example", "b1")
    assert [entry for _, entry in drain(queue)] == ["b1"]


def test_putting_back_does_not_go_through_all_domains_that_wait() -> None:
    compared = 0

    class Domain(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, str(other))

        def __ne__(self, other: object) -> bool:
            return not self == other

    queue = PacedQueue[str]()
    queue.add((Domain(f"d{number}.example"), f"{number}") for number in range(5_000))
    for _ in range(20):
        entry = queue.take(0.0)
        assert entry == "0"
        queue.put_back(Domain("d0.example"), entry)
    assert compared < 1_000
    assert len(queue) == len(queue.entries()) == 5_000


@given(st.lists(st.tuples(st.sampled_from(["take", "put back", "add"]), st.sampled_from("abc")), max_size=60))
def test_whatever_is_put_back_everything_leaves_once_and_each_domain_in_order(
    moves: list[tuple[str, str]],
) -> None:
    queue, taken, left, now, added = PacedQueue[str](per_domain_per_minute=60), [], [], 0.0, 0
    for move, domain in moves:
        if move == "add":
            added += 1
            queue.add([(domain, f"{domain}{added:02}")])
        elif move == "take" and queue:
            now += queue.seconds_until_next(now)
            taken.append(queue.take(now) or "")
        elif taken:
            entry = taken.pop()
            queue.put_back(entry[0], entry)
    left = taken + [entry for _, entry in drain(queue)]
    assert len(left) == len(set(left)) == added
    for domain in "abc":
        of_domain = [entry for entry in left if entry[0] == domain]
        assert of_domain == sorted(of_domain)


@given(
    domains=st.lists(st.sampled_from("abc"), max_size=40),
    per_minute=st.integers(1, 300),
    per_domain=st.integers(1, 100),
)
def test_no_minute_sees_more_than_its_limits(domains: list[str], per_minute: int, per_domain: int) -> None:
    queue = PacedQueue[str](per_minute, per_domain)
    queue.add((domain, f"{domain}{number}") for number, domain in enumerate(domains))
    left = drain(queue)
    assert sorted(entry for _, entry in left) == sorted(f"{d}{n}" for n, d in enumerate(domains))
    for start, _ in left:
        minute = [entry for at, entry in left if start <= at < start + 60 - 1e-6]
        assert len(minute) <= per_minute
        assert all(count <= per_domain for count in Counter(entry[0] for entry in minute).values())
