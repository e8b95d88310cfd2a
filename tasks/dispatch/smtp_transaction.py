"""Hands one message to a mail server: the envelope first, the data once the server has taken the customer's address.

The intent is on disk before the first byte of data leaves. Until then a cut leaves no doubt; from then on only the
server's answer settles the message. Where data is still to be sent when the connection breaks, it surely did not leave.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from policies.mail_answers import AnswerMeaning, Phase, read_answer
from tasks.dispatch.deliveries import PlannedMessage
from tasks.dispatch.smtp_commands import (
    AddressFormError,
    make_commands,
    with_dots_doubled,
    with_line_ends,
    without_addresses,
)
from tasks.dispatch.smtp_connection import Connection
from tasks.dispatch.smtp_dialogue import ConnectionBrokenError, Dialogue, Reply
from tasks.dispatch.smtp_server import SmtpServer

# The classes of answers: RFC 5321, 4.2.1.
_CONSENT, _ASKS_FOR_MORE, _FIRST_REFUSAL = 200, 300, 400
_GO_AHEAD = 354
_CLOSING = 421
_END = b".\r\n"
_PIECE = 65_536
_CAREFUL_SECONDS = 0.1
UNKNOWN_FORM = "the mail server cannot take an address of this form"
OUR_UNKNOWN_FORM = "the mail server cannot take the sender or `copy_to` of creditor.yaml in this form"


class Ending(StrEnum):
    """How an attempt ended."""

    LEFT = "left"
    REFUSED = "refused"
    # The same message may leave later, in this release or the next.
    LATER = "later"
    # It may leave once a mistake of ours is mended: with the next release at the earliest.
    MENDED_FIRST = "mended_first"
    # The data was sent and nobody answered.
    DOUBT = "doubt"


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended.

    `has_begun` says that its intent is in the journal; `is_open` that the connection can take the next message;
    `is_no` that the server said no, for good.
    """

    ending: Ending
    answer: str
    is_open: bool = True
    has_begun: bool = False
    is_bad_address: bool = False
    is_no: bool = False


_ENDINGS = {
    AnswerMeaning.LATER: Ending.LATER,
    AnswerMeaning.BAD_ADDRESS: Ending.REFUSED,
    AnswerMeaning.BAD_MESSAGE: Ending.REFUSED,
    AnswerMeaning.OUR_MISTAKE: Ending.MENDED_FIRST,
}


