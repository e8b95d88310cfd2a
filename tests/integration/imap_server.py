"""A real IMAP server on this machine, in a process of its own, with a mailbox to put mail into."""

import imaplib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.console import SECRETS
from tests.integration.mail_server import free_port

USER, PASSWORD = SECRETS["MAILBOX_USER"], SECRETS["MAILBOX_PASSWORD"]


@dataclass
class ImapServer:
    """Where the server listens, and what it proves itself with."""

    port: int
    certificate: Path

    @contextmanager
    def logged_in(self) -> Iterator[imaplib.IMAP4]:
        """Speak to it as another mail program."""
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        connection.starttls(ssl.create_default_context(cafile=str(self.certificate)))
        connection.login(USER, PASSWORD)
        try:
            yield connection
        finally:
            connection.logout()

    def put(self, folder: str, *mails: bytes) -> None:
        """Put mail into a folder."""
        with self.logged_in() as connection:
            for mail in mails:
                status, said = connection.append(folder, "", "", mail)
                assert status == "OK", said

    def flags(self, folder: str) -> list[bytes]:
        """Return what is marked of each mail of a folder."""
        with self.logged_in() as connection:
            connection.select(folder, readonly=True)
            found = connection.fetch("1:*", "(FLAGS)")[1]
        return [part for part in found if isinstance(part, bytes)]


@contextmanager
def running(certificate: Path) -> Iterator[ImapServer]:
    """Run a server with an empty mailbox and an empty folder for sent mail."""
    port = free_port()
    words = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--cert",
        str(certificate),
        "--key",
        str(certificate),
    ]
    started = subprocess.Popen(
        [sys.executable, "-c", "from pymap.main import main; main()", *words, "dict", "--demo-data"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    server = ImapServer(port, certificate)
    try:
        _wait(server, started)
        with server.logged_in() as connection:
            for folder in ("INBOX", "Sent"):
                connection.select(folder)
                connection.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
                connection.expunge()
        yield server
    finally:
        started.terminate()
        started.communicate(timeout=20)


def _wait(server: ImapServer, started: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with server.logged_in():
                return
        except OSError:
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
