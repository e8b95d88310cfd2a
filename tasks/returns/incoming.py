"""Mail on its way in, from wherever it lies: a folder in the form of a Maildir, or files. Nothing is moved here.

A mailbox on a server is read in `tasks.returns.imap`.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from policies.errors import WrongUseError
from tasks.returns.safe_mail import MOST_BYTES
from tasks.store.returns import Position

CHUNK = 50
"""So many mails are held in memory, and taken in in one transaction."""

_MAILDIR_PARTS = ("cur", "new")
_LONGEST_HEAD = 65_536


@dataclass(frozen=True)
class Incoming:
    """One mail: its first bytes, where a person finds it; of a file its path, the instant of its change, its hash."""

    source: str
    place: str
    content: bytes
    path: Path | None = None
    changed_ns: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Chunk:
    """Some mails of one place, and how far it is read once they are taken in."""

    mails: Sequence[Incoming]
    position: Position | None = None


def of_files(paths: Sequence[Path], source: str) -> Iterator[Chunk]:
    """Yield mail that stands in files."""
    for start in range(0, len(paths), CHUNK):
        mails = [mail for path in paths[start : start + CHUNK] for mail in _incoming(path, source)]
        yield Chunk(mails)


def _incoming(path: Path, source: str) -> list[Incoming]:
    """Return a file as a mail, nothing when it cannot be read."""
    try:
        with path.open("rb") as file:
            changed = os.fstat(file.fileno()).st_mtime_ns
            content = file.read(MOST_BYTES)
            file.seek(0)
            whole = hashlib.file_digest(file, "sha256").hexdigest()
            return [Incoming(source, mail_place(content), content, path, changed, whole)]
    except OSError:
        return []


def mail_place(content: bytes) -> str:
    """Return what a mail in a file is called where many can read it; names of files tell persons and subjects.

    Of its content it is the beginning of the number that the log knows it by.
    """
    return f"mail {hashlib.sha256(content).hexdigest()[:12]}"


def of_maildir(folder: Path) -> Iterator[Chunk]:
    """Yield the mail of a Maildir; what was taken in before is known by its bytes.

    Raises:
        WrongUseError: it is none.
    """
    yield from of_files(_files_of(folder, "maildir"), "maildir")


def find_copies(folder: Path, wanted: Iterable[str]) -> set[str]:
    """Return which of these values of Message-ID stand in the heads of the mails of a Maildir."""
    missing = set(wanted)
    found: set[str] = set()
    for path in _files_of(folder, "sent_maildir") if missing else []:
        head = _head(path)
        seen = {one for one in missing if _is_of(head, one)}
        found |= seen
        missing -= seen
        if not missing:
            break
    return found


def _is_of(head: bytes, wanted: str) -> bool:
    """Return whether the head of a mail states this Message-ID."""
    lines = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0].replace(b"\n ", b" ").replace(b"\n\t", b" ")
    return any(
        line.lower().startswith(b"message-id:") and wanted.encode() in line.split()[1:]
        for line in lines.split(b"\n")
    )


def _files_of(folder: Path, key: str) -> list[Path]:
    if not any((folder / part).is_dir() for part in _MAILDIR_PARTS):
        raise WrongUseError(
            f"creditor.yaml: returns.{key}: {folder} is no Maildir: it has no folders {' and '.join(_MAILDIR_PARTS)}. "
            "Name the folder above them, or take the key out."
        )
    # No link and no pipe: a name may lead anywhere, or never end.
    return sorted(
        path
        for part in _MAILDIR_PARTS
        for path in (folder / part).glob("*")
        if path.is_file() and not path.is_symlink()
    )


def _head(path: Path) -> bytes:
    """Return the beginning of a file, nothing when another program has moved it meanwhile."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_HEAD)
    except OSError:
        return b""
