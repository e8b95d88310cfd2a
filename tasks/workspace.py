"""The folder of one creditor: where its files stand, and which file is used when it has its own.

A file under the workspace's `policies/` or `templates/` stands before the shipped one of the same name.
What `creditor.yaml` means is decided in `policies.creditor`; who may write now is decided in `tasks.locking`.
"""

from dataclasses import dataclass
from pathlib import Path

import policies
from policies.creditor import Creditor, parse
from policies.errors import WrongUseError

SHIPPED_ROOT = Path(policies.__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workspace:
    """The paths of one workspace; nothing is read or made by naming them."""

    root: Path

    @property
    def inbox(self) -> Path:
        """Where finance drops exports."""
        return self.root / "inbox"

    @property
    def documents(self) -> Path:
        """Where finance drops the PDF files that go with messages."""
        return self.inbox / "documents"

    @property
    def returned(self) -> Path:
        """Where mail that came back may be dropped, beside the inbox itself."""
        return self.inbox / "returns"

    @property
    def archive(self) -> Path:
        """Accepted originals."""
        return self.root / "archive"

    @property
    def rejected(self) -> Path:
        """Refused files, each beside its list of errors."""
        return self.root / "rejected"

    @property
    def outbox(self) -> Path:
        """One folder per batch: what leaves."""
        return self.root / "outbox"

    @property
    def published(self) -> Path:
        """What anyone may open at any time."""
        return self.root / "published"

    @property
    def policies(self) -> Path:
        """The creditor's own policies and source declarations."""
        return self.root / "policies"

    @property
    def templates(self) -> Path:
        """The creditor's own wording."""
        return self.root / "templates"

    @property
    def store_path(self) -> Path:
        """The DuckDB file."""
        return self.root / "relance.duckdb"

    @property
    def creditor_path(self) -> Path:
        """Who we are."""
        return self.root / "creditor.yaml"

    @property
    def lock_path(self) -> Path:
        """Who acts in this workspace now."""
        return self.root / "relance.lock"

    @property
    def stop_path(self) -> Path:
        """Stands here while a person has halted all release: who, why and since when."""
        return self.root / "release.stopped"


def open_workspace(root: Path) -> Workspace:
    """Return the workspace in this folder, or say how to make one."""
    workspace = Workspace(root.absolute())
    if not workspace.creditor_path.is_file():
        if root.exists() and not root.is_dir():
            raise WrongUseError(
                f"{root} is not a workspace of Relance: it is a file. "
                "Name the creditor's folder with --workspace DIR or RELANCE_HOME."
            )
        found = "has no creditor.yaml" if root.is_dir() else "does not exist"
        raise WrongUseError(
            f"{root} is not a workspace of Relance: it {found}. "
            f"Make one with `relance init {root}`, or name another with --workspace DIR or RELANCE_HOME."
        )
    return workspace


def prepare_folders(workspace: Workspace) -> None:
    """Make the folders that are missing."""
    for folder in (
        workspace.inbox,
        workspace.documents,
        workspace.archive,
        workspace.rejected,
        workspace.outbox,
        workspace.published,
        workspace.policies,
        workspace.templates,
    ):
        folder.mkdir(parents=True, exist_ok=True)


def initialise(root: Path) -> Workspace:
    """Make a workspace that runs as it is, with an example creditor to be replaced."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise WrongUseError(
            f"{root} is not an empty folder, nothing in it was touched. Name a new one: `relance init DIR`."
        )
    workspace = Workspace(root.absolute())
    try:
        prepare_folders(workspace)
    except OSError as error:
        raise WrongUseError(f"{root} cannot be made: {error.strerror}. Name another folder.") from error
    example = SHIPPED_ROOT / "policies" / "creditor_example.yaml"
    workspace.creditor_path.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    return workspace


def read_creditor(workspace: Workspace) -> Creditor:
    """Return who we are."""
    return parse(workspace.creditor_path.read_text(encoding="utf-8"), workspace.creditor_path.name)


def shipped_root() -> Path:
    """Return the folder that holds the shipped `policies` and `templates`."""
    return SHIPPED_ROOT


def find_file(workspace: Workspace, relative: str) -> Path | None:
    """Return the workspace's own file of this name, else the shipped one, else nothing.

    Args:
        workspace: whose files stand first.
        relative: such as `policies/statutes/FR.yaml` or `templates/reminder_1/fr/email.txt`.
    """
    for root in (workspace.root, SHIPPED_ROOT):
        candidate = root / relative
        if candidate.is_file():
            return candidate
    return None


def list_files(workspace: Workspace, folder: str, pattern: str) -> list[Path]:
    """Return the files of a folder such as `policies/sources`, by name, own before shipped."""
    found: dict[str, Path] = {}
    for root in (SHIPPED_ROOT, workspace.root):
        base = root / folder
        found.update({str(path.relative_to(base)): path for path in base.glob(pattern) if path.is_file()})
    return [found[name] for name in sorted(found)]


def find_policy(workspace: Workspace, name: str) -> Path:
    """Return the file of an escalation policy, or say which ones there are."""
    found = find_file(workspace, f"policies/escalation/{name}.yaml")
    if found is None:
        known = (
            ", ".join(path.stem for path in list_files(workspace, "policies/escalation", "*.yaml")) or "none"
        )
        raise WrongUseError(
            f"creditor.yaml: policy: there is no policy {name!r} (there are: {known}). "
            f"Name one of these, or write {workspace.policies / 'escalation' / (name + '.yaml')}."
        )
    return found


def find_policy_file(root: Path, policy: Path | None) -> Path:
    """Return the file of a policy that is given as a file, by name, or by the workspace's creditor.yaml."""
    if policy is None:
        workspace = open_workspace(root)
        return find_policy(workspace, read_creditor(workspace).policy)
    if policy.is_file():
        return policy
    name = policy.name.removesuffix(".yaml")
    places = [base / "policies" / "escalation" for base in (root, shipped_root())]
    if policy.parent == Path():
        for place in places:
            if (place / f"{name}.yaml").is_file():
                return place / f"{name}.yaml"
    known = ", ".join(sorted({path.stem for place in places for path in place.glob("*.yaml")}))
    raise WrongUseError(
        f"there is no policy {str(policy)!r}: no such file, and no policy of that name (there are: {known})."
    )


def read_named_file(path: Path) -> str:
    """Return the text of a file that a person named, or say why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUseError(f"{path} cannot be read: {error.strerror}. Name another file.") from error
    except UnicodeDecodeError as error:
        raise WrongUseError(f"{path} cannot be read: it is no text in UTF-8. Save it as UTF-8.") from error


def find_template(workspace: Workspace, relative: str) -> Path | None:
    """Return the file of a template, such as `reminder_1/fr/email.txt.jinja`, own before shipped."""
    return find_file(workspace, f"templates/{relative}")
