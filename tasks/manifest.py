"""The list of all published files with the hash of each, so that a changed byte, a missing or a further file is seen.

Whoever publishes puts files through this module: it notes the hash of what is to be written before the file takes
its name, so that after a kill the next run knows which files are its own. Nothing is hashed again that was not
written, and nothing that somebody else changed is ever listed. What the list itself is held by: docs/audit-log.md.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from tasks.documents.whole_files import put_bytes

MANIFEST = "manifest.json"
PENDING = ".pending.jsonl"
_NOT_LISTED = (MANIFEST, PENDING)
_BLOCK = 2**20


@dataclass(frozen=True)
class Entry:
    """What the list says of a file."""

    sha256: str
    bytes: int


Entries = dict[str, Entry]
"""By path below `published/`, with slashes."""


def put_published(folder: Path, path: Path, content: bytes) -> str:
    """Write a published file whole, and note its hash for the list; return the hash.

    Args:
        folder: the folder `published`.
        path: the file in it.
        content: its bytes.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    _note(folder, path, sha256)
    put_bytes(path, content)
    return sha256


def put_published_frame(folder: Path, path: Path, frame: pl.DataFrame) -> str:
    """Write a published table as Parquet; return the hash of its bytes."""
    # By way of memory: Polars tells a full disk in its own words, without the number that the system gives it.
    content = io.BytesIO()
    frame.write_parquet(content)
    return put_published(folder, path, content.getvalue())


def remove_published(folder: Path, path: Path) -> None:
    """Remove a published file that is no longer wanted."""
    _note(folder, path, "")
    path.unlink(missing_ok=True)


def note_published(folder: Path, path: Path, made: Path) -> None:
    """Note the hash of a file made elsewhere that takes its place now."""
    _note(folder, path, hash_file(made))


def current_entries(folder: Path) -> Entries:
    """Return the list with what was written since it was made; of a folder without one, all that is there."""
    if not (folder / MANIFEST).exists():
        return {name: _entry(path) for name, path in list_published(folder).items()}
    entries = read_manifest(folder)
    for name, hashes in read_pending(folder).items():
        path = folder / name
        if not path.exists():
            if "" in hashes:
                entries.pop(name, None)
        elif (found := _entry(path)).sha256 in hashes:
            entries[name] = found
    return entries


def write_manifest(folder: Path, entries: Entries) -> None:
    """Write the list, and forget what was noted for it."""
    put_bytes(folder / MANIFEST, manifest_bytes(entries))
    (folder / PENDING).unlink(missing_ok=True)


def manifest_bytes(entries: Entries) -> bytes:
    """Return the list as it is written: nothing in it but what is checked."""
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    return (json.dumps({"files": files}, indent=1) + "\n").encode()


def read_manifest(folder: Path) -> Entries:
    """Return the list as it stands in the folder; ValueError, KeyError or TypeError when it is none."""
    stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return {str(name): Entry(**entry) for name, entry in stated["files"].items()}


def read_pending(folder: Path) -> dict[str, set[str]]:
    """Return the hashes that files written since the list was made may have; "" = removed."""
    path = folder / PENDING
    noted: dict[str, set[str]] = {}
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            # A line that was cut had not been followed by its file.
            continue
        noted.setdefault(str(entry["file"]), set()).add(str(entry["sha256"]))
    return noted


def publishing_state(folder: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Return what changes whenever a run has published something: the list, what is noted for it, the head.

    As each file is noted before it is written, at most one file was written between two looks that are the same.
    """
    return tuple(_stat(folder / name) for name in (MANIFEST, PENDING, "audit/head.json"))


def digest_of(entries: Entries) -> str:
    """Return one hash for all files outside `audit/`: SHA-256 over the lines that `sha256sum` prints, by name."""
    lines = [f"{entries[name].sha256}  {name}\n" for name in sorted(entries) if not name.startswith("audit/")]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def changes_between(old: Entries, new: Entries) -> dict[str, str]:
    """Return the files outside `audit/` that are new, changed or removed, each with its hash now; "" = removed."""
    names = {
        name for name in {*old, *new} if old.get(name) != new.get(name) and not name.startswith("audit/")
    }
    return {name: new[name].sha256 if name in new else "" for name in sorted(names)}


def list_published(folder: Path) -> dict[str, Path]:
    """Return the files that the list must name, by path below the folder."""
    return {name: path for name, path in sorted(_walk(folder)) if name not in _NOT_LISTED}


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        is_aside = path.name.startswith(".") and path.name.endswith(".tmp")
        if path.is_file() and not is_aside:
            yield path.relative_to(folder).as_posix(), path


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _entry(path: Path) -> Entry:
    return Entry(hash_file(path), path.stat().st_size)


def _note(folder: Path, path: Path, sha256: str) -> None:
    line = json.dumps({"file": path.relative_to(folder).as_posix(), "sha256": sha256})
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / PENDING).open("ab") as file:
        # After a cut line, so that the next is whole.
        begun = file.tell() and (folder / PENDING).read_bytes()[-1:] != b"\n"
        file.write(("\n" if begun else "").encode() + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
