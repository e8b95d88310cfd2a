"""Who we are, as `creditor.yaml` says it."""

import re
from pathlib import Path

import pytest

import policies
from policies.creditor import Creditor, parse
from policies.errors import CreditorInvalidError, ExitCode

EXAMPLE = Path(policies.__file__).with_name("creditor_example.yaml").read_text(encoding="utf-8")


def changed(before: str, after: str) -> str:
    assert before in EXAMPLE
    return EXAMPLE.replace(before, after)


def refusal_of(text: str) -> str:
    with pytest.raises(CreditorInvalidError) as raised:
        parse(text)
    assert raised.value.exit_code is ExitCode.POLICY_INVALID
    return str(raised.value)


def test_the_example_is_valid_as_it_stands() -> None:
    creditor = parse(EXAMPLE)
    assert (creditor.policy, creditor.language, creditor.time_zone) == ("standard_fr", "fr", "Europe/Paris")
    assert creditor.smtp is None
    assert creditor.agencies["default"].name == "Agence de recouvrement (exemple)"


def test_the_commented_parts_of_the_example_are_valid_too() -> None:
    lines = []
    for line in EXAMPLE.splitlines()[3:]:
        bare = line.lstrip()
        if bare.startswith("# "):
            indent = line[: len(line) - len(bare)]
            lines.append(indent + bare[2:])
        else:
            lines.append(line)
    creditor = parse("\n".join(lines))
    assert creditor.smtp is not None
    assert creditor.smtp.from_ == "comptabilite@ateliers-cormier.example"
    assert creditor.signatory is not None
    assert creditor.address.lines == ("12 rue des Forges", "Bâtiment B")


def test_an_iban_may_be_written_in_groups_and_is_printed_in_groups() -> None:
    bank = parse(EXAMPLE).bank
    assert bank.iban == "FR7630006000011234567890189"
    assert bank.printed_iban == "FR76 3000 6000 0112 3456 7890 189"


def test_two_swapped_digits_of_an_iban_are_found() -> None:
    assert "check digits do not fit" in refusal_of(changed("3000 6000 0112", "3000 6000 0121"))


def test_text_that_is_no_iban_is_refused() -> None:
    assert "is not an IBAN: two letters" in refusal_of(
        changed("FR76 3000 6000 0112 3456 7890 189", "3000 6000")
    )


def test_a_bic_has_8_or_11_characters() -> None:
    assert "is not a BIC" in refusal_of(changed("AGRIFRPP", "AGRIFR"))
    assert parse(changed("AGRIFRPP", "AGRIFRPPXXX")).bank.bic == "AGRIFRPPXXX"


def test_a_siren_whose_check_digit_is_wrong_is_refused_in_france() -> None:
    text = changed('"123456782"', '"123456789"')
    assert "registration_id" in refusal_of(text)
    assert "is not a SIREN" in refusal_of(text)
    assert parse(text.replace("country: FR ", "country: BE ")).registration_id == "123456789"


def test_an_identifier_without_quotes_is_refused() -> None:
    assert "registration_id" in refusal_of(changed('"123456782"', "123456782"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("country: FR  ", "country: UK  ", "the United Kingdom is GB"),
        ("country: FR  ", "country: France  ", "is not a country code"),
        ("email: comptabilite@", "email: comptabilite.", "is not an e-mail address"),
        ("email: comptabilite@", "email: comptabilité@", "before the @ only ASCII"),
        ("time_zone: Europe/Paris", "time_zone: Paris", "is not a time zone"),
        ("time_zone: Europe/Paris", "time_zone: ../etc", "is not a time zone"),
        ("language: fr", "language: french", "language"),
        ("policy: standard_fr", "polcy: standard_fr", "did you mean 'policy'"),
    ],
)
def test_a_wrong_value_is_named(before: str, after: str, said: str) -> None:
    assert said in refusal_of(changed(before, after))


def test_an_address_whose_domain_has_a_form_for_name_servers_is_taken_as_it_is_written() -> None:
    text = changed("email: comptabilite@ateliers-cormier", "email: comptabilite@société")
    assert parse(text).sender.email == "comptabilite@société.example"


def test_all_errors_are_told_together() -> None:
    text = changed("AGRIFRPP", "X").replace("language: fr", "language: FR").replace("postcode:", "zip:")
    refusal = refusal_of(text)
    for key in ("bank.bic", "language", "address.postcode", "address.zip"):
        assert key in refusal


def test_the_town_of_a_letter_is_the_city_unless_another_is_given() -> None:
    assert parse(EXAMPLE).printed_place == "Nantes"
    assert parse(changed("# place: Nantes", "place: Rezé")).printed_place == "Rezé"


MAILBOX = "\nreturns:\n  imap: {{host: {host}, security: none, username_env: U, password_env: P}}\n"


def test_a_mailbox_is_read_without_encryption_on_this_machine_alone() -> None:
    here = parse(EXAMPLE + MAILBOX.format(host="127.0.0.1")).returns.imap
    assert here is not None
    assert (here.port, here.folder, here.mark_seen) == (993, "INBOX", False)
    assert "only this machine may be asked so" in refusal_of(
        EXAMPLE + MAILBOX.format(host="imap.example.com")
    )


def test_without_keys_replies_hold_a_week_and_three_soft_bounces_count() -> None:
    returns = parse(EXAMPLE).returns
    assert (returns.imap, returns.maildir, returns.reply_hold_days, returns.soft_bounces) == (
        None,
        None,
        7,
        3,
    )


def test_a_creditor_cannot_be_changed_once_read() -> None:
    creditor: Creditor = parse(EXAMPLE)
    with pytest.raises(Exception, match="frozen"):
        creditor.policy = "other"  # type: ignore[misc]  # what the test is about


def with_mail(lines: str) -> str:
    return EXAMPLE + "\n" + lines


def test_the_finer_keys_of_the_mail_server_in_the_example_are_valid() -> None:
    block = EXAMPLE[EXAMPLE.index("# smtp:") : EXAMPLE.index("# # maildir")].splitlines()
    lines = [re.sub("^  # ", "  ", line.removeprefix("# ")) for line in block if "login_block" not in line]
    smtp = parse(
        with_mail("\n".join([lines[0], *(line for line in lines[1:] if line.startswith("  "))]))
    ).smtp
    assert smtp is not None
    assert (smtp.connections, smtp.messages_per_minute, smtp.timeout_seconds.answer) == (4, 600, 300)
    assert (smtp.copy_to, smtp.retry_for_seconds) == ("archive@ateliers-cormier.example", 60)


def test_a_login_comes_from_one_place() -> None:
    both = "smtp: {host: mail.example.com, username_env: WHO, login_block: relance-smtp}"
    assert "from a Prefect block or from the environment, not from both" in refusal_of(with_mail(both))
    assert parse(with_mail("smtp: {host: mail.example.com, login_block: relance-smtp}")).smtp is not None


def test_mail_has_one_way_out() -> None:
    both = "smtp: {host: mail.example.com}\nmaildir: outgoing"
    assert "not both; take one out" in refusal_of(with_mail(both))
    assert parse(with_mail("maildir: outgoing")).maildir == "outgoing"
