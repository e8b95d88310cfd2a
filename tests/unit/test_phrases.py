"""Conditions in words: what a reader is told is what the gate lets through, grouping and negation included."""

# ruff: noqa: E501 - a sentence is compared whole, and reads best on one line

from pathlib import Path

import pytest

from policies.conditions import compile_condition
from policies.facts import FACTS, Scope
from policies.phrasebook import Phrasebook, load_phrasebook, unit_of
from policies.phrases import phrase
from policies.strict_yaml import YamlInvalidError
from tasks.policy_page import PolicyPrinter

TEMPLATES = Path(__file__).parents[2] / "templates" / "policy"
GAP = "\u202f"
HARD = "\u00a0"


def words_of(language: str) -> Phrasebook:
    path = TEMPLATES / language / "words.yaml"
    return load_phrasebook(path.read_text(encoding="utf-8"), path.name)


def told(condition: str, language: str) -> str:
    compile_condition(condition, Scope.ITEM, "policy.yaml", "when")  # the gate lets it through
    text = phrase(condition, words_of(language), PolicyPrinter(language))
    return text.replace(GAP, " ").replace(HARD, " ")


@pytest.mark.parametrize(
    ("condition", "english", "french"),
    [
        (
            "overdue_amount >= 50000 and currency = 'EUR'",
            "the overdue balance of the account is at least 50,000 and the account is in EUR",
            "le montant échu du compte atteint 50 000 et le compte est tenu en EUR",
        ),
        (
            "50000 < open_amount",
            "the open balance of the account is more than 50,000",
            "l’encours du compte dépasse 50 000",
        ),
        ("amount <> 1.5", "the amount of the invoice is other than 1.5", "le montant de la facture est différent de 1,5"),
        ("days_past_due = 1", "the delay of the invoice is exactly 1 day", "le retard de la facture est égal à 1 jour"),
        ("days_past_due < -7", "the delay of the invoice is less than -7 days", "le retard de la facture est inférieur à -7 jours"),
        ("late_share <= 0.25", "the share of invoices paid late in the last 365 days is at most 25%", "le taux de factures réglées en retard sur les 365 derniers jours ne dépasse pas 25 %"),
        ("overdue_items = 0", "no invoice is overdue", "aucune facture n’est échue"),
        ("overdue_items > 0", "at least one invoice is overdue", "au moins une facture est échue"),
        ("overdue_items > 2", "the number of overdue invoices is more than 2", "le nombre de factures échues dépasse 2"),
        ("customer_type = 'public'", "the customer is a public body", "le client est un organisme public"),
        ("customer_type <> 'consumer'", "the customer is not a consumer", "le client n’est pas un consommateur"),
        ("country = 'DE'", "the customer’s country is DE (Germany)", "le pays du client est DE (Allemagne)"),
        ("country in ('QQ')", "the customer’s country is “QQ”", "le pays du client est « QQ »"),
        ("language = 'nl'", "the customer’s language is nl (Dutch)", "la langue du client est nl (néerlandais)"),
        ("language = '?'", "the customer’s language is “?”", "la langue du client est « ? »"),
        ("currency in ('EUR', 'USD')", "the account is in EUR or USD", "le compte est tenu en EUR ou USD"),
        ("currency not in ('EUR', 'USD')", "the currency is neither EUR nor USD", "la devise n’est ni EUR ni USD"),
        ("risk in ('a', 'b', 'c')", "the risk class is “a”, “b” or “c”", "la classe de risque est « a », « b » ou « c »"),
        ("risk > 'a'", "the risk class comes after “a” in the alphabet", "la classe de risque vient après « a » dans l’ordre alphabétique"),
        ("days_past_due between 10 and 20", "the delay of the invoice is between 10 days and 20 days", "le retard de la facture est compris entre 10 jours et 20 jours"),
        ("days_past_due not between 1 and 2", "the delay of the invoice is not between 1 day and 2 days", "le retard de la facture n’est pas compris entre 1 jour et 2 jours"),
        ("due_date >= DATE '2026-01-31'", "the due date is 31 January 2026 or later", "la date d’échéance n’est pas antérieure au 31 janvier 2026"),
        ("invoice_date < due_date", "the date of issue is before the due date", "la date d’émission est antérieure à la date d’échéance"),
        ("tags like '%vip%'", "the list of the customer’s tags contains “vip”", "la liste des étiquettes du client contient « vip »"),
        ("tags like 'vip%'", "the list of the customer’s tags begins with “vip”", "la liste des étiquettes du client commence par « vip »"),
        ("not tags like '%vip'", "the list of the customer’s tags does not end with “vip”", "la liste des étiquettes du client ne se termine pas par « vip »"),
        ("tags not ilike 'vip'", "the list of the customer’s tags is not “vip” (in capital or small letters)", "la liste des étiquettes du client n’est pas « vip » (en majuscules ou en minuscules)"),
        (
            "tags like '%key_account%'",
            "the list of the customer’s tags contains “key_account”, where “_” stands for any one character",
            "la liste des étiquettes du client contient « key_account », où « _ » tient lieu d’un caractère quelconque",
        ),
        ("tags like 'a%b'", "the list of the customer’s tags matches the pattern “a%b”", "la liste des étiquettes du client correspond au modèle « a%b »"),
        ("credit_limit is null", "the customer has no credit limit", "le client n’a pas de plafond de crédit"),
        ("amount is not null", "the amount of the invoice is known", "on connaît le montant de la facture"),
        ("not amount is not null", "the amount of the invoice is not known", "on ne connaît pas le montant de la facture"),
        ("amount + 1 is null", "the amount of the invoice plus 1 is not known", "on ne connaît pas le montant de la facture plus 1"),
        ("(bounced and overdue_items = 0) is not null", "it is known whether the customer’s e-mail address came back as unknown and no invoice is overdue", "on sait ce qu’il en est de ceci (l’adresse électronique du client a été rejetée comme inconnue et aucune facture n’est échue)"),
        ("risk is distinct from 'a'", "the risk class differs from “a”, or only one of them is known", "la classe de risque diffère de « a », ou l’un des deux seulement est connu"),
        ("amount is not distinct from credit_limit", "the amount of the invoice equals the credit limit, or neither is known", "le montant de la facture équivaut au plafond de crédit, ou aucun des deux n’est connu"),
        ("not bounced", "the customer’s e-mail address did not come back as unknown", "l’adresse électronique du client n’a pas été rejetée"),
        ("bounced = false", "the customer’s e-mail address did not come back as unknown", "l’adresse électronique du client n’a pas été rejetée"),
        ("true", "always", "toujours"),
        ("not true", "never", "jamais"),
    ],
)  # fmt: skip
def test_a_statement_reads_naturally_in_both_languages(condition: str, english: str, french: str) -> None:
    assert told(condition, "en") == english
    assert told(condition, "fr") == french