class Transaction:
    """One message over one connection."""

    def __init__(
        self, server: SmtpServer, connection: Connection, message: PlannedMessage, content: bytes
    ) -> None:
        """Prepare a message whose document has these bytes."""
        self.server = server
        self.connection = connection
        self.dialogue: Dialogue = connection.dialogue
        self.message = message
        self.content = with_line_ends(content)
        self.copy_note = ""

    async def hand_over(self, intend: Callable[[], Awaitable[None]], *, is_careful: bool) -> Attempt:
        """Try to hand the message over.

        Args:
            intend: returns when the intent is on disk.
            is_careful: wait a moment before the end of the data, for a server that breaks off without a word.
        """
        if problem := self._too_large():
            return Attempt(Ending.REFUSED, problem)
        try:
            if attempt := await self._announce():
                return attempt
        except AddressFormError as error:
            if error.is_ours:
                return Attempt(Ending.MENDED_FIRST, OUR_UNKNOWN_FORM)
            return Attempt(Ending.REFUSED, UNKNOWN_FORM, is_bad_address=True)
        except ConnectionBrokenError as error:
            why = f"the connection broke before the message was sent: {error}"
            return Attempt(Ending.LATER, why, is_open=False)
        # From here on a cut leaves a doubt.
        await intend()
        return await self._send_data(is_careful=is_careful)

    def _too_large(self) -> str:
        by_server, by_us = self.connection.size_limit, self.server.maximum_message_bytes
        limits = [limit for limit in (by_server, by_us) if limit]
        if not limits or len(self.content) <= min(limits):
            return ""
        whose = "the mail server" if min(limits) == by_server else "smtp.maximum_message_kilobytes"
        return f"the message has {len(self.content):,} bytes, and {whose} takes {min(limits):,} at most"

    async def _announce(self) -> Attempt | None:
        """Say from whom and to whom, and ask to go on; return how it ended, nothing when the server wants the data."""
        commands = make_commands(self.message, self.content, self.connection.offered)
        # Who asks to go on before the answers may be let in although the customer was refused: then no data must
        # follow, and with a copy among the recipients there would be no way back.
        asks_at_once = "pipelining" in self.connection.offered and not self.message.copies
        steps = [commands.mail, *commands.recipients, *([b"DATA\r\n"] if asks_at_once else [])]
        mail, *answers = await self._exchange(steps)
        data = answers.pop() if asks_at_once else None
        customers = answers[: len(self.message.recipients)]
        refusal = self._refusal(Phase.SENDER, mail) or next(
            (found for reply in customers if (found := self._refusal(Phase.RECIPIENT, reply))), None
        )
        if refusal:
            return await self._draw_back(refusal, data)
        refused_copies = [reply for reply in answers[len(customers) :] if not _is_consent(reply)]
        self.copy_note = "".join(f"; the copy was refused: {self._shown(reply)}" for reply in refused_copies)
        if data is None:
            (data,) = await self._exchange([b"DATA\r\n"])
        if data.code != _GO_AHEAD:
            refusal = self._refusal(Phase.DATA, data) or self._out_of_step(data)
            return await self._draw_back(refusal, None)
        return None

    async def _exchange(self, commands: list[bytes]) -> list[Reply]:
        """Return the reply to each command: in one write where the server takes that, else one by one."""
        replies: list[Reply] = []
        is_one_write = "pipelining" in self.connection.offered
        if is_one_write:
            self.dialogue.write(b"".join(commands))
        for command in commands:
            if replies and (replies[-1].code == _CLOSING or (not is_one_write and self._is_over(replies))):
                # Nothing more will be answered, or the rest would be refused too and is not said.
                replies.append(replies[-1])
                continue
            if not is_one_write:
                self.dialogue.write(command)
            replies.append(await self.dialogue.reply(self.server.timeouts.command))
        return replies

    def _is_over(self, replies: list[Reply]) -> bool:
        """Return whether sender or customer were refused, by the answers to MAIL and to the RCPTs so far."""
        return not _is_consent(replies[-1]) and len(replies) <= 1 + len(self.message.recipients)

    async def _draw_back(self, attempt: Attempt, data: Reply | None) -> Attempt:
        """Leave the transaction without data, so that the connection can take the next message."""
        if not attempt.is_open:
            return attempt
        try:
            if data and data.code == _GO_AHEAD:
                # RFC 2920, 3.1: the server waits for data although it has no recipient. It gets an empty message.
                self.dialogue.write(_END)
                await self.dialogue.reply(self.server.timeouts.command)
            self.dialogue.write(b"RSET\r\n")
            is_open = _is_consent(await self.dialogue.reply(self.server.timeouts.command))
        except ConnectionBrokenError:
            is_open = False
        return replace(attempt, is_open=is_open)

    async def _send_data(self, *, is_careful: bool) -> Attempt:
        data = with_dots_doubled(self.content)
        last = max(len(data) - _PIECE, 0) if not is_careful else len(data)
        try:
            for start in range(0, last, _PIECE):
                self.dialogue.write(data[start : min(start + _PIECE, last)])
                await self.dialogue.taken(self.server.timeouts.data)
            if is_careful:
                await asyncio.sleep(_CAREFUL_SECONDS)
                await self.dialogue.taken(self.server.timeouts.data)
            self.dialogue.write(data[last:] + _END)
        except ConnectionBrokenError as error:
            why = f"the connection broke before the whole message was sent: {error}"
            return Attempt(Ending.LATER, why, is_open=False, has_begun=True)
        try:
            reply = await self.dialogue.reply(self.server.timeouts.answer)
        except ConnectionBrokenError as error:
            return Attempt(
                Ending.DOUBT, f"no answer after the message was sent: {error}", is_open=False, has_begun=True
            )
        return self._answered(reply)

    def _answered(self, reply: Reply) -> Attempt:
        """Read the answer to the whole message."""
        if _is_consent(reply):
            return Attempt(
                Ending.LEFT, self._shown(reply) + self.copy_note, self._is_usable(reply), has_begun=True
            )
        refusal = self._refusal(Phase.DATA, reply)
        if refusal is None:
            return Attempt(Ending.DOUBT, self._shown(reply), is_open=False, has_begun=True)
        return replace(refusal, has_begun=True)

    def _refusal(self, phase: Phase, reply: Reply) -> Attempt | None:
        if _is_consent(reply):
            return None
        if reply.code < _FIRST_REFUSAL:
            return self._out_of_step(reply) if phase is not Phase.DATA else None
        meaning = read_answer(phase, reply.code, reply.text)
        return Attempt(
            _ENDINGS[meaning],
            self._shown(reply),
            self._is_usable(reply),
            is_bad_address=meaning is AnswerMeaning.BAD_ADDRESS,
            is_no=meaning is not AnswerMeaning.LATER,
        )

    def _out_of_step(self, reply: Reply) -> Attempt:
        return Attempt(Ending.LATER, f"unexpected answer: {self._shown(reply)}", is_open=False)

    def _is_usable(self, reply: Reply) -> bool:
        return reply.code != _CLOSING and not self.dialogue.broken

    def _shown(self, reply: Reply) -> str:
        return without_addresses(f"{reply.code} {reply.text}", self.message)


def _is_consent(reply: Reply) -> bool:
    return _CONSENT <= reply.code < _ASKS_FOR_MORE
