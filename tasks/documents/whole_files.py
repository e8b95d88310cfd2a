"""Files that are complete or not there at all: written aside, flushed, then renamed into place."""

import hashlib
import json
import os
from pathlib import Path

import polars as pl


def put_frame(path: Path, frame: pl.DataFrame) -> str:
    """Write a Parquet file and return the hash of its bytes."""
    aside = _aside(path)
    frame.write_parquet(aside)
    digest = hashlib.sha256(aside.read_bytes()).hexdigest()
    _put_in_place(aside, path)
    return digest


def put_json(path: Path, content: object) -> None:
    """Write plain values as JSON."""
    put_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def put_bytes(path: Path, content: bytes) -> None:
    """Write a file of these bytes."""
    aside = _aside(path)
    aside.write_bytes(content)
    _put_in_place(aside, path)


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
