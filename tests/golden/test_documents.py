"""What customers read, kept as text: a change of wording or layout shows here as a difference to be read."""

import email
import io
from decimal import Decimal
from email.policy import default
from pathlib import Path

import pytest
from pypdf import PdfReader

from tasks.documents.call_sheet import render_call_sheet
from tasks.documents.content import build_content
from tasks.documents.email import mail_date, render_email
from tasks.documents.letter import render_letter
from tasks.documents.wording import check_templates
from tests.golden.sample_messages import BRITISH, FRENCH, TEMPLATES, creditor, message

EXPECTED = Path(__file__).parent / "expected"


def compare(name: str, text: str, update_golden: bool) -> None:
    """Hold a text against its golden file, or write that anew."""
    path = EXPECTED / name
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} changed; see `pytest --update-golden`"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "step",
    [
        "courtesy",
        "survey",
        "reminder_1",
        "reminder_2",
        "call",
        "call_1_mail",
        "call_2_mail",
        "escalation_call",
        "final_demand",
    ],
)
def test_an_email_reads_as_agreed(step: str, language: str, update_golden: bool) -> None:
    """A call may be told by e-mail too: where its number is missing."""
    told = message(
        step, "email", language, items=1 if step in {"reminder_1", "call_1_mail"} else 2,
        charges=step in {"reminder_2", "call_2_mail", "escalation_call", "final_demand"},
        customer=FRENCH if language == "fr" else BRITISH, days_late=-7 if step in {"courtesy", "survey"} else 43,
    )  # fmt: skip
    sent = render_email(told, creditor(), TEMPLATES, [], mail_date(told, creditor()), "cormier.example")
    mail = email.message_from_bytes(sent, policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    headers = "".join(f"{name}: {value}\n" for name, value in mail.items() if name != "Content-Type")
    text = str(body.get_content()).replace("\r\n", "\n")
    compare(f"{step}.{language}.mail.txt", f"{headers}\n{text}", update_golden)


@pytest.mark.parametrize(
    ("name", "step", "language", "items"),
    [
        ("formal_notice", "formal_notice", "fr", 3),
        ("formal_notice", "formal_notice", "en", 3),
        ("formal_notice_of_60_invoices", "formal_notice", "fr", 60),
        ("reminder_2", "reminder_2", "fr", 1),
        ("reminder_3", "reminder_3", "fr", 1),
        ("reminder_3", "reminder_3", "en", 2),
        ("final_demand", "final_demand", "fr", 2),
        ("final_demand", "final_demand", "en", 1),
        ("call", "call", "fr", 1),
        ("call_2", "call_2", "fr", 1),
        ("dialogue_call", "dialogue_call", "en", 2),
    ],
)
def test_a_letter_reads_as_agreed(
    name: str, step: str, language: str, items: int, update_golden: bool
) -> None:
    channel = "registered_letter" if step == "formal_notice" else "letter"
    told = message(
        step, channel, language, items, customer=FRENCH if language == "fr" else BRITISH, disputed="100",
        charges=step not in {"call_2", "dialogue_call"},
    )  # fmt: skip
    pages = PdfReader(io.BytesIO(render_letter(told, creditor(), TEMPLATES))).pages
    text = "".join(
        f"--- page {n} of {len(pages)}\n{page.extract_text()}\n" for n, page in enumerate(pages, 1)
    )
    compare(f"{name}.{language}.letter.txt", text, update_golden)


def test_a_call_sheet_reads_as_agreed(update_golden: bool) -> None:
    calls = [
        message("call", "call", "fr", 2, disputed="100"),
        message("call_supervisor", "call", "en", 1, customer=BRITISH, days_late=60),
        message("survey", "call", "fr", 1, charges=False, days_late=-7),
        message("call_1", "call", "en", 2, charges=False, customer=BRITISH, days_late=5, disputed="100"),
        message("call_2", "call", "fr", 1, charges=False, days_late=15),
        message("dialogue_call", "call", "fr", 2, charges=False, days_late=35),
        message("escalation_call", "call", "fr", 2, days_late=25),
        message("final_demand_call", "call", "en", 1, customer=BRITISH, days_late=35),
    ]
    sheet = render_call_sheet(calls, creditor(), TEMPLATES).decode("utf-8-sig").replace("\r\n", "\n")
    compare("calls.csv", sheet, update_golden)


@pytest.mark.parametrize(
    ("step", "channel"), [("formal_notice", "registered_letter"), ("reminder_2", "email")]
)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_fees_and_what_was_waived_stand_in_lines_of_their_own(step: str, channel: str, language: str) -> None:
    told = message(step, channel, language, 1, customer=FRENCH)
    claimed = told.model_copy(
        update={
            "total_fees": Decimal("12.00"),
            "total_waived": Decimal("40.00"),
            "total": told.total + 12 - 40,
        }
    )
    content = build_content(claimed, creditor(), TEMPLATES)
    labels = {
        "fr": ["Frais de relance", "Frais et pénalités abandonnés"],
        "en": ["Reminder fees", "Charges waived"],
    }
    amounts = {"fr": ["12,00\xa0€", "-40,00\xa0€"], "en": ["€12.00", "-€40.00"]}
    assert list(content.totals[3:5]) == list(zip(labels[language], amounts[language], strict=True))
    assert any(amounts[language][0] in paragraph for paragraph in content.opening) == (
        step == "formal_notice"
    )


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("step", ["formal_notice", "final_demand"])
def test_a_demand_without_time_to_answer_names_no_period(step: str, language: str) -> None:
    told = message(step, "registered_letter", language, 1)
    of_no_days = told.model_copy(update={"answer_by": None})
    wanted = {"fr": "dès réception de la présente", "en": "Payment is required upon receipt of this"}
    period = {"fr": "délai", "en": "within the same time"}
    closing = build_content(of_no_days, creditor(), TEMPLATES).closing
    assert wanted[language] in closing[0]
    assert not any(period[language] in paragraph for paragraph in closing)
    assert period[language] in " ".join(build_content(told, creditor(), TEMPLATES).closing)


def test_a_call_before_the_due_date_that_is_written_says_nothing_of_being_late() -> None:
    told = message("call", "email", "en", 1, days_late=-7, charges=False)
    content = build_content(told, creditor(), TEMPLATES)
    assert content.opening[1] == "Unless we are mistaken, the invoice below is still to be paid."


def test_every_call_may_go_by_what_stands_in_for_it() -> None:
    calls = {path.parents[1].name for path in TEMPLATES[0].glob("*/*/talking_points.txt")}
    wanted = {(name, language, channel) for name in calls for language in ("fr", "en")
              for channel in ("email", "letter", "call")}  # fmt: skip
    assert check_templates(TEMPLATES, wanted) == []


def test_a_claim_of_fees_alone_names_the_principal_and_the_fees() -> None:
    told = message("formal_notice", "registered_letter", "en", 1, charges=False)
    claimed = told.model_copy(update={"total_fees": Decimal("12.00"), "total": told.total + 12})
    content = build_content(claimed, creditor(), TEMPLATES)
    assert [label for label, _ in content.totals] == ["Principal", "Reminder fees", "Total to pay"]
    assert not any("principal only" in paragraph for paragraph in content.opening)
