"""A mail server in a process of its own, that keeps its count on disk and fails as it is told.

python -m tests.torture.mail_sink LEDGER FAULT SEED; prints its port. One line of LEDGER for each message it took, on
disk before it answers, and one for each message whose data it read and never answered.
"""

import asyncio
import hashlib
import json
import os
import re
import sys
from typing import Any

FAULTS = ("drop before the dot", "drop after the dot", "421", "450", "550", "stall")
NO_FAULT = "none"
FAULTY_SHARE = 0.15
STALL_SECONDS = 1.5

_OFFERED = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 SIZE 50000000\r\n"


class Ledger:
    """What the server took and what it left without an answer."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, **entry: Any) -> None:
        os.write(self._file, (json.dumps(entry) + "\n").encode())
        os.fsync(self._file)


class Faults:
    """Which messages meet the fault: a share of the recipients, each at the first try only, except for good."""

    def __init__(self, fault: str, seed: str) -> None:
        self.fault = fault
        self.seed = seed
        self._met: set[str] = set()

    def strikes(self, fault: str, recipient: str) -> bool:
        if fault != self.fault:
            return False
        chance = int(hashlib.sha256(f"{self.seed} {recipient}".encode()).hexdigest()[:8], 16) / 2**32
        if chance >= FAULTY_SHARE or (recipient in self._met and fault != "550"):
            return False
        self._met.add(recipient)
        return True

    def chance_for(self, recipient: str) -> bool:
        """Return one of two ways to fail, always the same for a recipient."""
        return hashlib.sha256(f"way {self.seed} {recipient}".encode()).digest()[0] % 2 == 0


class Talk:
    """One connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ledger: Ledger, faults: Faults
    ) -> None:
        self.reader, self.writer, self.ledger, self.faults = reader, writer, ledger, faults
        self.sender, self.recipients = "", list[str]()

    async def go_on(self) -> None:
        """Answer until the client leaves or a fault ends it."""
        try:
            self.writer.write(b"220 sink\r\n")
            while line := await self.reader.readline():
                if not await self._answer(line.decode().strip()):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writer.close()

    async def _answer(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                self.writer.write(_OFFERED)
            case "MAIL":
                self.sender, self.recipients = _address(rest), []
                self.writer.write(b"250 ok\r\n")
            case "RCPT":
                return await self._take_recipient(_address(rest))
            case "DATA" if self.recipients:
                self.writer.write(b"354 go ahead\r\n")
                return await self._take_data()
            case "DATA":
                self.writer.write(b"554 no valid recipients\r\n")
            case "RSET":
                self.recipients = []
                self.writer.write(b"250 ok\r\n")
            case "QUIT":
                self.writer.write(b"221 bye\r\n")
                return False
            case _:
                self.writer.write(b"502 what?\r\n")
        return True

    async def _take_recipient(self, recipient: str) -> bool:
        if self.faults.strikes("421", recipient):
            self.writer.write(b"421 4.7.0 come back later\r\n")
            return False
        if self.faults.strikes("450", recipient):
            self.writer.write(b"450 4.2.0 greylisted\r\n")
            return True
        if self.faults.strikes("550", recipient):
            self.writer.write(b"550 5.1.1 no such mailbox\r\n")
            return True
        if self.faults.chance_for(recipient) and self.faults.strikes("stall", recipient):
            await asyncio.sleep(STALL_SECONDS)
        self.recipients.append(recipient)
        self.writer.write(b"250 ok\r\n")
        return True

    async def _take_data(self) -> bool:
        recipient = self.recipients[0]
        if self.faults.strikes("drop before the dot", recipient):
            await self.reader.readline()
            self.ledger.write(unanswered=self.sender)
            self.writer.transport.abort()
            return False
        content = await self.reader.readuntil(b"\r\n.\r\n")
        named = re.search(rb"(?im)^Message-ID:\s*<([^@>]+)@", content)
        message_id = named[1].decode() if named else "?"
        stalls = self.faults.strikes("stall", recipient)
        drops = self.faults.strikes("drop after the dot", recipient)
        if stalls or drops:
            self.ledger.write(unanswered=self.sender)
        self.ledger.write(message_id=message_id, sender=self.sender, recipients=self.recipients)
        if drops:
            self.writer.transport.abort()
            return False
        if stalls:
            await asyncio.sleep(STALL_SECONDS)
        self.writer.write(b"250 2.0.0 taken\r\n")
        await self.writer.drain()
        return True


def _address(rest: str) -> str:
    found = re.search(r"<([^>]*)>", rest)
    return found[1] if found else ""


async def serve(ledger: str, fault: str, seed: str) -> None:
    """Serve until killed."""
    kept, faults = Ledger(ledger), Faults(fault, seed)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Talk(reader, writer, kept, faults).go_on()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
