"""The archive: one compressed tar file, the manifest first. Written aside and renamed; read with distrust.

Nothing in an archive decides where anything is written: names, kinds and sizes must be those of the manifest, whose
paths all stay below the folder that is unpacked into.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from policies.errors import AuditBrokenError, WrongUseError
from tasks.backup.manifest import (
    LARGEST_MANIFEST_BYTES,
    MANIFEST_NAME,
    BackedUpFile,
    Manifest,
    read_manifest,
)
from tasks.documents.whole_files import flush, naming

_BLOCK = 2**20
# Documents and Parquet hardly shrink: a higher level costs minutes and saves nothing.
_LEVEL = 3


class ArchiveDamagedError(AuditBrokenError):
    """An archive does not hold what its manifest says."""


def list_files(root: Path) -> tuple[BackedUpFile, ...]:
    """Return what a manifest says of each file below a folder."""
    return tuple(_described(root, path) for path in sorted(root.rglob("*")) if path.is_file())


def write_archive(archive: Path, manifest: Manifest, root: Path) -> None:
    """Write an archive that only its owner may read: whole and flushed to the disk, or not there at all."""
    aside = archive.with_name(f".{archive.name}.tmp")
    try:
        with naming(archive):
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as raw:
                _write(raw, manifest, root)
                raw.flush()
                os.fsync(raw.fileno())
        check_archive(aside)
        aside.rename(archive)
    finally:
        aside.unlink(missing_ok=True)
    flush(archive.parent)


def check_archive(archive: Path) -> Manifest:
    """Read an archive to its end, writing nothing, and return its manifest; raise what is wrong with it."""
    with opened(archive) as (manifest, members):
        for _, content in members:
            while content.read(_BLOCK):
                pass
    return manifest


def unpack(archive: Path, root: Path) -> Manifest:
    """Write the files of an archive below a new folder and return its manifest; raise what is wrong with it."""
    with opened(archive) as (manifest, members):
        for file, content in members:
            target = root / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with naming(target), target.open("xb") as written:
                while block := content.read(_BLOCK):
                    written.write(block)
            target.chmod(file.mode | 0o600)
    return manifest


@contextmanager
def opened(archive: Path) -> Iterator[tuple[Manifest, Iterator[tuple[BackedUpFile, "Checked"]]]]:
    """Open an archive: its manifest, and its files one after the other, each checked as it is read to its end."""
    try:
        with archive.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|gz") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST_NAME or not first.isreg():
                raise WrongUseError(
                    f"{archive} is not a backup of Relance: it does not begin with {MANIFEST_NAME}."
                )
            manifest = read_manifest(_content(tar, first).read(LARGEST_MANIFEST_BYTES), archive.name)
            yield manifest, _members(archive, tar, manifest)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveDamagedError(
            f"{archive} is damaged or was cut ({error}). Take an earlier backup; nothing was restored."
        ) from error
    except FileNotFoundError as error:
        if error.filename == str(archive):
            raise WrongUseError(f"there is no backup {archive}.") from error
        raise


class Checked:
    """The content of one member, no longer than it may be; raises at its end when it is not what was listed."""

    def __init__(self, archive: Path, file: BackedUpFile, content: IO[bytes]) -> None:
        self._archive, self._file, self._content = archive, file, content
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, nothing at the end."""
        block = self._content.read(size)
        self._hash.update(block)
        if not block and self._hash.hexdigest() != self._file.sha256:
            raise _not_as_listed(
                self._archive, self._file.path, "its bytes are not those that were backed up"
            )
        return block


def _members(
    archive: Path, tar: tarfile.TarFile, manifest: Manifest
) -> Iterator[tuple[BackedUpFile, Checked]]:
    expected = {file.path: file for file in manifest.files}
    while (member := tar.next()) is not None:
        file = expected.pop(member.name, None)
        if file is None:
            raise _not_as_listed(archive, member.name, "it is not in the list, or there twice")
        if not member.isreg() or member.issparse():
            raise _not_as_listed(archive, member.name, "it is no ordinary file")
        if member.size != file.size:
            raise _not_as_listed(archive, member.name, f"it has {member.size} bytes instead of {file.size}")
        yield file, Checked(archive, file, _content(tar, member))
    if expected:
        raise _not_as_listed(archive, min(expected), "it is missing")


def _not_as_listed(archive: Path, name: str, what: str) -> ArchiveDamagedError:
    return ArchiveDamagedError(f"{archive}: {name!r}: {what}. Take an earlier backup; nothing was restored.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    return content


def _described(root: Path, path: Path) -> BackedUpFile:
    seen = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    relative = path.relative_to(root).as_posix()
    return BackedUpFile(path=relative, size=seen.st_size, sha256=digest, mode=seen.st_mode & 0o777)


def _write(raw: IO[bytes], manifest: Manifest, root: Path) -> None:
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=_LEVEL, format=tarfile.PAX_FORMAT) as tar:
        text = manifest.model_dump_json(indent=1).encode()
        tar.addfile(_member(MANIFEST_NAME, len(text), manifest), io.BytesIO(text))
        for file in manifest.files:
            with (root / file.path).open("rb") as content:
                tar.addfile(_member(file.path, file.size, manifest), content)


def _member(name: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(manifest.taken_at.timestamp())
    return member
