"""What DuckDB says when the disk or the file is at fault, told as something a person can put right.

An opening of the store is one transaction: after any of these faults it is as it was before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from policies.errors import AuditBrokenError, RelanceError, WrongUseError


class DiskFaultError(WrongUseError):
    """The disk is full, or does not let this program write."""


class StoreDamagedError(AuditBrokenError):
    """The bytes of the store's file are not those that were written."""


@dataclass(frozen=True)
class _Fault:
    """What DuckDB says of a fault, the error it becomes, and what a person is told."""

    signs: tuple[str, ...]
    error: type[RelanceError]
    told: str


_FAULTS = (
    _Fault(
        ("No space left on device", "Disk quota exceeded", "File too large", "failed to offload data block"),
        DiskFaultError,
        "{path}: the disk is full ({reason}). Nothing half-done was kept. Free some space, then run the same command "
        "again.",
    ),
    _Fault(
        ("older version of DuckDB", "newer version of DuckDB"),
        WrongUseError,
        "{path}: written by another version of DuckDB ({reason}). Use the version of Relance that wrote it; nothing "
        "was changed.",
    ),
    _Fault(
        (
            "not a valid DuckDB database file",
            "Corrupt database file",
            "Could not read enough bytes",
            "Failure while replaying WAL file",
            "Failed to load metadata pointer",
        ),
        StoreDamagedError,
        "{path} is damaged and was left as it is ({reason}). Keep it aside with its folder, then put the last backup "
        "into a new folder: `relance restore BACKUP NEW --journals OLD/outbox`.",
    ),
    _Fault(
        ("Permission denied", "Read-only file system", "Operation not permitted", "Cannot open file"),
        DiskFaultError,
        "{path} cannot be opened or written ({reason}). Nothing was changed. Let the user that runs Relance write "
        "this file and its folder, then run the same command again.",
    ),
)
"""The first whose sign stands in the error counts."""


@contextmanager
def telling_faults(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors about the disk or about this file into errors that say what to do."""
    try:
        yield
    except duckdb.Error as error:
        # Constraints, wrong SQL and the like are bugs of ours, and stay what they are.
        text = str(error)
        reason = text.partition("\n")[0].removeprefix("IO Error: ")
        for fault in _FAULTS:
            if any(sign in text for sign in fault.signs):
                raise fault.error(fault.told.format(path=path, reason=reason)) from error
        raise
