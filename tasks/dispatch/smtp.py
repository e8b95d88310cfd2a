"""Hands e-mail to a mail server over several connections, in rounds: what the server asks to try later comes again.

One connection is opened in `smtp_connection.py`, one message handed over in `smtp_transaction.py`. Whatever happens,
a message is noted in the journal before its data leaves, and its outcome before the connection takes another.
"""

import asyncio
import signal
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from policies.errors import CreditorInvalidError
from policies.explanations import counted
from policies.first_refusals import MOST_DOMAINS, FirstRefusals
from policies.hosts import is_local_host
from policies.pacing import PacedQueue
from tasks.dispatch.deliveries import DeliveryStatus, PlannedMessage
from tasks.dispatch.departure import Departure, DocumentChangedError, read_unchanged
from tasks.dispatch.smtp_connection import Connection, ServerAwayError, open_connection, trust
from tasks.dispatch.smtp_server import SmtpServer, growing_waits
from tasks.dispatch.smtp_transaction import Attempt, Ending, Transaction
from tasks.dispatch.telling import tell_by_reason
from tasks.dispatch.unanswered import Unanswered

_LONGEST_NAP_SECONDS = 1.0
_LAST_ANSWERS_SECONDS = 5
_MOST_BROKEN_IN_A_ROW = 2
_TERMINATED = 128 + signal.SIGTERM

_STATUSES = {
    Ending.LEFT: DeliveryStatus.DISPATCHED,
    Ending.REFUSED: DeliveryStatus.REFUSED,
    Ending.DOUBT: DeliveryStatus.UNCERTAIN,
}


class SmtpTransport:
    """Sends messages to one mail server."""

    def __init__(self, server: SmtpServer) -> None:
        """Refuse to send a password in clear text over the network, and certificates that cannot be read."""
        if server.login and server.security == "none" and not is_local_host(server.host):
            raise CreditorInvalidError(
                f"creditor.yaml: smtp.security: 'none' would send the password to {server.host} in clear text "
                "(allowed: starttls, tls)"
            )
        self.server = server
        self.trusted = trust(server)

    def dispatch(self, messages: Sequence[PlannedMessage], departure: Departure) -> list[str]:
        """Send the messages; return what went wrong, in sentences."""
        session = _Session(self.server, self.trusted, messages, departure)
        try:
            asyncio.run(session.run())
        except asyncio.CancelledError:
            raise SystemExit(_TERMINATED) from None
        return session.problems()


