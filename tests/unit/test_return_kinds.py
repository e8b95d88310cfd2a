"""What a mail is: a standard report is believed, a text only where no person can have written it."""

from dataclasses import replace

import pytest

from policies.return_kinds import classify
from policies.return_phrases import load_phrases
from policies.returned_mail import DeliveryReport, Evidence, ReturnedMail, ReturnKind
from tests.conventions.source_tree import text_of

PHRASES = load_phrases(text_of("policies/returns/phrases.yaml"), "phrases.yaml")
OURS = "ana@client.example"
DAEMON = "Mail System <MAILER-DAEMON@mx.example>"


def kind(mail: ReturnedMail, evidence: Evidence = Evidence.ENVELOPE_ADDRESS, written_to: str = OURS) -> str:
    return classify(mail, evidence, written_to, PHRASES).kind.value


def report(action: str, status: str = "", diagnostic: str = "", *recipients: str) -> DeliveryReport:
    return DeliveryReport(action, status, diagnostic, recipients or (OURS,))


def written(text: str = "", **headers: str) -> ReturnedMail:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return ReturnedMail(headers=named, text=text)


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "expected"),
    [
        ("failed", "5.1.1", "", "hard_bounce"),
        ("FAILED (comment)", "5.4.4", "", "hard_bounce"),
        ("error", "", "550 Invalid recipient", "hard_bounce"),
        ("failed", "5.0.0", "550 5.2.2 over quota", "soft_bounce"),
        ("failed", "5.0.0", "", "hard_bounce"),
        ("failed", "4.0.0", "", "soft_bounce"),
        ("failed", "", "", "hard_bounce"),
        ("failed", "5.7.1", "blocked using a list", "soft_bounce"),
        ("failed", "5.7.1", "no words for this", "soft_bounce"),
        ("failed", "5.2.2", "user unknown", "soft_bounce"),
        ("failed", "5.7.1", "user unknown", "hard_bounce"),
        ("failed", "5.7.1", "permanent failure", "soft_bounce"),
        ("failed", "5.1.1", "user unknown, says our spam filter", "hard_bounce"),
        ("failed", "5.1.1", "sender address rejected", "soft_bounce"),
        ("failed", "5.1.351", "550 5.1.351 the other server knows no such mailbox", "hard_bounce"),
        ("failed", "5.2.1", "450 4.2.1 busy", "soft_bounce"),
        ("failed", "5.0.0", "550 words that nobody knows", "soft_bounce"),
        ("failed", "5.4.6", "a loop", "soft_bounce"),
        ("failed", "4.4.7", "", "soft_bounce"),
        ("delayed", "4.4.1", "", "soft_bounce"),
        ("delivered", "2.0.0", "", "delivered"),
        ("relayed", "", "", "delivered"),
        ("expanded", "", "", "delivered"),
        ("sung", "", "", "unrelated"),
    ],
)
def test_a_report_says_what_became_of_the_message(
    action: str, status: str, diagnostic: str, expected: str
) -> None:
    assert kind(ReturnedMail(reports=(report(action, status, diagnostic),))) == expected


@pytest.mark.parametrize(
    ("action", "status", "diagnostic"),
    [
        ("failed", "5.1.8", "no words"),
        ("failed", "5.7.133", ""),
        ("failed", "5.7.1", "permanent failure"),
        ("failed", "5.2.1", "receiving mail at a rate"),
        ("failed", "5.5.2", "message looks like spam"),
        ("failed", "", "550 Reputation zu gering"),
        ("delayed", "4.7.0", ""),
    ],
)
def test_a_refusal_that_blames_something_else_spares_the_address(
    action: str, status: str, diagnostic: str
) -> None:
    mail = ReturnedMail(reports=(report(action, status, diagnostic),))
    verdict = classify(mail, Evidence.ENVELOPE_ADDRESS, OURS, PHRASES)
    assert (verdict.kind, verdict.spares_address) == (ReturnKind.SOFT_BOUNCE, True)


def test_no_status_condemns_an_address_beside_words_that_blame_something_else() -> None:
    blaming = [words for rule in PHRASES.bounces if rule.outranks_status for words in rule.phrases]
    found = {
        classify(
            ReturnedMail(reports=(report("failed", status, words),)), Evidence.IN_REPLY_TO, OURS, PHRASES
        )
        for status in ("", "5.0.0", *PHRASES.hard_statuses)
        for words in blaming
    }
    assert {(verdict.kind, verdict.spares_address) for verdict in found} == {(ReturnKind.SOFT_BOUNCE, True)}


def test_a_version_of_a_program_is_no_status() -> None:
    assert kind(ReturnedMail(reports=(report("failed", "5.1.1", "exim 4.96.1 says no"),))) == "hard_bounce"


def test_where_a_server_gives_no_words_the_text_beside_its_report_is_asked() -> None:
    told = (report("failed", "5.0.0"),)
    assert kind(ReturnedMail(reports=told, text="Your sender domain must exist.")) == "soft_bounce"
    assert kind(ReturnedMail(reports=told, text="It did not work.")) == "hard_bounce"


