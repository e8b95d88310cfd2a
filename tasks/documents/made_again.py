"""Documents that were lost or changed, made again: only what comes out as it was composed is written."""

import hashlib
from collections.abc import Mapping, Sequence

from policies.messages import Message
from tasks.documents.batch_folder import PRINTED, SUMMARY, BatchFolder
from tasks.rules import Rules
from tasks.store.batch_lists import StoredMessage
from tasks.store.batches import ComposedDocument
from tasks.workspace import Workspace


def make_again(
    workspace: Workspace,
    rules: Rules,
    batch_id: str,
    messages: Sequence[Message],
    calls_again: Sequence[Message],
    stored: Sequence[StoredMessage],
) -> None:
    """Write those documents of a batch that come out as they were composed, and leave all others as they are.

    Args:
        workspace: where.
        rules: the creditor, for sender and agencies.
        batch_id: names the folder in the outbox.
        messages: that the documents say; all that share a file, or it comes out otherwise.
        calls_again: earlier calls that the call sheet lists once more.
        stored: all messages of the batch, with the paths and hashes of their documents.
    """
    wanted = {one.document_path: one.document_sha256 for one in stored if one.document_path}
    folder = _MadeAgain(workspace, rules, batch_id, wanted)
    folder.everything(messages, calls_again)
    if not (folder.folder / SUMMARY).is_file():
        composed = [one for one in stored if one.document_path]
        folder.summary([one.message for one in composed], [_document(one) for one in composed])


def _document(one: StoredMessage) -> ComposedDocument:
    return ComposedDocument(
        one.message.message_id, one.document_path or "", one.document_sha256 or "", one.template_sha256 or ""
    )


class _MadeAgain(BatchFolder):
    """The documents of a batch, of which only those are written that have the wanted hash."""

    def __init__(
        self, workspace: Workspace, rules: Rules, batch_id: str, wanted: Mapping[str, str | None]
    ) -> None:
        super().__init__(workspace, rules, batch_id)
        self.wanted = wanted
        self.has_other_letters = False

    def _write(self, name: str, content: bytes) -> None:
        if name in PRINTED:
            is_as_it_was = not self.has_other_letters
        elif name == SUMMARY:
            is_as_it_was = True
        else:
            path = str((self.folder / name).relative_to(self.workspace.root))
            is_as_it_was = hashlib.sha256(content).hexdigest() == self.wanted.get(path)
        if is_as_it_was:
            super()._write(name, content)
        elif name.startswith("letters/"):
            self.has_other_letters = True