@pytest.mark.parametrize(
    ("condition", "english"),
    [
        ("overdue_items = 0 and bounced or risk = 'a'", "(no invoice is overdue and the customer’s e-mail address came back as unknown), or the risk class is “a”"),
        ("overdue_items = 0 and (bounced or risk = 'a')", "no invoice is overdue and (the customer’s e-mail address came back as unknown, or the risk class is “a”)"),
        ("not (overdue_items = 0 and risk = 'a')", "the number of overdue invoices is other than 0, or the risk class is not “a”"),
        ("not (overdue_items > 2 or risk = 'a')", "the number of overdue invoices is at most 2 and the risk class is not “a”"),
        ("bounced and risk in ('a', 'b')", "the customer’s e-mail address came back as unknown and (the risk class is “a” or “b”)"),
        ("overdue_items = 0 or risk in ('a', 'b')", "no invoice is overdue, or the risk class is “a” or “b”"),
        ("(overdue_items = 0 and bounced) and amount > 1", "no invoice is overdue, the customer’s e-mail address came back as unknown and the amount of the invoice is more than 1"),
    ],
)  # fmt: skip
def test_and_and_or_are_grouped_as_written(condition: str, english: str) -> None:
    expected = english.replace(
        "the number of overdue invoices is other than 0", "at least one invoice is overdue"
    )
    assert told(condition, "en") == expected