def test_a_complaint_is_told_from_other_feedback() -> None:
    for feedback, expected in (
        ("abuse", "complaint"),
        ("opt-out-list", "complaint"),
        ("", "complaint"),
        ("Not-Spam", "unrelated"),
        ("auth-failure", "unrelated"),
    ):
        mail = ReturnedMail(report_type="feedback-report", feedback_type=feedback)
        assert kind(mail) == expected


def test_a_report_on_a_copy_of_our_own_says_nothing_of_the_customer() -> None:
    own = ("archive@creditor.example", OURS)
    on_copy = report("failed", "5.1.1", "", "Archive@creditor.example")
    copy_alone = classify(ReturnedMail(reports=(on_copy,)), Evidence.ENVELOPE_ADDRESS, OURS, PHRASES, own)
    assert (copy_alone.kind, copy_alone.rule) == (ReturnKind.UNRELATED, "own_copy")
    arrived = report("delivered", "2.0.0", "", "Archive@creditor.example")
    of_one = classify(ReturnedMail(reports=(arrived,)), Evidence.ENVELOPE_ADDRESS, OURS, PHRASES, own)
    of_both = classify(
        ReturnedMail(reports=(arrived, on_copy)), Evidence.ENVELOPE_ADDRESS, OURS, PHRASES, own
    )
    assert (of_one.rule, of_both.rule) == ("own_copy_arrived", "own_copy")
    both = ReturnedMail(reports=(on_copy, report("delayed")))
    assert classify(both, Evidence.ENVELOPE_ADDRESS, OURS, PHRASES, own).rule == "delayed"


def test_what_strangers_write_in_a_report_never_becomes_a_verdicts_words() -> None:
    mail = ReturnedMail(reports=(report("delivered-to-ana@x.example", "5.1.1 ana@x.example"),))
    verdict = classify(mail, Evidence.ENVELOPE_ADDRESS, OURS, PHRASES)
    assert (verdict.rule, verdict.status) == ("delivered", "")


def test_of_several_recipients_ours_counts_else_that_one_was_reached() -> None:
    reached, failed = report("delivered", "2.0.0", "", "b@x.example"), report("failed", "5.1.1")
    assert kind(ReturnedMail(reports=(reached, failed))) == "hard_bounce"
    assert kind(ReturnedMail(reports=(reached, failed)), written_to="list@x.example") == "delivered"
    assert kind(ReturnedMail(reports=(reached, failed)), written_to="") == "delivered"


def test_a_receipt_is_none_where_a_filter_refuses_in_its_form() -> None:
    seen = ReturnedMail(report_type="disposition-notification", disposition="manual; displayed")
    assert kind(seen) == "read_receipt"
    refused = "Your message was automatically rejected: "
    for words, expected in (
        ("quota exceeded", "soft_bounce"),
        ("user unknown", "hard_bounce"),
        ("", "soft_bounce"),
    ):
        mail = ReturnedMail(
            report_type="disposition-notification", disposition="automatic; deleted", text=refused + words
        )
        assert kind(mail) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", "hard_bounce"),
        ("L’adresse que vous avez entrée : utilisateur inconnu", "hard_bounce"),
        ("Das Postfach ist voll.", "soft_bounce"),
        ("550 5.7.1 nothing more", "unrelated"),
        ("Three messages wait in quarantine.", "unrelated"),
    ],
)
def test_a_mail_system_says_in_words_what_became_of_the_message(text: str, expected: str) -> None:
    assert kind(written(text, **{"from": DAEMON})) == expected


def test_the_library_of_known_forms_is_believed_of_what_no_person_sends() -> None:
    headers = {"from": ("someone@x.example",), "return-path": ("<>",)}
    assert kind(ReturnedMail(headers=headers, failed=(OURS,))) == "hard_bounce"
    assert kind(ReturnedMail(headers=headers, delayed=(OURS,))) == "soft_bounce"
    by_person = {"from": ("someone@x.example",), "return-path": ("<someone@x.example>",)}
    assert kind(ReturnedMail(headers=by_person, failed=(OURS,))) == "reply"
    assert kind(written("Look.", **{"from": DAEMON, "x_failed_recipients": OURS})) == "hard_bounce"


@pytest.mark.parametrize(
    "headers",
    [
        {"subject": "Out of office: invoice"},
        {"subject": "RE: Réponse automatique : facture"},
        {"subject": "Absence", "auto_submitted": "auto-replied"},
        {"subject": "x", "x_autoreply": "yes"},
        {"subject": "x", "precedence": "auto_reply"},
        {"subject": "x", "auto_submitted": "auto-generated"},
    ],
    ids=str,
)
def test_an_automatic_answer_is_neither_bounce_nor_reply(headers: dict[str, str]) -> None:
    assert kind(written("Je suis absent.", **{"from": "a@x.example", **headers})) == "auto_reply"


def test_what_asks_others_not_to_answer_does_not_make_an_answer_automatic() -> None:
    disputed = written("Nous refusons cette facture.", subject="Re: x", x_auto_response_suppress="All")
    assert kind(disputed) == "reply"