class _Session:
    """One release: rounds of workers that take messages from a common queue, each over a connection of its own."""

    def __init__(
        self,
        server: SmtpServer,
        trusted: ssl.SSLContext | None,
        messages: Sequence[PlannedMessage],
        departure: Departure,
    ) -> None:
        self.server = server
        self.departure = departure
        self.queue = PacedQueue[PlannedMessage](
            server.messages_per_minute, server.messages_per_minute_per_domain
        )
        # What was refused before the server took anything waits until the others were tried.
        self._add(sorted(messages, key=lambda message: message.message_id in departure.journal.outcomes))
        self.unanswered = Unanswered(server.connections)
        self.first_refusals = FirstRefusals[tuple[PlannedMessage, Attempt]]()
        self.trusted = trusted
        self.later: dict[PlannedMessage, str] = {}
        self.mended_first: dict[PlannedMessage, str] = {}
        self.refused: dict[PlannedMessage, str] = {}
        self.changed: list[str] = []
        self.server_problem = ""
        self.is_hopeless = False
        self.is_ending = False

    async def run(self) -> None:
        """Send everything in the queue, or as much as the server takes.

        Raises:
            asyncio.CancelledError: the release was ended from outside; what is under way is given a moment to end.
        """
        with _ended_by_sigterm():
            for wait_seconds in (0, *growing_waits(self.server.retry_for_seconds)):
                await asyncio.sleep(wait_seconds)
                if self._is_over():
                    break
                self.server_problem = ""
                self._add(list(self.later))
                self.later.clear()
                await self._work_together()
                if not (self.queue or self.later):
                    break
            self._judge_first_refusals()

    def problems(self) -> list[str]:
        """Return what went wrong, in sentences."""
        sentences = [
            *self.changed,
            *tell_by_reason("waiting for the next release", self.later),
            *tell_by_reason("waiting until this is mended, for the next release", self.mended_first),
            *tell_by_reason("refused for what it is, not for its address", self.refused),
        ]
        left = f"Messages not sent: {len(self.queue)}, ready for the next release."
        if self.unanswered.are_too_many:
            answers = counted(self.unanswered.in_a_row, "message")
            what = f"the mail server {self.server.name} gave no answer to {answers} in a row after taking the data"
            sentences.append(f"{what}; nothing more was sent. {left}")
        elif self.first_refusals.are_our_fault:
            what = (
                f"the mail server {self.server.name} took nothing and refused {MOST_DOMAINS} domains in a row"
            )
            sentences.append(f"{what}: no customer is blamed, and nothing more was sent. {left}")
        elif self.queue and not self.departure.was_stopped:
            where = f"the mail server {self.server.name} cannot be used"
            sentences.append(f"{where}: {self.server_problem or 'it closes every connection'}. {left}")
        return sentences

    def _add(self, messages: Sequence[PlannedMessage]) -> None:
        self.queue.add((_domain(message), message) for message in messages)

    def _is_over(self) -> bool:
        return (
            self.is_hopeless
            or self.is_ending
            or self.unanswered.are_too_many
            or self.first_refusals.are_our_fault
            or not self.departure.may_go_on()
        )

    async def _work_together(self) -> None:
        """Let one worker for each connection send; an end from outside waits for the answers under way."""
        workers = [
            asyncio.create_task(self._work()) for _ in range(min(self.server.connections, len(self.queue)))
        ]
        try:
            await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            if pending := [worker for worker in workers if not worker.done()]:
                self.is_ending = True
                await asyncio.wait(pending, timeout=_LAST_ANSWERS_SECONDS)
                for worker in pending:
                    worker.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
        for worker in workers:
            if not worker.cancelled() and (error := worker.exception()):
                raise error

    async def _work(self) -> None:
        """Send messages until none are left or the server cannot be reached."""
        broken_in_a_row = 0
        while self.queue and not self._is_over() and broken_in_a_row < _MOST_BROKEN_IN_A_ROW:
            try:
                connection = await open_connection(self.server, self.trusted)
            except ServerAwayError as error:
                self.server_problem = str(error)
                self.is_hopeless = self.is_hopeless or error.is_hopeless
                return
            try:
                sent = await self._send_over(connection)
            finally:
                connection.close()
            broken_in_a_row = 0 if sent else broken_in_a_row + 1

    async def _send_over(self, connection: Connection) -> int:
        """Send messages over one connection while it is good; return how many were answered."""
        answered = 0
        while message := await self._next():
            if not connection.dialogue.is_in_step or not await self._may_begin():
                self.queue.put_back(_domain(message), message)
                return answered
            attempt = None
            try:
                attempt = await self._attempt(connection, message)
            finally:
                self.unanswered.end(
                    is_doubt=attempt is None or attempt.ending is Ending.DOUBT,
                    was_answered=attempt is not None and attempt.has_begun,
                )
            if attempt.ending is Ending.LATER and not attempt.is_open and not attempt.has_begun and answered:
                # A server may take only so many messages over one connection.
                self.queue.put_back(_domain(message), message)
            else:
                self._note(message, attempt)
            answered += attempt.is_open or attempt.ending in (Ending.LEFT, Ending.DOUBT)
            if not attempt.is_open:
                return answered
        await connection.say_goodbye()
        return answered

    async def _next(self) -> PlannedMessage | None:
        """Return the next message as soon as the pace allows it, nothing when this is the end."""
        while self.queue and not self._is_over():
            if message := self.queue.take(time.monotonic()):
                return message
            await asyncio.sleep(min(self.queue.seconds_until_next(time.monotonic()), _LONGEST_NAP_SECONDS))
        return None

    async def _may_begin(self) -> bool:
        """Return whether a message may leave, once it is its turn: by then people may have stopped the release."""
        if not await self.unanswered.begin():
            return False
        if is_over := self._is_over():
            self.unanswered.end(is_doubt=False, was_answered=False)
        return not is_over

    async def _attempt(self, connection: Connection, message: PlannedMessage) -> Attempt:
        try:
            content = read_unchanged(message)
        except DocumentChangedError as error:
            self.changed.append(str(error))
            return Attempt(Ending.MENDED_FIRST, "")
        journal, clock = self.departure.journal, self.departure.clock
        transaction = Transaction(self.server, connection, message, content)
        return await transaction.hand_over(
            lambda: journal.intend_with_others(message, clock()), is_careful=self.unanswered.take_care()
        )

    def _note(self, message: PlannedMessage, attempt: Attempt) -> None:
        """Note how an attempt ended, and what follows for refusals that were kept back."""
        if attempt.ending is Ending.LEFT:
            for earlier in self.first_refusals.take():
                self._settle(*earlier)
        if attempt.is_no:
            self.first_refusals.refuse(_domain(message))
        is_final = attempt.is_no and attempt.ending is Ending.REFUSED
        if is_final and self.first_refusals.keep_back((message, attempt)):
            self._write_down(message, attempt, DeliveryStatus.FAILED)
        else:
            self._settle(message, attempt)
        if attempt.ending is not Ending.LATER:
            self.departure.done()

    def _judge_first_refusals(self) -> None:
        """Let refusals that were kept back count if everything was tried, else let them wait with the rest."""
        for message, attempt in [] if self.queue else self.first_refusals.end():
            self._settle(message, attempt)
        waiting = self.mended_first if self.first_refusals.are_our_fault else self.later
        waiting.update((message, attempt.answer) for message, attempt in self.first_refusals.kept_back)

    def _settle(self, message: PlannedMessage, attempt: Attempt) -> None:
        """Write down how an attempt ended, and keep what is to be told or tried again."""
        match attempt.ending:
            case Ending.LATER:
                self.later[message] = attempt.answer
            case Ending.MENDED_FIRST if attempt.answer:
                self.mended_first[message] = attempt.answer
            case Ending.REFUSED if not attempt.is_bad_address:
                self.refused[message] = attempt.answer
        status = _STATUSES.get(attempt.ending, DeliveryStatus.FAILED)
        if status is not DeliveryStatus.FAILED or attempt.has_begun or attempt.is_no:
            self._write_down(message, attempt, status)

    def _write_down(self, message: PlannedMessage, attempt: Attempt, status: DeliveryStatus) -> None:
        is_bad_address = attempt.is_bad_address and status is DeliveryStatus.REFUSED
        journal, now = self.departure.journal, self.departure.clock()
        journal.settle(message, status, attempt.answer, now, is_bad_address=is_bad_address)


def _domain(message: PlannedMessage) -> str:
    return message.recipients[0].rpartition("@")[2].lower() if message.recipients else ""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """End the running task in good order on SIGTERM, where nobody else has said what that means."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    is_ours = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if task is None or not is_ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
