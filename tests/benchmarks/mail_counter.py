"""A mail server that only counts, in a process of its own: python -m tests.benchmarks.mail_counter; prints its port."""

import asyncio
from typing import cast

_OFFERED = b"250-counter\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SIZE 50000000\r\n"
_END = b"\r\n.\r\n"


class Counting(asyncio.Protocol):
    """One connection: says yes to everything and keeps nothing."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.rest = b""
        self.is_data = False
        self.transport.write(b"220 counter\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while self._take_one():
            pass

    def _take_one(self) -> bool:
        if self.is_data:
            if not self.rest.endswith(_END):
                return False
            self.rest, self.is_data = b"", False
            Counting.taken += 1
            self.transport.write(b"250 2.0.0 taken\r\n")
            return True
        line, found, rest = self.rest.partition(b"\r\n")
        if not found:
            return False
        self.rest = rest
        match line[:4].upper():
            case b"EHLO":
                self.transport.write(_OFFERED)
            case b"DATA":
                self.is_data = True
                self.transport.write(b"354 go ahead\r\n")
            case b"QUIT":
                self.transport.write(b"221 bye\r\n")
                self.transport.close()
            case b"NOOP":
                self.transport.write(f"250 {Counting.taken}\r\n".encode())
            case _:
                self.transport.write(b"250 ok\r\n")
        return True


async def serve() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Counting, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
