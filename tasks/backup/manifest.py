"""What an archive says of itself: its first member, against which everything else in it is checked."""

from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from policies.errors import WrongUseError

MANIFEST_NAME = "relance-backup.json"
LARGEST_MANIFEST_BYTES = 256 * 2**20


def _inside(path: str) -> str:
    """Return the path when it stays below the folder it is unpacked into."""
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or ".." in parts or path.startswith("/") or "\0" in path:
        raise ValueError("a path must stay below the workspace")
    return path


class BackedUpFile(BaseModel):
    """One file of the workspace; `mode` holds its nine permission bits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(_inside)]
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    mode: int = Field(ge=0, le=0o777)


class Manifest(BaseModel):
    """What a backup holds, and as of when.

    Attributes:
        format: of the archive; another one is another program's.
        workspace: the name of the folder it was taken of.
        taken_at: the instant of the picture, in UTC: what happened later is not in it.
        taken_by: who asked for it.
        relance_version: of the program that took it.
        schema_version: of the store.
        head_sequence: the number of the last audit event; 0 before the first.
        head_hash: its hash.
        last_dispatch_date: the day on which something last left, as far as the store knew.
        root_mode: the permission bits of its folder; archives of before they were kept have none.
        files: all of them.
        left_out: what lay in the workspace and is not in the archive, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["relance-backup-1"]
    workspace: str
    taken_at: datetime
    taken_by: str
    relance_version: str
    schema_version: int
    head_sequence: int
    head_hash: str
    last_dispatch_date: date | None
    root_mode: int | None = Field(default=None, ge=0, le=0o7777)
    files: tuple[BackedUpFile, ...]
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read_manifest(text: bytes, archive: str) -> Manifest:
    """Return what an archive says of itself, or why it is none of ours."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WrongUseError(
            f"{archive} is not a backup that this program can read: {MANIFEST_NAME}: {where}: {first['msg']}."
        ) from error
    if len({file.path for file in manifest.files}) < len(manifest.files):
        raise WrongUseError(f"{archive} is not a backup of Relance: it lists a file twice.")
    return manifest
