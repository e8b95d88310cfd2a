"""The files that hold a customer's personal data outside the store, and what each becomes when it is erased.

A document of its own is deleted. A file shared with others (call sheet, list of letters, placement archive) is written
anew without it; a print run is deleted, the letters themselves are not. Originals of exports hold everybody: they go by
period alone.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tasks.documents.batch_folder import SHARED_CHANNELS
from tasks.documents.placement import zip_files
from tasks.documents.safe_text import file_name, one_line, plain_cell
from tasks.documents.spreadsheet import write_csv
from tasks.documents.whole_files import put_bytes
from tasks.workspace import Workspace

_LISTS = ("calls.csv", "letters.csv")
_CUSTOMER = "customer_id"


@dataclass(frozen=True)
class FileChange:
    """What a file becomes: other bytes, or nothing; `name` is how the log calls it."""

    path: Path
    name: str
    sha256: str
    after: bytes | None

    def entry(self) -> dict[str, str | None]:
        """Return what the event of the erasure says of it."""
        after = hashlib.sha256(self.after).hexdigest() if self.after is not None else None
        return {"document": self.name, "sha256": self.sha256, "sha256_after": after}


SharedFiles = Mapping[str, Sequence[Path]]
"""Customer -> the lists in the outbox that have a row of it."""


def index_shared_files(workspace: Workspace) -> SharedFiles:
    """Return which call sheets and lists of letters have rows of which customers; made once for many erasures."""
    found: dict[str, list[Path]] = {}
    for name in _LISTS:
        for path in sorted(workspace.outbox.glob(f"*/{name}")):
            rows = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
            for customer in {row.get(_CUSTOMER, "") for row in rows}:
                found.setdefault(customer, []).append(path)
    return found


def find_files_of(
    workspace: Workspace,
    customer_id: str,
    messages: pl.DataFrame,
    invoice_numbers: Collection[str],
    shared: SharedFiles,
) -> list[FileChange]:
    """Return what becomes of the files that hold a customer's personal data.

    Args:
        workspace: whose.
        customer_id: the customer.
        messages: the customer's, as listed by the store.
        invoice_numbers: those that no other customer has; copies of these invoices go too.
        shared: of `index_shared_files`.
    """
    is_shared = pl.col("channel").is_in(list(SHARED_CHANNELS))
    own = messages.filter(~is_shared)["document_path"].drop_nulls().sort()
    archives = messages.filter(is_shared & pl.col("document_path").str.ends_with(".zip"))["document_path"]
    changes = [gone(workspace, path) for name in own if (path := workspace.root / name).is_file()]
    for path in shared.get(plain_cell(one_line(customer_id)), ()):
        changes += _listed(workspace, path, customer_id)
    for name in archives.unique().sort():
        changes += _archived(workspace, workspace.root / name, set(messages["message_id"]))
    return [*changes, *_dropped_by_finance(workspace, customer_id, invoice_numbers)]


def gone(workspace: Workspace, path: Path, name: str = "") -> FileChange:
    """Return that a file is deleted."""
    return FileChange(path, name or str(path.relative_to(workspace.root)), _hash_of(path.read_bytes()), None)


def apply_changes(changes: Collection[FileChange]) -> None:
    """Delete and rewrite the files; doing it again changes nothing."""
    for change in changes:
        if change.after is None:
            change.path.unlink(missing_ok=True)
        else:
            put_bytes(change.path, change.after)


def _listed(workspace: Workspace, path: Path, customer_id: str) -> Iterator[FileChange]:
    """Yield a list without the customer's rows; the print run of such letters goes whole, the letters stay."""
    before = path.read_bytes() if path.is_file() else b""
    after = without_rows(before, _CUSTOMER, {customer_id})
    if after == before:
        return
    yield FileChange(path, str(path.relative_to(workspace.root)), _hash_of(before), after)
    run = path.with_name("print.pdf")
    if path.name == "letters.csv" and run.is_file():
        yield gone(workspace, run)


def _archived(workspace: Workspace, path: Path, message_ids: Collection[str]) -> Iterator[FileChange]:
    """Yield an archive of cases without those of the customer."""
    before = path.read_bytes() if path.is_file() else b""
    after = without_cases(before, message_ids) if before else before
    if after is None:
        yield gone(workspace, path)
    elif after != before:
        yield FileChange(path, str(path.relative_to(workspace.root)), _hash_of(before), after)


def _dropped_by_finance(
    workspace: Workspace, customer_id: str, invoice_numbers: Collection[str]
) -> Iterator[FileChange]:
    """Yield the papers below `inbox/documents/`, numbered: their names may say who it is and are not logged."""
    inside = workspace.documents.resolve()
    folder = workspace.documents / "customers" / customer_id
    papers = sorted(folder.glob("*")) if "/" not in customer_id and folder.is_dir() else []
    copies = [workspace.documents / f"{number}.pdf" for number in invoice_numbers if "/" not in number]
    for number, path in enumerate([*copies, *papers], start=1):
        if path.is_file() and path.resolve().is_relative_to(inside):
            yield gone(workspace, path, f"inbox/documents, paper {number}")


def without_rows(content: bytes, column: str, values: Collection[str]) -> bytes:
    """Return a CSV file of ours without the rows that have one of these values in a column; else the very bytes."""
    written = {plain_cell(one_line(value)) for value in values}
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    columns, rows = list(reader.fieldnames or ()), list(reader)
    kept = [row for row in rows if row.get(column) not in written]
    if column not in columns or len(kept) == len(rows):
        return content
    return write_csv(columns, kept, byte_order_mark=content.startswith("\ufeff".encode()))


def without_cases(content: bytes, message_ids: Collection[str]) -> bytes | None:
    """Return a placement archive without some cases; None when none is left, the very bytes when none is in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    table = io.StringIO(files["debtor.csv"].decode("utf-8-sig"), newline="")
    cases = [row["case_id"] for row in csv.DictReader(table)]
    taken = [case for case in cases if case in message_ids]
    if not taken:
        return content
    if len(taken) == len(cases):
        return None
    folders = {file_name(case) for case in taken}
    kept = {
        name: without_rows(text, "case_id", taken) if name.endswith(".csv") else text
        for name, text in files.items()
        # What the agency is told of all its cases in one text names them all.
        if name not in ("notice.txt", "manifest.json") and not _is_of(name, folders)
    }
    kept["manifest.json"] = _manifest(json.loads(files["manifest.json"]), kept, len(taken))
    return zip_files(kept)


def _is_of(name: str, folders: Collection[str]) -> bool:
    parts = name.split("/")
    return len(parts) > 1 and parts[1].removesuffix(".txt") in folders


def _manifest(before: Mapping[str, object], files: Mapping[str, bytes], taken: int) -> bytes:
    hashes = {name: _hash_of(content) for name, content in sorted(files.items())}
    after = {**before, "sha256": hashes, "cases_erased": taken}
    return json.dumps(after, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def _hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
