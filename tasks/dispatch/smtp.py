"""Hands e-mail to a mail server over several connections, noting each message before and after its data.

Nothing is noted until the server has taken sender and recipient, so a cut before the data leaves no trace and no
doubt. From then on only the server's answer settles the message. Addresses are kept out of answers and problems.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from policies.errors import CreditorInvalidError
from policies.hosts import is_local_host
from tasks.dispatch.journal import DeliveryStatus, Journal, PlannedMessage
from tasks.dispatch.release import Clock

# The classes of answers: RFC 5321, 4.2.1.
TRY_LATER = 400
REFUSED_FOR_GOOD = 500


@dataclass(frozen=True)
class SmtpServer:
    """The mail server and how patiently it is spoken to; secrets are values here, never logged."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str | None = None
    password: str | None = None
    connections: int = 4
    retry_after_seconds: tuple[int, ...] = (2, 10)
    timeout_seconds: int = 60
    # A file of certificates to trust beside those of the machine: a company's own authority.
    certificate_file: str | None = None


class SmtpTransport:
    """Sends messages to one mail server."""

    def __init__(self, server: SmtpServer) -> None:
        """Refuse to send a password in clear text over the network."""
        if server.username and server.security == "none" and not is_local_host(server.host):
            raise CreditorInvalidError(
                f"creditor.yaml: smtp.security: 'none' would send the password to {server.host} in clear text "
                "(allowed: starttls, tls)"
            )
        self.server = server

    def dispatch(
        self, messages: Sequence[PlannedMessage], journal: Journal, clock: Clock, done: Callable[[], None]
    ) -> list[str]:
        """Send the messages; return what went wrong, in sentences."""
        session = _Session(self.server, deque(messages), journal, clock, done)
        return asyncio.run(session.run())


def envelope_sender(sender: str, message_id: str) -> str:
    """Return the address a bounce of this one message comes back to.

    >>> envelope_sender("accounts@example.com", "m1f3")
    'accounts+m1f3@example.com'
    """
    local, _, domain = sender.rpartition("@")
    return f"{local}+{message_id}@{domain}"


class _TryLaterError(Exception):
    """The message surely has not left; another try may help."""


class _ConnectionGoneError(_TryLaterError):
    """The same, and the connection is of no more use."""


