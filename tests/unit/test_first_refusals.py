"""Refusals count against recipients once the server is known to take mail from us."""

from policies.first_refusals import MOST_DOMAINS, FirstRefusals


def refusing(*domains: str) -> FirstRefusals[str]:
    """Return what is known after each of these domains was refused once, in order."""
    first = FirstRefusals[str]()
    for domain in domains:
        first.refuse(domain)
        assert first.keep_back(f"someone at {domain}")
    return first


def test_what_was_refused_first_counts_as_soon_as_a_message_was_taken() -> None:
    first = refusing("a", "b")
    assert first.take() == ["someone at a", "someone at b"]
    assert (first.take(), first.kept_back) == ([], [])


def test_a_server_that_took_a_message_is_believed_at_once() -> None:
    first = FirstRefusals[str]()
    first.take()
    for domain in "abcdefgh":
        first.refuse(domain)
        assert not first.keep_back(domain)
    assert (first.are_our_fault, first.kept_back) == (False, [])


def test_refusals_to_many_domains_in_a_row_are_our_fault_and_none_counts() -> None:
    assert not refusing(*"abcd").are_our_fault
    first = refusing(*"abcde")
    assert MOST_DOMAINS == 5
    assert (first.are_our_fault, first.end(), len(first.kept_back)) == (True, [], 5)


def test_one_domain_that_refuses_everybody_says_nothing_of_us() -> None:
    first = refusing(*"aaaaaaaa")
    assert (first.are_our_fault, len(first.end())) == (False, 8)


def test_few_messages_that_were_all_refused_count_at_the_end() -> None:
    assert refusing("a", "b").end() == ["someone at a", "someone at b"]


def test_a_message_taken_after_all_shows_that_the_fault_is_theirs() -> None:
    first = refusing(*"abcde")
    assert len(first.take()) == 5
    assert not first.are_our_fault
