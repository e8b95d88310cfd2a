"""The words of mail systems are data that is checked."""

import pytest

from policies.errors import PolicyInvalidError
from policies.return_phrases import load_phrases, plain
from tests.conventions.source_tree import text_of

TEXT = text_of("policies/returns/phrases.yaml")


def test_the_first_rule_whose_words_are_found_counts() -> None:
    phrases = load_phrases(TEXT, "phrases.yaml")
    full = phrases.find_rule("The user's  Mailbox is\nFULL, user unknown")
    assert full is not None
    assert (full.rule, full.kind) == ("mailbox_full", "soft")
    assert phrases.find_rule("Bonjour, merci.") is None


def test_phrases_are_written_as_they_are_looked_for() -> None:
    phrases = load_phrases(TEXT, "phrases.yaml")
    listed = [phrase for rule in phrases.bounces for phrase in rule.phrases]
    groups = [value for value in phrases.model_dump().values() if isinstance(value, tuple)]
    every = [*listed, *(phrase for group in groups for phrase in group if isinstance(phrase, str))]
    assert [phrase for phrase in every if plain(phrase) != phrase] == []
    assert sorted({phrase for phrase in listed if listed.count(phrase) > 1}) == []


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(PolicyInvalidError, match="daemon"):
        load_phrases(TEXT.replace("\ndaemons:", "\ndaemon:"), "phrases.yaml")
