"""The texts of `templates/`: which there are, in which language, with which placeholders.

A file of the workspace stands before the shipped one of the same path. Templates are sandboxed and strict:
they see the names of `PLACEHOLDERS` and nothing else, and a wrong one is found by `check_templates`.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    meta,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from policies import strict_yaml
from policies.errors import PolicyInvalidError, Problem
from policies.model import Channel

LAST_RESORT_LANGUAGE = "en"

_WRITTEN = ("subject", "opening", "closing")
PIECES: dict[Channel, tuple[str, ...]] = {
    Channel.EMAIL: _WRITTEN,
    Channel.LETTER: _WRITTEN,
    Channel.REGISTERED_LETTER: _WRITTEN,
    Channel.CALL: ("talking_points",),
    Channel.AGENCY: (*_WRITTEN, "agency"),
    Channel.COURT: (*_WRITTEN, "agency"),
}
"""The files `<template>/<language>/<piece>.txt` that a channel needs."""

_PURPOSES = {"agency": "it becomes notice.txt of the case that a step by agency or court hands over"}

QUESTIONS = "questions"
"""A file of a call that need not be there: questions whose answers are kept, one a line."""

FRAMES: dict[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("layouts/email.txt", "layouts/email.html"),
    Channel.LETTER: ("layouts/letter.typ",),
    Channel.REGISTERED_LETTER: ("layouts/letter.typ",),
    Channel.CALL: (),
    Channel.AGENCY: (),
    Channel.COURT: (),
}
"""The layouts a channel is set in."""

PLACEHOLDERS: dict[str, str] = {
    "agency_name": "the agency the case is given to; empty otherwise",
    "answer_by": "the last day of the time given for an answer; empty if none is given",
    "answer_days": "how many days are given for an answer; 0 if none are",
    "as_of": "the day up to which everything is calculated",
    "by": "who acts, as the policy's step says (`supervisor`); mostly empty",
    "case_id": "the number of this message, the case number at an agency",
    "contact_name": "the person written to; empty if unknown",
    "creditor_country": "the creditor's country as two letters",
    "creditor_identity": "the creditor with legal form, registration and seat",
    "creditor_name": "the creditor's legal name",
    "customer_id": "the customer's number",
    "customer_identity": "the customer with legal form, registration and address",
    "customer_name": "the customer's name",
    "customer_type": "business, public or consumer",
    "daily_interest": "the interest of one more day, with its currency; empty if none",
    "first_due_date": "the oldest due date",
    "follows_call": "whether the last contact about these invoices was a call on the sheet",
    "has_charges": "whether interest or a recovery charge is claimed",
    "has_disputed_part": "whether a part of the items is disputed",
    "has_enclosures": "whether copies of invoices or other papers go with the message",
    "interest_rate": "the latest annual rate; empty if no interest is claimed",
    "invoice_numbers": "the invoice numbers; of many, the first three and how many more",
    "item_count": "how many invoices are demanded",
    "legal_basis": "the text of law the charges rest on; empty if none are claimed",
    "oldest_days_past_due": "how many days the oldest item is late",
    "past_count": "on how many earlier days, after the due date, a message or a call left",
    "past_dates": "the dates of these messages and calls; empty if there were none",
    "sender_email": "where answers go",
    "sender_name": "who writes",
    "sender_phone": "whom to call; empty if not given",
    "total": "the whole amount demanded, with its currency",
    "total_disputed": "what is disputed; empty if nothing is",
    "total_fees": "fees of this message and of earlier ones; empty if none are claimed",
    "total_late_interest": "late interest; empty if none is claimed",
    "total_principal": "what is demanded of the invoices",
    "total_recovery_charge": "fixed recovery charges; empty if none are claimed",
    "total_waived": "what of these charges is no longer claimed; empty if all is",
}
"""Every name a text may use, and what it stands for."""

_COUNTS = ("answer_days", "item_count", "oldest_days_past_due", "past_count")
_FLAGS = ("follows_call", "has_charges", "has_disputed_part", "has_enclosures")

LABELS = (
    "registered_letter", "place_and_date", "colon", "subject", "customer_number", "our_reference", "attention",
    "invoice", "invoice_date", "due_date", "days_late", "days", "amount", "paid", "balance", "due_on", "order",
    "delivery", "disputed", "principal", "late_interest", "recovery_charge", "recovery_charge_count", "fees", "waived",
    "contract", "total",
    "charges_title", "period", "period_days", "rate", "base", "interest", "information_title", "unapplied",
    "payment_title", "account_holder", "iban", "bic", "bank", "reference", "amount_to_pay", "payment_qr",
    "enclosures", "invoice_copy", "phone", "capital", "identity_seat", "registration", "vat", "automatic",
)  # fmt: skip
"""The keys of `layouts/labels/<language>.yaml`."""


def choose_language(roots: Sequence[Path], template: str, wanted: str, creditor_language: str) -> str:
    """Return the language a message is written in.

    The customer's, with or without its region; else the creditor's; else English.
    """
    base = wanted.replace("_", "-").partition("-")[0]
    for language in (wanted, base, creditor_language):
        if language and any((root / template / language).is_dir() for root in roots):
            return language
    return LAST_RESORT_LANGUAGE


def render_line(roots: Sequence[Path], path: str, values: Mapping[str, object]) -> str:
    """Return a text of one line, such as a subject."""
    return _joined(_render(roots, path, values))


def render_paragraphs(roots: Sequence[Path], path: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return a text as its paragraphs: they are separated by empty lines, other line ends don't count."""
    blocks = re.split(r"\n\s*\n", _render(roots, path, values))
    return tuple(text for text in map(_joined, blocks) if text)


