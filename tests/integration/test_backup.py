"""A backup holds all of a workspace as of one instant; what is restored from it duns nobody a second time."""

import io
import json
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.restore import restore
from policies.errors import AuditBrokenError, RelanceError, WaitingError, WrongUseError
from tasks.backup.archive import check_archive
from tasks.backup.restoring import restored
from tasks.backup.taking import take_backup
from tasks.dispatch.journal import JOURNAL_NAME, read_journal
from tasks.ledger import NewEvent, append_events
from tasks.run import Run
from tasks.stopping import read_stop
from tasks.store.audit import read_head, read_log
from tasks.store.batch_lists import list_actions
from tasks.store.connection import open_to_read, open_to_write
from tasks.workspace import Workspace, open_workspace
from tests.torture.company import (
    COMMANDS,
    ENDED_WELL,
    Stages,
    arguments,
    copy_workspace,
    relance,
    start,
)
from tests.torture.moments import APPROVE, RELEASE, RUN
from tests.torture.trials import KILLED

NEXT_DAY = "2026-03-03"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages(tmp_path_factory.mktemp("stages"))


def run_in(
    workspace: Workspace, clock: Callable[[], datetime] = lambda: datetime(2026, 3, 2, tzinfo=UTC)
) -> Run:
    day = date(2026, 3, 2)
    return Run(workspace, day, day, "run-of-a-test", "Anna", clock, lambda _line: None)


@pytest.fixture(scope="module")
def backup(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the sample company with two batches approved and nothing of them released."""
    archive, _ = take_backup(run_in(stages.before(RELEASE)), tmp_path_factory.mktemp("backups"))
    return archive


def files_of(root: Path) -> dict[str, bytes]:
    """What lies in a workspace, without the store's own file and the lock."""
    own = ("relance.duckdb", "relance.lock")
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in own
    }


def left(workspace: Workspace) -> list[str]:
    """The action of every message that left, as often as it did."""
    with open_to_read(workspace) as connection:
        events = read_log(connection, kind="action_dispatched")
    return sorted(events["action_id"])


def test_a_restored_workspace_is_the_one_that_was_backed_up(
    stages: Stages, backup: Path, tmp_path: Path
) -> None:
    lived = stages.before(RELEASE)
    with restored(backup, tmp_path / "again") as (_, manifest):
        pass
    assert files_of(tmp_path / "again") == files_of(lived.root)
    with open_to_read(lived) as before, open_to_read(open_workspace(tmp_path / "again")) as after:
        assert read_log(after).equals(read_log(before))
        assert list_actions(after).equals(list_actions(before))
        assert read_head(after).sequence == manifest.head_sequence > 0
    assert not (lived.root / ".backup").exists()


def test_store_and_folder_are_restored_for_those_who_could_read_them(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(RELEASE), tmp_path / "lived")
    workspace.store_path.chmod(0o600)
    workspace.root.chmod(0o2750)
    archive, _ = take_backup(run_in(workspace), tmp_path)
    (tmp_path / "made").mkdir(mode=0o755)
    for name, mode in (("again", 0o2750), ("made", 0o755)):
        with restored(archive, tmp_path / name):
            pass
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
        assert stat.S_IMODE((tmp_path / name / "relance.duckdb").stat().st_mode) == 0o600


