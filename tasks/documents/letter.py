"""A letter as a PDF/A file, one by one or as a print run, set by `templates/layouts/letter.typ`.

The layout gets data, never text pasted into its source. Fonts are those inside the Typst package, so that every
machine makes the same bytes. `letter_problems` says what a person should look at before posting.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from textwrap import wrap

import typst

from policies.creditor import Creditor
from policies.errors import PolicyInvalidError
from policies.messages import Message, Recipient
from policies.model import Channel
from tasks.documents.amounts import country_name, print_day
from tasks.documents.content import Content, build_content
from tasks.documents.payment_qr import draw_svg
from tasks.documents.safe_text import one_line
from tasks.documents.wording import Labels, find_file

LAYOUT = "layouts/letter.typ"
LONGEST_ADDRESS_LINE = 38
MOST_ADDRESS_LINES = 6
"""NF Z10-011, the line of the country not counted."""

_POSTCODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})
_NO_GLYPH = "□"
_SURELY_PRINTED = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x180)))) | set("–—‘’“”•…\u202f€□·×")


@dataclass(frozen=True)
class Letter:
    """One letter of a print run; `enclosures` are the papers that go into the envelope with it."""

    message: Message
    enclosures: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PrintRun:
    """All letters in one file, and the pages of each: first and last, from 1."""

    pdf: bytes
    pages: tuple[tuple[int, int], ...]


def render_letter(
    message: Message, creditor: Creditor, roots: Sequence[Path], enclosures: Sequence[Path] = ()
) -> bytes:
    """Return one letter as PDF/A-2b."""
    return render_letters([Letter(message, tuple(enclosures))], creditor, roots)[0]


def render_letters(letters: Sequence[Letter], creditor: Creditor, roots: Sequence[Path]) -> list[bytes]:
    """Return each letter as its own PDF/A-2b; the layout is read once."""
    typesetter = _Typesetter(roots)
    rendered = []
    for letter in letters:
        data = _letter_data(letter, creditor, roots, 1)
        rendered.append(typesetter.set_pdf([data], data["subject"], creditor, letter.message.as_of))
    return rendered


def print_run(letters: Sequence[Letter], creditor: Creditor, roots: Sequence[Path]) -> PrintRun:
    """Return all letters as one PDF, each beginning on a page of its own."""
    if not letters:
        return PrintRun(b"", ())
    data = [_letter_data(letter, creditor, roots, number) for number, letter in enumerate(letters, start=1)]
    typesetter = _Typesetter(roots)
    message = letters[0].message
    pdf = typesetter.set_pdf(data, message.batch_id, creditor, message.as_of)
    return PrintRun(pdf, typesetter.find_pages())


def letter_problems(message: Message, creditor: Creditor) -> list[str]:
    """Return why this letter may not arrive or not read well; an empty list if nothing is to be seen."""
    lines = _written_address(message.customer, creditor)
    country = 1 if _is_abroad(message.customer, creditor) else 0
    problems = [
        f"the address line '{line}' has {len(line)} characters, more than {LONGEST_ADDRESS_LINE}: it is wrapped"
        for line in lines
        if len(line) > LONGEST_ADDRESS_LINE
    ]
    if len(address_block(message.customer, creditor)) > MOST_ADDRESS_LINES + country:
        problems.append(f"the address has more than {MOST_ADDRESS_LINES} lines: it may not fit the window")
    if not (message.customer.address_lines and message.customer.city):
        problems.append("the address is incomplete: street or town is missing")
    texts = json.dumps(message.model_dump(mode="json"), ensure_ascii=False)
    unprinted = sorted({letter for letter in one_line(texts) if not _is_printable(letter)})
    if unprinted:
        problems.append(f"no font holds {', '.join(unprinted)}: printed as {_NO_GLYPH}")
    return problems


def address_block(customer: Recipient, creditor: Creditor) -> tuple[str, ...]:
    """Return the lines seen through the window: long ones are wrapped, none is cut off."""
    return tuple(
        part for line in _written_address(customer, creditor) for part in wrap(line, LONGEST_ADDRESS_LINE)
    )


def letter_rows(letters: Sequence[Letter], creditor: Creditor, run: PrintRun) -> list[dict[str, str]]:
    """Return the rows of `letters.csv`: what the post room needs to know of each letter."""
    rows = []
    for number, (letter, (first, last)) in enumerate(zip(letters, run.pages, strict=True), start=1):
        message = letter.message
        address = [*address_block(message.customer, creditor), *[""] * 8][:8]
        rows.append(
            {
                "number": str(number),
                "message_id": message.message_id,
                "customer_id": message.customer.customer_id,
                "customer_name": message.customer.customer_name,
                "channel": message.channel,
                "step": message.step,
                "first_page": str(first),
                "pages": str(last - first + 1),
                **{f"address_{index}": line for index, line in enumerate(address, start=1)},
                "enclosures": "; ".join(path.name for path in letter.enclosures),
                "problems": "; ".join(letter_problems(message, creditor)),
                "registered_number": "",
            }
        )
    return rows


def _written_address(customer: Recipient, creditor: Creditor) -> list[str]:
    country = one_line(customer.country).upper()
    postcode, city = one_line(customer.postcode), one_line(customer.city).upper()
    town = (city, postcode) if country in _POSTCODE_LAST else (postcode, city)
    lines = [
        " ".join(filter(None, (one_line(customer.customer_name), one_line(customer.legal_form)))),
        one_line(customer.contact_name),
        *map(one_line, customer.address_lines),
        " ".join(filter(None, town)),
    ]
    if _is_abroad(customer, creditor):
        lines.append(country_name(country, creditor.language).upper())
    return [line for line in lines if line]


def _is_abroad(customer: Recipient, creditor: Creditor) -> bool:
    return bool(customer.country) and customer.country.strip().upper() != creditor.country


def _letter_data(letter: Letter, creditor: Creditor, roots: Sequence[Path], number: int) -> dict[str, object]:
    message = letter.message
    content = build_content(message, creditor, roots, letter.enclosures)
    labels = Labels(roots, content.language)
    is_registered = message.channel == Channel.REGISTERED_LETTER
    data = {
        **asdict(content),
        "number": str(number),
        "payment_drawing": draw_svg(content.payment_code) if content.payment_code else "",
        "sender": _sender(creditor, content, labels),
        "address": address_block(message.customer, creditor),
        "registered": labels("registered_letter") if is_registered else "",
        "place_and_date": labels(
            "place_and_date", place=creditor.printed_place, date=print_day(message.as_of, content.language)
        ),
        "references": (
            (labels("customer_number"), one_line(message.customer.customer_id)),
            (labels("our_reference"), message.message_id[:12].upper()),
        ),
        "page_reference": message.message_id[:12].upper(),
    }
    printable: dict[str, object] = json.loads(_with_glyphs(json.dumps(data, ensure_ascii=False)))
    return printable


def _sender(creditor: Creditor, content: Content, labels: Labels) -> tuple[str, ...]:
    address = creditor.address
    lines = (
        " ".join(filter(None, (creditor.legal_name, creditor.legal_form))),
        *address.lines,
        f"{address.postcode} {address.city}",
        country_name(address.country, content.language) if content.language != creditor.language else "",
        f"{labels('phone')} {creditor.sender.phone}" if creditor.sender.phone else "",
        creditor.sender.reply_to or creditor.sender.email,
    )
    return tuple(line for line in lines if line)


def _with_glyphs(text: str) -> str:
    return "".join(character if _is_printable(character) else _NO_GLYPH for character in text)


@lru_cache(maxsize=4096)
def _is_printable(character: str) -> bool:
    if character in _SURELY_PRINTED:
        return True
    source = b'#set text(font: "Libertinus Serif")\n#sys.inputs.text'
    try:
        _compiler(None).compile(
            source, format="pdf", sys_inputs={"text": character}, pdf_standards=["a-2b"], timestamp=0
        )
    except typst.TypstError:
        return False
    return True


@lru_cache(maxsize=4)
def _compiler(root: Path | None) -> typst.Compiler:
    return typst.Compiler(root=root, font_paths=[], ignore_system_fonts=True)


class _Typesetter:
    """One reading of the layout, used for many letters."""

    def __init__(self, roots: Sequence[Path]) -> None:
        layout = find_file(roots, LAYOUT)
        if layout is None:
            raise PolicyInvalidError(f"templates/{LAYOUT} is missing: letters cannot be set without it")
        self._layout = layout
        self._compiler = typst.Compiler(
            input=layout, root=layout.parent, font_paths=[], ignore_system_fonts=True
        )

    def set_pdf(
        self, letters: Sequence[dict[str, object]], title: object, creditor: Creditor, as_of: date
    ) -> bytes:
        """Return the letters as one PDF/A-2b whose dates are the day of the letters."""
        try:
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs={
                    "letters": json.dumps(letters, ensure_ascii=False),
                    "title": str(title),
                    "author": creditor.legal_name,
                    "date": as_of.isoformat(),
                },
                pdf_standards=["a-2b"],
                timestamp=datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC),
            )
        except typst.TypstError as error:
            raise PolicyInvalidError(
                f"{self._layout} cannot be set: {error}. Correct the layout, or remove it to use the shipped one."
            ) from error
        if not isinstance(pdf, bytes):
            raise TypeError("Typst returned no PDF")
        return pdf

    def find_pages(self) -> tuple[tuple[int, int], ...]:
        """Return first and last page of each letter set last."""
        found = json.loads(self._compiler.query("<pages>", field="value", one=True))
        return tuple((int(first), int(last)) for first, last in found)
