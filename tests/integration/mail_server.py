"""A real mail server on this machine, in a thread, that answers each recipient as a test asks."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DROP = "drop the connection"


@dataclass
class Received:
    """One message the server took."""

    sender: str
    recipients: list[str]
    content: bytes
    is_encrypted: bool
    user: str


@dataclass
class MailServer:
    """What the server got; `to_recipient` and `to_data` give its answers by recipient, in order of tries."""

    to_recipient: Mapping[str, Sequence[str]] = field(default_factory=dict)
    to_data: Mapping[str, Sequence[str]] = field(default_factory=dict)
    messages_per_connection: int = 1000
    takes_utf8: bool = False
    on_data: Callable[[str], None] = field(default=lambda recipient: None)
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: Counter[Any] = field(default_factory=Counter)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)

    def recipients_in_order(self) -> list[str]:
        return [message.recipients[0] for message in self.received]

    def next_answer(self, stage: str, answers: Sequence[str], recipient: str) -> str:
        tries = self.tries.get((stage, recipient), 0)
        self.tries[stage, recipient] = tries + 1
        return answers[min(tries, len(answers) - 1)] if answers else "250 OK"

    async def handle_MAIL(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.connections[session.peer] >= self.messages_per_connection:
            return "421 4.7.0 too many messages over this connection"
        self.connections[session.peer] += 1
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.next_answer("recipient", self.to_recipient.get(address, ()), address)
        if answer == DROP:
            drop(server)
        elif answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        recipient = envelope.rcpt_tos[0]
        self.on_data(recipient)
        answer = self.next_answer("data", self.to_data.get(recipient, ()), recipient)
        if answer == DROP:
            drop(server)
            return "451 nobody hears this"
        if answer.startswith("2"):
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            user = str(getattr(session, "auth_data", None) or "")
            self.received.append(
                Received(envelope.mail_from or "", envelope.rcpt_tos, content, session.ssl is not None, user)
            )
        return answer


def drop(server: SMTP) -> None:
    """Break the connection without a word."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(server: MailServer, certificate: Path | None = None, password: str = "") -> Iterator[MailServer]:
    """Run the server on a free port; with a certificate it speaks STARTTLS, with a password it asks for it."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)

    def check(smtp: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        is_right = isinstance(given, LoginPassword) and given.password == password.encode()
        return AuthResult(
            success=is_right, handled=False, auth_data=given.login.decode() if is_right else None
        )

    server.port = free_port()
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        tls_context=context,
        require_starttls=context is not None,
        auth_required=bool(password),
        auth_require_tls=context is not None,
        authenticator=check,
        enable_SMTPUTF8=server.takes_utf8,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def make_certificate(path: Path) -> Path:
    """Write a certificate and key of this machine's number, signed by itself, and return the path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2126, 1, 1, tzinfo=dt.UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