@pytest.mark.parametrize("sender", ["postmaster", "mailer", "smtp-shop", "bouncers", "postmaster.north"])
def test_people_whose_names_are_those_of_daemons_reply(sender: str) -> None:
    by_person = {"from": f"Eva <{sender}@x.example>", "return_path": f"<{sender}@x.example>"}
    assert kind(written("The address is unknown user here, send it again.", **by_person)) == "reply"
    assert kind(written("Unknown user, you say?", **{"from": by_person["from"]}, subject="Re: x")) == "reply"


@pytest.mark.parametrize(
    "headers",
    [
        {"from": "postmaster@x.example", "return_path": "<>"},
        {
            "from": "MicrosoftExchange0f1e2d3c4b5a69788796a5b4c3d2e1f0@x.example",
            "auto_submitted": "auto-replied",
        },
        {"from": '"Ana <ana@x.example>" <bounces-17@x.example>', "subject": "Undeliverable: x"},
        {"from": "Mail Delivery System (of x.example)", "content_type": "multipart/report"},
    ],
    ids=str,
)
def test_a_daemon_is_known_by_its_name_and_one_more_sign(headers: dict[str, str]) -> None:
    form = headers.pop("content_type", "text/plain")
    mail = replace(written("User unknown.", **headers, in_reply_to="<1@x.example>"), content_type=form)
    assert kind(mail) == "hard_bounce"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Jörg Groß ist ausser Haus", "Guten Tag. Ich bin derzeit nicht da."),
        ("JÖRG GROSS IST AUßER HAUS", "Vielen Dank für Ihre Nachricht. Ich bin im Urlaub."),
        ("Reponse automatique", "Je reviens lundi."),
        ("Réponse d’absence", "Je reviens lundi."),
        ("Congés", "Bonjour ! Je suis en congés."),
        ("Afwezigheidsassistent", "Tot maandag."),
        ("Assenza", "Buongiorno. Sarò assente fino al 16."),
        ("Ausencia", "Hola. Estare ausente unos dias."),
    ],
)
def test_absence_is_known_in_six_languages_with_and_without_accents(subject: str, text: str) -> None:
    assert kind(written(text, subject=subject, **{"from": "jg@x.example"})) == "auto_reply"


def test_words_of_absence_behind_something_else_are_a_persons() -> None:
    later = "We dispute the invoice. I will be away next week."
    assert kind(written(later, subject="Absent", precedence="bulk")) == "reply"
    assert kind(written("Paid. I will be away.", subject="x", precedence="bulk")) == "auto_reply"
    assert kind(written("", subject="x", precedence="bulk"), Evidence.IN_REPLY_TO) == "reply"


def test_an_acknowledgement_from_where_nobody_reads_is_automatic_and_an_answer_from_there_is_none() -> None:
    sender = {"from": "no-reply@x.example"}
    assert kind(written("Ceci est une reponse automatique.", subject="x", **sender)) == "auto_reply"
    assert kind(written("Line 3 is wrong.", subject="Re: x", **sender)) == "reply"


def test_words_of_absence_need_a_program_or_a_subject_beside_them() -> None:
    away = "I am out of the office until Monday."
    assert kind(written(away, subject="hello")) == "reply"
    assert kind(written(away, subject="hello", precedence="bulk")) == "auto_reply"
    assert kind(written(away, subject="Absent")) == "auto_reply"
    assert kind(written("Il manque le bon de commande.", subject="Absence de bon de commande")) == "reply"
    assert kind(written("Paid.", subject="x", auto_submitted="no")) == "reply"


def test_a_filter_asks_for_a_confirmation_and_a_person_may_too() -> None:
    asked = "Your message is being held. To have your message delivered, please click."
    assert kind(written(asked, **{"from": "no-reply@x.example"})) == "challenge"
    assert kind(written(asked, **{"from": "ana@x.example"})) == "reply"
    assert kind(written(asked, **{"from": DAEMON, "auto_submitted": "auto-replied"})) == "unrelated"


def test_what_goes_to_many_or_names_nothing_of_ours_is_unrelated() -> None:
    assert kind(written("Sale!", list_id="<l.x.example>"), Evidence.CUSTOMER_ADDRESS) == "unrelated"
    assert kind(written("Sale!", x_spam_flag="YES"), Evidence.NONE) == "unrelated"
    assert kind(written("Sale!", x_spam_status="Yes, score=9"), Evidence.NONE) == "unrelated"
    assert kind(written("Paid.", list_id="<l.x.example>"), Evidence.IN_REPLY_TO) == "reply"
    assert kind(written("Hello"), Evidence.NONE) == "unrelated"
    assert kind(written("Hello"), Evidence.CUSTOMER_ADDRESS) == "reply"


def test_every_kind_is_met_by_some_mail() -> None:
    assert {kind.value for kind in ReturnKind} == {
        "hard_bounce", "soft_bounce", "delivered", "reply", "auto_reply", "read_receipt", "complaint", "challenge",
        "unrelated",
    }  # fmt: skip
