"""What mail systems and absent people write, as data: `policies/returns/phrases.yaml`.

A phrase is plain text, found anywhere without regard to capitals, accents, ß or ss, and spaces; there are no patterns.
"""

import unicodedata
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from policies.strict_yaml import load_model


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_LETTERS = str.maketrans({"’": "'", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
"""Letters that have no accent to take off."""


def plain(text: str) -> str:
    """Return a text as phrases are looked for: small letters without accents, `ss` for ß, single spaces."""
    split = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    return " ".join(bare.translate(_LETTERS).split())


Phrases = Annotated[tuple[Annotated[str, AfterValidator(plain)], ...], Field(min_length=1)]


class BounceRule(_Strict):
    """Any of these phrases means a bounce of this kind.

    Attributes:
        rule: its name, for the log.
        kind: whether the address takes no mail, or this message did not arrive.
        spares_address: the cause is not the address: it never counts against it, and a person is told.
        outranks_status: it holds even beside a status code that condemns the address.
        gives_no_cause: it says only that a message did not arrive; a status code that spares the address outranks it.
        phrases: the words.
    """

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["hard", "soft"]
    spares_address: bool = False
    outranks_status: bool = False
    gives_no_cause: bool = False
    phrases: Phrases

    @model_validator(mode="after")
    def _check_spared(self) -> Self:
        if self.kind == "hard" and (self.spares_address or self.outranks_status):
            raise ValueError("a bounce for good spares no address and outranks no status: write kind soft")
        return self


class ReturnPhrases(_Strict):
    """Everything by which mail without a standard form is told apart.

    Attributes:
        bounces: rules in order; the first that is found counts.
        hard_statuses: enhanced status codes (RFC 3463) that condemn an address.
        sparing_statuses: those that blame the sender or the receiver's policy; a part of * takes any.
        no_reply_senders: how local parts of programs begin that want no answer.
        daemons: local parts of mail systems' addresses, without the number behind some; people have such names too.
        bounce_subjects: how subjects of bounces begin.
        auto_reply_subjects: how subjects of automatic answers begin.
        auto_reply_subjects_if_automatic: such beginnings that people write too.
        absent_subjects: what stands anywhere in subjects of absent people, and in those that people write.
        courtesies: how sentences begin that stand before what a text says.
        auto_reply_phrases: what their text says.
        challenge_phrases: what asks for a confirmation before a message is handed over.
        copy_marks: where the copy of a message begins in a text.
    """

    description: str
    bounces: tuple[BounceRule, ...]
    hard_statuses: Phrases
    sparing_statuses: Phrases
    no_reply_senders: Phrases
    daemons: Phrases
    bounce_subjects: Phrases
    auto_reply_subjects: Phrases
    auto_reply_subjects_if_automatic: Phrases
    absent_subjects: Phrases
    courtesies: Phrases
    auto_reply_phrases: Phrases
    challenge_phrases: Phrases
    copy_marks: Phrases

    def find_rule(self, text: str) -> BounceRule | None:
        """Return the first rule one of whose phrases stands in the text."""
        said = plain(text)
        return next((rule for rule in self.bounces if any(one in said for one in rule.phrases)), None)

    def spares_address(self, status: str) -> bool:
        """Return whether a status code blames something else than the address."""
        return any(fnmatchcase(status, pattern) for pattern in self.sparing_statuses)


def load_phrases(text: str, file: str) -> ReturnPhrases:
    """Return the phrases that a YAML text holds, or say everything that is wrong with it."""
    return load_model(ReturnPhrases, text, file)
