"""A file of lines that are on disk when it says so: one at a time, or many over one flush.

Several who wait at the same time share a flush, which runs in a thread of its own: an event loop that speaks to many
servers does not stand still meanwhile.
"""

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path

from tasks.documents.whole_files import flush, naming


class LastingLines:
    """Appends whole lines to one file."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file, its name as lasting as its lines."""
        self._path = path
        self._file: FileIO = path.open("ab", buffering=0)
        flush_folder(path.parent)
        # A flush may run in a thread beside a write: it covers the lines that were whole before it began, and no other.
        self._whole_lines = 0
        self._flushed_lines = 0
        self._is_whole = True
        self._has_lost = False
        self._flushing = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._next_flush: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    def write(self, line: bytes) -> None:
        """Write a line; it survives the end of this process at once, that of the machine after the next flush.

        Raises:
            OSError: the disk takes no more; nothing may follow on a line that is not whole, nor on lines that a
                flush lost.
        """
        self._refuse_after_loss()
        if not self._is_whole:
            raise OSError(errno.EIO, "an earlier line could not be written whole", self._file.name)
        self._is_whole = False
        with naming(self._path):
            _write_all(self._file, line + b"\n")
        self._whole_lines += 1
        self._is_whole = True

    def flush(self) -> None:
        """Return when every line that is whole now is on disk.

        Raises:
            OSError: the disk did not take them; the file is of no more use, for the next flush could succeed and say
                nothing of what this one lost.
        """
        self._refuse_after_loss()
        covered = self._whole_lines
        if covered <= self._flushed_lines:
            return
        try:
            with naming(self._path):
                os.fsync(self._file.fileno())
        except OSError:
            self._has_lost = True
            raise
        self._flushed_lines = covered

    async def flushed(self) -> None:
        """Return when everything written until now is on disk; who waits together shares one flush."""
        # A flush that is under way may have begun before the last line: only the next one is sure to hold it.
        if self._next_flush is None:
            self._next_flush = asyncio.create_task(self._flush_once())
        await asyncio.shield(self._next_flush)

    def close(self) -> None:
        """Put everything on disk and close the file."""
        self._flushing.shutdown()
        try:
            self.flush()
        finally:
            self._file.close()

    def _refuse_after_loss(self) -> None:
        if self._has_lost:
            raise OSError(errno.EIO, "earlier lines could not be put on disk", self._file.name)

    async def _flush_once(self) -> None:
        async with self._turn:
            self._next_flush = None
            await asyncio.get_running_loop().run_in_executor(self._flushing, self.flush)


def take_off_cut_line(path: Path) -> str:
    """Take what stands after the last whole line off the file and return it."""
    if not path.exists():
        return ""
    with path.open("r+b") as file:
        whole, newline, cut = file.read().rpartition(b"\n")
        if cut:
            file.truncate(len(whole) + len(newline))
            os.fsync(file.fileno())
    return cut.decode(errors="replace")


def _write_all(file: FileIO, text: bytes) -> None:
    """Write all of the text; a raw file may take less than it was given."""
    rest = memoryview(text)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def flush_folder(folder: Path) -> None:
    """Make the name of a new file as lasting as its lines."""
    flush(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, their names on disk."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        flush_folder(made.parent)
