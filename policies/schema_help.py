"""What the keys of YAML files mean, gathered from where people read it: headings, tables and comments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Meaning:
    """What a key means, and the keys inside it."""

    text: str
    inner: dict[str, "Meaning"] = field(default_factory=dict)


def read_headings(text: str) -> Mapping[str, Meaning]:
    r"""Return the keys that have a heading from the third level on, with the words below it; deeper ones are inside.

    >>> read_headings("### calendar\nOn which days.\n\n#### country\nWhose holidays.")["calendar"].inner
    {'country': Meaning(text='Whose holidays.', inner={})}
    """
    found: dict[str, Meaning] = {}
    open_levels: dict[int, dict[str, Meaning]] = {3: found}
    for marks, name, body in re.findall(r"^(#{3,6}) (\w+)\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL):
        meaning = Meaning(_plain(body))
        open_levels[len(marks)].setdefault(name, meaning)
        open_levels[len(marks) + 1] = meaning.inner
    return found


def read_tables(text: str) -> Mapping[str, Meaning]:
    """Return the keys in the first column of tables, with the words of the second.

    >>> read_tables("| `sheet` | The sheet of a workbook. |")
    {'sheet': Meaning(text='The sheet of a workbook.', inner={})}
    """
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: Meaning(_plain(words)) for name, words in rows}


def read_comments(text: str) -> Mapping[str, Meaning]:
    """Return the keys of a commented example, also those that are commented out, with the words beside them.

    >>> read_comments("# place: Nantes   # printed before the date")
    {'place': Meaning(text='printed before the date', inner={})}
    """
    lines = re.findall(r"^[ #]*(\w+): ?[^#\n]*[ ]# (.*)$", text, re.MULTILINE)
    return {name: Meaning(words) for name, words in reversed(lines)}


def _plain(text: str) -> str:
    """Return Markdown as plain text, its paragraphs one line each; code blocks are left out."""
    without_code = re.sub(r"^(```.*?^```|    .*?)$", "", text, flags=re.MULTILINE | re.DOTALL)
    paragraphs = (" ".join(part.split()) for part in without_code.split("\n\n"))
    return "\n".join(part for part in paragraphs if part and not part.startswith("|"))
