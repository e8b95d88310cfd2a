"""Keeps messages of which nobody will know whether they left as few as the connections that are open.

A mail server that takes data and answers nothing would otherwise make the whole batch uncertain. So each message
without an answer takes one connection out of use until an answer comes again, and after some in a row nothing more is
sent. For a while after one, data leaves carefully: a server that breaks off before its end then leaves no doubt.
"""

import asyncio

_FEWEST_BEFORE_STOPPING = 3
_CAREFUL_MESSAGES = 100


class Unanswered:
    """Counts what is between intent and answer, and what was never answered."""

    def __init__(self, connections: int) -> None:
        """Begin with none."""
        self.connections = connections
        self.in_a_row = 0
        self._open = 0
        self._careful_for = 0
        self._changed = asyncio.Event()

    @property
    def are_too_many(self) -> bool:
        """Whether nothing more should be sent."""
        return self.in_a_row >= max(self.connections, _FEWEST_BEFORE_STOPPING)

    def take_care(self) -> bool:
        """Return whether the next message leaves carefully."""
        self._careful_for = max(self._careful_for - 1, 0)
        return self._careful_for > 0

    async def begin(self) -> bool:
        """Wait until another message may be under way; return whether it may at all."""
        while not self.are_too_many and self._open >= max(self.connections - self.in_a_row, 1):
            self._changed.clear()
            await self._changed.wait()
        if self.are_too_many:
            return False
        self._open += 1
        return True

    def end(self, *, is_doubt: bool, was_answered: bool) -> None:
        """Note how a message ended that had begun."""
        self._open -= 1
        if is_doubt:
            self.in_a_row += 1
            self._careful_for = _CAREFUL_MESSAGES
        elif was_answered:
            self.in_a_row = 0
        self._changed.set()
