"""Keeps heads of the log where whoever changes the log may not reach: copies on other disks, and RFC 3161 time stamps.

What cannot be reached today is told and done by the next run; nothing here stops a day.
"""

import json
from pathlib import Path

from policies.creditor import TimeStampAuthority
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
    """Add the lines that a copy does not have yet; return what stands against it."""
    try:
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        last = json.loads(known[-1])["sequence"] if known else 0
        new = [line for line in lines if json.loads(line)["sequence"] > last]
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in new)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"The head of the log was not copied to {path}: {error}. The next run tries again."
    return None


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
