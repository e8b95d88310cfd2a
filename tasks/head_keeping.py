"""Keeps heads of the log where whoever changes the log may not reach: copies on other disks, and RFC 3161 time stamps.

What cannot be reached today is told and done by the next run; nothing here stops a day.
"""

import json
import os
from pathlib import Path

from policies.creditor import TimeStampAuthority
from tasks.documents.whole_files import flush
from tasks.ledger import START
from tasks.manifest import current_entries, put_published, write_manifest
from tasks.publish import HEADS
from tasks.run import Run
from tasks.store.audit import Head
from tasks.workspace import read_creditor

TOKENS = "timestamps"
"""The folder of the tokens, `published/audit/timestamps/<sequence>.tsr`."""

_PATIENCE_SECONDS = 20
_MOST_BYTES = 64_000


def keep_heads(run: Run) -> list[str]:
    """Copy the published heads elsewhere and have the last one stamped; return what could not be done."""
    audit = read_creditor(run.workspace).audit
    path = run.workspace.published / "audit" / HEADS
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    asked = [_add_lines(run.workspace.root / copy, lines) for copy in audit.head_copies]
    if audit.time_stamp_authority and lines:
        asked.append(_stamp(run, audit.time_stamp_authority, lines[-1]))
    troubles = [trouble for trouble in asked if trouble]
    for trouble in troubles:
        run.say(trouble)
    return troubles


def stamped_text(head: Head) -> bytes:
    """Return what a time stamp is over: the hash of the last event as 64 digits."""
    return head.hash.encode()


def verify_token(token: bytes, text: bytes, certificate: Path) -> str | None:
    """Return why a time stamp does not prove that the text was there, or nothing.

    Args:
        token: the answer of the authority, as it came.
        text: what was stamped.
        certificate: PEM file; the last certificate is the one trusted, those before stand between.
    """
    from cryptography.x509 import load_pem_x509_certificates
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        *between, root = load_pem_x509_certificates(certificate.read_bytes())
        verifier = VerifierBuilder(intermediates=between, roots=[root]).build()
        verifier.verify_message(decode_timestamp_response(token), text)
    except OSError as error:
        return f"the certificate {certificate} cannot be read: {error.strerror}"
    except (VerificationError, ValueError) as error:
        return str(error)
    return None


def _add_lines(path: Path, lines: list[str]) -> str | None:
    """Add the lines that a copy does not have yet; return what stands against it, or what the copy says of our log."""
    try:
        known, is_torn = _whole_lines(path)
        stated = [(one["sequence"], one["hash"]) for one in map(json.loads, lines)]
        last = (
            Head(**{name: json.loads(known[-1])[name] for name in ("sequence", "hash")}) if known else START
        )
        if problem := _contradiction(last, dict(stated)):
            return (
                f"The head of the log was not copied to {path}: {problem}. `relance audit verify` tells more."
            )
        new = [line for line, (sequence, _) in zip(lines, stated, strict=True) if sequence > last.sequence]
        if new or is_torn:
            _append(path, known, new, is_torn=is_torn)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"The head of the log was not copied to {path}: {error}. The next run tries again."
    return None


def _whole_lines(path: Path) -> tuple[list[str], bool]:
    """Return the lines of a copy, and whether one that was cut while it was written follows them."""
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    return whole.decode().splitlines(), len(whole) < len(content)


def _contradiction(kept: Head, ours: dict[int, str]) -> str | None:
    """Return how the last line of a copy contradicts our heads; one that was published before our list says nothing."""
    if ours and kept.sequence > max(ours):
        return (
            f"it ends with event {kept.sequence}, and our log with {max(ours)}: events were cut off, the workspace was "
            "restored, or the copy is of another one"
        )
    if ours.get(kept.sequence, kept.hash) != kept.hash:
        return (
            f"it states another hash for event {kept.sequence}: our log was written anew, or it is of another"
        )
    return None


def _append(path: Path, known: list[str], new: list[str], *, is_torn: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if is_torn:
            file.truncate(sum(len(line.encode()) + 1 for line in known))
        file.write("".join(f"{line}\n" for line in new).encode())
        file.flush()
        os.fsync(file.fileno())
    flush(path.parent)


def _stamp(run: Run, authority: TimeStampAuthority, line: str) -> str | None:
    """Have the head stamped, unless it is; return what stands against it."""
    import httpx
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    head = Head(json.loads(line)["sequence"], json.loads(line)["hash"])
    folder = run.workspace.published
    path = folder / "audit" / TOKENS / f"{head.sequence:09d}.tsr"
    if path.exists():
        return None
    request = TimestampRequestBuilder(stamped_text(head), HashAlgorithm.SHA256).build()
    try:
        answer = httpx.post(
            authority.url,
            content=request.as_bytes(),
            headers={"Content-Type": "application/timestamp-query"},
            timeout=_PATIENCE_SECONDS,
            follow_redirects=False,
        ).raise_for_status()
    except httpx.HTTPError as error:
        return f"The head of the log was not stamped by {authority.url}: {error}. The next run tries again."
    token = answer.content
    why = "it is too long" if len(token) > _MOST_BYTES else None
    why = why or verify_token(token, stamped_text(head), run.workspace.root / authority.certificate_file)
    if why:
        return f"The head of the log was not stamped: what {authority.url} answered is no proof: {why}."
    put_published(folder, path, token)
    write_manifest(folder, current_entries(folder))
    return None
