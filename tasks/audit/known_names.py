"""Tells a question about what nobody knows from one that has no answer: a typo must not read as an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from policies.errors import WrongUseError
from tasks.published_tables import query_published
from tasks.workspace import Workspace, shipped_root


@dataclass(frozen=True)
class _Kind:
    """What a word of a question names.

    Attributes:
        what: in a sentence.
        known: a query for all names; they are also told by files of `folder`.
        form: what may be asked about although nobody knows it: a half-year, a hash.
        folder: of the workspace and of the program, whose files and folders are named so.
    """

    what: str
    known: str
    form: str = ""
    folder: str = ""


_KINDS = {
    "customer": _Kind("customer", "select customer_id from customers union select customer_id from actions"),
    "batch": _Kind("batch", "select batch_id from batches"),
    "rate": _Kind(
        "rate", "select null where false", form=r"\d+([.,]\d+)?|\d{4}-H[12]", folder="policies/rates"
    ),
    "template": _Kind(
        "template", "select distinct step from actions", form="[0-9a-f]{4,64}", folder="templates"
    ),
}
"""By the names that `questions` give their words."""


def require_known(workspace: Workspace, given: Mapping[str, str]) -> None:
    """Raise when a question without an answer names a customer, batch, rate or template that nobody knows.

    Raises:
        WrongUseError: says what is not known, and what is spelled nearly so.
    """
    for name, text in given.items():
        kind = _KINDS.get(name)
        if kind is None or re.fullmatch(kind.form, text):
            continue
        known = [*query_published(workspace, kind.known).to_series().drop_nulls(), *_files(workspace, kind)]
        if text not in known:
            near = get_close_matches(text, known, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise WrongUseError(f"there is no {kind.what} {text!r} in what was published.{guess}")


def _files(workspace: Workspace, kind: _Kind) -> list[str]:
    if not kind.folder:
        return []
    return [path.stem for root in (workspace.root, shipped_root()) for path in (root / kind.folder).glob("*")]
