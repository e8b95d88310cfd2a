"""What counts as a name: what can't be seen makes no other person, and no name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.person_names import is_same_person, what_is_wrong

UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\u034f\ufe0f\u3164\u115f\u180e\U000e0100"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Claire Fontanel", "claire  FONTANEL ", True),
        ("Claire Fontanel", "Claire\u00a0Fontanel", True),
        ("Claire Fontanel", "Claire\u200bFontanel", True),
        ("Claire Fontanel", "Claire Fontanel\u200b", True),
        ("Claire Fontanel", "Claire Fontanel.", True),
        ("Claire", "Cla\u00adire", True),
        ("Claire", "\u202eClaire", True),
        ("Claire", "\uff23\uff4c\uff41\uff49\uff52\uff45", True),
        ("Claire", "Cla\u0131re", True),
        ("Jean-Pierre", "Jean Pierre", True),
        ("O'Neil", "O\u02bcNeil", True),
        ("O'Neil", "O\u2019Neil", True),
        ("Ren\u00e9", "Rene\u0301", True),
        ("Ren\u00e9", "Rene", True),
        ("Weiss", "Wei\u00df", True),
        ("Claire", "Claire Fontanel", False),
        ("Claire", "Clara", False),
        ("Anna 1", "Anna 2", False),
        ("\u0930\u093e\u092e", "\u0930\u092e\u093e", False),
        ("\u5c71\u7530", "\u5c71\u672c", False),
    ],
)
def test_a_name_is_one_persons_however_it_is_typed(one: str, other: str, same: bool) -> None:
    assert is_same_person(one, other) is same


@given(
    st.text("Claire-\u0301 .'", max_size=12),
    st.lists(st.sampled_from(UNSEEN), min_size=1),
    st.integers(0, 12),
)
def test_what_cannot_be_seen_makes_no_other_person(name: str, unseen: list[str], at: int) -> None:
    assert is_same_person(name, name[:at] + "".join(unseen) + name[at:])


@pytest.mark.parametrize(
    "name",
    [
        "Claire Fontanel",
        " Claire\n",
        "J\u00fcrgen M\u00fcller-L\u00fcdenscheidt",
        "\u0410\u043d\u043d\u0430 Petrov",
        "O\u02bcNeil",
        "\u5c71\u7530 \u82b1\u5b50\u306e\u30a2\u3005",
        "\u0645\u06cc\u200c\u0646\u0627",
        "Anna 2",
    ],
)
def test_a_name_in_any_alphabet_is_taken(name: str) -> None:
    assert not what_is_wrong(name)


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "\u3164", "4711", "...", "\U0001f600", "\u02bc"])
def test_a_name_has_a_letter(name: str) -> None:
    assert what_is_wrong(name) == "a name has at least one letter"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "\u202eeirialC", "Cl\u2066aire\u2069"])
def test_a_name_is_one_line_of_what_can_be_seen(name: str) -> None:
    assert what_is_wrong(name).startswith("a name has no line breaks")


def test_a_word_in_two_alphabets_is_no_name() -> None:
    assert what_is_wrong("\u0421laire Fontanel") == (
        "the word \u0421laire mixes letters that can look alike (Cyrillic, Latin): write it in one alphabet"
    )
    assert "Greek, Latin" in what_is_wrong("Claire F\u03bfntanel")