def render_lines(roots: Sequence[Path], path: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return a text as its lines, such as talking points."""
    return tuple(line for line in map(_joined, _render(roots, path, values).split("\n")) if line)


def render_frame(roots: Sequence[Path], path: str, values: Mapping[str, object]) -> str:
    """Return a layout filled in; what is put into an HTML layout is escaped."""
    return _environment(tuple(roots)).get_template(path).render(values)


def piece_path(template: str, language: str, piece: str) -> str:
    """Return where a piece of wording stands below a root."""
    return f"{template}/{language}/{piece}.txt"


def find_file(roots: Sequence[Path], path: str) -> Path | None:
    """Return the file that is used for a path, the workspace's own first."""
    return next((root / path for root in roots if (root / path).is_file()), None)


class Labels:
    """The words around the wording in one language."""

    def __init__(self, roots: Sequence[Path], language: str) -> None:
        """Read `layouts/labels/<language>.yaml`."""
        path = _labels_path(language)
        found = find_file(roots, path) or find_file(roots, _labels_path(LAST_RESORT_LANGUAGE))
        if found is None:
            raise PolicyInvalidError(f"templates/{path} is missing: a message in this language needs it")
        self._texts = _read_labels(str(found), found.stat().st_mtime_ns)
        self._roots = tuple(roots)
        self._is_french = language.startswith("fr")

    def __call__(self, name: str, **values: object) -> str:
        """Return one label, filled in."""
        text = self._texts[name]
        if values:
            text = _label_template(self._roots, text).render(values)
        return space_french(text) if self._is_french else text


@lru_cache(maxsize=512)
def _label_template(roots: tuple[Path, ...], text: str) -> Template:
    return _environment(roots).from_string(text)


def space_french(text: str) -> str:
    """Put the spaces of French punctuation so that no line breaks there."""
    return re.sub(r"« ", "«\u00a0", re.sub(r" ([:;!?»])", "\u00a0\\1", text))


def placeholders(roots: Sequence[Path], path: str) -> frozenset[str]:
    """Return the names a template uses."""
    environment = _environment(tuple(roots))
    source = environment.get_template(path).filename
    if source is None:
        return frozenset()
    return frozenset(
        meta.find_undeclared_variables(environment.parse(Path(source).read_text(encoding="utf-8")))
    )


def check_templates(roots: Sequence[Path], wanted: Iterable[tuple[str, str, str]]) -> list[Problem]:
    """Return what is wrong with the wording that (template, language, channel) need, before anything is rendered."""
    problems: dict[Problem, None] = {}
    for template, language, channel in sorted(wanted):
        for piece in _pieces(roots, template, language, channel):
            problems.update(dict.fromkeys(_check_piece(roots, template, language, piece)))
        problems.update(dict.fromkeys(_check_required(roots, template, language, channel)))
        problems.update(dict.fromkeys(_check_frames(roots, language, channel)))
    return list(problems)


def template_hash(roots: Sequence[Path], template: str, language: str, channel: str) -> str:
    """Return the SHA-256 of every file that the wording and layout of a message come from."""
    paths = [piece_path(template, language, piece) for piece in _pieces(roots, template, language, channel)]
    digest = hashlib.sha256()
    for path in (*paths, *FRAMES[Channel(channel)], _labels_path(language)):
        found = find_file(roots, path)
        content = found.read_bytes() if found else b""
        digest.update(f"{path}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


def _pieces(roots: Sequence[Path], template: str, language: str, channel: str) -> tuple[str, ...]:
    """Return the files of a channel's wording: those it needs, and questions to ask where there are some."""
    pieces = PIECES[Channel(channel)]
    asks = channel == Channel.CALL and find_file(roots, piece_path(template, language, QUESTIONS))
    return (*pieces, QUESTIONS) if asks else pieces


def _labels_path(language: str) -> str:
    return f"layouts/labels/{language}.yaml"


def _check_piece(roots: Sequence[Path], template: str, language: str, piece: str) -> list[Problem]:
    path = piece_path(template, language, piece)
    shown = f"templates/{path}"
    try:
        unknown = placeholders(roots, path) - set(PLACEHOLDERS)
    except TemplateNotFound:
        why = f": {_PURPOSES[piece]}" if piece in _PURPOSES else ""
        example = _find_example(roots, template, language, piece)
        return [Problem(shown, "", f"the file is missing{why}", example)]
    except (TemplateError, UnicodeDecodeError) as error:
        return [Problem(shown, "", f"not readable as a template: {error}")]
    if unknown:
        allowed = ", ".join(PLACEHOLDERS)
        return [Problem(shown, name, "no placeholder of this name", allowed) for name in sorted(unknown)]
    return _try_out(roots, path, shown)


def _find_example(roots: Sequence[Path], template: str, language: str, piece: str) -> str:
    """Return what to put where a piece of wording is missing, and where to copy it from."""
    wanted = (f"{template}/*/{piece}.txt", f"*/{language}/{piece}.txt", f"*/*/{piece}.txt")
    found = (
        path.relative_to(root) for shape in wanted for root in roots for path in sorted(root.glob(shape))
    )
    example = next(found, None)
    return "put a text there" + (
        f", for instance a copy of templates/{example.as_posix()}" if example else ""
    )


def _try_out(roots: Sequence[Path], path: str, shown: str) -> list[Problem]:
    problems = []
    for is_full in (True, False):
        values = dict.fromkeys(PLACEHOLDERS, "x" if is_full else "")
        sample = {**values, **dict.fromkeys(_COUNTS, 2 if is_full else 1), **dict.fromkeys(_FLAGS, is_full)}
        try:
            text = _render(roots, path, sample)
        except Exception as error:  # noqa: BLE001 - whatever a text of the user raises is its fault
            return [Problem(shown, "", f"cannot be filled in: {error}")]
        if not text.strip():
            problems.append(Problem(shown, "", "the text is empty"))
    return problems[:1]


def _check_required(roots: Sequence[Path], template: str, language: str, channel: str) -> list[Problem]:
    found = find_file(roots, f"{template}/required.txt")
    if found is None:
        return []
    paths = [piece_path(template, language, piece) for piece in PIECES[Channel(channel)]]
    try:
        used = frozenset[str]().union(*(placeholders(roots, path) for path in paths))
    except (TemplateError, UnicodeDecodeError):
        return []  # said by `_check_piece`
    missing = sorted(set(found.read_text(encoding="utf-8").split()) - used)
    where, rule = f"templates/{template}/{language}", f"see {template}/required.txt"
    return [Problem(where, name, "this placeholder must be used", rule) for name in missing]


def _check_frames(roots: Sequence[Path], language: str, channel: str) -> list[Problem]:
    missing = [path for path in FRAMES[Channel(channel)] if find_file(roots, path) is None]
    problems = [Problem(f"templates/{path}", "", "the layout is missing") for path in missing]
    path = f"templates/{_labels_path(language)}"
    found = find_file(roots, _labels_path(language))
    if found is None:
        return [*problems, Problem(path, "", "the file is missing", "copy labels/en.yaml and translate it")]
    try:
        texts = _read_labels(str(found), found.stat().st_mtime_ns)
    except PolicyInvalidError as error:
        return [*problems, Problem(path, "", str(error))]
    problems += [Problem(path, name, "this label is missing") for name in LABELS if name not in texts]
    problems += [Problem(path, name, "no label of this name") for name in texts if name not in LABELS]
    return problems


@lru_cache(maxsize=32)
def _read_labels(path: str, _changed_at: int) -> dict[str, str]:
    content = strict_yaml.load(Path(path).read_text(encoding="utf-8"), Path(path).name)
    if not isinstance(content, dict):
        raise PolicyInvalidError(f'{path} holds no labels: lines of the form `name: "text"` are expected')
    return {str(name): str(text) for name, text in content.items() if name != "description"}


def _render(roots: Sequence[Path], path: str, values: Mapping[str, object]) -> str:
    text = _environment(tuple(roots)).get_template(path).render(values)
    return space_french(text) if path.split("/")[1].startswith("fr") else text


def _joined(text: str) -> str:
    # Not str.split(): it would break up the hard spaces inside amounts.
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


class _Loader(FileSystemLoader):
    """Takes a line that holds nothing but a tag out of the text, so that empty lines mean what they look like."""

    _LONE_TAG = re.compile(r"^[ \t]*(\{%[^%]*%\}|\{#[^#]*#\})[ \t]*\r?\n", re.MULTILINE)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, is_current = super().get_source(environment, template)
        return self._LONE_TAG.sub(r"\1", source), filename, is_current


@lru_cache(maxsize=8)
def _environment(roots: tuple[Path, ...]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=_Loader([str(root) for root in roots]),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
    )
