"""The mail server of a creditor, and how patiently it is spoken to."""

from dataclasses import dataclass, field
from typing import Literal

_LONGEST_WAIT = 300


@dataclass(frozen=True)
class Login:
    """Who signs in; values here, never logged and never in a file of the workspace."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class PhaseSeconds:
    """How long each phase may take: to connect, for a command, to send the data, for the answer to it."""

    connect: float = 30
    command: float = 60
    data: float = 180
    answer: float = 300


@dataclass(frozen=True)
class SmtpServer:
    """The mail server: where it is, how it is spoken to, and what leaves through it at most.

    Attributes:
        certificate_file: certificates to trust beside those of the machine: a company's own authority.
        retry_for_seconds: how long to come back in all to a server that asks to, within one release.
        maximum_message_bytes: a larger message is not sent, whatever the server says.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    login: Login | None = None
    connections: int = 4
    messages_per_minute: int | None = None
    messages_per_minute_per_domain: int | None = None
    maximum_message_bytes: int | None = None
    retry_for_seconds: int = 60
    timeouts: PhaseSeconds = PhaseSeconds()
    certificate_file: str | None = None

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.host}:{self.port}"


def growing_waits(seconds: int) -> list[int]:
    """Return waits that double and add up to so many seconds.

    >>> growing_waits(60), growing_waits(0)
    ([1, 2, 4, 8, 16, 29], [])
    """
    waits: list[int] = []
    while (left := seconds - sum(waits)) > 0:
        waits.append(min(left, 2 ** len(waits), _LONGEST_WAIT))
    return waits
