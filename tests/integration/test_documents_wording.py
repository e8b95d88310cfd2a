"""Texts are found, strict, and wrong ones are named before anything is rendered."""

import re
from pathlib import Path

import pytest

from policies.errors import RelanceError
from tasks.documents.content import build_content
from tasks.documents.wording import (
    PLACEHOLDERS,
    check_templates,
    choose_language,
    placeholders,
    render_paragraphs,
    template_hash,
)
from tests.golden.sample_messages import TEMPLATES, creditor, message

SHIPPED = {
    (template, language, channel)
    for template, channel in (
        ("courtesy", "email"), ("reminder_1", "email"), ("reminder_2", "email"), ("reminder_2", "letter"),
        ("call", "call"), ("formal_notice", "registered_letter"), ("placement", "agency"),
    )
    for language in ("fr", "en")
}  # fmt: skip


def own(folder: Path, path: str, text: str) -> list[Path]:
    """Roots whose first has a file of its own."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    return [folder, *TEMPLATES]


def found(roots: list[Path], template: str, language: str, channel: str) -> str:
    return "\n".join(
        problem.sentence() for problem in check_templates(roots, {(template, language, channel)})
    )


def test_the_shipped_wording_has_nothing_missing_and_nothing_unknown() -> None:
    assert check_templates(TEMPLATES, SHIPPED) == []


def test_a_missing_language_names_the_files_to_write() -> None:
    text = found(TEMPLATES, "reminder_1", "de", "email")
    assert "templates/reminder_1/de/subject.txt: the file is missing" in text
    assert "templates/layouts/labels/de.yaml: the file is missing" in text


def test_an_unknown_placeholder_is_named_with_the_known_ones(tmp_path: Path) -> None:
    roots = own(tmp_path, "reminder_1/fr/opening.txt", "Bonjour {{ custmer_name }}")
    text = found(roots, "reminder_1", "fr", "email")
    assert "templates/reminder_1/fr/opening.txt: custmer_name: no placeholder of this name" in text
    assert "customer_name" in text


def test_a_formal_notice_that_leaves_out_what_the_law_wants_is_refused(tmp_path: Path) -> None:
    roots = own(tmp_path, "formal_notice/fr/closing.txt", "Veuillez payer.")
    assert "answer_days: this placeholder must be used" in found(
        roots, "formal_notice", "fr", "registered_letter"
    )


@pytest.mark.parametrize(
    "text",
    ["{{ total ", "{{ total.__class__.__mro__ }}", "{% for x in total %}{{ x.y.z }}{% endfor %}", "  \n"],
)
def test_a_text_that_cannot_be_filled_in_is_refused(text: str, tmp_path: Path) -> None:
    assert found(own(tmp_path, "reminder_1/fr/closing.txt", text), "reminder_1", "fr", "email") != ""


def test_a_file_of_the_workspace_stands_before_the_shipped_one(tmp_path: Path) -> None:
    roots = own(tmp_path, "reminder_1/fr/subject.txt", "Chez nous : {{ total }}")
    content = build_content(message("reminder_1", "email", "fr", 1, charges=False), creditor(), roots)
    assert content.subject == "Chez nous\u00a0: 1\u202f001,00\u00a0€"
    assert content.opening[0] == "Bonjour Mme Anne Lefèvre,"


def test_a_language_without_texts_falls_back_to_the_creditors_and_then_to_english() -> None:
    assert choose_language(TEMPLATES, "reminder_1", "fr-CA", "en") == "fr"
    assert choose_language(TEMPLATES, "reminder_1", "it", "fr") == "fr"
    assert choose_language(TEMPLATES, "reminder_1", "it", "de") == "en"


def test_the_hash_changes_with_any_file_that_is_used(tmp_path: Path) -> None:
    before = template_hash(TEMPLATES, "reminder_1", "fr", "email")
    for path in ("reminder_1/fr/closing.txt", "layouts/email.html", "layouts/labels/fr.yaml"):
        changed = template_hash(own(tmp_path / path, path, "x"), "reminder_1", "fr", "email")
        assert changed != before
    assert (
        template_hash(own(tmp_path, "call/fr/talking_points.txt", "x"), "reminder_1", "fr", "email") == before
    )


def test_questions_of_a_call_are_checked_and_hashed_where_there_are_some(tmp_path: Path) -> None:
    before = template_hash(TEMPLATES, "call", "fr", "call")
    asking = own(tmp_path, "call/fr/questions.txt", "Et {{ weather }} ?")
    assert template_hash(asking, "call", "fr", "call") != before
    (problem,) = check_templates(asking, [("call", "fr", "call")])
    assert (problem.file, problem.key_path) == ("templates/call/fr/questions.txt", "weather")


def test_a_line_that_holds_only_a_tag_makes_no_paragraph(tmp_path: Path) -> None:
    roots = own(tmp_path, "x/fr/opening.txt", "Un\n{% if total %}\ndeux.\n{% endif %}\ntrois.\n\nQuatre.")
    assert render_paragraphs(roots, "x/fr/opening.txt", {"total": "1"}) == ("Un deux. trois.", "Quatre.")


def test_every_placeholder_is_explained_and_used() -> None:
    root = TEMPLATES[0]
    told = [path.relative_to(root) for path in root.glob("*/*/*.txt")]
    paths = [path.as_posix() for path in told if path.parts[0] != "policy"]  # pages have words of their own
    used = frozenset[str]().union(*(placeholders(TEMPLATES, path) for path in paths))
    assert used <= set(PLACEHOLDERS)
    assert all(PLACEHOLDERS.values())


# What a French formal notice must say, and how this text says it.
FORMAL_NOTICE = {
    "the words": "MISE EN DEMEURE",
    "the creditor's name and form": "Ateliers Cormier SAS",
    "the creditor's registration": "RCS Nantes 123456782",
    "the creditor's seat": "12 rue des Forges, 44000 Nantes",
    "the debtor's name and form": "Menuiserie Delaunay SARL",
    "the debtor's registration": "987654324",
    "the debtor's seat": "14 rue du Port, 49000 Angers",
    "the origin of the debt": "commande ou du contrat|commandes ou contrats",
    "the demand": "met en demeure par la présente",
    "the basis of the charges": "L441-10 II et D441-5",
    "the rate": "12,40\u00a0%|12,40 %",
    "the charge of every further day": "0,68\u00a0€ par jour",
    "the recovery charge": "indemnité forfaitaire",
    "the deadline": "délai de 8 jours à compter de la réception",
    "its legal effect": "1344-1",
    "moratory interest": "1231-6",
    "the consequence": "action en justice sans autre avis",
    "the way out": "règlement amiable",
    "who can be asked": "comptabilite@ateliers-cormier.example",
}


@pytest.mark.parametrize("part", FORMAL_NOTICE)
def test_a_formal_notice_says_everything_it_must(part: str) -> None:
    content = build_content(message(), creditor(), TEMPLATES)
    text = "\n".join((content.subject, *content.opening, *content.closing))
    assert re.search(FORMAL_NOTICE[part], text), part


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("step", ["reminder_2", "formal_notice"])
def test_without_a_rate_the_principal_only_is_claimed_and_said(step: str, language: str) -> None:
    told = message(step, "letter", language, charges=False, charges_note="no rate for 2027-H1")
    content = build_content(told, creditor(), TEMPLATES)
    text = "\n".join(content.opening)
    assert "seul principal" in text or "principal only" in text
    assert "2027-H1" not in text
    assert len(content.totals) == 1
    assert content.charges == ()


def test_the_second_reminder_is_marked_as_such() -> None:
    content = build_content(message("reminder_2", "email"), creditor(), TEMPLATES)
    assert content.subject.startswith("Deuxième rappel")
    assert "deuxième rappel" in content.opening[1]


def test_the_first_reminder_asks_for_a_problem_and_a_date_and_names_no_penalty() -> None:
    content = build_content(
        message("reminder_1", "email", charges=False), creditor(), TEMPLATES, [Path("FA-0001.pdf")]
    )
    text = " ".join((*content.opening, *content.closing))
    assert "difficulté" in text
    assert "la date à laquelle le paiement" in text
    assert "copie ci-jointe" in text
    assert "pénalité" not in text
    assert "mise en demeure" not in text
    assert content.enclosures == ("copie de la facture FA-0001",)


def test_templates_that_are_missing_altogether_are_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(RelanceError, match="labels"):
        build_content(message(), creditor(), [tmp_path])
