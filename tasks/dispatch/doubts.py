"""Messages of which nobody can tell whether they left, with all that is known of each, for a person to decide."""

import json
from collections.abc import Mapping
from datetime import datetime
from email import message_from_binary_file
from email.policy import default
from pathlib import Path

import polars as pl

from policies.errors import WrongUseError
from tasks.dispatch.journal import JOURNAL_NAME, UNANSWERED, read_lines
from tasks.store.audit import read_log
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
            require_doubt(workspace, message_id)
    return pl.DataFrame([_doubt(workspace, row) for row in messages.iter_rows(named=True)], schema=DOUBTS)


def require_doubt(workspace: Workspace, message_id: str) -> None:
    """Raise what a message is, if nobody needs to say whether it left.

    Raises:
        WrongUseError: it is settled, waits, or is none of ours.
    """
    with open_to_read(workspace) as connection:
        known = list_messages(connection).filter(message_id=message_id).sort("changed_at", nulls_last=False)
        said = read_log(connection, kind="delivery_resolved")
    if "uncertain" in known["status"].to_list():
        return
    if known.is_empty():
        raise WrongUseError(
            f"there is no message {message_id}; `relance resolve` lists those that are uncertain."
        )
    row = known.row(-1, named=True)
    whose = f"message {message_id} to customer {row['customer_id']}, batch {row['batch_id']},"
    raise WrongUseError(
        f"{whose} is not uncertain: {_settled(row)}{_word(said, message_id)}.{_told_how(row)}"
    )


def _settled(row: Mapping[str, object]) -> str:
    changed_at = row["changed_at"]
    since = f" on {changed_at:%Y-%m-%d}" if isinstance(changed_at, datetime) else ""
    match row["status"]:
        case "dispatched":
            return f"it counts as dispatched on {row['dispatched_on']}"
        case "withdrawn":
            return f"it ended{since}, withdrawn or refused, and did not leave"
        case "rejected":
            return f"it was rejected{since} and did not leave"
        case _:
            return "it has not left, and waits for its batch to leave"


def _word(said: pl.DataFrame, message_id: str) -> str:
    """Return who settled the message, when, and by what evidence, as the log has it; nothing when nobody did."""
    words = [(row["actor"], json.loads(row["payload"])) for row in said.iter_rows(named=True)]
    own = [(actor, word) for actor, word in words if word["message_id"] == message_id]
    if not own:
        return ""
    actor, word = own[-1]
    what = "left" if word["left"] == "yes" else "not left"
    return f"; {actor} settled it on {word['on']} as {what}: {word['evidence'].rstrip('.')}"


def _told_how(row: Mapping[str, object]) -> str:
    """Return how a later finding is told of a message that counts as dispatched: what left stays in the log."""
    customer = row["customer_id"]
    if row["status"] != "dispatched":
        return ""
    if row["channel"] == "email":
        later = f"that its address is wrong is told by `relance record bounce --customer {customer}`"
    elif row["channel"] in ("letter", "registered_letter"):
        later = f"that it came back is told by `relance record letter_returned --customer {customer} --invoice NUMBER`"
    else:
        later = f"what was found since is told by `relance record answer --customer {customer} --note TEXT`"
    return f" What has left stays in the log; {later}."


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
