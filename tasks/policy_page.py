"""Explains a policy to people: its sentences from `templates/policy/<language>/`, as text, Markdown or one HTML page.

What conditions say is put into words by `policies.phrases`. Values of the policy are untrusted text: they can begin
no block, end no mark, and are escaped in HTML.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal

from babel import Locale
from babel.numbers import format_decimal
from jinja2 import TemplateError

from policies.errors import PolicyInvalidError
from policies.ladder_pictures import draw_ladder, height_of, text_lines
from policies.law_in_force import law_in_force
from policies.model import HoldReason
from policies.phrasebook import Phrasebook, load_phrasebook
from policies.phrases import phrase
from policies.policy_warnings import DEFAULT_AGENCY
from tasks.documents.amounts import country_name, locale_of, print_day, print_money, print_rate
from tasks.documents.page_blocks import code, read_blocks, strong, to_markdown, to_text
from tasks.documents.safe_text import one_line
from tasks.documents.wording import render_frame
from tasks.rules import Rules, read_law, read_rules
from tasks.workspace import Workspace, find_template, shipped_root

LANGUAGES = ("fr", "en")
Form = Literal["text", "markdown", "html"]
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class PolicyPrinter:
    """Prints numbers, days, dates and codes in one language."""

    language: str

    def number(self, value: Decimal) -> str:
        """Return a plain number."""
        return str(format_decimal(value, format="#,##0.######", locale=locale_of(self.language)))

    def days(self, value: Decimal) -> str:
        """Return a number of days, with the word."""
        is_one = abs(value) < 2 if self.language == "fr" else abs(value) == 1
        word = ("jour" if is_one else "jours") if self.language == "fr" else ("day" if is_one else "days")
        return f"{self.number(value)}\u00a0{word}"

    def share(self, value: Decimal) -> str:
        """Return a fraction as a percentage."""
        return self.number(value * _HUNDRED) + ("\u00a0%" if self.language == "fr" else "%")

    def day(self, value: date) -> str:
        """Return a date, with its article where the language wants one."""
        article = "le " if self.language == "fr" else ""
        return article + print_day(value, self.language).replace(" ", "\u00a0")

    def code(self, fact: str, text: str) -> str:
        """Return a currency as it is, and a country or language with its name; nothing for any other text."""
        names = {
            "country": lambda: country_name(text, self.language),
            "language": lambda: _language_name(text, self.language),
        }
        name = names[fact]() if fact in names else text
        if fact == "currency":
            return text
        return f"{text}\u00a0({name})" if name != text else ""


def _language_name(tag: str, language: str) -> str:
    try:
        return str(Locale.parse(tag).get_display_name(locale_of(language)))
    except ValueError:
        return tag


def explain_policy(
    workspace: Workspace, policy_file: Path | None, as_of: date, language: str | None, form: Form
) -> str:
    """Return a policy in plain sentences.

    Args:
        workspace: whose creditor, law and wording count.
        policy_file: a policy; the workspace's own if left out.
        as_of: the date whose interest rates are told.
        language: one of LANGUAGES; the creditor's if left out, English where there is no wording for it.
        form: text, markdown or html.
    """
    rules = read_rules(workspace, policy_file)
    wanted = language or rules.creditor.language
    return _Page(workspace, rules, as_of, wanted if wanted in LANGUAGES else "en").render(form)


@dataclass(frozen=True)
class _Page:
    workspace: Workspace
    rules: Rules
    as_of: date
    language: str

    def render(self, form: Form) -> str:
        words = self._words()
        policy = self.rules.policy
        passes_over = policy.ladder_mode == "most_severe" or policy.entry == "start_by_age"
        pictures = {
            name: draw_ladder(steps, words, passes_over=passes_over) for name, steps in policy.ladders.items()
        }
        told = self._fill(f"policy/{self.language}/policy.txt", self._values(words))
        blocks = read_blocks(told, is_french=self.language == "fr")
        drawn = {name: text_lines(marks, words) for name, marks in pictures.items()}
        if form == "text":
            return to_text(blocks, drawn)
        if form == "markdown":
            return to_markdown(blocks, drawn)
        heights = {name: height_of(marks) for name, marks in pictures.items()}
        about = {
            "language": self.language,
            "blocks": blocks,
            "pictures": pictures,
            "heights": heights,
            "picture_words": words.picture,
            "policy": self.rules.policy,
            "policy_hash": self.rules.policy_hash,
        }
        return self._fill("policy/page.html", about)

    def _words(self) -> Phrasebook:
        path = find_template(self.workspace, f"policy/{self.language}/words.yaml")
        if path is None:
            raise PolicyInvalidError(f"templates/policy/{self.language}/words.yaml is missing")
        return load_phrasebook(path.read_text(encoding="utf-8"), path.name)

    def _fill(self, path: str, values: Mapping[str, object]) -> str:
        roots = (self.workspace.templates, shipped_root() / "templates")
        try:
            return render_frame(roots, path, values)
        except TemplateError as error:
            raise PolicyInvalidError(f"templates/{path} cannot be filled in: {error}") from error

    def _values(self, words: Phrasebook) -> dict[str, object]:
        """Return what the templates may name: the policy itself, the law, and ways to print."""
        law = read_law(self.workspace)
        policy, creditor, printer = self.rules.policy, self.rules.creditor, PolicyPrinter(self.language)
        return {
            "policy": policy,
            "policy_file": self.rules.policy_file,
            "policy_hash": self.rules.policy_hash,
            "creditor": creditor,
            "as_of": self.as_of,
            "laws": law_in_force(policy.statute, law.statutes, law.rates, self.as_of),
            "words": words,
            "reasons": [(reason.value, words.reasons[reason]) for reason in HoldReason],
            "agency_name": self._agency_name,
            "day": partial(_print_day, language=self.language),
            "days": lambda count: printer.days(Decimal(count)),
            "number": printer.number,
            "percent": lambda value: print_rate(value / _HUNDRED, self.language),
            "share": printer.share,
            "money": lambda amount, currency: print_money(amount, currency, self.language),
            "amounts": lambda amounts: [
                print_money(amount, currency, self.language) for currency, amount in amounts.items()
            ],
            "country": lambda name: country_name(name, self.language),
            "condition": lambda text: self._condition(text, words, printer),
            "listed": lambda parts: _listed(parts, words, words.lists.and_),
            "either": lambda parts: _listed(parts, words, words.lists.either),
            "quoted": lambda text: words.fill(words.values.quote, a=one_line(text)),
            "said": one_line,
            "strong": lambda text: strong(one_line(text)),
            "rate_name": lambda series: words.rates.get(series, series),
        }

    def _condition(self, text: str, words: Phrasebook, printer: PolicyPrinter) -> str:
        return one_line(phrase(text, words, printer)) + code(one_line(text))

    def _agency_name(self, agency: str | None) -> str:
        known = self.rules.creditor.agencies.get(agency or DEFAULT_AGENCY)
        return one_line(known.name) if known else one_line(agency or DEFAULT_AGENCY)


def _print_day(day: date, language: str) -> str:
    return print_day(day, language).replace(" ", "\u00a0")


def _listed(parts: Iterable[str], words: Phrasebook, last: str) -> str:
    *others, final = parts
    return words.melt(words.lists.comma.join(others) + last, final) if others else final
