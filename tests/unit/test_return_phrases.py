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


def test_a_text_is_looked_at_without_capitals_accents_and_sharp_s() -> None:
    assert plain("  GRÜSSE aus\nStraßburg: «l’Œuvre» là-bas, Łódź, Ærø ") == (
        "grusse aus strassburg: «l'oeuvre» la-bas, lodz, aero"
    )


def test_no_phrase_stands_twice() -> None:
    phrases = load_phrases(TEXT, "phrases.yaml")
    groups = [value for value in phrases.model_dump().values() if isinstance(value, tuple)]
    listed = [[one for one in group if isinstance(one, str)] for group in groups]
    listed.append([phrase for rule in phrases.bounces for phrase in rule.phrases])
    assert [sorted({one for one in group if group.count(one) > 1}) for group in listed if group] == [
        [] for group in listed if group
    ]


def test_a_status_spares_the_address_by_its_class() -> None:
    phrases = load_phrases(TEXT, "phrases.yaml")
    assert [phrases.spares_address(one) for one in ("5.7.26", "4.7.1", "5.1.8", "5.1.1", "")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_a_bounce_for_good_that_spares_the_address_is_refused() -> None:
    wrong = TEXT.replace("kind: soft\n    spares_address: true", "kind: hard\n    spares_address: true", 1)
    with pytest.raises(PolicyInvalidError, match="spares no address"):
        load_phrases(wrong, "phrases.yaml")


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(PolicyInvalidError, match="daemon"):
        load_phrases(TEXT.replace("\ndaemons:", "\ndaemon:"), "phrases.yaml")
