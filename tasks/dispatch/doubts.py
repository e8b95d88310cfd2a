"""Messages of which nobody can tell whether they left, with all that is known of each, for a person to decide."""

from collections.abc import Mapping
from email import message_from_binary_file
from email.policy import default
from pathlib import Path

import polars as pl

from policies.errors import WrongUseError
from tasks.dispatch.journal import JOURNAL_NAME, UNANSWERED, read_lines
from tasks.store.batch_lists import list_messages
from tasks.store.connection import open_to_read
from tasks.workspace import Workspace

DOUBTS = pl.Schema(
    {
        "message_id": pl.String(),
        "customer_id": pl.String(),
        "batch_id": pl.String(),
        "step": pl.String(),
        "channel": pl.String(),
        "handed_over_at": pl.String(),
        "answer": pl.String(),
        "mail_id": pl.String(),
        "document": pl.String(),
        "document_sha256": pl.String(),
        "journal": pl.String(),
    }
)
"""`answer`: the mail server's last words, or that there were none; `mail_id`: the header Message-ID to look for."""


def list_doubts(workspace: Workspace, message_id: str = "") -> pl.DataFrame:
    """Return one row per uncertain message, with all evidence; of one message, when it is named.

    Raises:
        WrongUseError: the message that is named is not uncertain.
    """
    with open_to_read(workspace) as connection:
        messages = list_messages(connection).filter(pl.col("status") == "uncertain").sort("message_id")
    if message_id:
        messages = messages.filter(message_id=message_id)
        if messages.is_empty():
            raise WrongUseError(
                f"no uncertain message has the number {message_id}; `relance resolve` lists them."
            )
    return pl.DataFrame([_doubt(workspace, row) for row in messages.iter_rows(named=True)], schema=DOUBTS)


def _doubt(workspace: Workspace, row: Mapping[str, object]) -> dict[str, str | None]:
    message_id, batch_id = str(row["message_id"]), str(row["batch_id"])
    journal = workspace.outbox / batch_id / JOURNAL_NAME
    handed_over_at, answer = _last_words(journal, message_id)
    document = workspace.root / str(row["document_path"] or "")
    return {
        "message_id": message_id,
        "customer_id": str(row["customer_id"]),
        "batch_id": batch_id,
        "step": str(row["step"]),
        "channel": str(row["channel"]),
        "handed_over_at": handed_over_at,
        "answer": answer,
        "mail_id": _mail_id(document),
        "document": str(document) if document.is_file() else None,
        "document_sha256": str(row["document_sha256"]) if row["document_sha256"] else None,
        "journal": str(journal),
    }


def _last_words(journal: Path, message_id: str) -> tuple[str | None, str]:
    """Return when the message was handed over, and what the server answered last."""
    handed_over_at, answer = None, UNANSWERED
    for line in read_lines(journal):
        if line["message_id"] != message_id:
            continue
        if line["kind"] == "intent":
            handed_over_at, answer = line["at"], UNANSWERED
        elif line.get("answer"):
            answer = line["answer"]
    return handed_over_at, answer


def _mail_id(document: Path) -> str | None:
    if document.suffix != ".eml" or not document.is_file():
        return None
    with document.open("rb") as file:
        header = message_from_binary_file(file, policy=default)["Message-ID"]
    return str(header) if header else None
