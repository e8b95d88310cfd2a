"""Sentences on many messages that met the same fate: by reason, short enough to be read."""

import re
from collections.abc import Mapping

from policies.explanations import counted
from tasks.dispatch.deliveries import PlannedMessage

_NUMBER = re.compile(r"\b[0-9a-f]{32}\b")
_MOST_NUMBERS = 10
_MOST_REASONS = 10


def tell_by_reason(what: str, reasons: Mapping[PlannedMessage, str]) -> list[str]:
    """Return a sentence for each reason: what became of which messages, and why."""
    by_reason: dict[str, list[str]] = {}
    for message, why in reasons.items():
        by_reason.setdefault(why, []).append(message.message_id)
    sentences = [f"{what}: {_listed(ids)}: {why}" for why, ids in by_reason.items()]
    if len(sentences) <= _MOST_REASONS:
        return sentences
    rest = sum(len(ids) for ids in list(by_reason.values())[_MOST_REASONS:])
    return [*sentences[:_MOST_REASONS], f"{what}: {counted(rest, 'message')} more, for other reasons"]


def with_names(sentence: str, names: Mapping[str, str]) -> str:
    """Return a sentence with whom they are for beside the messages that it names.

    Args:
        sentence: for people.
        names: message_id -> `customer C4, invoice F-1`.
    """
    return _NUMBER.sub(
        lambda found: f"{found[0]} ({names[found[0]]})" if found[0] in names else found[0], sentence
    )


def _listed(ids: list[str]) -> str:
    if len(ids) <= _MOST_NUMBERS:
        return ", ".join(ids)
    return f"{', '.join(ids[:_MOST_NUMBERS])} and {len(ids) - _MOST_NUMBERS} more"