@pytest.mark.parametrize(
    ("condition", "english", "french"),
    [
        ("overdue_amount / credit_limit > 0.8", "the ratio of the overdue balance of the account to the credit limit is more than 0.8", "le rapport entre le montant échu du compte et le plafond de crédit dépasse 0,8"),
        ("days_past_due * 2 >= 60", "2 times the delay of the invoice is at least 60 days", "2 fois le retard de la facture atteint 60 jours"),
        ("late_share * 100 > 25", "100 times the share of invoices paid late in the last 365 days is more than 25", "100 fois le taux de factures réglées en retard sur les 365 derniers jours dépasse 25"),
        ("days_past_due - 5 > 30", "the delay of the invoice minus 5 days is more than 30 days", "le retard de la facture moins 5 jours dépasse 30 jours"),
        ("(amount + 1) * 2 > 3", "2 times (the amount of the invoice plus 1) is more than 3", "2 fois (le montant de la facture plus 1) dépasse 3"),
        ("-amount < 5", "minus the amount of the invoice is less than 5", "moins le montant de la facture est inférieur à 5"),
        ("days_past_due > overdue_items", "the delay of the invoice is more than the number of overdue invoices", "le retard de la facture dépasse le nombre de factures échues"),
        ("coalesce(days_since_last_contact, 9999) > 30", "the time since the last contact (or 9,999 days where that is not known) is more than 30 days", "le délai écoulé depuis le dernier contact (à défaut, 9 999 jours) dépasse 30 jours"),
        ("coalesce(country, 'FR') = 'FR'", "the customer’s country (or FR (France) where that is not known) is FR (France)", "le pays du client (à défaut, FR (France)) est FR (France)"),
        ("coalesce(bounced, days_past_due > 3)", "the customer’s e-mail address came back as unknown (or, where that is not known: the delay of the invoice is more than 3 days)", "l’adresse électronique du client a été rejetée comme inconnue (ou, si on l’ignore : le retard de la facture dépasse 3 jours)"),
        ("not coalesce(bounced, null)", "the customer’s e-mail address did not come back as unknown (or, where that is not known: unknown)", "l’adresse électronique du client n’a pas été rejetée (ou, si on l’ignore : inconnu)"),
        ("days_past_due > case when country = 'FR' then 30 else 45 end", "the delay of the invoice is more than the figure that applies (if the customer’s country is FR (France): 30 days; otherwise: 45 days)", "le retard de la facture dépasse le chiffre applicable (si le pays du client est FR (France) : 30 jours ; sinon : 45 jours)"),
        ("days_past_due > case customer_type when 'public' then 60 end", "the delay of the invoice is more than the figure that applies (if the customer is a public body: 60 days; otherwise: unknown)", "le retard de la facture dépasse le chiffre applicable (si le client est un organisme public : 60 jours ; sinon : inconnu)"),
        ("not case when overdue_items = 0 then bounced else false end", "in the case at hand it holds that (if no invoice is overdue: the customer’s e-mail address did not come back as unknown; otherwise: always)", "selon le cas, il est vrai que (si aucune facture n’est échue : l’adresse électronique du client n’a pas été rejetée ; sinon : toujours)"),
        ("bounced <> (overdue_items = 0)", "the truth (true or false) of (the customer’s e-mail address came back as unknown) is other than the truth (true or false) of (no invoice is overdue)", "le caractère vrai ou faux de ceci (l’adresse électronique du client a été rejetée comme inconnue) est différent du caractère vrai ou faux de ceci (aucune facture n’est échue)"),
        ("bounced in (true, false)", "the truth (true or false) of (the customer’s e-mail address came back as unknown) is true or false", "le caractère vrai ou faux de ceci (l’adresse électronique du client a été rejetée comme inconnue) est vrai ou faux"),
        ("coalesce(amount, null) > 1", "the amount of the invoice (or unknown where that is not known) is more than 1", "le montant de la facture (à défaut, inconnu) dépasse 1"),
        ("customer_type is distinct from 'public'", "the type of customer differs from a public body, or only one of them is known", "le type du client diffère d’un organisme public, ou l’un des deux seulement est connu"),
    ],
)  # fmt: skip
def test_what_is_calculated_or_chosen_is_told(condition: str, english: str, french: str) -> None:
    assert told(condition, "en") == english
    assert told(condition, "fr") == french


def test_braces_and_markup_of_a_text_stay_as_they_are() -> None:
    assert told("customer_id = '{a}' or customer_id = '<b>{b}'", "en") == (
        "the customer number is “{a}”, or the customer number is “<b>{b}”"
    )


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", FACTS)
def test_every_fact_has_a_phrase_in_both_languages(name: str, language: str) -> None:
    words = words_of(language)
    assert words.facts[name].name
    text = told(f"{name} is null and not ({name} is null)", language)
    assert name not in text or "_" not in name


def test_words_that_lack_a_fact_are_refused() -> None:
    text = (TEMPLATES / "en" / "words.yaml").read_text(encoding="utf-8")
    without = text.replace('  invoice_number: {name: "the invoice number"}\n', "")
    with pytest.raises(YamlInvalidError, match="invoice_number"):
        load_phrasebook(without, "words.yaml")


def test_numbers_of_days_and_shares_are_printed_as_such() -> None:
    units = {name: unit_of(fact) for name, fact in FACTS.items()}
    assert {name for name, unit in units.items() if unit == "share"} == {"exposure_share", "late_share"}
    assert {name for name, unit in units.items() if unit == "days"} == {
        "days_past_due", "days_since_invoice", "days_since_last_step", "oldest_days_past_due", "average_days_late",
        "median_days_late", "late_trend_days", "days_since_last_payment", "days_since_last_contact",
    }  # fmt: skip
