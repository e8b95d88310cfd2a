"""The page a person reads before deciding on a batch, in Markdown.

What customers' names and documents say is shown as it is: never as markup, a link or a picture.
"""

import re
from collections.abc import Sequence
from textwrap import wrap

from policies.explanations import counted
from tasks.review import Review, Sample

_PAGE_WIDTH = 88


def review_page(review: Review) -> str:
    """Return the page of a batch that waits."""
    return "\n".join(
        [*_head(review), *_guards(review), *_amounts(review), *_changes(review), *_samples(review)]
    )


def form_text(review: Review, problem: str) -> str:
    """Return what stands above the form: the batch in a few lines, and what the last answer lacked."""
    totals = ", ".join(f"{row[5]} {row[2]} ({row[0]})" for row in review.amounts)
    lines = [
        f"**{problem}**" if problem else "",
        (
            f"Batch **{plain(review.batch_id)}**: {counted(review.messages, 'message')} to "
            f"{counted(review.customers, 'customer')}, demanding {plain(totals)}."
        ),
        _asked(review),
        *(f"- {plain(sentence)}" for sentence in review.guards),
        "The page of this run (Artifacts) shows what would leave. Your name is written down as you give it.",
    ]
    return "\n\n".join(line for line in lines if line)


def plain(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    >>> print(plain("a <b> *c* [d](e)"))
    a \<b\> \*c\* \[d\]\(e\)
    """
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", " ".join(text.split()))


def _head(review: Review) -> list[str]:
    until = f" It can be decided until {review.expires_on}." if review.expires_on else ""
    return [
        f"# {plain(review.batch_id)} waits for a person",
        "",
        (
            f"{counted(review.messages, 'message')} to {counted(review.customers, 'customer')} would leave. "
            f"{_asked(review)}{until}"
        ),
    ]


def _asked(review: Review) -> str:
    asked = (
        "One person must approve." if review.approvers == 1 else f"{review.approvers} persons must approve."
    )
    said = f" So far: {plain(', '.join(review.names))}." if review.names else ""
    return asked + said


def _guards(review: Review) -> list[str]:
    if not review.guards:
        return []
    return ["", "## Why a guard asks", "", *(f"- {plain(sentence)}" for sentence in review.guards)]


def _amounts(review: Review) -> list[str]:
    return [
        *("", "## What would leave", ""),
        *_table(("step", "channel", "currency", "messages", "items", "demanded"), review.amounts),
        *("", "The largest", ""),
        *_table(("customer", "step", "demanded"), review.largest),
    ]


def _changes(review: Review) -> list[str]:
    if not review.before:
        return ["", "## Since last time", "", "It is the first batch of its kind."]
    rows = [(change.what, change.before, change.now) for change in review.changes]
    return ["", "## Since last time", "", *_table(("", review.before, review.batch_id), rows)]


def _samples(review: Review) -> list[str]:
    return [line for sample in review.samples for line in _sample(sample)]


def _sample(sample: Sample) -> list[str]:
    # Longer than any run of backticks inside, so that nothing in the document can end it.
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", sample.text)), default=0))
    return [
        "",
        f"## Sample: customer {plain(sample.customer_id)}, {plain(sample.step)}, {plain(sample.amount)}",
        "",
        f"By {plain(sample.channel)}; the file is {plain(sample.file)}",
        "",
        f"{fence}text",
        *_wrapped(sample.text),
        fence,
    ]


def _wrapped(text: str) -> list[str]:
    """Return the lines of a text, none wider than the page."""
    return [part for line in text.splitlines() for part in wrap(line, _PAGE_WIDTH) or [""]]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(map(plain, head))} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(map(plain, row))} |" for row in rows),
    ]
