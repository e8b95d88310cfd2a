"""The words of one language for conditions, channels, holds and rates: `templates/policy/<language>/words.yaml`.

Which word stands where is decided in `policies.phrases`; here they are held complete, and filled in.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies import strict_yaml
from policies.facts import FACTS, Fact
from policies.model import Channel, HoldReason

_PLACE = re.compile(r"\{(\w+)\}")


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Joint(_Words):
    """Two words that melt together where they meet, such as `à` and `le` into `au`."""

    before: str
    after: str
    joined: str


class Lists(_Words):
    """What stands between parts: a comma, and a word before the last; `or` joins statements, `either` values."""

    comma: str
    and_: str = Field(alias="and")
    or_: str = Field(alias="or")
    either: str
    nor: str
    semicolon: str


class Comparisons(_Words):
    """`{a}` compared with `{b}`, or with the span from `{b}` to `{c}`."""

    eq: str
    neq: str
    gt: str
    gte: str
    lt: str
    lte: str
    between: str
    outside: str


class Likeness(_Words):
    """`{a}` held against a pattern made of `{b}`."""

    contains: str
    begins: str
    ends: str
    equals: str
    matches: str


class Clauses(_Words):
    """Statements that are neither a comparison nor a likeness."""

    always: str
    never: str
    one_of: str
    none_of: str
    unknown: str
    known: str
    unknown_whether: str
    known_whether: str
    distinct: str
    same: str
    ignoring_case: str
    any_character: str
    or_if_unknown: str
    case: str
    case_when: str
    case_otherwise: str


class Values(_Words):
    """What is calculated or chosen."""

    yes: str
    no: str
    nothing: str
    plus: str
    minus: str
    times: str
    ratio: str
    negative: str
    whether: str
    group: str
    quote: str
    or_if_unknown: str
    case: str
    case_when: str
    case_otherwise: str


class FactWords(_Words):
    """A fact as a noun, and whole statements where the noun alone would sound like a form.

    Attributes:
        name: the noun, in the singular, with its article.
        none: of a count: it is zero.
        some: of a count: it is at least one.
        unknown: it is null.
        known: it is not null.
        equals: of a text: it is `{b}`.
        differs: of a text: it is not `{b}`.
        holds: of what is true or false: it is true.
        fails: of what is true or false: it is not.
        values: texts that have a word of their own.
    """

    name: str
    none: str = ""
    some: str = ""
    unknown: str = ""
    known: str = ""
    equals: str = ""
    differs: str = ""
    holds: str = ""
    fails: str = ""
    values: dict[str, str] = {}


class Picture(_Words):
    """The labels of a ladder's time line; `day` stands for the due date, `D`."""

    day: str
    due_date: str
    about: str
    wait: str
    answer: str
    invoice: str
    before: str
    conditional: str
    end_of_month: str
    repeated: str
    approval: str
    approvals: str
    fixed: str
    earliest: str


class Phrasebook(_Words):
    """All words of one language."""

    description: str
    lists: Lists
    joints: tuple[Joint, ...] = ()
    numbers: Comparisons
    dates: Comparisons
    texts: Comparisons
    like: Likeness
    unlike: Likeness
    clauses: Clauses
    values: Values
    picture: Picture
    facts: dict[str, FactWords]
    channels: dict[Channel, str]
    reasons: dict[HoldReason, str]
    rates: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        known: Mapping[str, tuple[set[str], set[str]]] = {
            "facts": (set(self.facts), set(FACTS)),
            "channels": (set(self.channels), set(Channel)),
            "reasons": (set(self.reasons), set(HoldReason)),
        }
        wrong = {key: sorted(given ^ wanted) for key, (given, wanted) in known.items() if given ^ wanted}
        if wrong:
            raise ValueError(f"each has exactly one entry here, and these are missing or unknown: {wrong}")
        return self

    def fill(self, template: str, **parts: str) -> str:
        """Return the template with its places filled in; words melt where the language has it so."""
        text = ""
        for index, piece in enumerate(_PLACE.split(template)):
            text = self.melt(text, parts[piece]) if index % 2 else text + piece
        return text

    def melt(self, text: str, part: str) -> str:
        """Return a text and what follows it as one, as `à` and `le` make `au`."""
        for joint in self.joints:
            if f" {text}".endswith(f" {joint.before}") and part.startswith(joint.after):
                return text.removesuffix(joint.before) + joint.joined + part.removeprefix(joint.after)
        return text + part


def unit_of(fact: Fact) -> str:
    """Return what numbers of a fact count: `days`, a `share` of one, or a plain `number`.

    >>> unit_of(FACTS["days_past_due"]), unit_of(FACTS["late_share"]), unit_of(FACTS["amount"])
    ('days', 'share', 'number')
    """
    words = fact.name.split("_")
    return next((unit for unit in ("days", "share") if unit in words), "number")


@lru_cache(maxsize=8)
def load_phrasebook(text: str, file: str) -> Phrasebook:
    """Return the words that a YAML text holds, or say everything that is wrong with it."""
    return strict_yaml.validate(Phrasebook, strict_yaml.load(text, file), file)
