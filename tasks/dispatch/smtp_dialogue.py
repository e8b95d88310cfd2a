"""Commands out, replies in, over a connection that aiosmtplib has opened, encrypted and signed in.

aiosmtplib waits for the reply to each command and drops what came with it; here several commands leave in one write
(PIPELINING, RFC 2920) and each reply is kept until it is asked for.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Self, cast

import aiosmtplib

_LONGEST_REPLY = 32_768
_CODE_DIGITS = 3


class ConnectionBrokenError(Exception):
    """The connection is of no more use; the text says why."""


@dataclass(frozen=True)
class Reply:
    """What the server answered: three digits, and text in one line."""

    code: int
    text: str


class Dialogue(asyncio.Protocol):
    """One connection; whoever writes so many commands asks for as many replies."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Speak over a transport that is open."""
        self.transport = transport
        self.broken = ""
        self._rest = b""
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    @classmethod
    def take_over(cls, connection: aiosmtplib.SMTP) -> Self:
        """Go on with a connection where aiosmtplib leaves it."""
        transport = connection.transport
        if transport is None or transport.is_closing():
            raise ConnectionBrokenError("the mail server closed the connection")
        dialogue = cls(cast("asyncio.Transport", transport))
        transport.set_protocol(dialogue)
        return dialogue

    @property
    def is_in_step(self) -> bool:
        """Whether the connection is open and nothing came that nobody asked for."""
        return not (self.broken or self._replies or self._lines or self._rest)

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them to be sent as soon as the server takes more."""
        if self.broken:
            raise ConnectionBrokenError(self.broken)
        self.transport.write(data)

    async def taken(self, seconds: float) -> None:
        """Return when little is left to be sent of what was written.

        Raises:
            ConnectionBrokenError: the server closed the connection, or took too long.
        """
        if not self._may_write.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._may_write.wait()
            except TimeoutError:
                raise self._break(f"the mail server took no data for {seconds:g} seconds") from None
        if self.broken:
            raise ConnectionBrokenError(self.broken)

    async def reply(self, seconds: float) -> Reply:
        """Return the next reply.

        Raises:
            ConnectionBrokenError: there is none, or not in time.
        """
        if not self._replies:
            if self.broken:
                raise ConnectionBrokenError(self.broken)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            except TimeoutError:
                raise self._break(f"no answer within {seconds:g} seconds") from None
            finally:
                self._waiter = None
            if not self._replies:
                raise ConnectionBrokenError(self.broken)
        return self._replies.popleft()

    def close(self) -> None:
        """Close the connection; what the server still says is not heard."""
        self._break("the connection was closed")

    def data_received(self, data: bytes) -> None:
        """Keep the replies that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take_line(line.rstrip(b"\r"))
        if len(self._rest) + sum(map(len, self._lines)) > _LONGEST_REPLY:
            self._break("the mail server's answer has no end")
        self._wake()

    def eof_received(self) -> bool:
        """Let the transport close: nothing more will be answered."""
        self._lose("the mail server closed the connection")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        self._lose(f"the connection broke ({type(error).__name__})" if error else "the connection was closed")

    def pause_writing(self) -> None:
        """Wait with more data."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Go on with data."""
        self._may_write.set()

    def _take_line(self, line: bytes) -> None:
        if not (line[:_CODE_DIGITS].isdigit() and line[_CODE_DIGITS : _CODE_DIGITS + 1] in (b"", b" ", b"-")):
            self._break("the mail server's answer is none that mail servers give")
            return
        self._lines.append(line[_CODE_DIGITS + 1 :])
        if line[_CODE_DIGITS : _CODE_DIGITS + 1] != b"-":
            text = " ".join(b" ".join(self._lines).decode("utf-8", "replace").split())
            self._replies.append(Reply(int(line[:_CODE_DIGITS]), text))
            self._lines = []

    def _lose(self, why: str) -> None:
        self.broken = self.broken or why
        self._may_write.set()
        self._wake()

    def _break(self, why: str) -> ConnectionBrokenError:
        self._lose(why)
        self.transport.abort() if not self.transport.is_closing() else None
        return ConnectionBrokenError(why)

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done() and (self._replies or self.broken):
            self._waiter.set_result(None)
