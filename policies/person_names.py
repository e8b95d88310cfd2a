"""Whether a text is a name that a person goes by, and whether two names are meant to be one person's.

Who a name belongs to is claimed, never known here. What cannot be seen, or is easily taken for something else, does not
make another name; what is compared is never shown or kept.
"""

import unicodedata

_OVERRIDES = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
# Letters and marks that fonts leave blank; the characters of format (category Cf) come on top.
_BLANK = frozenset(
    map(
        chr,
        (
            *(0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"})
"""Scripts that one word of a name may mix."""


def what_is_wrong(name: str) -> str:
    r"""Return why a text is not taken as a person's name, as the rest of a sentence, or nothing.

    >>> what_is_wrong("Claire Fontanel"), what_is_wrong("\u200b")
    ('', 'a name has at least one letter')
    """
    text = name.strip()
    if any(unicodedata.category(one) == "Cc" or unicodedata.bidirectional(one) in _OVERRIDES for one in text):
        return "a name has no line breaks, no control characters and none that turn the writing round"
    seen = _seen(text)
    if not any(_is_letter(one) for one in seen):
        return "a name has at least one letter"
    for word in seen.split():
        alphabets = sorted({_alphabet(one) for one in word if _is_letter(one)})
        if len(alphabets) > 1:
            return (
                f"the word {word} mixes letters that can look alike ({', '.join(alphabets)}): "
                "write it in one alphabet"
            )
    return ""


def is_same_person(one: str, other: str) -> bool:
    """Return whether two names are meant to be one person's, whatever their case, accents, punctuation and spaces.

    >>> is_same_person("Claire  FONTANEL", " claire fontanel."), is_same_person("Claire", "Clara")
    (True, False)
    """
    return _folded(one) == _folded(other)


def _seen(text: str) -> str:
    """Return a text without what cannot be seen, each letter in its usual form."""
    usual = unicodedata.normalize("NFKC", text)
    return "".join(one for one in usual if one not in _BLANK and unicodedata.category(one) != "Cf")


def _folded(name: str) -> str:
    parts = unicodedata.normalize("NFKD", _seen(name).casefold()).replace("\u0131", "i")
    return "".join(one for one in parts if _counts(one))


def _counts(character: str) -> bool:
    """Return whether a character tells two names apart: accents, apostrophes, punctuation and spaces don't."""
    is_accent = "\u02b0" <= character <= "\u036f"
    return unicodedata.category(character)[0] in "LMN" and not is_accent


def _is_letter(character: str) -> bool:
    # Modifier letters (Lm) belong to every alphabet.
    return unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo"}


def _alphabet(letter: str) -> str:
    script = unicodedata.name(letter, "").partition(" ")[0]
    return "East Asian" if script in _EAST_ASIAN else script.capitalize()
