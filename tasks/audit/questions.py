"""The ready questions of auditors: each a name, a sentence, what it needs to know, and a query over `published/`.

The queries stand in `tasks/store/queries/audit/`. Anything else is asked in SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

import polars as pl

from policies.errors import WrongUseError
from tasks.published_tables import query_published
from tasks.store.connection import load_query
from tasks.store.published import DEFAULT_LIMITS, Limits
from tasks.workspace import Workspace


@dataclass(frozen=True)
class Question:
    """One ready question.

    Attributes:
        name: as typed.
        title: the question in words; `{customer}` and the like stand for what was asked.
        needs: names of the words that follow the name on the command line.
        may_need: those that may be left out.
        spans_days: takes `--from` and `--to`.
        shows: the columns that a terminal shows; files hold all.
        headed: headings that only this question gives its columns.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ()
    may_need: tuple[str, ...] = ()
    spans_days: bool = False
    shows: tuple[str, ...] = ()
    headed: Mapping[str, str] = field(default_factory=dict)

    @property
    def usage(self) -> str:
        """Return how it is typed."""
        words = [
            self.name,
            *(word.upper() for word in self.needs),
            *(f"[{word.upper()}]" for word in self.may_need),
        ]
        return " ".join([*words, *(["[--from D] [--to D]"] if self.spans_days else [])])

    @property
    def columns(self) -> Mapping[str, str]:
        """Return what a terminal shows, with headings."""
        headings = {**_HEADINGS, **self.headed}
        return {name: headings.get(name, name.replace("_", " ")) for name in self.shows}


@dataclass(frozen=True)
class Answer:
    """What a question found; `title` is the question with what was asked."""

    title: str
    parameters: Mapping[str, str]
    frame: pl.DataFrame
    columns: Mapping[str, str]


_HEADINGS = {
    "amount_demanded": "demanded",
    "answer": "last answer",
    "as_of": "day",
    "batch_id": "batch",
    "changed_on": "changed",
    "currency": "",
    "customer_id": "customer",
    "decided_by": "by",
    "decided_on": "on",
    "ended_on": "day",
    "erased_on": "day",
    "invoice_number": "invoice",
    "message_step": "step",
    "policy_hash": "hash then",
    "sentence": "why",
    "sequence": "event",
    "settled_by": "by",
    "settled_on": "on",
    "settled_why": "why",
    "template_sha256": "template",
    "uncertain_on": "day",
}
"""Of columns whose heading is not their name in words."""

_ITEM = ("customer_id", "invoice_number", "step")
QUESTIONS = (
    Question(
        "customer",
        "Everything that was decided and done about customer {customer}",
        needs=("customer",),
        shows=("day", "what", "invoice_number", "detail", "who", "sequence"),
    ),
    Question(
        "left-on",
        "What left on {day}",
        needs=("day",),
        shows=(*_ITEM, "channel", "amount_demanded", "currency", "status", "approved_by"),
    ),
    Question(
        "approvals",
        "Who approved or rejected batch {batch}",
        may_need=("batch",),
        shows=(
            "batch_id",
            "decision",
            "decided_by",
            "decided_on",
            "counts",
            "messages",
            "demands",
            "why",
            "sequence",
        ),
    ),
    Question(
        "why-not",
        "Why customer {customer} was not contacted",
        needs=("customer",),
        spans_days=True,
        shows=("day", "invoice_number", "reason", "sentence"),
    ),
    Question(
        "used-rate",
        "Which messages claimed interest at {rate}",
        needs=("rate",),
        shows=("as_of", *_ITEM, "source", "amount", "currency", "status"),
        headed={"source": "rate", "amount": "interest"},
    ),
    Question(
        "used-template",
        "Which actions were worded by template {template}",
        needs=("template",),
        shows=(
            "as_of",
            "customer_id",
            "invoice_number",
            "message_step",
            "channel",
            "template_sha256",
            "status",
        ),
    ),
    Question(
        "policy-changed",
        "Actions under a policy that was changed later",
        shows=("as_of", *_ITEM, "status", "policy", "policy_hash", "changed_on"),
    ),
    Question(
        "uncertain",
        "Messages of which nobody could tell whether they left, and what settled them",
        shows=(
            "uncertain_on",
            "customer_id",
            "batch_id",
            "answer",
            "status",
            "settled_as",
            "settled_by",
            "settled_on",
            "settled_why",
        ),
        headed={"status": "status now"},
    ),
    Question(
        "withdrawn",
        "What was drafted and did not leave",
        shows=("ended_on", *_ITEM, "amount_demanded", "currency", "status", "why"),
    ),
    Question(
        "files",
        "Which files were loaded or refused",
        shows=("as_of", "file", "fate", "source", "rows", "sequence"),
    ),
    Question(
        "erased",
        "Whose personal data was erased, when and why",
        shows=("erased_on", "customer_id", "ground", "by", "why", "documents", "sequence"),
    ),
)
_BY_NAME = {question.name: question for question in QUESTIONS}


