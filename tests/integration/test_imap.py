"""What came back is read from a real IMAP server, once, over a connection that is encrypted and verified."""

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.returns.imap import _quoted
from tasks.workspace import Workspace
from tests.integration import imap_server
from tests.integration.imap_server import ImapServer
from tests.integration.mail_server import make_certificate
from tests.integration.returning_company import (
    BACK,
    DOMAIN,
    act,
    answer,
    bounce,
    doubtful_company,
    events,
    messages,
    statuses,
)
from tests.torture.company import copy_workspace


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate") / "own.pem")


@pytest.fixture
def server(certificate: Path) -> Iterator[ImapServer]:
    with imap_server.running(certificate) as server:
        yield server


@pytest.fixture
def company(tmp_path: Path) -> Workspace:
    return copy_workspace(doubtful_company(), tmp_path / "company")


def name_mailbox(workspace: Workspace, server: ImapServer, **other: str) -> None:
    keys = {
        "host": "127.0.0.1",
        "port": str(server.port),
        "security": "starttls",
        "username_env": "MAILBOX_USER",
        "password_env": "MAILBOX_PASSWORD",
        "sent_folder": "Sent",
        "certificate_file": str(server.certificate),
        **other,
    }
    lines = "".join(f"    {key}: {value}\n" for key, value in keys.items() if value)
    text = workspace.creditor_path.read_text(encoding="utf-8").partition("\nreturns:")[0]
    workspace.creditor_path.write_text(f"{text}\nreturns:\n  imap:\n{lines}", encoding="utf-8")


def sent_copy(number: str) -> bytes:
    return (
        textwrap.dedent(f"""\
        From: comptabilite@{DOMAIN}
        Message-ID: <{number}@{DOMAIN}>
        Subject: facture

        Bonjour.
        """)
        .replace("\n", "\r\n")
        .encode()
    )


def test_reports_replies_and_sent_copies_are_read_once_and_the_mailbox_stays_as_it_is(
    company: Workspace, server: ImapServer
) -> None:
    number = messages(company)
    server.put(
        "INBOX", bounce(number["ana"], "ana@client.example"), answer(number["ben"], "ben@client.example")
    )
    server.put("Sent", sent_copy(number["cleo"]), sent_copy("0" * 32))
    before = server.flags("INBOX")
    name_mailbox(company, server)

    told = act(company, "follow-up", BACK, expect=5)

    assert "back    bounced 1, replied 1" in told
    assert "customer ben replied" in told
    assert "INBOX, number " in told
    assert statuses(company) == {
        "ana": "dispatched",
        "ben": "dispatched",
        "cleo": "dispatched",
        "dan": "uncertain",
    }
    assert server.flags("INBOX") == before

    log = events(company)
    server.put("INBOX", bounce(number["dan"], "dan@client.example", "5.2.2"))
    told = act(company, "follow-up", BACK)
    assert "back    bounced for now 1" in told
    assert "known before" not in told
    assert statuses(company)["dan"] == "dispatched"
    assert events(company)[: log.height].equals(log)


def test_mail_that_was_taken_in_is_marked_and_moved_where_asked_for_and_never_deleted(
    company: Workspace, server: ImapServer
) -> None:
    with server.logged_in() as connection:
        connection.create("Relance")
    server.put("INBOX", bounce(messages(company)["ana"], "ana@client.example"))
    name_mailbox(company, server, move_to="Relance", mark_seen="true")

    act(company, "follow-up", BACK, expect=5)

    assert server.flags("INBOX") in ([], [b""])
    assert [b"\\Seen" in flags for flags in server.flags("Relance")] == [True]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(company: Workspace, server: ImapServer) -> None:
    name_mailbox(company, server, certificate_file="")
    told = act(company, "follow-up", BACK, expect=5)
    assert "cannot be reached: [SSL: CERTIFICATE_VERIFY_FAILED]" in told
    assert set(statuses(company).values()) == {"uncertain"}


def test_an_authority_of_ones_own_is_a_path_from_the_workspace(
    company: Workspace, server: ImapServer
) -> None:
    shutil.copy(server.certificate, company.root / "company-ca.pem")
    name_mailbox(company, server, certificate_file="company-ca.pem")
    told = act(company, "follow-up", BACK, expect=5)
    assert "cannot be reached" not in told


def test_a_wrong_password_is_told_and_the_rest_of_the_run_goes_on(
    company: Workspace, server: ImapServer
) -> None:
    number = messages(company)
    (company.inbox / "dropped.eml").write_bytes(bounce(number["ana"], "ana@client.example"))
    name_mailbox(company, server, password_env="MAILBOX_WRONG")
    told = act(company, "follow-up", BACK, expect=5)
    assert "refuses the login" in told
    assert "back    bounced 1" in told


def test_a_variable_that_is_missing_is_named(company: Workspace, server: ImapServer) -> None:
    name_mailbox(company, server, password_env="MAILBOX_NOWHERE")
    act(company, "follow-up", BACK, expect=2)


def test_folders_are_named_as_the_protocol_writes_them() -> None:
    assert _quoted('Envoyés & "lus"\\') == '"Envoy&AOk-s &- \\"lus\\"\\\\"'
