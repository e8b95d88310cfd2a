"""Letters are set by Typst from data: the address stands in the window, nothing is cut, nothing is executed."""

import io

import pytest
from pypdf import PdfReader

from policies.messages import Message, Recipient
from tasks.documents.letter import (
    Letter,
    address_block,
    letter_problems,
    letter_rows,
    print_run,
    render_letter,
    render_letters,
)
from tests.golden.sample_messages import BRITISH, FRENCH, TEMPLATES, creditor, message

POINTS_PER_MM = 72 / 25.4
PAGE_HEIGHT_MM = 297


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def letter_to(**changes: object) -> Message:
    return message(items=1, customer=FRENCH.model_copy(update=changes))


def test_the_same_message_gives_the_same_file_alone_or_among_others() -> None:
    alone = render_letter(message(), creditor(), TEMPLATES)
    others = [Letter(message("reminder_2", "letter")), Letter(message())]
    assert render_letters(others, creditor(), TEMPLATES)[1] == alone


def test_a_letter_is_an_archive_file_dated_on_its_day() -> None:
    reader = PdfReader(io.BytesIO(render_letter(message(), creditor(), TEMPLATES)))
    assert reader.xmp_metadata is not None
    assert reader.metadata is not None
    assert str(reader.metadata.creation_date).startswith("2026-08-31")
    assert "MISE EN DEMEURE" in str(reader.metadata.title)
    assert b"pdfaid:part>2" in reader.xmp_metadata.stream.get_data()


def placed_texts(pdf: bytes) -> list[tuple[str, float, float]]:
    """Each text of the first page with its place in mm from the left and the top."""
    found: list[tuple[str, float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text.strip():
            x = cm[0] * tm[4] + cm[2] * tm[5] + cm[4]
            y = cm[1] * tm[4] + cm[3] * tm[5] + cm[5]
            found.append((text.strip(), x / POINTS_PER_MM, PAGE_HEIGHT_MM - y / POINTS_PER_MM))

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    return found


def test_the_whole_address_stands_in_the_window_of_a_french_envelope() -> None:
    longest = letter_to(
        customer_name="Société des Ateliers Réunis",
        address_lines=("Bâtiment C", "Zone industrielle des Quatre Vents", "BP 12"),
        country="BE",
    )
    lines = address_block(longest.customer, creditor())
    assert len(lines) == 7
    placed = placed_texts(render_letter(longest, creditor(), TEMPLATES))
    window = [
        (text, x, y)
        for text, x, y in placed
        if any(line in text or text in line for line in lines) and y < 95
    ]
    seen = " ".join(text for text, _, _ in window)
    assert all(line in seen for line in lines)
    assert min(x for _, x, _ in window) >= 110
    assert min(y for _, _, y in window) >= 55
    assert max(y for _, _, y in window) <= 55 + 33


def test_a_foreign_address_ends_with_the_country_in_the_language_of_our_post() -> None:
    assert address_block(BRITISH, creditor()) == (
        "Thistle & Crown Fittings Ltd", "Unit 4, Harbour Road", "LEEDS LS1 4AP", "ROYAUME-UNI",
    )  # fmt: skip
    assert address_block(FRENCH, creditor())[-1] == "49000 ANGERS"


def test_a_long_address_line_is_wrapped_and_reported_never_cut() -> None:
    told = letter_to(customer_name="Compagnie Générale des Établissements du Grand Ouest Atlantique")
    block = address_block(told.customer, creditor())
    assert " ".join(block).startswith("Compagnie Générale des Établissements du Grand Ouest Atlantique SARL")
    assert max(map(len, block)) <= 38
    assert "more than 38" in letter_problems(told, creditor())[0]


def test_an_incomplete_address_is_reported() -> None:
    assert letter_problems(letter_to(address_lines=()), creditor()) == [
        "the address is incomplete: street or town is missing"
    ]
    assert letter_problems(message(), creditor()) == []


@pytest.mark.parametrize(
    "name",
    [
        '#import "x": *',
        "#panic()",
        "*bold* _x_ $x$ `raw` @ref <label> \\u{41}",
        "= Title",
        '"#(1+1)"',
        "// comment",
    ],
)
def test_a_name_is_never_read_as_markup(name: str) -> None:
    pdf = render_letter(letter_to(customer_name=name, legal_form=""), creditor(), TEMPLATES)
    assert name in " ".join(text_of(pdf).split())


def test_a_letter_that_no_font_holds_does_not_stop_the_day_and_is_reported() -> None:
    told = letter_to(customer_name="中 Trading\nCo\x07", legal_form="")
    assert letter_problems(told, creditor()) == ["no font holds 中: printed as □"]
    assert "□ Trading Co" in text_of(render_letter(told, creditor(), TEMPLATES))


def test_sixty_invoices_fill_pages_that_each_repeat_the_header() -> None:
    pages = PdfReader(io.BytesIO(render_letter(message(items=60), creditor(), TEMPLATES))).pages
    assert len(pages) >= 4
    assert all("Montant TTC" in page.extract_text() for page in pages[:2])
    assert f"{len(pages)} / {len(pages)}" in pages[-1].extract_text()
    text = "\n".join(page.extract_text() for page in pages)
    assert all(f"FA-{number:04}" in text for number in range(1, 61))


def test_a_print_run_holds_every_letter_with_its_own_page_numbers() -> None:
    letters = [
        Letter(message(items=3)),
        Letter(message(items=60)),
        Letter(message("reminder_2", "letter", "en", 1)),
    ]
    run = print_run(letters, creditor(), TEMPLATES)
    pages = PdfReader(io.BytesIO(run.pdf)).pages
    assert run.pages[0][0] == 1
    assert run.pages[-1][1] == len(pages)
    for first, last in run.pages:
        assert f"1 / {last - first + 1}" in pages[first - 1].extract_text()
        assert f"{last - first + 1} / {last - first + 1}" in pages[last - 1].extract_text()
    rows = letter_rows(letters, creditor(), run)
    assert [row["first_page"] for row in rows] == [str(first) for first, _ in run.pages]
    assert rows[0]["address_1"] == "Menuiserie Delaunay SARL"


def test_a_registered_letter_leaves_room_for_its_number_and_is_signed() -> None:
    text = text_of(render_letter(message(), creditor(), TEMPLATES))
    assert "LETTRE RECOMMANDÉE AVEC AVIS DE RÉCEPTION N°" in text
    assert "Nantes, le 31 août 2026" in text
    assert "Claire Morel" in text
    assert "Directrice financière" in text
    assert "FR76 3000 6000 0112 3456 7890 189" in text
    assert "RECOMMANDÉE" not in text_of(render_letter(message("reminder_2", "letter"), creditor(), TEMPLATES))


def test_nothing_to_print_is_an_empty_run() -> None:
    assert print_run([], creditor(), TEMPLATES).pages == ()
    assert address_block(Recipient(customer_id="C", customer_name="X"), creditor()) == ("X",)
