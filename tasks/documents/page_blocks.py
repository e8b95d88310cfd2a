"""A page of plain sentences as blocks, and as text for a terminal or as Markdown.

Templates write a line per block: `# ` and `## ` begin headings, `- ` and `1. ` entries of a list, `@ ` a ladder's
picture; an empty line ends a paragraph. Marks within a sentence are control characters, which no value can hold.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.documents.wording import space_french

WIDTH = 100
STRONG, CODE, END = "\x02", "\x03", "\x04"
_START = re.compile(r"(#{1,2}|-|@|\d+\.) ")
_UNIT = re.compile(r"(?<=\d) (?=[a-zà-ÿ])")
_SPACES = re.compile(r"[ \t\r\n]+")
_KINDS = {"#": "title", "##": "heading", "-": "bullet", "@": "picture"}
_MARKDOWN = re.compile(r"([\\`*\[\]<>|]|(?<!\w)_|_(?!\w))")


@dataclass(frozen=True)
class Piece:
    """A part of a sentence: plain, `strong`, or `code`, which quotes the policy's own text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Block:
    """A title, heading, bullet, numbered entry (with its `mark`), paragraph, or the picture of the ladder named."""

    kind: str
    mark: str
    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str:
        """The text without what only quotes the policy's own conditions."""
        return _SPACES.sub(" ", "".join(piece.text for piece in self.pieces if piece.kind != "code")).strip(
            " "
        )


def strong(text: str) -> str:
    """Return the text marked as a name that stands out."""
    return f"{STRONG}{text}{END}"


def code(text: str) -> str:
    """Return the text marked as a quotation of the policy's file."""
    return f"{CODE}{text}{END}"


def read_blocks(text: str, *, is_french: bool = False) -> list[Block]:
    """Return the blocks of a rendered page, with the hard spaces of its language."""
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip(" \t\r")
        if not stripped or not lines or _START.match(stripped) or lines[-1].startswith(("#", "@")):
            lines.append(stripped)
        else:
            lines[-1] = f"{lines[-1]} {stripped}".strip(" ")
    return [_block(line, is_french) for line in lines if line]


def _block(line: str, is_french: bool) -> Block:
    start = _START.match(line)
    if start is None:
        return Block("paragraph", "", tuple(_pieces(line, is_french)))
    mark = start[1]
    return Block(_KINDS.get(mark, "numbered"), mark, tuple(_pieces(line[start.end() :], is_french)))


def _pieces(line: str, is_french: bool) -> Iterator[Piece]:
    kind = "plain"
    for part in re.split(f"([{STRONG}{CODE}{END}])", _SPACES.sub(" ", line)):
        if part in (STRONG, CODE, END):
            kind = {STRONG: "strong", CODE: "code", END: "plain"}[part]
        elif part:
            yield Piece(kind, part if kind == "code" else _set(part, is_french))


def _set(text: str, is_french: bool) -> str:
    """Keep a number and its unit, and French punctuation and its word, on one line."""
    spaced = space_french(text) if is_french else text
    return _UNIT.sub("\u00a0", spaced)


def to_text(blocks: Sequence[Block], pictures: Mapping[str, Sequence[str]]) -> str:
    """Return the page for a terminal 100 columns wide, with the pictures as lines."""
    parts = [_text_of(block, pictures) for block in blocks]
    spaced = [
        part + ("\n" if _is_entry(block) and _is_entry(after) else "\n\n")
        for part, block, after in zip(parts, blocks, [*blocks[1:], None], strict=True)
    ]
    return "".join(spaced).rstrip("\n") + "\n"


def _text_of(block: Block, pictures: Mapping[str, Sequence[str]]) -> str:
    if block.kind == "picture":
        return "\n".join(pictures[block.plain])
    if block.kind in ("title", "heading"):
        rule = "═" if block.kind == "title" else "─"
        wrapped = textwrap.wrap(block.plain, WIDTH)
        return "\n".join([*wrapped, rule * max(map(len, wrapped))])
    lead = {"bullet": "  - ", "numbered": f"{block.mark.rjust(3)} "}.get(block.kind, "")
    return textwrap.fill(
        block.plain, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    )


def _is_entry(block: Block | None) -> bool:
    return block is not None and block.kind in ("bullet", "numbered")


def to_markdown(blocks: Sequence[Block], pictures: Mapping[str, Sequence[str]]) -> str:
    """Return the page as Markdown; text of the policy can't become markup."""
    lines: list[str] = []
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block.kind == "picture":
            lines.append("```text\n" + "\n".join(pictures[block.plain]) + "\n```")
        else:
            lead = f"{block.mark} " if block.mark else ""
            lines.append(lead + "".join(map(_markdown_of, block.pieces)).strip(" "))
        if not (_is_entry(block) and _is_entry(after)):
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _markdown_of(piece: Piece) -> str:
    if piece.kind == "code":
        fence = "``" if "`" in piece.text else "`"
        return f"{fence} {piece.text} {fence}"
    escaped = _MARKDOWN.sub(r"\\\1", piece.text)
    return f"**{escaped}**" if piece.kind == "strong" else escaped
