"""Errors that the user can fix: shown without a traceback, each kind with its own exit code.

Bugs stay ordinary exceptions (exit 1). Bad rows of a file are data (a table of problems), not exceptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line returns; of several the first of 1, 6, 4, 3, 5, 2 is told."""

    DONE = 0
    BUG = 1
    WRONG_USE = 2
    INPUT_REFUSED = 3
    POLICY_INVALID = 4
    WAITING = 5
    AUDIT_BROKEN = 6


class RelanceError(Exception):
    """Something the user can put right; its text says what, where, why and how to fix it."""

    exit_code = ExitCode.WRONG_USE


class WrongUseError(RelanceError):
    """A command was called in a way that makes no sense."""


class PolicyInvalidError(RelanceError):
    """A policy, rate table, declaration or template is wrong."""

    exit_code = ExitCode.POLICY_INVALID


class CreditorInvalidError(PolicyInvalidError):
    """The file `creditor.yaml` is wrong; `problems` lists everything found, the text says it."""

    def __init__(self, text: str, problems: "Sequence[Problem]" = ()) -> None:
        """Keep the problems beside the text."""
        super().__init__(text)
        self.problems = tuple(problems)


class WaitingError(RelanceError):
    """Something waits for a person before the command can go on."""

    exit_code = ExitCode.WAITING


class AuditBrokenError(RelanceError):
    """The audit chain does not hold."""

    exit_code = ExitCode.AUDIT_BROKEN


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a YAML file: where (`segments[1].when`, its line), what, and what is allowed."""

    file: str
    key_path: str
    what: str
    allowed: str = ""
    line: int | None = None

    def sentence(self) -> str:
        """Return the problem as one line for people."""
        where = f"{self.file}: {self.key_path}: " if self.key_path else f"{self.file}: "
        where += f"line {self.line}: " if self.line else ""
        return f"{where}{self.what}" + (f" (allowed: {self.allowed})" if self.allowed else "")
