"""What a mail server refuses before it took anything: it may be us whom it does not want."""

from pathlib import Path

import pytest

from tasks.dispatch.deliveries import PlannedMessage
from tests.integration.scripted_mail import DROP, Script, listening
from tests.integration.test_dispatch import plan
from tests.integration.test_smtp import release


def of_domains(folder: Path, *domains: str) -> list[PlannedMessage]:
    return [
        PlannedMessage(**{**vars(plan(folder, name)), "recipients": (f"someone@{name}.example",)})
        for name in domains
    ]


def unknown(*domains: str) -> Script:
    """Return a server that answers of these domains as if no mailbox existed."""
    return Script(to_recipient={f"someone@{name}.example": "550 5.1.1 unknown" for name in domains})


@pytest.mark.parametrize("connections", [1, 3])
def test_a_server_that_takes_nothing_condemns_no_address_and_is_left_alone(
    tmp_path: Path, connections: int
) -> None:
    names = [f"d{number}" for number in range(20)]
    with listening(unknown(*names)) as script:
        counts = release(tmp_path, of_domains(tmp_path, *names), script, connections=connections)
    assert (counts.refused, counts.bad_addresses, counts.waiting) == (0, 0, 20)
    tried = len(script.commands("RCPT"))
    assert 5 <= tried < 5 + connections
    assert counts.problems[0].startswith("waiting until this is mended, for the next release: id-d")
    assert counts.problems[-1] == (
        f"the mail server 127.0.0.1:{script.port} took nothing and refused 5 domains in a row: no customer is blamed, "
        f"and nothing more was sent. Messages not sent: {20 - tried}, ready for the next release."
    )


def test_addresses_refused_first_are_believed_to_be_bad_once_a_message_was_taken(tmp_path: Path) -> None:
    planned = of_domains(tmp_path, "d0", "d1", "d2", "d3", "good", "d4", "d5")
    with listening(unknown("d0", "d1", "d2", "d3", "d4", "d5")) as script:
        counts = release(tmp_path, planned, script)
    assert (counts.dispatched, counts.bad_addresses, counts.waiting, counts.problems) == (1, 6, 0, ())


def test_after_a_release_that_was_left_alone_the_others_are_tried_first(tmp_path: Path) -> None:
    bad = ("d0", "d1", "d2", "d3", "d4")
    planned = of_domains(tmp_path, *bad, "good")
    with listening(unknown(*bad)) as script:
        assert release(tmp_path, planned, script).waiting == 6
        again = release(tmp_path, planned, script)
    assert (again.dispatched, again.bad_addresses, again.waiting) == (1, 5, 0)


def test_a_message_refused_first_for_what_it_is_leaves_no_doubt_while_it_waits(tmp_path: Path) -> None:
    names = ("d0", "d1", "d2", "d3", "d4", "d5")
    with listening(Script(to_data=["554 5.7.1 not this"] * 6)) as script:
        counts = release(tmp_path, of_domains(tmp_path, *names), script)
    assert (counts.refused, counts.uncertain, counts.waiting) == (0, 0, 6)


def test_a_server_that_lets_us_not_in_is_not_asked_for_every_message(tmp_path: Path) -> None:
    names = [f"d{number}" for number in range(9)]
    with listening(Script(to_sender="550 5.7.1 authentication required")) as script:
        counts = release(tmp_path, of_domains(tmp_path, *names), script)
    assert (counts.refused, counts.waiting, len(script.commands("MAIL"))) == (0, 9, 5)


def test_what_was_refused_before_the_server_went_away_waits_with_the_rest(tmp_path: Path) -> None:
    script = unknown("d0")
    script.to_recipient |= {f"someone@d{number}.example": DROP for number in range(1, 6)}
    planned = of_domains(tmp_path, *(f"d{number}" for number in range(6)))
    with listening(script):
        counts = release(tmp_path, planned, script, retry_for_seconds=0)
    assert (counts.refused, counts.waiting) == (0, 6)
    assert "waiting for the next release: id-d0: 550 5.1.1 unknown" in counts.problems
    with listening(unknown("d0")) as script:
        again = release(tmp_path, planned, script)
    assert (again.dispatched, again.bad_addresses) == (5, 1)