class _Session:
    """One release: rounds of workers that take messages from a common queue, each over a connection of its own."""

    def __init__(
        self,
        server: SmtpServer,
        queue: deque[PlannedMessage],
        journal: Journal,
        clock: Clock,
        done: Callable[[], None],
    ) -> None:
        self.server = server
        self.queue = queue
        self.journal = journal
        self.clock = clock
        self.done = done
        self.postponed: dict[PlannedMessage, str] = {}
        self.server_problem = ""
        self.is_hopeless = False

    async def run(self) -> list[str]:
        """Send everything in the queue, or as much as the server takes; return what went wrong."""
        for wait_seconds in (0, *self.server.retry_after_seconds):
            await asyncio.sleep(wait_seconds)
            self.server_problem = ""
            self.queue.extend(self.postponed)
            self.postponed.clear()
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.server.connections, len(self.queue))):
                    group.create_task(self._work())
            if self.is_hopeless or not (self.queue or self.postponed):
                break
        return [*self._postponed_sentences(), *self._server_sentences()]

    def _postponed_sentences(self) -> list[str]:
        by_answer: dict[str, list[str]] = {}
        for message, why in self.postponed.items():
            by_answer.setdefault(why, []).append(message.message_id)
        return [f"waiting for the next release: {', '.join(ids)}: {why}" for why, ids in by_answer.items()]

    def _server_sentences(self) -> list[str]:
        if not self.queue:
            return []
        where = f"the mail server {self.server.host}:{self.server.port} cannot be used"
        return [
            f"{where}: {self.server_problem}. Messages not sent: {len(self.queue)}, ready for the next release."
        ]

    async def _work(self) -> None:
        """Send messages until none are left or the server cannot be reached."""
        while self.queue:
            connection = await self._connect()
            if connection is None:
                break
            try:
                await self._send_over(connection)
            finally:
                connection.close()

    async def _send_over(self, connection: aiosmtplib.SMTP) -> None:
        """Send messages over one connection while it is good."""
        is_fresh = True
        while self.queue:
            message = self.queue.popleft()
            try:
                await self._send(connection, message)
                self.done()
            except _ConnectionGoneError as error:
                if is_fresh:
                    self.postponed[message] = str(error)
                else:
                    # A server may take only so many messages over one connection.
                    self.queue.appendleft(message)
                return
            except _TryLaterError as error:
                self.postponed[message] = str(error)
            is_fresh = False
            if not await _is_good_after_reset(connection):
                return
        with suppress(aiosmtplib.SMTPException, OSError):
            await connection.quit()

    async def _connect(self) -> aiosmtplib.SMTP | None:
        """Return a connection; without one, keep why."""
        server = self.server
        connection = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_seconds,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            username=server.username,
            password=server.password,
            tls_context=None if server.security == "none" else _trusting(server.certificate_file),
        )
        try:
            await connection.connect()
            await connection.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            connection.close()
            self.server_problem = _one_line(str(error)) or _name(error)
            # Wrong credentials stay wrong, and trying them again may lock the account.
            self.is_hopeless = self.is_hopeless or isinstance(error, aiosmtplib.SMTPAuthenticationError)
            return None
        return connection

    async def _send(self, connection: aiosmtplib.SMTP, message: PlannedMessage) -> None:
        """Send one message and note what became of it.

        Raises:
            _TryLaterError: it has not left.
        """
        content = message.document.read_bytes()
        try:
            await self._announce(connection, message, is_eight_bit=not content.isascii())
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
            answer = _answer(error.code, error.message, message)
            if error.code == aiosmtplib.SMTPStatus.domain_unavailable:
                raise _ConnectionGoneError(answer) from error
            # A refused sender is our own fault, and no customer's: the message stays for when it is mended.
            if error.code < REFUSED_FOR_GOOD or isinstance(error, aiosmtplib.SMTPSenderRefused):
                raise _TryLaterError(answer) from error
            self._settle(message, DeliveryStatus.REFUSED, answer)
            return
        except (aiosmtplib.SMTPNotSupported, ValueError):
            self._settle(
                message, DeliveryStatus.REFUSED, "the mail server cannot take an address of this form"
            )
            return
        except (aiosmtplib.SMTPException, OSError) as error:
            what = f"the connection broke before the message was sent ({_name(error)})"
            raise _ConnectionGoneError(what) from error
        # From here on a cut leaves a doubt.
        self.journal.intend(message, self.clock())
        await self._send_data(connection, message, content)

    async def _announce(
        self, connection: aiosmtplib.SMTP, message: PlannedMessage, *, is_eight_bit: bool
    ) -> None:
        """Tell the server from whom and to whom; every recipient must be taken."""
        sender = envelope_sender(message.sender, message.message_id)
        options = ["BODY=8BITMIME"] if is_eight_bit and connection.supports_extension("8bitmime") else []
        encoding = "ascii"
        if not "".join((sender, *message.recipients)).isascii():
            if not connection.supports_extension("smtputf8"):
                raise aiosmtplib.SMTPNotSupported(
                    "the mail server takes no address with letters beyond ASCII"
                )
            options.append("SMTPUTF8")
            encoding = "utf-8"
        await connection.mail(sender, options=options, encoding=encoding)
        for recipient in message.recipients:
            await connection.rcpt(recipient, encoding=encoding)

    async def _send_data(self, connection: aiosmtplib.SMTP, message: PlannedMessage, content: bytes) -> None:
        try:
            response = await connection.data(content)
        except aiosmtplib.SMTPDataError as error:
            answer = _answer(error.code, error.message, message)
            if TRY_LATER <= error.code < REFUSED_FOR_GOOD:
                self._settle(message, DeliveryStatus.FAILED, answer)
                raise _TryLaterError(answer) from error
            is_refused = error.code >= REFUSED_FOR_GOOD
            self._settle(message, DeliveryStatus.REFUSED if is_refused else DeliveryStatus.UNCERTAIN, answer)
            return
        except (aiosmtplib.SMTPException, OSError) as error:
            self._settle(
                message, DeliveryStatus.UNCERTAIN, f"no answer after the message was sent ({_name(error)})"
            )
            return
        self._settle(message, DeliveryStatus.DISPATCHED, _answer(response.code, response.message, message))

    def _settle(self, message: PlannedMessage, status: DeliveryStatus, answer: str) -> None:
        self.journal.settle(message, status, answer, self.clock())


def _trusting(certificate_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if certificate_file:
        context.load_verify_locations(certificate_file)
    return context


async def _is_good_after_reset(connection: aiosmtplib.SMTP) -> bool:
    """Return whether the connection can take the next message."""
    try:
        await connection.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


def _answer(code: int, text: str, message: PlannedMessage) -> str:
    """Return the server's answer without the addresses of people it may repeat."""
    for address in (*message.recipients, envelope_sender(message.sender, message.message_id), message.sender):
        text = text.replace(address, "<address>") if address else text
    return f"{code} {_one_line(text)}"


def _name(error: BaseException) -> str:
    return type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())