def is_question(words: Sequence[str]) -> bool:
    """Return whether the words name a ready question, or try to: SQL has several words in one."""
    return len(words) != 1 or words[0] in _BY_NAME or len(words[0].split()) < 2


def ask(
    workspace: Workspace,
    words: Sequence[str],
    first: date | None = None,
    last: date | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Answer:
    """Return the answer to a ready question.

    Args:
        workspace: whose published files answer.
        words: the name of the question and what it needs, as typed.
        first: the first day that is asked about; the first published if left out.
        last: the last day; the last published if left out.
        limits: what the query may take.

    Raises:
        WrongUseError: there is no such question, or it lacks a word.
    """
    question, given = find_question(words[0]), _given(words)
    if (first or last) and not question.spans_days:
        raise WrongUseError(
            f"`{question.name}` asks about no stretch of days: leave out --from and --to. {_usage(question)}"
        )
    if first and last and last < first:
        raise WrongUseError(f"--to {last} lies before --from {first}.")
    days = {"first": first, "last": last} if question.spans_days else {}
    frame = query_published(
        workspace,
        load_query(f"audit/{question.name.replace('-', '_')}"),
        {**dict.fromkeys(question.may_need), **given, **days},
        limits,
    )
    stated = {name: str(value) for name, value in {**given, **days}.items() if value is not None}
    title = question.title.format(**{**dict.fromkeys(question.may_need, "(all)"), **given})
    return Answer(title.replace(" batch (all)", " each batch"), stated, frame, question.columns)


def list_questions() -> pl.DataFrame:
    """Return the ready questions as rows."""
    return pl.DataFrame(
        {
            "question": [question.usage for question in QUESTIONS],
            "asks": [_in_general(question) for question in QUESTIONS],
        }
    )


def find_question(name: str) -> Question:
    """Return the question of this name, or say which ones there are."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = get_close_matches(name, _BY_NAME, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise WrongUseError(
        f"there is no ready question {name!r}.{guess} There are: {', '.join(_BY_NAME)}. "
        "Anything else is asked in SQL, in quotes."
    )


def _in_general(question: Question) -> str:
    names = (*question.needs, *question.may_need)
    return question.title.format(**{name: name.upper() for name in names})


def _given(words: Sequence[str]) -> dict[str, object]:
    question, values = find_question(words[0]), words[1:]
    names = (*question.needs, *question.may_need)
    if not len(question.needs) <= len(values) <= len(names):
        raise WrongUseError(f"`{question.name}` was given {len(values)} words. {_usage(question)}")
    given: dict[str, object] = dict(zip(names, values, strict=False))
    if "day" in given:
        try:
            given["day"] = date.fromisoformat(str(given["day"]))
        except ValueError as error:
            raise WrongUseError(
                f"{given['day']!r} is no day. Write it like 2026-03-02. {_usage(question)}"
            ) from error
    return given


def _usage(question: Question) -> str:
    return f"It is asked like this: `relance audit query {question.usage}`."
