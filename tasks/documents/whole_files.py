"""Files that are complete or not there at all: written aside, flushed, then renamed into place."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def put_json(path: Path, content: object) -> None:
    """Write plain values as JSON."""
    put_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def put_bytes(path: Path, content: bytes) -> None:
    """Write a file of these bytes."""
    aside = _aside(path)
    with naming(path):
        try:
            aside.write_bytes(content)
            _put_in_place(aside, path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in errors of the disk: a write that finds it full does not say which file it was for."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def keep_access(old: Path, new: Path) -> None:
    """Give what takes the place of a file or folder its mode, its group, and where the system lets us its owner."""
    seen = old.stat()
    for owner in (seen.st_uid, -1):
        with suppress(PermissionError):
            os.chown(new, owner, seen.st_gid)
            break
    # After the group: to change that may take bits away.
    new.chmod(stat.S_IMODE(seen.st_mode))


def _aside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.tmp")


def _put_in_place(aside: Path, path: Path) -> None:
    # On disk before its name is, so that a power cut cannot leave an empty file under a good name.
    flush(aside)
    aside.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
