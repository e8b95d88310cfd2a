"""A mail server on this machine that says what a script tells it, in a thread for each connection."""

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

OFFERED = ("PIPELINING", "8BITMIME", "SIZE 10000000", "DSN")
DROP = "drop"


@dataclass
class Script:
    """What the server offers and says; answers to RCPT are found by recipient, those to data by how many came before.

    Attributes:
        goes_ahead: answers DATA with 354 although no recipient was taken.
        before_the_end: breaks off in the middle of the data, for so many messages.
        answers: how many messages may be answered until more are released; without it, all of them.
        unasked: is said after each message beside its answer.
        heard: what came, as it came: one entry for each piece.
        taken: the data of each message that was taken.
    """

    offered: Sequence[str] = OFFERED
    to_sender: str = "250 ok"
    to_recipient: dict[str, str] = field(default_factory=dict)
    to_data: Sequence[str] = ()
    goes_ahead: bool = False
    before_the_end: int = 0
    answers: threading.Semaphore | None = None
    unasked: str = ""
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    data_seen: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)
    connections: int = 0

    def commands(self, verb: str) -> list[str]:
        """Return the commands of one kind, in order."""
        lines = b"".join(self.heard).decode().split("\r\n")
        return [line for line in lines if line.startswith(verb)]


@contextmanager
def listening(script: Script) -> Iterator[Script]:
    """Run the server on a free port."""

    class Handler(_Connection):
        told = script

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        script.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield script
        server.shutdown()


class _Connection(socketserver.BaseRequestHandler):
    told: Script

    def handle(self) -> None:
        self.rest = b""
        self.recipients: list[str] = []
        self.told.connections += 1
        self.say("220 scripted")
        while line := self.until(b"\r\n"):
            if not self.answer(line.decode().strip()):
                return

    def say(self, *lines: str) -> None:
        self.request.sendall("".join(f"{line}\r\n" for line in lines if line).encode())

    def until(self, end: bytes) -> bytes:
        while end not in self.rest:
            piece = self.request.recv(65536)
            if not piece:
                return b""
            self.told.heard.append(piece)
            self.rest += piece
        found, _, self.rest = self.rest.partition(end)
        return found + end

    def answer(self, line: str) -> bool:
        match line[:4].upper():
            case "EHLO":
                *first, last = ("scripted", *self.told.offered)
                self.say(*(f"250-{one}" for one in first), f"250 {last}")
            case "MAIL":
                self.recipients = []
                self.say(self.told.to_sender)
            case "RCPT":
                return self.take_recipient(line)
            case "DATA" if self.recipients or self.told.goes_ahead:
                self.say("354 go ahead")
                return self.take_data()
            case "DATA":
                self.say("503 5.5.1 no recipient")
            case "QUIT":
                self.say("221 bye")
                return False
            case _:
                self.say("250 ok")
        return True

    def take_recipient(self, line: str) -> bool:
        recipient = line.partition("<")[2].partition(">")[0]
        answer = self.told.to_recipient.get(recipient, "250 ok")
        if answer == DROP:
            return False
        if answer.startswith("250"):
            self.recipients.append(recipient)
        self.say(answer)
        return answer[:3] != "421"

    def take_data(self) -> bool:
        if self.told.before_the_end:
            self.told.before_the_end -= 1
            self.until(b"\r\n")
            return False
        content = self.until(b"\r\n")
        # An empty message is a dot alone.
        content += self.until(b"\r\n.\r\n") if content not in (b"", b".\r\n") else b""
        if not content:
            return False
        if not self.recipients:
            self.say("554 5.5.1 no valid recipients")
            return True
        with self.told.counting:
            number, self.told.data_seen = self.told.data_seen, self.told.data_seen + 1
        if self.told.answers:
            self.told.answers.acquire()
        answer = self.told.to_data[number] if number < len(self.told.to_data) else "250 2.0.0 taken"
        if answer == DROP:
            return False
        if answer.startswith("250"):
            self.told.taken.append(content)
        if answer:
            self.say(answer, *([self.told.unasked] if self.told.unasked else []))
        return answer[:3] != "421"
