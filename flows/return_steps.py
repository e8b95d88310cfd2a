"""The steps of following up: each place that mail comes back to is a row in the Prefect UI, safe to do again."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from flows.engine import step
from policies.creditor import Creditor, Imap
from policies.hosts import is_local_host
from policies.mail_addresses import mail_address
from tasks.dispatch.resolution import settle_as_left
from tasks.documents.email import message_id_header
from tasks.intake import IntakeResult, find_mails, put_away
from tasks.returns.imap import Mailbox, MailboxError, open_mailbox
from tasks.returns.incoming import Chunk, find_copies, mail_place, of_files, of_maildir
from tasks.returns.outcome import Returned, add_up
from tasks.returns.taking_in import take_in_mail
from tasks.run import Run
from tasks.store.batch_lists import list_messages, name_messages
from tasks.store.connection import open_to_read
from tasks.store.returns import Position, read_position
from tasks.workspace import read_creditor


@step("take in mail of a mailbox", retries=1)
def take_in_mailbox(run: Run) -> Returned:
    """Take in what is new in the mailbox on a server; when it is away a person is told, and the rest goes on."""
    settings = read_creditor(run.workspace).returns.imap
    if settings is None:
        return Returned()
    if why := _why_not_asked(run, settings):
        return Returned(persons=(why,))
    taken = Returned()
    problems: list[str] = []
    try:
        with open_mailbox(run.workspace, settings) as mailbox:
            with open_to_read(run.workspace) as connection:
                known = read_position(connection, mailbox.name)
            positions = [known]
            taken = _take_in(run, _chunks(mailbox, known, positions, problems))
            mailbox.put_away(after=known, up_to=positions[-1])
    except MailboxError as error:
        problems.append(str(error))
    return add_up([taken, Returned(persons=tuple(problems))])


def _chunks(
    mailbox: Mailbox, known: Position, positions: list[Position], problems: list[str]
) -> Iterator[Chunk]:
    """Yield what is new in a mailbox, note how far it was taken in, and what went wrong meanwhile."""
    try:
        for chunk in mailbox.read(known):
            yield chunk
            positions.append(chunk.position or known)
    except MailboxError as error:
        problems.append(str(error))


@step("take in mail of a folder")
def take_in_maildir(run: Run) -> Returned:
    """Take in what is new in the Maildir that creditor.yaml names."""
    folder = read_creditor(run.workspace).returns.maildir
    return _take_in(run, of_maildir(_path(run, folder))) if folder else Returned()


@step("take in mail of the inbox")
def take_in_files(run: Run) -> tuple[Returned, list[IntakeResult]]:
    """Take in the files of mail that were dropped in the inbox, and put them into the archive."""
    paths, moving = find_mails(run)
    read: dict[Path, int] = {}
    taken = _take_in(run, _noted(of_files(paths, "file"), read))
    unread = []
    for path in paths:
        # One that was dropped anew meanwhile is read by the next run.
        if path.exists() and path.stat().st_mtime_ns == read.get(path):
            put_away(path, run.workspace.archive / "returns")
        else:
            unread.append(f"{mail_place(path.name.encode())} could not be read whole; it stays in the inbox")
    return add_up([taken, Returned(persons=tuple(unread))]), moving


def _noted(chunks: Iterable[Chunk], read: dict[Path, int]) -> Iterator[Chunk]:
    """Yield chunks and note which files were read, and as of which change."""
    for chunk in chunks:
        read |= {mail.path: mail.changed_ns for mail in chunk.mails if mail.path}
        yield chunk


@step("look for copies of doubtful messages", retries=1)
def settle_by_copies(run: Run) -> Returned:
    """Settle the uncertain messages of which a copy stands among the sent mail."""
    creditor = read_creditor(run.workspace)
    with open_to_read(run.workspace) as connection:
        doubtful = list_messages(connection).filter(status="uncertain", channel="email")["message_id"]
        names = name_messages(connection, doubtful.to_list())
    domain = mail_address(creditor.sender.email).rpartition("@")[2]
    wanted = {message_id_header(one, domain): one for one in doubtful.unique().sort()}
    if not wanted:
        return Returned()
    problems: list[str] = []
    found: set[str] = set()
    for look in (_copies_of_maildir, _copies_of_mailbox):
        try:
            found |= look(run, creditor, set(wanted) - found)
        except MailboxError as error:
            problems.append(str(error))
    settled = [wanted[header] for header in sorted(found)]
    settle_as_left(run, dict.fromkeys(settled, "a copy of it stands among the sent mail"))
    return Returned(settled=tuple(f"{one} ({names[one]})" for one in settled), persons=tuple(problems))


def _copies_of_maildir(run: Run, creditor: Creditor, wanted: set[str]) -> set[str]:
    folder = creditor.returns.sent_maildir
    return find_copies(_path(run, folder), wanted) if folder else set()


def _copies_of_mailbox(run: Run, creditor: Creditor, wanted: set[str]) -> set[str]:
    settings = creditor.returns.imap
    if settings is None or settings.sent_folder is None or not wanted or _why_not_asked(run, settings):
        return set()
    with open_mailbox(run.workspace, settings) as mailbox:
        return mailbox.find_copies(settings.sent_folder, sorted(wanted))


def _why_not_asked(run: Run, settings: Imap) -> str:
    """Return why a server is left alone: a day that is not today never reaches one outside this machine."""
    if run.as_of == run.today or is_local_host(settings.host):
        return ""
    return f"the mailbox at {settings.host} was not read: the date is {run.as_of} and today is {run.today}"


def _take_in(run: Run, chunks: Iterable[Chunk]) -> Returned:
    settings = read_creditor(run.workspace).returns
    return take_in_mail(run, chunks, settings, partial(settle_as_left, run))


def _path(run: Run, folder: str) -> Path:
    return run.workspace.root / folder
