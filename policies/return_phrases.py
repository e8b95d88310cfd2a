"""What mail systems and absent people write, as data: `policies/returns/phrases.yaml`.

A phrase is plain text, found anywhere in small letters with single spaces; there are no patterns.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from policies.strict_yaml import load_model


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Phrases = Annotated[tuple[str, ...], Field(min_length=1)]


class BounceRule(_Strict):
    """Any of these phrases means a bounce of this kind."""

    rule: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Literal["hard", "soft"]
    phrases: Phrases


class ReturnPhrases(_Strict):
    """Everything by which mail without a standard form is told apart.

    Attributes:
        bounces: rules in order; the first that is found counts.
        hard_statuses: enhanced status codes (RFC 3463) that condemn an address.
        no_reply_senders: how local parts of programs begin that want no answer.
        daemons: local parts of addresses that no person writes from.
        bounce_subjects: how subjects of bounces begin.
        auto_reply_subjects: how subjects of automatic answers begin.
        auto_reply_subjects_if_automatic: such beginnings that people write too.
        auto_reply_phrases: what their text says.
        challenge_phrases: what asks for a confirmation before a message is handed over.
        copy_marks: where the copy of a message begins in a text.
    """

    description: str
    bounces: tuple[BounceRule, ...]
    hard_statuses: Phrases
    no_reply_senders: Phrases
    daemons: Phrases
    bounce_subjects: Phrases
    auto_reply_subjects: Phrases
    auto_reply_subjects_if_automatic: Phrases
    auto_reply_phrases: Phrases
    challenge_phrases: Phrases
    copy_marks: Phrases

    def find_rule(self, text: str) -> BounceRule | None:
        """Return the first rule one of whose phrases stands in the text."""
        said = plain(text)
        return next((rule for rule in self.bounces if any(one in said for one in rule.phrases)), None)


def plain(text: str) -> str:
    """Return a text in small letters with single spaces and straight apostrophes, as phrases are written."""
    return " ".join(text.replace("’", "'").lower().split())


def load_phrases(text: str, file: str) -> ReturnPhrases:
    """Return the phrases that a YAML text holds, or say everything that is wrong with it."""
    return load_model(ReturnPhrases, text, file)
