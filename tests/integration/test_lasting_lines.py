"""Lines are on disk when it says so, whatever a flush in a thread of its own and a write do at the same time."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

import pytest

from tasks.dispatch import lasting_lines
from tasks.dispatch.lasting_lines import LastingLines

DEADLINE_SECONDS = 10


class Disk:
    """A disk that tells how much of the file it surely holds, and can be held or broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.path = path
        self.holds = 0
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self.fault = 0
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, handle: int) -> None:
        size = self.path.stat().st_size
        self.begun.set()
        assert self.may_end.wait(DEADLINE_SECONDS)
        if self.fault:
            raise OSError(self.fault, os.strerror(self.fault))
        self._fsync(handle)
        self.holds = size


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines.jsonl"


@pytest.fixture
def lines(path: Path) -> Iterator[LastingLines]:
    opened = LastingLines(path)
    yield opened
    with suppress(OSError):
        opened.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, path: Path, lines: LastingLines) -> Disk:
    """Begin after the file was opened, which brings its name to the disk."""
    return Disk(monkeypatch, path)


def test_a_flush_that_runs_while_a_line_is_written_does_not_count_for_it(
    lines: LastingLines, disk: Disk, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all = lasting_lines._write_all

    def after_a_flush(file: FileIO, text: bytes) -> None:
        lines.flush()
        write_all(file, text)

    lines.write(b"first")
    monkeypatch.setattr(lasting_lines, "_write_all", after_a_flush)
    lines.write(b"second")
    assert disk.holds == len(b"first\n")
    lines.flush()
    assert disk.holds == len(b"first\nsecond\n")


def test_a_line_written_during_a_flush_waits_for_the_next_one(
    lines: LastingLines, disk: Disk, path: Path
) -> None:
    async def two() -> None:
        disk.may_end.clear()
        lines.write(b"first")
        first = asyncio.create_task(lines.flushed())
        await asyncio.to_thread(disk.begun.wait, DEADLINE_SECONDS)
        lines.write(b"second")
        second = asyncio.create_task(lines.flushed())
        disk.may_end.set()
        await first
        await second
        assert disk.holds == len(b"first\nsecond\n")

    asyncio.run(two())


def test_those_who_wait_together_share_one_flush(lines: LastingLines, disk: Disk, path: Path) -> None:
    async def many() -> None:
        for number in range(20):
            lines.write(f"line {number}".encode())
        await asyncio.gather(*(lines.flushed() for _ in range(20)))

    asyncio.run(many())
    assert disk.holds == path.stat().st_size
    disk.begun.clear()
    lines.flush()
    lines.close()
    assert not disk.begun.is_set()


def test_after_a_flush_that_failed_nothing_follows_and_nothing_is_said_to_be_on_disk(
    lines: LastingLines, disk: Disk, path: Path
) -> None:
    lines.write(b"first")
    disk.fault = errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        lines.flush()
    # A disk may forget what it lost: the next fsync would succeed.
    disk.fault = 0
    with pytest.raises(OSError, match="could not be put on disk"):
        lines.flush()
    with pytest.raises(OSError, match="could not be put on disk"):
        lines.write(b"second")
    assert path.read_bytes() == b"first\n"
    with pytest.raises(OSError, match="could not be put on disk"):
        lines.close()
    assert disk.holds == 0


def test_a_full_disk_is_told_with_the_name_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, disk = LastingLines(path), Disk(monkeypatch, path)
    lines.write(b"one")
    disk.fault = errno.ENOSPC
    with pytest.raises(OSError, match=r"lines\.jsonl"):
        lines.flush()
    with suppress(OSError):
        lines.close()
