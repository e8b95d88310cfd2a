"""A mailbox on a server: mail that came since last time, and whether a copy of a message stands in a folder.

Reads only. Marking and moving are done after mail was taken in, where creditor.yaml asks for it; nothing is deleted.
"""

import base64
import imaplib
import os
import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from policies.creditor import Imap
from policies.errors import RelanceError, WrongUseError
from tasks.documents.safe_text import one_line
from tasks.returns.incoming import CHUNK, Chunk, Incoming
from tasks.returns.safe_mail import MOST_BYTES
from tasks.store.returns import Position
from tasks.workspace import Workspace

TIMEOUT_SECONDS = 60
MOST_MAILS = 20_000
"""Of one run; the rest is read by the next."""

_DIRECT = re.compile(r"[ -%'-~]+|&|[^ -~]+")


class MailboxError(RelanceError):
    """The mailbox cannot be read now; what was read before is taken in."""


class Mailbox:
    """An open connection to the server."""

    def __init__(self, connection: imaplib.IMAP4, settings: Imap) -> None:
        """Take a connection that is logged in."""
        self.connection = connection
        self.settings = settings

    @property
    def name(self) -> str:
        """What the mailbox is called in the store."""
        return f"{self.settings.host}:{self.settings.port}/{self.settings.folder}"

    def read(self, known: Position) -> Iterator[Chunk]:
        """Yield the mail that came after a position, oldest first."""
        validity = self._select(self.settings.folder)
        last = known.last_uid if known.validity == validity else 0
        uids = [uid for uid in self._search(f"{last + 1}:*") if uid > last][:MOST_MAILS]
        for start in range(0, len(uids), CHUNK):
            chosen = uids[start : start + CHUNK]
            mails = [mail for uid in chosen for mail in self._fetch(uid)]
            yield Chunk(mails, Position(known.mailbox, validity, chosen[-1]))

    def put_away(self, after: Position, up_to: Position) -> None:
        """Mark as seen, or move, what was taken in, as far as creditor.yaml asks for it."""
        first = after.last_uid + 1 if after.validity == up_to.validity else 1
        if up_to.last_uid < first or not (self.settings.mark_seen or self.settings.move_to):
            return
        self._select(self.settings.folder, writing=True)
        uids = [uid for uid in self._search(f"{first}:{up_to.last_uid}") if first <= uid <= up_to.last_uid]
        for start in range(0, len(uids), CHUNK):
            chosen = ",".join(map(str, uids[start : start + CHUNK]))
            if self.settings.mark_seen:
                self._ask("uid", "STORE", chosen, "+FLAGS.SILENT", r"(\Seen)")
            if self.settings.move_to:
                self._move(chosen, self.settings.move_to)

    def find_copies(self, folder: str, wanted: Iterable[str]) -> set[str]:
        """Return which of these values of Message-ID stand in a folder."""
        self._select(folder)
        return {one for one in wanted if self._search("HEADER", "Message-ID", f'"{one}"')}

    def _select(self, folder: str, *, writing: bool = False) -> int:
        """Open a folder; return the validity of its numbers."""
        self._ask("select", _quoted(folder), readonly=not writing)
        stated = self.connection.response("UIDVALIDITY")[1]
        text = stated[0] if stated else None
        return int(text) if isinstance(text, bytes) and text.isdigit() else 0

    def _search(self, *words: str) -> list[int]:
        terms = words if len(words) > 1 else ("UID", *words)
        found = self._ask("uid", "SEARCH", *terms)
        numbers = [number for part in found if isinstance(part, bytes) for number in part.split()]
        return sorted(int(number) for number in numbers if number.isdigit())

    def _fetch(self, uid: int) -> list[Incoming]:
        """Return one mail, nothing when it was removed meanwhile."""
        parts = self._ask("uid", "FETCH", str(uid), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
        found = [part[1] for part in parts if isinstance(part, tuple) and isinstance(part[1], bytes)]
        return [
            Incoming("imap", f"{self.settings.folder}, number {uid}", content[:MOST_BYTES])
            for content in found[:1]
        ]

    def _move(self, uids: str, folder: str) -> None:
        # Servers tell more of what they can once somebody is logged in.
        can = b" ".join(part for part in self._ask("capability") if isinstance(part, bytes)).upper().split()
        if b"MOVE" not in can:
            raise MailboxError(
                f"creditor.yaml: returns.imap.move_to: {self.settings.host} cannot move mail without deleting it. "
                "Take the key out; the mail was taken in and stays where it is."
            )
        self._ask("uid", "MOVE", uids, _quoted(folder))

    def _ask(self, command: str, *words: str, **options: bool) -> list[object]:
        where = f"the mailbox {self.settings.folder} at {self.settings.host}:{self.settings.port}"
        try:
            status, parts = getattr(self.connection, command)(*words, **options)
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(f"{where} went away: {_said(error)}. What was read before is kept.") from error
        if status != "OK":
            raise MailboxError(f"{where} refuses: {_said(parts[0] if parts else status)}.")
        return list(parts)


@contextmanager
def open_mailbox(workspace: Workspace, settings: Imap) -> Iterator[Mailbox]:
    """Log in, and out again.

    Args:
        workspace: whose root a path in the settings starts from.
        settings: of the server, from creditor.yaml.

    Raises:
        MailboxError: the server is away, its certificate is not trusted, or it refuses.
    """
    user, password = _secret(settings.username_env), _secret(settings.password_env)
    where = f"the mailbox {settings.folder} at {settings.host}:{settings.port}"
    try:
        connection = _connect(workspace, settings)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"{where} cannot be reached: {_said(error)}. Nothing of it was read.") from error
    try:
        try:
            _log_in(connection, user, password)
        except (imaplib.IMAP4.error, OSError, UnicodeEncodeError) as error:
            raise MailboxError(
                f"{where} refuses the login: {_said(error)}. Nothing of it was read."
            ) from error
        yield Mailbox(connection, settings)
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            connection.logout()


def _log_in(connection: imaplib.IMAP4, user: str, password: str) -> None:
    """Log in, with whatever letters a password has where the server allows it."""
    if "AUTH=PLAIN" in connection.capabilities:
        connection.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    else:
        connection.login(user, password)


def _connect(workspace: Workspace, settings: Imap) -> imaplib.IMAP4:
    if settings.security == "none":
        return imaplib.IMAP4(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context()
    if settings.certificate_file:
        context.load_verify_locations(workspace.root / settings.certificate_file)
    if settings.security == "tls":
        return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=TIMEOUT_SECONDS)
    connection = imaplib.IMAP4(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.starttls(context)
    except BaseException:
        with suppress(imaplib.IMAP4.error, OSError):
            connection.shutdown()
        raise
    return connection


def _quoted(folder: str) -> str:
    """Return the name of a folder as the protocol writes it (RFC 3501, 5.1.3)."""
    written = "".join(_encoded(piece) for piece in _DIRECT.findall(folder))
    return '"' + written.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(piece: str) -> str:
    if piece == "&":
        return "&-"
    if " " <= piece[0] <= "~":
        return piece
    return "&" + base64.b64encode(piece.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise WrongUseError(f"creditor.yaml: returns.imap: the environment has no {name}; set it.")
    return value


def _said(error: object) -> str:
    """Return what a server or the system says, in one short line without addresses."""
    text = error.decode("utf-8", "replace") if isinstance(error, bytes) else str(error)
    words = one_line(text) or type(error).__name__
    return re.sub(r"\S+@\S+", "<address>", words)[:200].rstrip(".")
