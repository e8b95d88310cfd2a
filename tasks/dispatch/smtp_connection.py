"""Opens a connection to a mail server: encrypted and verified, signed in, and knowing what the server offers."""

import ssl
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

from policies.errors import CreditorInvalidError
from tasks.dispatch.smtp_dialogue import ConnectionBrokenError, Dialogue
from tasks.dispatch.smtp_server import SmtpServer

_GOODBYE_SECONDS = 2


class ServerAwayError(Exception):
    """The mail server cannot be used; the text says why, and `is_hopeless` that trying again will not help."""

    def __init__(self, why: str, *, is_hopeless: bool = False) -> None:
        """Keep why."""
        super().__init__(why)
        self.is_hopeless = is_hopeless


@dataclass
class Connection:
    """An open connection, and what the server behind it offers, in small letters, with parameters."""

    dialogue: Dialogue
    offered: dict[str, str]

    @property
    def size_limit(self) -> int:
        """The largest message the server takes, in bytes; 0 when it names no limit."""
        limit = self.offered.get("size", "")
        return int(limit) if limit.isascii() and limit.isdigit() else 0

    async def say_goodbye(self) -> None:
        """End the connection in good order, as far as the server still listens."""
        with suppress(ConnectionBrokenError):
            self.dialogue.write(b"QUIT\r\n")
            await self.dialogue.reply(_GOODBYE_SECONDS)

    def close(self) -> None:
        """End the connection."""
        self.dialogue.close()


def trust(server: SmtpServer) -> ssl.SSLContext | None:
    """Return whom to believe that it is the mail server: the machine's authorities, and the company's own."""
    if server.security == "none":
        return None
    context = ssl.create_default_context()
    if server.certificate_file:
        try:
            context.load_verify_locations(server.certificate_file)
        except OSError as error:
            raise CreditorInvalidError(
                f"creditor.yaml: smtp.certificate_file: {server.certificate_file} cannot be read as certificates "
                f"({error.strerror or error}); name a PEM file."
            ) from error
    return context


async def open_connection(server: SmtpServer, trusted: ssl.SSLContext | None) -> Connection:
    """Return a connection that is ready for messages.

    Raises:
        ServerAwayError: there is none.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        timeout=server.timeouts.connect,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        username=server.login.username if server.login else None,
        password=server.login.password if server.login else None,
        tls_context=trusted,
    )
    try:
        await client.connect()
        await _say_hello(client)
        dialogue = Dialogue.take_over(client)
    except (aiosmtplib.SMTPException, OSError, ConnectionBrokenError, ValueError) as error:
        client.close()
        raise _away(error) from error
    return Connection(dialogue, dict(client.esmtp_extensions))


async def _say_hello(client: aiosmtplib.SMTP) -> None:
    """Learn what the server offers; an old one that knows no EHLO offers nothing."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            if not client.is_connected:
                raise
            await client.helo()


def _away(error: BaseException) -> ServerAwayError:
    """Say why there is no connection."""
    text = " ".join(str(error).encode("utf-8", "replace").decode().split()) or type(error).__name__
    if certificate := _certificate_error(error):
        return ServerAwayError(
            f"its certificate cannot be trusted ({certificate.verify_message}). Nothing was sent. If it is that of "
            "your own company, name its authority in creditor.yaml: smtp.certificate_file",
            is_hopeless=True,
        )
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # Wrong credentials stay wrong, and trying them again may lock the account.
        is_final = error.code >= aiosmtplib.SMTPStatus.unrecognized_command
        return ServerAwayError(
            f"it does not accept the login ({error.code} {_one_line(error.message)})", is_hopeless=is_final
        )
    if type(error) is aiosmtplib.SMTPException and "STARTTLS" in text:
        return ServerAwayError(
            "it offers no encryption (STARTTLS) and creditor.yaml asks for it; nothing was sent",
            is_hopeless=True,
        )
    return ServerAwayError(text)


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())
