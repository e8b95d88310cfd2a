"""Tells a question about what nobody knows from one that has no answer: a typo must not read as an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from policies.errors import WrongUseError
from tasks.published_tables import query_published
from tasks.store.connection import load_query
from tasks.workspace import Workspace, shipped_root


@dataclass(frozen=True)
class _Kind:
    """What a word of a question names.

    Attributes:
        what: in a sentence.
        known: the query for all names, or nothing; they are also told by files of `folder`.
        form: what may be asked about although nobody knows it: a half-year, a hash.
        folder: of the workspace and of the program, whose files and folders are named so.
    """

    what: str
    known: str
    form: str = ""
    folder: str = ""


_KINDS = {
    "customer": _Kind("customer", "known/customers"),
    "batch": _Kind("batch", "known/batches"),
    "rate": _Kind("rate", "", form=r"\d+([.,]\d+)?|\d{4}-H[12]", folder="policies/rates"),
    "template": _Kind("template", "known/templates", form="[0-9a-f]{4,64}", folder="templates"),
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
        known = [*_published(workspace, kind), *_files(workspace, kind)]
        if text not in known:
            near = get_close_matches(text, known, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise WrongUseError(f"there is no {kind.what} {text!r} in what was published.{guess}")


def _published(workspace: Workspace, kind: _Kind) -> list[str]:
    if not kind.known:
        return []
    return query_published(workspace, load_query(kind.known)).to_series().drop_nulls().to_list()


def _files(workspace: Workspace, kind: _Kind) -> list[str]:
    if not kind.folder:
        return []
    return [path.stem for root in (workspace.root, shipped_root()) for path in (root / kind.folder).glob("*")]
