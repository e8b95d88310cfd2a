"""Heads of the log that were kept elsewhere: a chain that no longer contains one was cut short or written anew.

How they get there: `tasks.head_keeping`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from policies.errors import RelanceError
from tasks.head_keeping import TOKENS, stamped_text, verify_token
from tasks.ledger import compare_head
from tasks.publish import HEADS
from tasks.store.audit import Head
from tasks.workspace import Workspace, read_creditor


@dataclass(frozen=True)
class KeptHead:
    """A head, and the file that keeps it."""

    where: str
    head: Head


def read_kept_heads(workspace: Workspace, files: Sequence[Path]) -> tuple[list[KeptHead], list[str]]:
    """Return the heads in the files given and in the configured copies, and what is wrong there or in a token."""
    try:
        audit = read_creditor(workspace).audit
    except (RelanceError, OSError):
        # Whether the log holds does not depend on who we are; `policy check` tells what is wrong there.
        audit = None
    kept: list[KeptHead] = []
    problems: list[str] = []
    copies = [workspace.root / path for path in audit.head_copies] if audit else []
    for path in (*files, *copies):
        try:
            kept += [KeptHead(str(path), head) for head in read_heads_file(path)]
        except FileNotFoundError:
            # A copy that was never made yet is no proof of anything; one that a person names is meant to be there.
            if path in files:
                problems.append(f"{path}: there is no such file of heads")
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(f"{path}: the heads kept there cannot be read: {error}")
    if audit and audit.time_stamp_authority:
        certificate = workspace.root / audit.time_stamp_authority.certificate_file
        tokens = sorted((workspace.published / "audit" / TOKENS).glob("*.tsr"))
        published = _published_heads(workspace) if tokens else {}
        wrong = (_wrong_token(published, token, certificate) for token in tokens)
        problems += [problem for problem in wrong if problem]
    return kept, problems


def read_heads_file(path: Path) -> list[Head]:
    """Return the heads of a copy of heads.jsonl or head.json."""
    text = path.read_text(encoding="utf-8")
    stated = (
        [json.loads(text)] if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    )
    return [Head(int(one["sequence"]), str(one["hash"])) for one in stated]


def compare_kept(kept: Sequence[KeptHead], hashes: Mapping[int, str]) -> list[str]:
    """Return the kept heads that a chain does not contain.

    Args:
        kept: heads.
        hashes: sequence -> hash in the chain, of at least these heads.
    """
    problems = []
    for one in kept:
        found = hashes.get(one.head.sequence)
        if one.head.sequence and found is None:
            problems.append(
                f"event {one.head.sequence} is missing: it was the last when {one.where} was written"
            )
        elif one.head.sequence and (
            problem := compare_head(Head(one.head.sequence, str(found)), one.head, one.where)
        ):
            problems.append(problem)
    return problems


def _published_heads(workspace: Workspace) -> dict[int, Head]:
    """Return the heads that were published, by their event; that their file cannot be read is told elsewhere."""
    try:
        return {head.sequence: head for head in read_heads_file(workspace.published / "audit" / HEADS)}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _wrong_token(heads: Mapping[int, Head], token: Path, certificate: Path) -> str | None:
    """Return what is wrong with a time stamp: it must be the authority's, over a head that was published."""
    name = f"published/audit/{TOKENS}/{token.name}"
    try:
        head = heads[int(token.stem)]
    except (KeyError, ValueError):
        return f"{name}: the head that it stamps is missing in {HEADS}: event {token.stem} was removed"
    why = verify_token(token.read_bytes(), stamped_text(head), certificate)
    return f"{name}: it does not prove event {head.sequence}: {why}" if why else None
