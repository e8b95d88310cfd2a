"""Puts a policy's conditions into the plain English of the lists."""

from datetime import date
from decimal import Decimal

from policies.errors import PolicyInvalidError
from policies.phrasebook import load_phrasebook
from policies.phrases import phrase
from tasks.workspace import Workspace, find_template

_WORDS = "policy/en/words.yaml"


class _Plain:
    """Prints numbers as the lists do: a dot, no grouping, codes as they are."""

    def number(self, value: Decimal) -> str:
        return f"{value:f}"

    def days(self, value: Decimal) -> str:
        return f"{value:f} day" if abs(value) == 1 else f"{value:f} days"

    def share(self, value: Decimal) -> str:
        return f"{(value * 100).normalize():f}%"

    def day(self, value: date) -> str:
        return value.isoformat()

    def code(self, fact: str, text: str) -> str:  # noqa: ARG002 - asked with both, names none
        return ""


def tell_condition(workspace: Workspace, condition: str) -> str:
    """Return a condition as a statement in quotes, by the words of `relance policy explain`."""
    path = find_template(workspace, _WORDS)
    if path is None:
        raise PolicyInvalidError(f"templates/{_WORDS} is missing")
    words = load_phrasebook(path.read_text(encoding="utf-8"), path.name)
    return f"\u201c{phrase(condition, words, _Plain())}\u201d"