def test_a_backup_is_for_its_owner_alone(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.name.endswith("-2026-03-02T000000Z.tar.gz")


def test_what_was_released_after_the_backup_stays_halted_and_is_known_from_the_old_journals(
    stages: Stages, tmp_path: Path
) -> None:
    lost = copy_workspace(stages.before(RELEASE), tmp_path / "lost")
    archive, _ = take_backup(run_in(lost), tmp_path)
    assert relance(*arguments(lost, COMMANDS[RELEASE])).returncode in ENDED_WELL
    told = relance("restore", str(archive), str(tmp_path / "again"), "--journals", str(lost.outbox))
    assert told.returncode == 5, told.stderr
    again = open_workspace(tmp_path / "again")
    halted = json.loads(again.stop_path.read_text(encoding="utf-8"))
    assert halted["by"] == "relance restore"
    assert "settled 3 messages more" in halted["why"]
    assert left(again) == left(lost)
    with open_to_read(again) as connection:
        assert read_log(connection, kind="workspace_restored").height == 1


def test_what_was_drafted_and_left_after_the_backup_is_not_sent_again_on_that_day_nor_later(
    stages: Stages, tmp_path: Path
) -> None:
    lost = stages.before(APPROVE)
    archive, _ = take_backup(run_in(stages.before(RUN)), tmp_path)
    told = relance("restore", str(archive), str(tmp_path / "again"), "--journals", str(lost.outbox))
    assert told.returncode == 5, told.stderr
    again = open_workspace(tmp_path / "again")
    started = relance("start", "--by", "Claire Fontanel", "--workspace", str(again.root))
    assert "stopped by relance restore" in started.stdout, started.stderr
    assert relance(*arguments(again, COMMANDS[RUN])).returncode in ENDED_WELL
    assert left(again) == []
    after = relance("run", "--as-of", NEXT_DAY, "--workspace", str(again.root))
    assert after.returncode in ENDED_WELL, after.stderr
    assert set(left(again)).isdisjoint(left(lost))


def test_without_the_old_journals_it_is_told_what_is_unknown(backup: Path, tmp_path: Path) -> None:
    told = relance("restore", str(backup), str(tmp_path / "again"))
    assert told.returncode == 5
    halted = json.loads(open_workspace(tmp_path / "again").stop_path.read_text(encoding="utf-8"))
    assert "backup was taken at 2026-03-02 00:00 UTC" in halted["why"]
    assert "unknown here and would be sent again" in halted["why"]
    again = open_workspace(tmp_path / "again")
    known = left(again)
    assert relance(*arguments(again, COMMANDS[RELEASE])).returncode == 5
    assert left(again) == known
    verified = relance("audit", "verify", "--workspace", str(tmp_path / "again"))
    assert verified.returncode == 0, verified.stderr


def test_a_backup_while_a_release_is_cut_keeps_its_intents(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(RELEASE), tmp_path / "company")
    words = arguments(workspace, COMMANDS[RELEASE])
    process = start(
        ["-m", "tests.torture.killed", "tasks.dispatch.batches:take_in_journal", "1", "before", *words]
    )
    process.communicate(timeout=120)
    assert process.returncode == KILLED
    archive, _ = take_backup(run_in(workspace), tmp_path)
    with restored(archive, tmp_path / "again") as (again, _):
        kept = [read_journal(path) for path in sorted(again.outbox.glob(f"*/{JOURNAL_NAME}"))]
    assert kept == [read_journal(path) for path in sorted(workspace.outbox.glob(f"*/{JOURNAL_NAME}"))]
    assert sum(map(len, kept)) > 0


def test_a_log_that_grows_meanwhile_is_pictured_again(stages: Stages, tmp_path: Path) -> None:
    """The clock is asked once per picture: here each of the first two also lets an event be logged."""
    workspace = copy_workspace(stages.before(RELEASE), tmp_path / "company")
    instants = iter(range(60))
    pictures: list[datetime] = []

    def clock() -> datetime:
        now = datetime(2026, 3, 2, 6, next(instants), tzinfo=UTC)
        if 0 < len(pictures) <= 2:
            with open_to_write(workspace) as connection:
                event = NewEvent("event_recorded", {"number": len(pictures)})
                append_events(connection, [event], recorded_at=now, actor="Anna", run_id="another")
        pictures.append(now)
        return now

    archive, manifest = take_backup(run_in(workspace, clock), tmp_path)
    with open_to_read(workspace) as connection:
        assert manifest.head_sequence == read_head(connection).sequence
    assert len(pictures) == 4  # one names the file
    assert check_archive(archive) == manifest


def test_a_stop_that_was_only_touched_is_restored_too(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(RELEASE), tmp_path / "workspace")
    workspace.stop_path.touch()
    archive, _ = take_backup(run_in(workspace), tmp_path / "backup.tar.gz")
    restore(archive, tmp_path / "again")
    halted = read_stop(open_workspace(tmp_path / "again"))
    assert halted
    assert halted.by == "relance restore"
    assert "Before the backup: the file release.stopped stands in the workspace" in halted.why


def test_a_backup_is_not_put_into_the_workspace_nor_over_another_file(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    for wrong in (workspace.root / "a.tar.gz", tmp_path / "a.zip", tmp_path / "nowhere" / "a.tar.gz"):
        with pytest.raises(WrongUseError):
            take_backup(run_in(workspace), wrong)
    (tmp_path / "there.tar.gz").write_bytes(b"an earlier backup")
    with pytest.raises(WrongUseError, match="is there already"):
        take_backup(run_in(workspace), tmp_path / "there.tar.gz")
    assert (tmp_path / "there.tar.gz").read_bytes() == b"an earlier backup"


def test_a_second_backup_at_the_same_time_waits_for_nobody_and_says_so(
    stages: Stages, tmp_path: Path
) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    (workspace.root / ".backup").mkdir()
    with subprocess.Popen(["flock", str(workspace.root / ".backup"), "sh", "-c", "echo held; read _"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(WaitingError, match="another backup"):
            take_backup(run_in(workspace), tmp_path)
        holder.communicate("\n")
    take_backup(run_in(workspace), tmp_path)


def test_links_in_a_workspace_are_left_out_and_told(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    (workspace.inbox / "secrets.csv").symlink_to("/etc/passwd")
    _, manifest = take_backup(run_in(workspace), tmp_path)
    assert manifest.left_out == ("inbox/secrets.csv: a link",)
    assert "inbox/secrets.csv" not in {file.path for file in manifest.files}


def test_nothing_is_restored_over_a_folder_that_is_in_use(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WrongUseError, match="not an empty folder"), restored(backup, tmp_path / "used"):
        pass
    assert files_of(tmp_path / "used") == {"notes.txt": b"mine"}


def test_a_log_that_does_not_hold_is_not_backed_up(stages: Stages, tmp_path: Path) -> None:
    workspace = copy_workspace(stages.before(APPROVE), tmp_path / "company")
    with open_to_write(workspace) as connection:
        connection.execute("update audit_events set actor = 'Nobody' where sequence = 4")
    with pytest.raises(AuditBrokenError, match="event 4 was changed"):
        take_backup(run_in(workspace), tmp_path)
    assert list(tmp_path.glob("*.tar.gz")) == []


Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]


def rewritten(backup: Path, target: Path, change: Change) -> Path:
    """Write an archive whose members somebody changed."""
    with tarfile.open(backup) as tar:
        members = [(one, file.read()) for one in tar if (file := tar.extractfile(one)) is not None]
    change(members)
    with tarfile.open(target, "w:gz") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return target


def named(members: list[tuple[tarfile.TarInfo, bytes]], name: str) -> int:
    return next(index for index, (member, _) in enumerate(members) if member.name == name)


def _renamed(name: str) -> Change:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        members[named(members, "creditor.yaml")][0].name = name

    return change


def _listed_as(name: str) -> Change:
    """The list itself says a path that leads out."""

    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        listed, content = members[0]
        content = content.replace(b'"creditor.yaml"', json.dumps(name).encode())
        listed.size = len(content)
        members[0] = (listed, content)
        members[named(members, "creditor.yaml")][0].name = name

    return change


def _as_link(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    member = members[named(members, "creditor.yaml")][0]
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"


def _longer(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    index = named(members, "creditor.yaml")
    member, content = members[index]
    member.size = len(content) + 50_000_000
    members[index] = (member, content + bytes(50_000_000))


def _other_bytes(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    index = named(members, "creditor.yaml")
    member, content = members[index]
    members[index] = (member, content.replace(b"a", b"b", 1))


def _without_one(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    del members[-1]


def _twice(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members.append(members[-1])


def _another_head(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    listed, content = members[0]
    plain = json.loads(content)
    plain["head_sequence"] += 1
    content = json.dumps(plain).encode()
    listed.size = len(content)
    members[0] = (listed, content)


def _newer(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    listed, content = members[0]
    plain = json.loads(content)
    plain["schema_version"] = 999
    content = json.dumps(plain).encode()
    listed.size = len(content)
    members[0] = (listed, content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_renamed("../outside.yaml"), "not in the list"),
        (_renamed("/tmp/outside.yaml"), "not in the list"),
        (_listed_as("../outside.yaml"), "must stay below"),
        (_listed_as("/tmp/outside.yaml"), "must stay below"),
        (_listed_as("a/../../outside.yaml"), "must stay below"),
        (_as_link, "no ordinary file"),
        (_longer, "bytes instead of"),
        (_other_bytes, "not those that were backed up"),
        (_without_one, "it is missing"),
        (_twice, "there twice"),
        (_another_head, "its log ends with event"),
        (_newer, "Use that version of Relance"),
        (lambda members: members.pop(0), "does not begin with"),
    ],
)
def test_an_archive_that_is_not_what_was_written_restores_nothing(
    backup: Path, tmp_path: Path, change: Change, said: str
) -> None:
    wrong = rewritten(backup, tmp_path / "wrong.tar.gz", change)
    (tmp_path / "place").mkdir()
    with pytest.raises(RelanceError, match=said), restored(wrong, tmp_path / "place" / "again"):
        pass
    assert list((tmp_path / "place").iterdir()) == []
    assert not Path("/tmp/outside.yaml").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_a_cut_archive_restores_nothing(backup: Path, tmp_path: Path, share: float) -> None:
    content = backup.read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RelanceError), restored(tmp_path / "cut.tar.gz", tmp_path / "again"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tar.gz"]


def test_journals_of_another_workspace_are_refused(stages: Stages, backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(stages.before(RELEASE).outbox, other)
    journal = next(other.glob(f"*-automatic/{JOURNAL_NAME}"))
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[2:]), encoding="utf-8")
    told = relance("restore", str(backup), str(tmp_path / "again"), "--journals", str(other))
    assert told.returncode == 6
    assert "does not go on where the journal in the backup ends" in told.stderr
    assert not (tmp_path / "again").exists()


def test_what_left_and_nobody_can_name_is_told_by_its_number(stages: Stages, tmp_path: Path) -> None:
    archive, _ = take_backup(run_in(stages.before(RUN)), tmp_path)
    outbox = tmp_path / "only" / "outbox"
    shutil.copytree(stages.before(APPROVE).outbox, outbox)
    told = relance("restore", str(archive), str(tmp_path / "again"), "--journals", str(outbox))
    assert told.returncode == 5, told.stderr
    halted = json.loads(open_workspace(tmp_path / "again").stop_path.read_text(encoding="utf-8"))
    numbers = [one.message_id for path in outbox.glob(f"*/{JOURNAL_NAME}") for one in read_journal(path)]
    assert "Of 6 messages that left nobody can tell" in halted["why"]
    assert [number for number in numbers if number not in halted["why"]] == []
